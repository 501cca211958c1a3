"""Attention control against the explicit logits of the paper's equations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import pytest
import torch

from bench.diffusion.attention import AttentionCall, AttentionSite, Block, Kind, select
from bench.diffusion.control import (
    ByKind,
    Chain,
    Composable,
    Interpolation,
    Modulation,
    Part,
    QueriesAndKeys,
    SourceRecorder,
)

ROWS, HEADS, DIM = 4, 3, 8
BEFORE: Literal["before"] = "before"


def site(kind: Kind = "self", *, name: str = "site", block: Block = "down", position: int = 1) -> AttentionSite:
    return AttentionSite(name, kind, block, position=position, order=0, level=1, heads=HEADS)


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


def memory(source: AttentionCall, rows: int = ROWS) -> dict[tuple[int, str], QueriesAndKeys]:
    return {(1, "site"): (source.q[:rows], source.k[:rows])}


def uniform(*shape: int, seed: int = 2) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def modulation(gate: torch.Tensor, tokens: torch.Tensor, strength: float) -> Modulation:
    return Modulation({1: gate}, tokens, {1: strength})


# -- interpolation ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("queries", "keys"), [(60, 60), (60, 8), (1, 1)])
@pytest.mark.parametrize("source_rows", [1, ROWS])
@pytest.mark.parametrize("masked", [False, True])
def test_concatenated_features_are_the_interpolated_logits(
    queries: int, keys: int, source_rows: int, masked: bool
) -> None:
    mask = uniform(ROWS, 1, 1, keys) if masked else None
    current, other = call(queries, keys, mask=mask), call(queries, keys, seed=1)
    gate = uniform(ROWS, queries)
    g = gate[:, None, :, None]
    mixed = g * logits(current.q, current.k) + (1 - g) * logits(other.q[:source_rows], other.k[:source_rows])
    found = Interpolation(memory(other, source_rows), {1: gate})(current)
    torch.testing.assert_close(found, explicit(current, mixed), atol=1e-5, rtol=0)


@pytest.mark.parametrize(("queries", "keys"), [(60, 60), (60, 8)])
def test_after_the_softmax_attention_maps_are_mixed(queries: int, keys: int) -> None:
    current, other = call(queries, keys), call(queries, keys, seed=1)
    gate = uniform(ROWS, queries)
    g = gate[:, None, :, None]
    maps = g * logits(current.q, current.k).softmax(-1) + (1 - g) * logits(other.q, other.k).softmax(-1)
    found = Interpolation(memory(other), {1: gate}, softmax="after")(current)
    torch.testing.assert_close(found, maps @ current.v, atol=1e-5, rtol=0)
    before = Interpolation(memory(other), {1: gate})(current)
    assert (found - before).abs().max() > 1e-3


@pytest.mark.parametrize("softmax", ["before", "after"])
def test_an_open_gate_is_the_plain_attention_and_a_closed_one_the_sources(softmax: Literal["before", "after"]) -> None:
    current, other = call(30, 30), call(30, 30, seed=1)
    ones = torch.ones(ROWS, 30)
    opened = Interpolation(memory(other), {1: ones}, softmax)
    closed = Interpolation(memory(other), {1: 0 * ones}, softmax)
    torch.testing.assert_close(opened(current), current.plain(), atol=1e-5, rtol=0)
    torch.testing.assert_close(closed(current), explicit(current, logits(other.q, other.k)), atol=1e-5, rtol=0)


def test_both_halves_of_guidance_are_treated_alike() -> None:
    """The unconditional rows come first; a task's gate holds for both of its rows."""
    current, other = call(16, 16, guided=True), call(16, 16, seed=1)
    gates = {1: torch.stack([torch.zeros(16), torch.ones(16)])}
    found = Interpolation(memory(other, 1), gates)(current)
    followed = explicit(current, logits(other.q[:1], other.k[:1]))
    torch.testing.assert_close(found[[1, 3]], current.plain()[[1, 3]], atol=1e-5, rtol=0)
    torch.testing.assert_close(found[[0, 2]], followed[[0, 2]], atol=1e-5, rtol=0)


# -- modulation ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("masked", [False, True])
def test_the_bias_is_lambda_times_the_outer_product(masked: bool) -> None:
    mask = torch.where(torch.arange(9) < 6, 0.0, -10000.0).expand(ROWS, HEADS, 1, 9) if masked else None
    current = call(40, 9, kind="text", mask=mask)
    gate, tokens = uniform(ROWS, 1, 40), (uniform(ROWS, 1, 9, seed=3) > 0.5).float()
    bias = 2.5 * gate[:, 0, :, None] * tokens[:, 0, None, :]
    expected = explicit(current, logits(current.q, current.k) + bias[:, None])
    torch.testing.assert_close(modulation(gate, tokens, 2.5)(current), expected, atol=1e-5, rtol=0)


def test_biases_of_several_stems_add_up() -> None:
    """As in the released code: each stem's words are favoured where its own mask is high, shared words twice."""
    current = call(40, 9, kind="text")
    gates = uniform(ROWS, 3, 40)
    tokens = torch.zeros(ROWS, 3, 9)
    tokens[:, 0, 1:3], tokens[:, 1, 2:5], tokens[:, 2, 7] = 1, 1, 1
    bias = sum(2.5 * gates[:, i, :, None] * tokens[:, i, None, :] for i in range(3))
    expected = explicit(current, logits(current.q, current.k) + bias[:, None])
    torch.testing.assert_close(modulation(gates, tokens, 2.5)(current), expected, atol=1e-5, rtol=0)


