"""The acoustic prior of Polyphonia."""

from __future__ import annotations

import math

import pytest
import torch

from methods.polyphonia.prior import (
    Prior,
    clamped_ratio_mask,
    envelope_mask,
    level_gate,
    level_gate_in_time,
    ratio_mask,
    stretched,
)


def test_known_values() -> None:
    target = torch.tensor([0.0, 1.0, 1.0, 9.0, 0.0, 1e-30])
    context = torch.tensor([1.0, 0.0, 1.0, 16.0, 0.0, 0.0])
    expected = torch.tensor([0.0, 1.0, 0.5**0.5, 0.6, 0.0, 1.0])
    torch.testing.assert_close(ratio_mask(target, context), expected)


def test_does_not_depend_on_the_level() -> None:
    draw = torch.Generator().manual_seed(0)
    target, context = torch.rand(50, 64, generator=draw), torch.rand(50, 64, generator=draw)
    torch.testing.assert_close(ratio_mask(1e-8 * target, 1e-8 * context), ratio_mask(target, context))


def test_targets_masks_share_the_energy() -> None:
    """G² of the target and of its background add up to one wherever anything sounds."""
    draw = torch.Generator().manual_seed(0)
    a, b = torch.rand(50, 64, generator=draw), torch.rand(50, 64, generator=draw)
    torch.testing.assert_close(ratio_mask(a, b) ** 2 + ratio_mask(b, a) ** 2, torch.ones(50, 64))


def test_gates_have_the_networks_token_grids() -> None:
    """10.00 s: 1000 frames, latent 250 × 16, tokens 125 × 8, 63 × 4 and 32 × 2 (time-major)."""
    mask = torch.rand(1000, 64, generator=torch.Generator().manual_seed(0))
    assert [level_gate(mask, (4 * 2**level, 4 * 2**level)).shape[0] for level in (1, 2, 3)] == [125 * 8, 63 * 4, 32 * 2]


def test_gates_are_means_over_what_a_token_stands_for() -> None:
    mask = torch.zeros(20, 16)
    mask[8:16, :8] = 1.0  # second time cell, first frequency cell
    mask[16:, 8:] = 0.5  # the last, shorter time cell, second frequency cell
    assert level_gate(mask, (8, 8)).tolist() == [0, 0, 1, 0, 0, 0.5]


def test_a_silent_source_has_no_target_in_any_prior() -> None:
    silence = torch.zeros(10, 64)
    for mask in (ratio_mask(silence, silence), clamped_ratio_mask(silence, silence), envelope_mask(silence)):
        assert mask.abs().max() == 0


def test_the_released_ratio_is_clamped_where_a_stem_exceeds_its_mixture() -> None:
    found = clamped_ratio_mask(torch.tensor([1.0, 1.0, 4.0, 0.0]), torch.tensor([4.0, 1.0, 1.0, 1.0]))
    torch.testing.assert_close(found, torch.tensor([0.5, 1.0, 1.0, 0.0]))


def test_the_envelope_ignores_the_rest_of_the_mix_and_the_level() -> None:
    power = torch.rand(20, 64, generator=torch.Generator().manual_seed(0))
    mask = envelope_mask(power)
    assert (mask.max(), mask.min() >= 0) == (1.0, True)
    torch.testing.assert_close(envelope_mask(1e-6 * power), mask)
    torch.testing.assert_close(mask**2 * power.max(), power)


def test_the_released_gate_is_the_mean_of_the_two_central_bands() -> None:
    mask = torch.rand(1001, 64, generator=torch.Generator().manual_seed(0))
    assert torch.equal(level_gate_in_time(mask, 1001), mask[:, 31:33].mean(1))
    silent = mask.clone()
    silent[:, 31:33] = 0
    assert level_gate_in_time(silent, 256).abs().max() == 0, "no other band has a say"


def test_stretching_keeps_what_fits() -> None:
    mask = torch.rand(1000, 64)
    assert stretched(mask, 1000) is mask
    ramp = torch.linspace(0, 1, 1000)[:, None].expand(-1, 64)
    torch.testing.assert_close(stretched(ramp, 1024)[:, 5], torch.linspace(0, 1, 1024), atol=1e-3, rtol=0)


@pytest.mark.parametrize("axes", ["time-frequency", "time"])
def test_gates_are_one_row_a_task_on_the_grid_of_each_level(axes: str) -> None:
    draw = torch.Generator().manual_seed(0)
    masks = {stem: torch.rand(1000, 64, generator=draw) for stem in ("vocals", "bass")}
    prior = Prior(masks, 1000, (250, 16), axes)  # type: ignore[arg-type]
    grids = {1: (125, 8), 2: (63, 4), 3: (32, 2)}
    gates = prior.gates(["vocals", "bass", "vocals"], grids)
    assert {level: tuple(gate.shape) for level, gate in gates.items()} == {
        level: (3, math.prod(grid)) for level, grid in grids.items()
    }
    for gate in gates.values():
        assert torch.equal(gate[0], gate[2])
        assert not torch.equal(gate[0], gate[1])


def test_a_latent_without_frequency_sees_the_mean_over_all_bands() -> None:
    """As on a backbone whose latent has a time axis only: the prior is then one of time."""
    mask = torch.rand(40, 8, generator=torch.Generator().manual_seed(0))
    gates = Prior({"vocals": mask}, 40, (20, 1), "time-frequency").gates(["vocals"], {0: (20, 1)})
    torch.testing.assert_close(gates[0][0], mask.reshape(20, 2, 8).mean((1, 2)))
