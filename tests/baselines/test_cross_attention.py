"""Cross-attention maps and the alignment of prompts against known answers."""

from __future__ import annotations

import torch

from baselines.cross_attention import MapDistance, MapFuser, MapRecorder, align, cosine_share
from bench.backbone import Conditioning
from bench.diffusion.attention import AttentionCall, AttentionSite, Kind

HEADS, DIM, QUERIES = 2, 8, 6


def call(rows: int, tokens: int, *, kind: Kind = "text", guided: bool = False, seed: int = 0) -> AttentionCall:
    draw = torch.Generator().manual_seed(seed)
    q, k, v = (torch.randn(rows, HEADS, n, DIM, generator=draw) for n in (QUERIES, tokens, tokens))
    site = AttentionSite("site", kind, "up", position=8, order=0, level=1, heads=HEADS)
    return AttentionCall(site, 1, q, k, v, None, DIM**-0.5, guided)


def words(*prompts: str) -> Conditioning:
    """One token a word, and a special one at the end."""
    offsets = []
    for prompt in prompts:
        starts = [i for i in range(len(prompt)) if i == 0 or prompt[i - 1] == " "]
        offsets.append((*((start, start + len(prompt[start:].split()[0])) for start in starts), (0, 0)))
    return Conditioning(tuple(prompts), {}, None, tuple(offsets))


def test_swapped_words_of_one_length_stand_for_each_other() -> None:
    tokens = align(words("a soft piano and bass"), words("a loud harp and bass"))
    assert torch.equal(tokens.projection, torch.eye(6)[None])
    assert tokens.same.tolist() == [[1, 0, 0, 1, 1, 1]]
    assert tokens.swapped.tolist() == [[0, 1, 1, 0, 0, 0]]


def test_attention_is_shared_out_where_lengths_differ() -> None:
    tokens = align(words("soft piano and bass"), words("a very old harp and bass"))
    assert torch.allclose(tokens.projection[0, :2, :4], torch.full((2, 4), 0.25))
    maps = torch.rand(1, QUERIES, 5, generator=torch.Generator().manual_seed(0)).softmax(-1)
    torch.testing.assert_close((maps @ tokens.projection).sum(-1), torch.ones(1, QUERIES))


def test_words_that_are_only_in_the_target_stand_for_none() -> None:
    tokens = align(words("piano"), words("old piano"))
    assert tokens.projection[0].tolist() == [[0, 1, 0], [0, 0, 1]]
    assert tokens.same.tolist() == [[0, 1, 1]]
    assert tokens.swapped.sum() == 0


def test_prompts_of_a_batch_are_aligned_each_by_itself() -> None:
    sources, targets = ("soft piano", "bass"), ("soft harp", "a deep bass")
    together = align(words(*sources), words(*targets))
    for row in range(2):
        alone = align(words(sources[row]), words(targets[row]))
        _, n, m = alone.projection.shape
        assert torch.equal(together.projection[row, :n, :m], alone.projection[0])
        assert together.projection[row, n:].sum() == together.projection[row, :, m:].sum() == 0


def test_the_fuser_mixes_conditional_rows_alone() -> None:
    """M = M_tgt + r a (M_src P − M_tgt), times the factors; padded to the longest prompt of the batch."""
    target, source = call(4, 7, guided=True), call(2, 5, seed=1)
    recorder = MapRecorder()
    assert torch.equal(recorder(source), source.plain())
    draw = torch.Generator().manual_seed(2)
    projection, mixed = torch.rand(2, 5, 6, generator=draw), torch.tensor([[1.0, 0, 1, 0, 1, 1], [0, 1, 1, 1, 0, 0]])
    factors = torch.tensor([[1.0, 2, 1, 1, 1, 1], [1, 1, 1, 1, 0.5, 1]])
    out = MapFuser(recorder.memory, projection, mixed, 0.4, factors)(target)
    torch.testing.assert_close(out[:2], target.plain()[:2], atol=1e-5, rtol=0)
    for row in range(2):
        maps = target.weights()[2 + row].clone()
        for token in range(6):
            wanted = source.weights()[row] @ projection[row, :, token]
            share = 0.4 * mixed[row, token]
            maps[..., token] = ((1 - share) * maps[..., token] + share * wanted) * factors[row, token]
        maps[..., 6] = 0  # padding: the network's mask hides it, and the factors do too
        torch.testing.assert_close(out[2 + row], maps @ target.v[2 + row], atol=1e-5, rtol=0)


def test_loa_maps_are_mixed_whole() -> None:
    target, source = call(2, 8, kind="loa", guided=True), call(1, 8, kind="loa", seed=1)
    recorder = MapRecorder()
    recorder(source)
    fuser = MapFuser(recorder.memory, torch.zeros(1, 3, 3), torch.zeros(1, 3), 1.0, torch.zeros(1, 3))
    torch.testing.assert_close(fuser(target)[1], source.weights()[0] @ target.v[1], atol=1e-5, rtol=0)


def test_the_distance_is_a_sum_over_maps_and_a_mean_over_heads_and_copies() -> None:
    edit, source = call(6, 5, guided=True), call(2, 5, seed=1)
    distance = MapDistance({(1, "site"): source.weights()}, copies=2)
    torch.testing.assert_close(distance(edit), edit.plain(), atol=1e-5, rtol=0)
    distance(edit)
    reference = source.weights().repeat_interleave(3, dim=0)
    expected = 2 * (edit.weights() - reference).square().sum() / (HEADS * 2)
    torch.testing.assert_close(torch.as_tensor(distance.total), expected)


def test_the_share_falls_by_half_a_cosine() -> None:
    assert [cosine_share(p, highest=1, lowest=0) for p in (0.0, 1.0, 2.0)] == [1, 0, 0]
    assert cosine_share(0.5, highest=1, lowest=0) == 0.5
    assert cosine_share(0.4, highest=5, lowest=2) == 1
