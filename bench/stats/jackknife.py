"""Intervals for a distance between two sets of clips, whose songs are the clusters: the delete-a-group jackknife.

Resampling with replacement, as for means, would repeat clips within a set; distances between sets (FAD, KAD) take that
for a change of their spread and are biased by it. Leaving songs out repeats nothing. Groups of songs are left out in
turn; with g groups the variance is (g - 1) / g · Σ (θᵢ - mean θ)², and the interval is θ ± t(g - 1) · √variance.

Source: Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 11; Kott (2001) for groups.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence, Set

import numpy as np
from scipy.stats import t as student

from bench.identity import derive_seed

GROUPS = 20


def leave_out(
    statistic: Callable[[Set[str]], float | None],
    clusters: Sequence[str],
    *,
    seed: int = 0,
    groups: int = GROUPS,
    level: float = 0.95,
) -> tuple[float, float] | None:
    """The interval of a statistic around its value on all clusters.

    Args:
        statistic: its value without the clusters in the set it is given; None where it has none.
        clusters: their names; each counts once.
        seed: of the grouping, where there are more clusters than groups.
        groups: at most so many.
        level: coverage wanted, in (0, 1).

    Returns:
        Low and high end; None with fewer than two clusters, or where a part has no value.

    >>> values = {"a": 1.0, "b": 2.0, "c": 3.0}
    >>> mean_without = lambda out: float(np.mean([v for name, v in values.items() if name not in out]))
    >>> [round(end, 3) for end in leave_out(mean_without, list(values))]
    [-0.484, 4.484]
    """
    names = sorted(set(clusters))
    count = min(groups, len(names))
    whole = statistic(frozenset())
    if count < 2 or whole is None:
        return None
    shuffled = np.random.default_rng(derive_seed(seed, "jackknife")).permutation(names)
    found = [statistic(frozenset(shuffled[start::count].tolist())) for start in range(count)]
    values = [value for value in found if value is not None]
    if len(values) < count:
        return None
    error = math.sqrt((count - 1) / count * float(np.square(np.subtract(values, np.mean(values))).sum()))
    reach = float(student.ppf(0.5 + level / 2, count - 1)) * error
    return whole - reach, whole + reach
