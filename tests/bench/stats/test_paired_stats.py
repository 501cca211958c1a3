"""Paired tests with songs as clusters: known answers, invariances, and error rates by simulation."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, ttest_1samp

from bench.stats.clusters import cluster_sums
from bench.stats.holm import holm
from bench.stats.jackknife import replicates
from bench.stats.paired import effective_n, jackknife_test, paired_test, t_p
from bench.stats.power import MOST_CLUSTERS, clusters_to_decide, detectable, seeds_to_decide
from bench.stats.signflip import DRAWS, EXACT_TO, sign_flip_p, smallest_p

rows = st.lists(st.tuples(st.floats(-1e3, 1e3), st.sampled_from("abcdefgh")), min_size=2, max_size=30)


def correlated(rng: np.random.Generator, songs: int, each: int, icc: float = 0.3) -> np.ndarray:
    """Differences of variance 1 by song, of which the share `icc` belongs to the song: (songs, each)."""
    shared = rng.normal(0, math.sqrt(icc), (songs, 1))
    return shared + rng.normal(0, math.sqrt(1 - icc), (songs, each))


def the_test(values: np.ndarray, **options):
    return paired_test(values.sum(axis=1), np.full(len(values), values.shape[1]), **options)


# -- sign flips -------------------------------------------------------------------------------------------------------


def test_sign_flips_are_counted_exactly() -> None:
    """Against all signs written out."""
    sums = np.array([3.0, -1.0, 0.5, 2.0, -0.25])
    seen = abs(sums.sum())
    reached = [abs(np.dot(signs, sums)) >= seen - 1e-12 for signs in product([-1, 1], repeat=5)]
    assert sign_flip_p(sums) == np.mean(reached)


def test_equal_sums_tie_whatever_rounding_makes_of_them() -> None:
    assert sign_flip_p(np.array([0.1, 0.2, 0.3, 0.1, 0.2, 0.3])) == 2 / 64


def test_drawn_signs_agree_with_all_of_them() -> None:
    sums = np.random.default_rng(1).normal(0.4, 1, EXACT_TO + 1)
    every = np.array(list(product([-1.0, 1.0], repeat=len(sums))))
    exact = np.mean(np.abs(every @ sums) >= abs(sums.sum()) - 1e-12)
    assert sign_flip_p(sums, seed=3) == pytest.approx(exact, abs=4 * math.sqrt(exact / DRAWS))
    assert sign_flip_p(sums, seed=3) == sign_flip_p(sums, seed=3)


def test_no_difference_at_all_has_p_of_one() -> None:
    assert sign_flip_p(np.zeros(8)) == sign_flip_p(np.zeros(30)) == 1.0


@pytest.mark.parametrize("songs", [1, 2, 6, EXACT_TO, EXACT_TO + 1, 40])
def test_the_smallest_p_is_reached(songs: int) -> None:
    reached = sign_flip_p(np.full(songs, 1.0))
    assert reached == pytest.approx(smallest_p(songs), rel=1.1 if songs > EXACT_TO else 1e-12)
    assert reached > 0


# -- the test of a mean -----------------------------------------------------------------------------------------------


def test_with_equal_songs_it_is_the_t_test_of_their_means() -> None:
    values = correlated(np.random.default_rng(2), 5, 8)
    known = ttest_1samp(values.mean(axis=1), 0.0)
    found = the_test(values)
    assert (found.mean, found.p) == pytest.approx((values.mean(), known.pvalue))
    assert (found.low, found.high) == pytest.approx(tuple(known.confidence_interval(0.95)))
    assert found.method == "t", "five songs cannot be significant by sign flips"


def test_the_number_of_songs_decides_which_p() -> None:
    values = correlated(np.random.default_rng(3), 10, 4)
    assert the_test(values[:7]).method == "t"
    assert the_test(values[:8]).method == "sign-flip"
    assert the_test(values[:8], tests=3).method == "t"
    assert the_test(values, tests=3).method == "sign-flip"


def test_one_song_has_no_interval() -> None:
    found = paired_test(np.array([3.0]), np.array([2]))
    assert (found.mean, found.low, found.p, found.method) == (1.5, None, None, None)


@settings(max_examples=60, deadline=None)
@given(rows=rows, shuffle=st.randoms(use_true_random=False))
def test_order_does_not_matter_and_turned_signs_turn_the_result(rows, shuffle) -> None:
    values, songs = [value for value, _ in rows], [song for _, song in rows]
    mixed = list(rows)
    shuffle.shuffle(mixed)
    found, again, turned = (
        paired_test(*cluster_sums(v, s).arrays)
        for v, s in (
            (values, songs),
            ([value for value, _ in mixed], [song for _, song in mixed]),
            ([-value for value in values], songs),
        )
    )
    assert found == again
    assert (turned.mean, turned.p) == (-found.mean, found.p)
    if found.low is not None:
        assert (turned.low, turned.high) == pytest.approx((-found.high, -found.low), rel=1e-9, abs=1e-9)


def test_without_spread_only_a_zero_mean_is_no_difference() -> None:
    assert t_p(0.0, 0.0, 3) == 1.0
    assert t_p(0.1, 0.0, 3) == 0.0


def test_a_jackknifed_mean_is_the_mean() -> None:
    means = {f"song{number}": value for number, value in enumerate(np.random.default_rng(4).normal(size=9))}

    def mean(out) -> float:
        return float(np.mean([value for song, value in means.items() if song not in out]))

    left_out = replicates(mean, list(means))
    assert left_out is not None
    found = jackknife_test(mean(frozenset()), [each.value for each in left_out])
    assert found.p == pytest.approx(ttest_1samp(list(means.values()), 0.0).pvalue)
    assert jackknife_test(0.5, [0.4]).p is None


# -- effective number -------------------------------------------------------------------------------------------------


def test_effective_n_follows_the_design_effect() -> None:
    """15 values a song with a correlation of 0.3 are worth 1 / (1 + 14 · 0.3) each."""
    values = correlated(np.random.default_rng(5), 1_000, 15)
    found = the_test(values)
    n_eff = effective_n(found.error, float(np.square(values).sum()), found.mean, values.size)
    assert values.size / n_eff == pytest.approx(1 + 14 * 0.3, rel=0.15)


def test_effective_n_stays_between_one_and_n() -> None:
    assert effective_n(10.0, 1.0, 0.0, 8) == 1.0
    assert effective_n(0.001, 100.0, 0.0, 8) == 8.0
    assert effective_n(0.0, 0.0, 0.0, 8) == 8.0


# -- Holm -------------------------------------------------------------------------------------------------------------


def test_holm_known_answers() -> None:
    assert holm([]) == []
    assert holm([0.02]) == [0.02]
    assert holm([0.04, 0.01, 0.9, 0.02]) == pytest.approx([0.08, 0.04, 0.9, 0.06])
    assert holm([0.6, 0.7]) == [1.0, 1.0]


# -- power ------------------------------------------------------------------------------------------------------------


def test_a_planted_effect_of_the_detectable_size_is_found_in_four_of_five() -> None:
    rng = np.random.default_rng(6)
    for songs in (4, 8, 20):
        error = math.sqrt((0.3 + 0.7 / 6) / songs)
        effect = detectable(error, songs - 1)
        found = sum((the_test(correlated(rng, songs, 6) + effect).p or 1.0) <= 0.05 for _ in range(400))
        assert binomtest(found, 400, 0.8).pvalue > 0.001, (songs, found)


def test_the_margin_must_be_cleared_too() -> None:
    assert detectable(1e-9, 10, margin=0.5) == pytest.approx(0.5)
    assert detectable(1.0, 10, margin=0.0) < detectable(1.0, 10, margin=5.0)
    assert detectable(1.0, 10, alpha=0.05 / 3) > detectable(1.0, 10)
    assert detectable(0.0, 10, margin=0.5) == 0.5


def test_so_many_songs_show_equal_runs_to_be_equivalent() -> None:
    rng, margin = np.random.default_rng(7), 0.4
    songs = clusters_to_decide(math.sqrt((0.3 + 0.7 / 6) / 6), 6, margin)
    assert songs is not None
    tests = [the_test(correlated(rng, songs, 6)) for _ in range(400)]
    within = sum(-margin <= test.low and test.high <= margin for test in tests)
    assert binomtest(within, 400, 0.8).pvalue > 0.001, within


def test_more_of_either_is_not_always_advice() -> None:
    assert clusters_to_decide(1.0, 4, 1e-4) is None
    assert clusters_to_decide(1e-6, 4, 1.0) == 5
    assert (clusters_to_decide(1.0, 4, 0.011) or 0) <= MOST_CLUSTERS
    assert seeds_to_decide(1.0, 10, noise=0.0, seeds=2, margin=0.5) is None
    assert seeds_to_decide(1e-6, 10, noise=1e-12, seeds=2, margin=0.5) == 3


# -- error rates ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("songs", [4, 8, 12])
def test_the_interval_holds_the_truth_with_few_songs(songs: int) -> None:
    """Where a percentile bootstrap holds it in 79 % (4 songs) to 92 % (12)."""
    rng = np.random.default_rng(songs)
    tests = [the_test(correlated(rng, songs, 8)) for _ in range(500)]
    held = sum(test.low <= 0.0 <= test.high for test in tests)
    assert binomtest(held, 500, 0.95).pvalue > 0.001, held
