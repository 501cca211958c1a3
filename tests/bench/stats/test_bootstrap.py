from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.errors import IncompleteError, UsageError
from bench.stats.bootstrap import Interval, cluster_mean


def songs(number: int, each: int) -> list[str]:
    return [f"song{index:02d}" for index in range(number) for _ in range(each)]


def correlated(rng: np.random.Generator, number: int, each: int, icc: float) -> np.ndarray:
    """Values with variance 1, of which the share `icc` belongs to the song."""
    shared = rng.normal(0, np.sqrt(icc), (number, 1))
    return (shared + rng.normal(0, np.sqrt(1 - icc), (number, each))).ravel()


def test_one_song_has_no_interval() -> None:
    assert cluster_mean([1.0, 2.0, 6.0], ["a"] * 3) == Interval(3.0, None, None, 3, 1)


def test_the_mean_is_over_values_and_not_over_songs() -> None:
    assert cluster_mean([0.0, 0.0, 0.0, 4.0], ["a", "a", "a", "b"]).mean == 1.0


def test_the_ends_are_quantiles_of_the_drawn_means() -> None:
    """Two songs: a draw is (a,a), (a,b)/(b,a) or (b,b), with probabilities 1/4, 1/2, 1/4."""
    wide = cluster_mean([0.0, 0.0, 0.0, 4.0], ["a", "a", "a", "b"])
    assert (wide.low, wide.high) == (0.0, 4.0)
    narrow = cluster_mean([0.0, 0.0, 0.0, 4.0], ["a", "a", "a", "b"], level=0.4)
    assert (narrow.low, narrow.high) == (1.0, 1.0)


def test_the_seed_decides() -> None:
    values = correlated(np.random.default_rng(0), 10, 5, 0.3)
    assert cluster_mean(values, songs(10, 5), seed=1) == cluster_mean(values, songs(10, 5), seed=1)
    assert cluster_mean(values, songs(10, 5), seed=1) != cluster_mean(values, songs(10, 5), seed=2)


@settings(max_examples=50, deadline=None)
@given(
    rows=st.lists(st.tuples(st.floats(-1e6, 1e6), st.sampled_from("abcdef")), min_size=1, max_size=40),
    shuffle=st.randoms(use_true_random=False),
)
def test_the_order_of_the_rows_does_not_matter(rows, shuffle) -> None:
    mixed = list(rows)
    shuffle.shuffle(mixed)
    first, second = (
        cluster_mean([value for value, _ in table], [song for _, song in table], resamples=50)
        for table in (rows, mixed)
    )
    assert first == second


def test_clustered_values_get_a_wider_interval_than_independent_ones() -> None:
    values = correlated(np.random.default_rng(4), 40, 15, 0.3)
    clustered = cluster_mean(values, songs(40, 15))
    naive = cluster_mean(values, [str(index) for index in range(600)])
    assert clustered.high - clustered.low > 1.5 * (naive.high - naive.low)
    assert clustered.mean == pytest.approx(naive.mean, abs=1e-12)


def test_nineteen_of_twenty_intervals_hold_the_truth() -> None:
    rng = np.random.default_rng(5)
    names = songs(40, 15)
    held = 0
    for trial in range(400):
        interval = cluster_mean(correlated(rng, 40, 15, 0.3), names, seed=trial, resamples=1000)
        held += interval.low <= 0.0 <= interval.high
    assert 0.90 <= held / 400 <= 0.98


def test_nothing_to_average() -> None:
    with pytest.raises(IncompleteError, match="no value") as caught:
        cluster_mean([], [])
    assert caught.value.code == "stats/no-values"


@pytest.mark.parametrize(
    ("values", "clusters", "options"),
    [
        ([1.0, 2.0], ["a"], {}),
        ([1.0, float("nan")], ["a", "b"], {}),
        ([1.0, float("inf")], ["a", "b"], {}),
        ([1.0, 2.0], ["a", "b"], {"level": 1.0}),
        ([1.0, 2.0], ["a", "b"], {"resamples": 0}),
    ],
)
def test_what_does_not_fit_is_refused(values, clusters, options) -> None:
    with pytest.raises(UsageError) as caught:
        cluster_mean(values, clusters, **options)
    assert caught.value.code == "stats/arguments"
