"""Intervals for a distance between two sets of clips, whose songs are the clusters: the delete-a-group jackknife.

Resampling with replacement, as for means, would repeat clips within a set; distances between sets (FAD, KAD) take that
for a change of their spread and are biased by it. Leaving songs out repeats nothing. Groups of songs are left out in
turn; with g groups the variance is (g - 1) / g · Σ (θᵢ - mean θ)², and the interval is θ ± t(g - 1) · √variance.

Two runs on the same songs have the same groups (they depend on names and seed alone), so that the difference of their
distances has the jackknife values θᵢ(new) - θᵢ(base): songs are left out of both runs at once.

Source: Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 11; Kott (2001) for groups.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from bench.identity import derive_seed

GROUPS = 20


@dataclass(frozen=True)
class Replicate:
    """The value of a statistic without some clusters."""

    without: tuple[str, ...]
    value: float


def replicates(
    statistic: Callable[[Set[str]], float | None], clusters: Sequence[str], *, seed: int = 0, groups: int = GROUPS
) -> tuple[Replicate, ...] | None:
    """A statistic with each group of clusters left out in turn, every cluster once.

    Args:
        statistic: its value without the clusters in the set it is given; None where it has none.
        clusters: their names; each counts once.
        seed: of the grouping, where there are more clusters than groups.
        groups: at most so many.

    Returns:
        One a group; None with fewer than two clusters, or where a part has no value.
    """
    names = sorted(set(clusters))
    count = min(groups, len(names))
    if count < 2:
        return None
    shuffled = np.random.default_rng(derive_seed(seed, "jackknife")).permutation(names).tolist()
    found = []
    for start in range(count):
        without = tuple(sorted(shuffled[start::count]))
        value = statistic(frozenset(without))
        if value is None:
            return None
        found.append(Replicate(without, value))
    return tuple(found)


def standard_error(values: Sequence[float]) -> float:
    """The jackknife's standard error from the values with each group left out, (g,), g >= 2."""
    count = len(values)
    return math.sqrt((count - 1) / count * float(np.square(np.subtract(values, np.mean(values))).sum()))


def interval(whole: float, values: Sequence[float], *, level: float = 0.95) -> tuple[float, float]:
    """The interval of a statistic from its value on all clusters and those with each group left out, (g,), g >= 2.

    >>> values = {"a": 1.0, "b": 2.0, "c": 3.0}
    >>> mean_without = lambda out: float(np.mean([v for name, v in values.items() if name not in out]))
    >>> left_out = [each.value for each in replicates(mean_without, list(values))]
    >>> [round(end, 3) for end in interval(mean_without(frozenset()), left_out)]
    [-0.484, 4.484]
    """
    reach = float(student.ppf(0.5 + level / 2, len(values) - 1)) * standard_error(values)
    return whole - reach, whole + reach
