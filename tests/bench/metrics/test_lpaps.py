"""LPAPS: the toy stage, both norms, windows, and what the published form does to the tail."""

from __future__ import annotations

import numpy as np
import pytest
from little_clap import LittleClap

from bench.audio import Clip
from bench.embedder import Embedding
from bench.metric import Missing
from bench.metrics.layers import Lpaps, LpapsManor2024, LpapsTrueEdit, channel_norm, lpaps, token_norm
from bench.task import Source

A, B = [[1.0, 2.0], [3.0, 4.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, 4.0], [2.0, 1.0]]
NORMS = pytest.mark.parametrize("norm", [token_norm, channel_norm])
EMBEDDER = LittleClap()


def embedding(*stages: np.ndarray, weights: tuple[float, ...] = (1.0,)) -> Embedding:
    return Embedding(np.zeros((len(weights), 2), np.float32), np.array(weights), stages)


def test_the_toy_stage() -> None:
    assert token_norm(A, B) == pytest.approx(0.9588432329, abs=1e-10)
    assert channel_norm(A, B) == pytest.approx(0.8703818726, abs=1e-10)


@NORMS
def test_ends_and_symmetry(norm) -> None:
    draw = np.random.default_rng(0).normal(size=(2, 40, 6))
    assert norm(draw[0], draw[0]) == 0.0
    assert norm(draw[0], -draw[0]) == pytest.approx(4.0)
    assert norm(draw[0], 7 * draw[0]) == pytest.approx(0.0, abs=1e-12)
    assert norm(draw[0], draw[1]) == pytest.approx(norm(draw[1], draw[0]), rel=1e-12)
    assert 0 <= norm(*np.random.default_rng(0).normal(size=(2, 4000, 3))) == pytest.approx(2.0, abs=0.1)


@NORMS
def test_a_silent_channel_is_no_division_by_zero(norm) -> None:
    assert norm(np.zeros((3, 2)), np.zeros((3, 2))) == 0.0
    assert norm(np.zeros((3, 2)), np.ones((3, 2))) == pytest.approx(1.0)


@NORMS
@pytest.mark.parametrize("other", [np.zeros((3, 3)), np.zeros((4, 2)), np.zeros(6)])
def test_stages_of_different_shapes_are_refused(norm, other: np.ndarray) -> None:
    with pytest.raises(ValueError, match="equal shapes"):
        norm(np.zeros((3, 2)), other)


def test_stages_are_summed_and_windows_weighed() -> None:
    one, two = np.array([A]), np.array([B])
    assert lpaps(embedding(one, one), embedding(two, two)) == pytest.approx(2 * channel_norm(A, B))
    first, second = np.array([A, A]), np.array([B, A])
    pair = embedding(first, weights=(10.0, 5.0)), embedding(second, weights=(10.0, 5.0))
    assert lpaps(*pair, token_norm) == pytest.approx(token_norm(A, B) * 2 / 3)


def test_windows_that_only_one_clip_has_are_left_out() -> None:
    short, long = embedding(np.array([A])), embedding(np.array([B, B]), weights=(1.0, 1.0))
    assert lpaps(short, long) == lpaps(long, short) == pytest.approx(channel_norm(A, B))


def test_embeddings_without_stages_are_refused_and_not_equal() -> None:
    with pytest.raises(ValueError, match="without stages"):
        lpaps(embedding(), embedding())
    with pytest.raises(ValueError, match="zip"):
        lpaps(embedding(np.array([A])), embedding(np.array([A]), np.array([A])))


@pytest.mark.parametrize("kind", [Lpaps, LpapsManor2024, LpapsTrueEdit])
def test_the_metric_is_zero_for_its_reference_and_symmetric(kind, source: Source, make_case) -> None:
    metric, other = kind(EMBEDDER), source.stems["drums"]
    assert metric.score(make_case(source.mixture, true_edit=source.mixture)) == 0.0
    there = metric.score(make_case(other, true_edit=source.mixture))
    swapped = Source("swapped", "swapped", other, source.stems)
    back = metric.score(make_case(source.mixture, of=swapped, true_edit=other))
    assert 0 < there < 16
    assert back == pytest.approx(there, rel=1e-12)


def test_the_true_edit_is_the_reference_of_its_own_metric(source: Source, make_case) -> None:
    truth = source.stems["drums"]
    metric = LpapsTrueEdit(EMBEDDER)
    assert metric.score(make_case(truth, true_edit=truth)) == 0.0
    assert metric.score(make_case(source.mixture, true_edit=truth)) > 0.0
    assert "true edit" in metric.identity


def test_another_length_is_not_compared(source: Source, make_case) -> None:
    value = Lpaps(EMBEDDER).score(make_case(source.mixture.window(0, 2.0)))
    assert isinstance(value, Missing)
    assert value.code == "length-mismatch"


def test_as_published_the_last_second_counts_as_much_as_the_whole_clip() -> None:
    """Ten seconds that differ in the last one only."""
    rng = np.random.default_rng(0)
    clip = Clip.of(rng.normal(0, 0.1, 80_000), 8_000)
    late = Clip.of(np.concatenate([clip.mono[:72_000], rng.normal(0, 0.1, 8_000) * np.linspace(0, 1, 8_000)]), 8_000)
    plain, doubled = (EMBEDDER.embed([clip, late], policy=policy, stages=True) for policy in ("blocks", "manor2024"))
    assert [len(e.weights) for e in (*plain, *doubled)] == [1, 1, 2, 2]
    whole, tail = (
        sum(token_norm(a[n], b[n]) for a, b in zip(doubled[0].stages, doubled[1].stages, strict=True)) for n in (0, 1)
    )
    assert whole == pytest.approx(lpaps(*plain, token_norm))
    assert lpaps(*doubled, token_norm) == pytest.approx((whole + tail) / 2)
    assert tail > 3 * whole


def test_identities_tell_norm_windows_and_reference_apart() -> None:
    identities = {kind(EMBEDDER).identity for kind in (Lpaps, LpapsManor2024, LpapsTrueEdit)}
    assert len(identities) == 3
    assert Lpaps(EMBEDDER).identity.startswith("lpaps:little-clap@1[little-clap@1, blocks windows, normalised over ch")