def test_lambda_is_that_of_the_timestep_and_0_changes_nothing() -> None:
    current = call(16, 9, kind="text")
    strengths: Mapping[int, float] = {1: 0.0, 2: 50.0}
    off = Modulation({1: torch.ones(ROWS, 1, 16)}, torch.ones(ROWS, 1, 9), strengths)
    assert torch.equal(off(current), current.plain())


def test_tokens_are_padded_to_the_longest_prompt_of_the_batch() -> None:
    current = call(16, 9, kind="text", guided=True)
    tokens = torch.tensor([[[0.0, 1.0, 0.0]], [[0.0, 0.0, 1.0]]])
    found = modulation(torch.ones(2, 1, 16), tokens, 50.0)(current)
    # With a bias this strong, each query attends to its task's token alone.
    for row, token in ((0, 1), (1, 2), (2, 1), (3, 2)):
        expected = current.v[row, :, token : token + 1].expand(-1, 16, -1)
        torch.testing.assert_close(found[row], expected, atol=1e-3, rtol=0)


# -- the source -----------------------------------------------------------------------------------------------------


def test_the_recorder_changes_nothing_and_keeps_copies() -> None:
    recorder, current = SourceRecorder(), call(20, 20)
    assert torch.equal(recorder(current), current.plain())
    q, k = recorder.memory[1, "site"]
    assert torch.equal(q, current.q)
    assert torch.equal(k, current.k)
    assert recorder.nbytes() == 4 * 2 * current.q.numel()
    current.q.zero_()
    assert q.abs().sum() > 0


@pytest.mark.parametrize("place", ["device", "cpu"])
def test_the_recorder_can_keep_less(place: Literal["device", "cpu"]) -> None:
    recorder, current = SourceRecorder(torch.float16, place), call(5, 5)
    recorder(current)
    q, _ = recorder.memory[1, "site"]
    assert (q.dtype, q.device.type) == (torch.float16, "cpu")
    assert recorder.nbytes() == 2 * 2 * current.q.numel()
    # What is kept in half precision is used in the network's.
    followed = Interpolation(recorder.memory, {1: torch.zeros(ROWS, 5)})(current)
    assert followed.dtype == torch.float32
    torch.testing.assert_close(followed, current.plain(), atol=2e-3, rtol=0)


# -- composition ----------------------------------------------------------------------------------------------------


def test_a_chain_applies_one_after_the_other() -> None:
    """Interpolated and biased in one attention; the order does not matter for these two."""
    current, other = call(16, 16), call(16, 16, seed=1)
    gate, tokens = uniform(ROWS, 16), (uniform(ROWS, 1, 16, seed=3) > 0.5).float()
    follow, pull = Interpolation(memory(other), {1: gate}), modulation(gate[:, None], tokens, 2.5)
    g = gate[:, None, :, None]
    mixed = g * logits(current.q, current.k) + (1 - g) * logits(other.q, other.k)
    expected = explicit(current, mixed + (2.5 * gate[:, :, None] * tokens)[:, None])
    torch.testing.assert_close(Chain((follow, pull))(current), expected, atol=1e-5, rtol=0)
    torch.testing.assert_close(Chain((pull, follow))(current), expected, atol=1e-5, rtol=0)
    assert torch.equal(Chain()(current), current.plain())


def test_a_chain_multiplies_shares() -> None:
    current, other = call(16, 16), call(16, 16, seed=1)
    first, second = uniform(ROWS, 16), uniform(ROWS, 16, seed=3)
    chain = Chain(tuple(Interpolation(memory(other), {1: gate}, softmax="after") for gate in (first, second)))
    parts = chain.parts(current)
    assert len(parts) == 4
    torch.testing.assert_close(sum(p.share for p in parts if p.share is not None), torch.ones(ROWS, 16))
    share = (first * second)[:, None, :, None]
    expected = share * current.plain() + (1 - share) * explicit(current, logits(other.q, other.k))
    torch.testing.assert_close(chain(current), expected, atol=1e-5, rtol=0)


def test_by_kind_leaves_other_kinds_alone() -> None:
    class Mute(Composable):
        def parts(self, call: AttentionCall) -> list[Part]:
            return [Part(call, torch.zeros(call.q.shape[0], call.q.shape[2]))]

    by_kind = ByKind({"loa": Mute()})
    assert by_kind(call(5, 8, kind="loa")).abs().max() == 0
    for kind in ("self", "text"):
        current = call(5, 8, kind=kind)
        assert torch.equal(by_kind(current), current.plain())


def test_sites_are_selected_by_kind_block_and_position() -> None:
    sites = [
        site(kind, name=f"{block} {position} {kind}", block=block, position=position)
        for block, position in (("down", 6), ("mid", 7), ("up", 8), ("up", 14), ("up", 16))
        for kind in ("self", "text")
    ]
    assert [s.name for s in select(sites, blocks=("down", "mid"))] == [s.name for s in sites[:4]]
    melodia = select(sites, kinds=("self",), positions=range(8, 15))
    assert [s.name for s in melodia] == ["up 8 self", "up 14 self"]
    assert select(sites) == tuple(sites)
