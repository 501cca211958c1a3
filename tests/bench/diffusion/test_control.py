"""Attention control against the explicit logits of the paper's equations."""

from __future__ import annotations

import pytest
import torch

from bench.diffusion.attention import AttentionCall, AttentionSite, Kind
from bench.diffusion.control import SourceGuide, SourceRecorder, biased_attention, interpolated_attention

ROWS, HEADS, DIM = 4, 3, 8


def site(kind: Kind = "self", level: int = 1) -> AttentionSite:
    return AttentionSite("site", kind, "down", position=1, order=0, level=level, heads=HEADS)


def call(
    queries: int,
    keys: int,
    *,
    kind: Kind = "self",
    guided: bool = False,
    mask: torch.Tensor | None = None,
    seed: int = 0,
) -> AttentionCall:
    draw = torch.Generator().manual_seed(seed)
    q, k, v = (torch.randn(ROWS, HEADS, n, DIM, generator=draw) for n in (queries, keys, keys))
    return AttentionCall(site(kind), 1, q, k, v, mask, DIM**-0.5, guided)


def explicit(c: AttentionCall, logits: torch.Tensor) -> torch.Tensor:
    return (logits + (0 if c.mask is None else c.mask)).softmax(-1) @ c.v


def logits(q: torch.Tensor, k: torch.Tensor) -> torch.Tensor:
    return DIM**-0.5 * q @ k.transpose(-1, -2)


@pytest.mark.parametrize(("queries", "keys"), [(60, 60), (60, 8), (1, 1)])
@pytest.mark.parametrize("source_rows", [1, ROWS])
def test_concatenated_keys_are_the_interpolated_logits(queries: int, keys: int, source_rows: int) -> None:
    current, other = call(queries, keys), call(queries, keys, seed=1)
    source = (other.q[:source_rows], other.k[:source_rows])
    gate = torch.rand(ROWS, queries, generator=torch.Generator().manual_seed(2))
    g = gate[:, None, :, None]
    expected = explicit(current, g * logits(current.q, current.k) + (1 - g) * logits(*source))
    torch.testing.assert_close(interpolated_attention(current, source, gate), expected, atol=1e-5, rtol=0)


def test_an_open_gate_is_the_plain_attention_and_a_closed_one_the_sources() -> None:
    current, other = call(30, 30), call(30, 30, seed=1)
    ones = torch.ones(ROWS, 30)
    source = (other.q, other.k)
    torch.testing.assert_close(interpolated_attention(current, source, ones), current.plain(), atol=1e-5, rtol=0)
    expected = explicit(current, logits(other.q, other.k))
    torch.testing.assert_close(interpolated_attention(current, source, 0 * ones), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("masked", [False, True])
def test_text_bias_is_added_to_the_logits(masked: bool) -> None:
    mask = torch.zeros(ROWS, 1, 1, 12)
    mask[:, :, :, 9:] = -10_000.0
    current = call(40, 12, kind="text", mask=mask if masked else None)
    gate = torch.rand(ROWS, 40, generator=torch.Generator().manual_seed(3))
    tokens = torch.zeros(ROWS, 12)
    tokens[:, 3:5] = 1.0
    expected = explicit(current, logits(current.q, current.k) + 2.5 * gate[:, None, :, None] * tokens[:, None, None])
    torch.testing.assert_close(biased_attention(current, gate, tokens, 2.5), expected, atol=1e-5, rtol=0)
    assert torch.equal(biased_attention(current, gate, tokens, 0.0), current.plain()) or not masked


def test_the_recorder_changes_nothing_and_keeps_copies() -> None:
    recorder, current = SourceRecorder(), call(20, 20)
    assert torch.equal(recorder(current), current.plain())
    q, k = recorder.memory[1, "site"]
    assert torch.equal(q, current.q)
    assert torch.equal(k, current.k)
    current.q.zero_()
    assert q.abs().sum() > 0


def test_the_recorder_can_keep_less() -> None:
    recorder = SourceRecorder(dtype=torch.float16)
    recorder(call(5, 5))
    assert recorder.memory[1, "site"][0].dtype == torch.float16


def test_the_guide_treats_both_halves_of_guidance_alike() -> None:
    """The unconditional rows come first; a task's gate holds for both of its rows."""
    current, other = call(16, 16, guided=True), call(16, 16, seed=1)
    memory = {(1, "site"): (other.q[:1], other.k[:1])}
    gates = {1: torch.stack([torch.zeros(16), torch.ones(16)])}
    guide = SourceGuide(memory, gates, tokens=torch.zeros(2, 3), strength=1.0)
    out = guide(current)
    plain, followed = current.plain(), explicit(current, logits(other.q[:1], other.k[:1]))
    torch.testing.assert_close(out[[1, 3]], plain[[1, 3]], atol=1e-5, rtol=0)
    torch.testing.assert_close(out[[0, 2]], followed[[0, 2]], atol=1e-5, rtol=0)


def test_the_guide_pads_its_tokens_to_the_prompts_of_the_batch() -> None:
    current = call(16, 9, kind="text", guided=True)
    gates = {1: torch.ones(2, 16)}
    tokens = torch.tensor([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    out = SourceGuide({}, gates, tokens, strength=50.0)(current)
    # With a bias this strong, each query attends to its task's token alone.
    for row, token in ((0, 1), (1, 2), (2, 1), (3, 2)):
        torch.testing.assert_close(out[row], current.v[row, :, token : token + 1].expand(-1, 16, -1), atol=1e-3, rtol=0)
