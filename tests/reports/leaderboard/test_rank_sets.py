"""Rank sets: what songs can tell, and how often they are right."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bench.stats.bootstrap import cluster_mean
from bench.stats.paired import t_test
from reports.leaderboard.ranks import drawn_songs, mean_intervals, rank_sets

SONGS = 12


def shown(values, songs=None, *, higher=True) -> list[str | None]:
    values = np.asarray(values, np.float64)
    songs = np.arange(values.shape[1]) if songs is None else songs
    found = rank_sets(values, songs, drawn_songs(int(songs.max()) + 1), higher=higher)
    return [None if each is None else str(each) for each in found]


def test_entries_far_apart_have_one_rank_each_and_near_ones_share() -> None:
    rng = np.random.default_rng(0)
    base = rng.normal(size=SONGS)
    noise = 0.05 * rng.normal(size=(4, SONGS))
    values = np.array([5.0, 1.0, 1.0, -3.0])[:, None] + base + noise
    assert shown(values) == ["1", "2–3", "2–3", "4"]
    assert shown(values, higher=False) == ["4", "2–3", "2–3", "1"]


def test_differences_are_paired_by_task() -> None:
    # Songs differ by far more than the entries, which differ by about the same in every song.
    rng = np.random.default_rng(1)
    song = 100 * rng.normal(size=SONGS)
    values = np.stack([song + 0.1 + 0.01 * rng.normal(size=SONGS), song])
    assert shown(values) == ["1", "2"]


def test_tasks_of_one_song_are_one_observation() -> None:
    of_song = np.array([0.2, 1.4, -0.4, 1.2])
    values = np.stack([np.repeat(of_song, 50), np.zeros(200)])
    assert shown(values) == ["1", "2"]
    assert shown(values, np.repeat(np.arange(4), 50)) == ["1–2", "1–2"]


def test_equal_entries_share_and_a_constant_difference_separates() -> None:
    values = np.zeros((3, SONGS))
    values[2] += 1
    assert shown(values) == ["2–3", "2–3", "1"]


def test_one_song_tells_nothing() -> None:
    assert shown([[5.0, 6.0], [1.0, 2.0]], np.array([0, 0])) == ["1–2", "1–2"]


def test_who_lacks_tasks_is_never_better_and_can_be_worse() -> None:
    values = np.tile(np.arange(SONGS, dtype=np.float64), (2, 1))
    values[0] += 5
    values[0, 0] = np.nan
    assert shown(values) == ["1–2", "1–2"]
    assert shown(-values) == ["2", "1"]


def test_who_has_no_value_has_no_rank() -> None:
    values = np.full((3, SONGS), np.nan)
    values[0], values[2] = 1.0, 2.0
    assert shown(values) == ["2", None, "1"]
    assert shown(values[:1]) == ["1"]
    assert not rank_sets(values[:1], np.arange(SONGS), drawn_songs(SONGS), higher=True)[0].separated
    assert shown(values[1:2]) == [None]


@given(arrays(np.float64, (3, 8), elements=st.floats(-5, 5).map(lambda value: round(value, 2))))
def test_sets_are_ranges_within_bounds_whoever_comes_first(values) -> None:
    songs = np.arange(8) // 2
    draws = drawn_songs(4, resamples=200)
    found = rank_sets(values, songs, draws, higher=True)
    assert all(1 <= each.best <= each.worst <= each.among == 3 for each in found)
    assert rank_sets(values[::-1], songs, draws, higher=True)[::-1] == found
    assert sum(each.separated for each in found) <= 1


def test_two_entries_are_told_apart_about_where_the_t_interval_excludes_zero() -> None:
    rng = np.random.default_rng(3)
    draws, agree = drawn_songs(10), 0
    for _ in range(60):
        values = np.stack([rng.normal(0.7, 1.0, size=10), np.zeros(10)])
        test = t_test(values[0], np.ones(10, np.int64))
        certain = rank_sets(values, np.arange(10), draws, higher=True)[0].best == 1
        separated = rank_sets(values, np.arange(10), draws, higher=True)[0].worst == 1
        assert certain
        agree += separated == (test.low > 0)
    assert agree >= 57


@pytest.mark.parametrize("songs", [6, 30])
def test_a_rank_set_misses_the_true_rank_in_one_case_of_twenty_at_most(songs) -> None:
    # Five entries, two of them equal in truth: either rank of theirs is right.
    rng = np.random.default_rng(songs)
    truth, right = np.array([0.5, 0.25, 0.0, 0.0, -0.3]), [{1}, {2}, {3, 4}, {3, 4}, {5}]
    tasks = np.repeat(np.arange(songs), 3)
    draws, trials, missed = drawn_songs(songs, resamples=300), 100, np.zeros(5)
    for _ in range(trials):
        of_song = 0.6 * rng.normal(size=(5, songs))
        values = truth[:, None] + of_song[:, tasks] + 0.4 * rng.normal(size=(5, len(tasks)))
        for number, each in enumerate(rank_sets(values, tasks, draws, higher=True)):
            missed[number] += not right[number] & set(range(each.best, each.worst + 1))
    # 100 trials at 5 % give 11 or fewer in 99 of 100 cases.
    assert missed.max() <= 11


def test_intervals_are_those_of_the_cluster_bootstrap() -> None:
    rng = np.random.default_rng(4)
    songs = np.arange(80) % SONGS
    values = rng.normal(size=80) + songs
    sums, counts = (np.bincount(songs, weights, SONGS)[None] for weights in (values, None))
    ((low, high),) = mean_intervals(sums, counts.astype(np.float64), drawn_songs(SONGS, resamples=20_000))
    expected = cluster_mean(values, songs.astype(str).tolist(), resamples=20_000)
    # Both ends are quantiles of random draws: within 4 % of the width of each other.
    near = 0.04 * (expected.high - expected.low)
    assert (low, high) == (pytest.approx(expected.low, abs=near), pytest.approx(expected.high, abs=near))
    one = mean_intervals(sums, np.where(np.arange(SONGS) == 0, counts, 0.0), drawn_songs(SONGS))
    assert np.isnan(one).all()
