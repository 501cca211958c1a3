"""Cluster-robust tests on listeners: answers worked out by hand, and how often they are right on simulated ones."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from bench.errors import UsageError
from bench.stats.holm import holm
from reports.listening_test.analyse import zscores
from reports.listening_test.wald import cell_means

LISTENERS, TASKS, SYSTEMS = 24, 8, 3


def test_an_answer_worked_out_by_hand() -> None:
    # Means 2 and 4. Residuals: ann -1 | -1, 1; bob 1 | 0. Their sums by listener, over the 2 and 3 answers:
    # ann (-1/2, 0/3), bob (1/2, 0/3). c = 2/1 · (5 - 1)/(5 - 2).
    values, cells = [1.0, 3.0, 3.0, 5.0, 4.0], [0, 0, 1, 1, 1]
    who = ["ann", "bob", "ann", "ann", "bob"]
    found = cell_means(values, cells, who, 2)
    c = 2 / 1 * (5 - 1) / (5 - 2)
    ann, bob = np.array([-1 / 2, 0 / 3]), np.array([1 / 2, 0 / 3])
    assert found.means.tolist() == [2.0, 4.0]
    assert found.covariance == pytest.approx(c * (np.outer(ann, ann) + np.outer(bob, bob)))
    difference = found.difference(1, 0)
    assert difference.estimate == 2.0
    assert difference.error == pytest.approx(np.sqrt(c / 2))
    assert difference.p == pytest.approx(2 * stats.t.sf(2 / np.sqrt(c / 2), 1))
    assert difference.p_normal == pytest.approx(2 * stats.norm.sf(2 / np.sqrt(c / 2)))


def test_it_is_the_sandwich_of_least_squares() -> None:
    dice = np.random.default_rng(1)
    n, k = 200, 4
    cells, who = dice.integers(0, k, n), dice.integers(0, 11, n)
    y = dice.normal(size=n) + cells
    X = np.eye(k)[cells]
    bread = np.linalg.inv(X.T @ X)
    u = y - X @ (bread @ X.T @ y)
    scores = [X[who == g].T @ u[who == g] for g in np.unique(who)]
    groups = len(scores)
    meat = sum(np.outer(s, s) for s in scores)
    expected = groups / (groups - 1) * (n - 1) / (n - k) * bread @ meat @ bread
    assert cell_means(y, cells, list(map(str, who)), k).covariance == pytest.approx(expected)


def test_two_systems_in_balance_are_a_paired_t_test_on_listener_means() -> None:
    dice = np.random.default_rng(2)
    values = dice.normal(size=(9, 2, 5)) + dice.normal(size=(9, 2, 1))
    cells = np.broadcast_to(np.arange(2)[None, :, None], values.shape).ravel()
    who = np.broadcast_to(np.arange(9)[:, None, None], values.shape).ravel().astype(str)
    found = cell_means(values.ravel(), cells, who, 2).difference(1, 0)
    paired = stats.ttest_rel(values[:, 1].mean(1), values[:, 0].mean(1))
    n = values.size
    assert found.statistic == pytest.approx(paired.statistic / np.sqrt((n - 1) / (n - 2)))


def test_one_cluster_says_nothing_of_others() -> None:
    found = cell_means([1.0, 2.0], [0, 1], ["ann", "ann"], 2).difference(1, 0)
    assert (found.estimate, found.error, found.p, found.low) == (1.0, None, None, None)


def test_clusters_that_all_agree() -> None:
    found = cell_means([1.0, 2.0, 1.0, 2.0], [0, 1, 0, 1], ["a", "a", "b", "b"], 2)
    assert (found.difference(1, 0).p, found.difference(0, 0).p) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("values", "cells", "who"), [([1.0], [0], ["a"]), ([1.0, 2.0], [0, 2], ["a", "b"]), ([1.0, 2.0], [0, 1], ["a"])]
)
def test_arguments_that_do_not_fit(values: list[float], cells: list[int], who: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        cell_means(values, cells, who, 2)
    assert caught.value.code == "stats/arguments"


def test_z_scores_take_out_level_and_width() -> None:
    dice = np.random.default_rng(3)
    x = dice.normal(size=(4, 30))
    who = [str(g) for g in range(4) for _ in range(30)]
    z = zscores(x.ravel(), who).reshape(x.shape)
    assert z.mean(1) == pytest.approx(np.zeros(4), abs=1e-12)
    assert z.std(1, ddof=1) == pytest.approx(np.ones(4))
    bent = x * np.array([[1.0], [3.0], [0.1], [20.0]]) + np.array([[5.0], [0.0], [-7.0], [100.0]])
    assert zscores(bent.ravel(), who) == pytest.approx(z.ravel())


def rejections(effect: float, *, clustered: bool = True, draws: int = 400) -> float:
    """Share of simulated tests of three systems in which any corrected p is within .05."""
    dice = np.random.default_rng(7)
    shape = (LISTENERS, TASKS, SYSTEMS)
    cells = np.broadcast_to(np.arange(SYSTEMS), shape).ravel()
    who = np.broadcast_to(np.arange(LISTENERS)[:, None, None], shape).ravel().astype(str)
    alone = np.arange(cells.size).astype(str)
    hits = 0
    for _ in range(draws):
        taste = dice.normal(0, 0.5, (LISTENERS, 1, SYSTEMS))
        ratings = dice.normal(size=shape) + taste + np.array([0.0, 0.0, effect])
        ratings = ratings * dice.uniform(0.3, 2, (LISTENERS, 1, 1)) + dice.normal(0, 2, (LISTENERS, 1, 1))
        found = cell_means(zscores(ratings.ravel(), who), cells, who if clustered else alone, SYSTEMS)
        hits += min(holm([found.difference(each, 0).p or 0.0 for each in (1, 2)])) <= 0.05
    return hits / draws


def test_no_difference_is_claimed_one_time_in_twenty() -> None:
    # ± 3.3 standard errors of a share of 5 % in 400 draws; both comparisons share the baseline, so Holm is careful.
    assert 0.015 <= rejections(0.0) <= 0.086


def test_without_clusters_it_would_be_claimed_too_often() -> None:
    assert rejections(0.0, clustered=False, draws=200) > 0.12


def test_a_planted_difference_is_found() -> None:
    assert rejections(0.6, draws=150) > 0.8
