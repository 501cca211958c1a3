"""Metrics on sets: which clips go into which set, and what a set must have. Values: tests/bench/runner."""

from __future__ import annotations

import numpy as np
import pytest
from little_clap import LittleClap
from scipy.spatial.distance import cdist, pdist

from bench.metric import CorpusMetric, Frames, Missing, Needs
from bench.metrics import corpus, kernel
from bench.metrics.part import edited_part
from bench.task import Source

EMBEDDER = LittleClap()
KINDS = [
    kind
    for kind in vars(corpus).values()
    if isinstance(kind, type)
    and issubclass(kind, CorpusMetric)
    and kind is not CorpusMetric
    and kind.__name__[0] != "_"
]


def frames(rows: int, clips: int | None = None, seed: int = 0) -> Frames:
    of = np.arange(rows) % (clips or rows)
    return Frames(
        np.random.default_rng(seed).normal(size=(rows, 4)), of, tuple(f"song{n}" for n in range(clips or rows))
    )


def made(kind: type[CorpusMetric]) -> CorpusMetric:
    return kind(EMBEDDER)


def test_all_nine_are_here_and_no_two_are_one() -> None:
    assert len(KINDS) == 9
    assert len({made(kind).identity for kind in KINDS}) == 9
    assert all(made(kind).name.endswith(":little-clap") for kind in KINDS)


def test_the_reference_is_what_the_name_says(source: Source, make_case) -> None:
    truth = source.stems["drums"]
    case = make_case(source.mixture.scaled(0.5), true_edit=truth)
    assert made(corpus.Fad).reference(case) is source.mixture
    assert made(corpus.FadTrueEdit).reference(case) is truth
    assert made(corpus.KadTrueEdit).evaluated(case) is case.edit
    assert made(corpus.FadTarget).evaluated(case).sha256 == edited_part(case).sha256
    same = make_case(truth, true_edit=truth)
    parts = made(corpus.KadTarget).evaluated(same), made(corpus.KadTarget).reference(same)
    assert parts[0].sha256 == parts[1].sha256
    assert parts[0].sha256 != truth.sha256


@pytest.mark.parametrize("kind", [corpus.FadTrueEdit, corpus.KadTrueEdit, corpus.FadTarget, corpus.KadTarget])
def test_those_against_true_edits_need_them(kind: type[CorpusMetric]) -> None:
    assert Needs.TRUE_EDIT in kind.needs
    assert (Needs.STEMS in kind.needs) == ("target" in kind.name)


@pytest.mark.parametrize("kind", [corpus.FadTarget, corpus.KadTarget])
def test_a_part_of_another_length_is_left_out(kind: type[CorpusMetric], source: Source, make_case) -> None:
    case = make_case(source.mixture.window(0, 2.0), true_edit=source.mixture)
    value = made(kind).evaluated(case)
    assert isinstance(value, Missing)
    assert value.code == "length-mismatch"


@pytest.mark.parametrize("kind", KINDS)
def test_a_distance_is_a_number_or_says_why_not(kind: type[CorpusMetric]) -> None:
    value = made(kind).distance(frames(12), frames(9, seed=1))
    assert isinstance(value, float)
    assert kind.range[0] <= value <= kind.range[1]


def test_infinity_needs_six_clips_however_many_rows() -> None:
    value = made(corpus.FadInfinity).distance(frames(50, clips=5), frames(50))
    assert isinstance(value, Missing)
    assert value.code == "too-few-clips"
    assert isinstance(made(corpus.FadInfinity).distance(frames(50, clips=6), frames(50)), float)


@pytest.mark.parametrize("sizes", [(12, 9), (9, 12)])
def test_all_pairs_of_too_many_vectors_are_not_begun(monkeypatch: pytest.MonkeyPatch, sizes: tuple[int, int]) -> None:
    """EnCodec gives 750 a clip: the road must not end in a machine out of memory after all edits are embedded."""
    monkeypatch.setattr(corpus, "MOST_ROWS", 10)
    value = made(corpus.Kad).distance(*(frames(size) for size in sizes))
    assert isinstance(value, Missing)
    assert value.code == "too-many-vectors"
    assert isinstance(made(corpus.Fad).distance(*(frames(size) for size in sizes)), float)


@pytest.mark.parametrize("rows", [7, 512])
@pytest.mark.parametrize("offset", [0.0, 1e4])
@pytest.mark.parametrize("bandwidth", ["reference", "evaluated", 0.7])
def test_the_matrix_product_gives_what_pair_by_pair_gives(
    monkeypatch: pytest.MonkeyPatch, rows: int, offset: float, bandwidth: kernel.Bandwidth | float
) -> None:
    """KAD straight from its formula, with far-off sets and blocks that do not divide them."""
    monkeypatch.setattr(kernel, "ROWS", rows)
    x, y = (np.random.default_rng(seed).normal(size=(n, 6)) + offset for seed, n in ((0, 40), (1, 33)))
    pairs = {"reference": pdist(x), "evaluated": pdist(y)}
    s = bandwidth if isinstance(bandwidth, float) else np.sort(pairs[bandwidth])[(len(pairs[bandwidth]) - 1) // 2]
    within, between = ([np.exp(-(d**2) / (2 * s**2 + 1e-8)) for d in ds] for ds in (pairs.values(), [cdist(x, y)]))
    direct = 100 * (sum(k.mean() for k in within) - 2 * between[0].mean())
    assert kernel.kernel_distance(y, x, bandwidth) == pytest.approx(direct, abs=1e-6 if offset else 1e-10)
    if not isinstance(bandwidth, float):
        assert kernel.median_distance(x if bandwidth == "reference" else y) == pytest.approx(s, rel=1e-9)
