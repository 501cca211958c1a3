"""Means of conditions with a cluster-robust covariance, and Wald tests of their differences.

Ordinary least squares on one dummy a condition and no constant: the coefficients are the conditions' means, and the
sandwich (CR1, as Stata's and as statsmodels' `cov_type="cluster"`)

    V = c (X'X)⁻¹ (Σ_g X_g' u_g u_g' X_g) (X'X)⁻¹,   c = G / (G - 1) · (N - 1) / (N - K)

becomes V_kl = c Σ_g S_gk S_gl / (n_k n_l), where S_gk is the sum of cluster g's residuals in condition k and n_k the
number of answers of condition k. G clusters, N answers, K conditions.

A difference d = w'b has W = d / √(w'Vw). Its p and interval are by t with G - 1 degrees of freedom, which for many
clusters is the z of the Wald test; with few, z rejects too often (Cameron and Miller, Journal of Human Resources 50,
2015, section VI). The p by z stands beside it, for comparison with papers that give that.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bench.errors import UsageError

Floats = npt.NDArray[np.float64]

_NOTHING = 1e-12


@dataclass(frozen=True)
class Wald:
    """A mean, or a difference of means.

    Attributes:
        estimate: of it. error: standard error. low, high: 95 % interval.
        statistic: estimate over error. p: two-sided, by t with G - 1 degrees of freedom. p_normal: by z.

    All but the estimate are None with a single cluster.
    """

    estimate: float
    error: float | None = None
    low: float | None = None
    high: float | None = None
    statistic: float | None = None
    p: float | None = None
    p_normal: float | None = None


@dataclass(frozen=True, eq=False)
class CellMeans:
    """Means of K conditions, (K,), their covariance, (K, K) or None with a single cluster; G is `clusters`."""

    means: Floats
    covariance: Floats | None
    clusters: int

    def mean(self, condition: int, level: float = 0.95) -> Wald:
        """The mean of a condition; its test is against 0."""
        weights = np.zeros(len(self.means))
        weights[condition] = 1.0
        return self._wald(weights, level)

    def difference(self, condition: int, baseline: int, level: float = 0.95) -> Wald:
        """The mean of a condition minus that of another."""
        weights = np.zeros(len(self.means))
        weights[condition] += 1.0
        weights[baseline] -= 1.0
        return self._wald(weights, level)

    def _wald(self, weights: Floats, level: float) -> Wald:
        from scipy import stats

        estimate = float(weights @ self.means)
        if self.covariance is None:
            return Wald(estimate)
        error = math.sqrt(max(float(weights @ self.covariance @ weights), 0.0))
        half = float(stats.t.ppf((1 + level) / 2, self.clusters - 1)) * error
        if error < _NOTHING:  # all clusters agree to the last bit: there is nothing to test by
            p = 1.0 if abs(estimate) < _NOTHING else 0.0
            return Wald(estimate, 0.0, estimate, estimate, None, p, p)
        statistic = estimate / error
        p = float(2 * stats.t.sf(abs(statistic), self.clusters - 1))
        p_normal = float(2 * stats.norm.sf(abs(statistic)))
        return Wald(estimate, error, estimate - half, estimate + half, statistic, p, p_normal)


def cell_means(
    values: Sequence[float] | Floats, conditions: Sequence[int], clusters: Sequence[str], number: int
) -> CellMeans:
    """Means of conditions and their cluster-robust covariance.

    Args:
        values: answers, (N,).
        conditions: of each answer, from 0 to number - 1, (N,).
        clusters: of each answer, (N,).
        number: K; each condition has an answer at least.

    Raises:
        UsageError: if the arguments do not fit together, or a condition has no answer.

    >>> found = cell_means([1.0, 3.0, 2.0, 6.0], [0, 1, 0, 1], ["ann", "ann", "bob", "bob"], 2)
    >>> round(found.difference(1, 0).estimate, 3), round(found.difference(1, 0).error, 3)
    (3.0, 1.225)
    """
    array, cells = np.asarray(values, np.float64), np.asarray(conditions, np.int64)
    counts = np.bincount(cells, minlength=number) if len(cells) and cells.min() >= 0 else np.zeros(number, np.int64)
    if not len(array) == len(cells) == len(clusters) or len(counts) != number or not counts.all():
        raise UsageError(
            f"{len(array)} answers, {len(cells)} conditions of {number}, {len(clusters)} clusters: they do not fit",
            remedy="Give one condition and one cluster an answer, and an answer of each condition at least.",
            code="stats/arguments",
        )
    means = np.bincount(cells, array, minlength=number) / counts
    names, groups = np.unique(np.asarray(clusters, dtype=str), return_inverse=True)
    if len(names) < 2:
        return CellMeans(means, None, len(names))
    residuals = array - means[cells]
    sums = np.bincount(groups * number + cells, residuals, minlength=len(names) * number).reshape(-1, number)
    correction = len(names) / (len(names) - 1) * (len(array) - 1) / max(len(array) - number, 1)
    scaled = sums / counts
    return CellMeans(means, correction * scaled.T @ scaled, len(names))
