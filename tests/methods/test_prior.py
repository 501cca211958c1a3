"""The acoustic prior of Polyphonia."""

from __future__ import annotations

import torch

from methods.polyphonia.prior import level_gate, ratio_mask


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
    assert [level_gate(mask, 4 * 2**level).shape[0] for level in (1, 2, 3)] == [125 * 8, 63 * 4, 32 * 2]


def test_gates_are_means_over_what_a_token_stands_for() -> None:
    mask = torch.zeros(20, 16)
    mask[8:16, :8] = 1.0  # second time cell, first frequency cell
    mask[16:, 8:] = 0.5  # the last, shorter time cell, second frequency cell
    assert level_gate(mask, 8).tolist() == [0, 0, 1, 0, 0, 0.5]
