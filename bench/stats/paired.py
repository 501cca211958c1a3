"""The mean of paired differences, its interval and its p, with songs as clusters.

The standard error leaves each song out in turn (jackknife), the interval is t with k - 1 degrees of freedom for k
songs. With equally many differences a song this is the t interval of the songs' means. A percentile bootstrap is too
narrow with few songs (`docs/metrics.md`), the t interval is not: `docs/compare.md` has the figures.

p is by sign flips of songs where there are enough of them, and else by the t test. Which of the two depends on the
number of songs alone, never on the values.

Source: Cameron and Miller, "A practitioner's guide to cluster-robust inference", J. Human Resources 50 (2015); Miller,
arXiv 2411.00640 (2024), for benchmarks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student

from bench.stats.jackknife import standard_error
from bench.stats.signflip import sign_flip_p, smallest_p

PMethod = Literal["sign-flip", "t"]

STEPS = 4
"""The p of sign flips has steps of 2 / 2ᵏ. With fewer than so many within the level, it finds clearly less than t."""


@dataclass(frozen=True)
class MeanTest:
    """A mean difference against zero.

    Attributes:
        mean: the difference. error: its standard error; None with a single cluster, as are low, high and p.
        low, high: ends of the interval. clusters: k.
        p: two-sided. method: how it was found.
    """

    mean: float
    error: float | None
    low: float | None
    high: float | None
    p: float | None
    method: PMethod | None
    clusters: int


def paired_test(
    sums: npt.NDArray[np.float64],
    counts: npt.NDArray[np.int64],
    *,
    alpha: float = 0.05,
    tests: int = 1,
    level: float = 0.95,
    seed: int = 0,
) -> MeanTest:
    """Test the mean of clustered differences against zero.

    Args:
        sums: of the differences of each cluster, (k,), k >= 1.
        counts: their number in each, at least 1, (k,).
        alpha: level at which p will be used.
        tests: over so many it will be corrected, so that alpha / tests is the first step of Holm's correction.
        level: of the interval.
        seed: of the sign flips, where there are too many clusters for all of them.

    >>> found = paired_test(np.array([2.0, 4.0, 6.0]), np.array([2, 2, 2]))
    >>> round(found.mean, 3), round(found.low, 3), round(found.high, 3), round(found.p, 3), found.method
    (2.0, -0.484, 4.484, 0.074, 't')
    """
    found = t_test(sums, counts, level=level)
    if found.p is None or STEPS * smallest_p(found.clusters) > alpha / tests:
        return found
    return replace(found, p=sign_flip_p(sums, seed=seed), method="sign-flip")


def t_test(sums: npt.NDArray[np.float64], counts: npt.NDArray[np.int64], *, level: float = 0.95) -> MeanTest:
    """The same with p by t, whatever the number of clusters.

    Args:
        sums: of the differences of each cluster, (k,), k >= 1.
        counts: their number in each, at least 1, (k,).
        level: of the interval.
    """
    clusters, mean = len(sums), float(sums.sum() / counts.sum())
    if clusters < 2:
        return MeanTest(mean, None, None, None, None, None, clusters)
    error = standard_error(((sums.sum() - sums) / (counts.sum() - counts)).tolist())
    interval = t_interval(mean, error, clusters - 1, level)
    return MeanTest(mean, error, *interval, t_p(mean, error, clusters - 1), "t", clusters)


def jackknife_test(whole: float, left_out: Sequence[float], *, level: float = 0.95) -> MeanTest:
    """Test a difference that is no mean against zero, by t, from its jackknife values (`bench.stats.jackknife`).

    Args:
        whole: the difference on all clusters.
        left_out: the same without each group of clusters, (g,); with fewer than two there is no interval.
        level: of the interval.
    """
    if len(left_out) < 2:
        return MeanTest(whole, None, None, None, None, None, len(left_out))
    error, freedom = standard_error(left_out), len(left_out) - 1
    interval = t_interval(whole, error, freedom, level)
    return MeanTest(whole, error, *interval, t_p(whole, error, freedom), "t", len(left_out))


def t_interval(mean: float, error: float, freedom: int, level: float = 0.95) -> tuple[float, float]:
    """The interval of a mean from its standard error, by t with so many degrees of freedom."""
    reach = float(student.ppf(0.5 + level / 2, freedom)) * error
    return mean - reach, mean + reach


def t_p(mean: float, error: float, freedom: int) -> float:
    """The two-sided p of a zero mean. Without any spread it is 1 for a mean of zero, and 0 for any other."""
    if error == 0.0:
        return 1.0 if mean == 0.0 else 0.0
    return float(2 * student.sf(abs(mean) / error, freedom))


def effective_n(error: float, squares: float, mean: float, n: int) -> float:
    """How many independent values would give the mean this standard error: between 1 and n.

    The design effect is n over it: 1 + (m - 1) · ρ for m values a cluster with the correlation ρ.

    Args:
        error: the clustered standard error.
        squares: sum of the squared values.
        mean: of the values.
        n: their number.

    >>> effective_n(0.5, squares=8.0, mean=0.0, n=8)
    4.571428571428571
    """
    variance = max(squares - n * mean**2, 0.0) / max(n - 1, 1)
    if error == 0.0 or math.isclose(variance, 0.0, abs_tol=1e-300):
        return float(n)
    return float(min(max(variance / error**2, 1.0), n))
