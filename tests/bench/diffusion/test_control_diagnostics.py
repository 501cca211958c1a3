"""Attention entropy: known answers, and that measuring changes nothing."""

from __future__ import annotations

import json
import math

import pytest
import torch

from bench.diffusion.attention import AttentionCall, AttentionSite, Kind
from bench.diffusion.control import Chain, Interpolation, SourceRecorder
from bench.diffusion.diagnostics import EntropyRecorder, compared, row_entropy


def call(q: torch.Tensor, k: torch.Tensor, *, kind: Kind = "self", timestep: int = 1, **more: object) -> AttentionCall:
    """Logits are q kᵀ: the scale is 1."""
    site = AttentionSite(f"{kind} site", kind, "down", position=1, order=0, level=1, heads=q.shape[1])
    fields = {"mask": None, "guided": False, **more}
    return AttentionCall(site, timestep, q, k, torch.randn(*k.shape[:3], 4), scale=1.0, **fields)  # type: ignore[arg-type]


def of_logits(*rows: tuple[float, ...], **more: object) -> AttentionCall:
    """One row, one head; queries with these logits."""
    logits = torch.tensor(rows)
    return call(logits[None, None], torch.eye(logits.shape[1])[None, None], **more)  # type: ignore[arg-type]


def test_known_entropies() -> None:
    of = of_logits((0.0, 0.0), (40.0, 0.0), (math.log(9), 0.0))
    found = row_entropy(Chain().parts(of), 0, of) * math.log(2)
    torch.testing.assert_close(found, torch.tensor([math.log(2), 0.0, 0.3250829734]), atol=1e-6, rtol=0)


def test_masked_keys_do_not_count() -> None:
    """Uniform over the two keys that are left is entropy 1, and a bias of some units hides nothing."""
    mask = torch.tensor([0.0, 0.0, -10000.0])[None, None, None]
    of = of_logits((0.0, 0.0, 5.0), mask=mask)
    torch.testing.assert_close(row_entropy(Chain().parts(of), 0, of), torch.ones(1))


def test_a_single_key_has_no_entropy() -> None:
    of = of_logits((0.0,))
    assert row_entropy(Chain().parts(of), 0, of).isnan().all()
    recorder = EntropyRecorder()
    recorder(of)
    assert recorder.summary(0)["self"]["all"] == [None]


def test_mixing_maps_blunts_attention_that_mixing_logits_keeps_sharp() -> None:
    """metrics.md §10: logits (10, 0) and (0, 2) mixed give (5, 1); their maps mixed are nearly uniform."""
    current, source = of_logits((10.0, 0.0)), of_logits((0.0, 2.0))
    memory = {(1, "self site"): (source.q, source.k)}
    gates = {1: torch.full((1, 1), 0.5)}
    sharp, blunt = (
        row_entropy(Interpolation(memory, gates, softmax).parts(current), 0, current) * math.log(2)
        for softmax in ("before", "after")
    )
    assert sharp.item() == pytest.approx(0.0902, abs=1e-3)
    assert blunt.item() == pytest.approx(0.68, abs=0.01)


def draw(rows: int, *, guided: bool = False, seed: int = 0, timestep: int = 1, kind: Kind = "self") -> AttentionCall:
    generator = torch.Generator().manual_seed(seed)
    q, k = (torch.randn(rows, 2, 6, 5, generator=generator) for _ in range(2))
    return call(q, k, guided=guided, timestep=timestep, kind=kind)


def test_measuring_changes_nothing() -> None:
    current, source = draw(3), draw(3, seed=1)
    inner = Interpolation({(1, "self site"): (source.q, source.k)}, {1: torch.rand(3, 6)})
    assert torch.equal(EntropyRecorder(inner)(current), inner(current))


def test_a_recorder_inside_still_records() -> None:
    source = SourceRecorder()
    EntropyRecorder(source)(draw(1))
    assert list(source.memory) == [(1, "self site")]


def test_only_conditional_rows_are_measured_and_split_by_the_gate() -> None:
    current = draw(4, guided=True)
    gates = torch.tensor([[1.0, 1, 1, 0, 0, 0], [1.0] * 6])
    recorder = EntropyRecorder(gates={1: gates})
    recorder(current)
    array = recorder.array()
    assert array.shape == (2, 1, 1, 3)
    weights = current.weights()[2:]
    entropy = (torch.special.entr(weights).sum(-1) / math.log(6)).mean(1)
    expected = [entropy[0].mean(), entropy[0, :3].mean(), entropy[0, 3:].mean()]
    torch.testing.assert_close(torch.from_numpy(array[0, 0, 0]), torch.stack(expected), atol=1e-6, rtol=0)
    assert math.isnan(array[1, 0, 0, 2]), "a target that is everywhere leaves no background"
    assert recorder.summary(1)["self"]["background"] == [None]


def test_the_comparison_with_the_source_is_json() -> None:
    edit, source = EntropyRecorder(gates={1: torch.rand(2, 6)}), EntropyRecorder()
    for timestep in (5, 1):
        for kind in ("self", "text"):
            edit(draw(2, timestep=timestep, kind=kind))
        source(draw(1, timestep=timestep))
    found = compared(edit, 1, source)
    assert json.loads(json.dumps(found)) == found
    assert found["edit"]["timesteps"] == [5, 1]
    assert set(found["edit"]) == {"timesteps", "self", "text"}
    assert set(found["edit"]["text"]) == {"all", "target", "background"}
    assert set(found["source"]["self"]) == {"all"}
    assert set(found["distance"]) == {"self"}, "the source's text attention was not measured"
    difference = (edit.array()[1, :, 0, 0] - source.array()[0, :, 0, 0]).mean()
    assert found["distance"]["self"] == pytest.approx(abs(difference), abs=1e-4)
