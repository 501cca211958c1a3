"""What a comparison could have found, and what would decide one that could not.

Source: Cohen, Statistical Power Analysis (1988); Miller, arXiv 2411.00640 (2024), section 5.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from scipy.optimize import brentq
from scipy.stats import nct, norm
from scipy.stats import t as student

POWER = 0.8
MOST_CLUSTERS = 100_000
"""More songs than this are no advice."""


def detectable(error: float, freedom: int, *, alpha: float = 0.05, margin: float = 0.0, power: float = POWER) -> float:
    """The smallest true difference that is found with the given power (minimum detectable effect).

    Found means: p of a two-sided t test within alpha, and an estimate of at least `margin` in size.

    Args:
        error: standard error of the mean.
        freedom: degrees of freedom of t.
        alpha: of this one test, corrected already.
        margin: the smallest effect of interest.
        power: the share of comparisons in which it is found.

    >>> round(detectable(1.0, 10_000), 2)  # 1.96 + 0.84
    2.8
    """
    if error == 0.0:
        return margin
    critical = float(student.ppf(1 - alpha / 2, freedom))

    def lacking(effect: float) -> float:
        return float(nct.sf(critical, freedom, effect)) - power

    effect = float(brentq(lacking, 0.0, 4 * critical + 10, xtol=1e-6))
    return max(effect * error, margin + float(student.ppf(power, freedom)) * error)


def clusters_to_decide(error: float, clusters: int, margin: float, *, level: float = 0.95) -> int | None:
    """How many clusters would tell that two equal runs are equivalent: the interval within ± margin, with 80 % power.

    Args:
        error: standard error with `clusters` of them; its square shrinks as they grow in number.
        clusters: that there are, at least 2.
        margin: the smallest effect of interest, positive.
        level: of the interval.

    Returns:
        More than `clusters`; None if it were more than `MOST_CLUSTERS`.

    >>> clusters_to_decide(0.02, clusters=10, margin=0.02)
    107
    """
    return _smallest(clusters + 1, lambda number: error * math.sqrt(clusters / number), margin, level)


def seeds_to_decide(error: float, clusters: int, noise: float, seeds: int, margin: float) -> int | None:
    """How many seeds, on the same clusters, would tell that two equal runs are equivalent.

    Args:
        error: standard error with `seeds` of them.
        clusters: that there are.
        noise: the part of its square that comes from the seeds, and shrinks as they grow in number.
        seeds: that there are.
        margin: the smallest effect of interest, positive.

    Returns:
        More than `seeds`; None if the clusters alone leave too much doubt for any number of seeds.

    >>> seeds_to_decide(0.02, clusters=50, noise=0.0004, seeds=2, margin=0.02)
    22
    >>> seeds_to_decide(0.02, clusters=50, noise=0.0001, seeds=2, margin=0.02) is None
    True
    """
    rest = max(error**2 - noise, 0.0)
    allowed = (margin / _reach(clusters - 1, 0.95)) ** 2 - rest
    if allowed <= 0.0:
        return None
    return max(seeds + 1, math.ceil(seeds * min(noise, error**2) / allowed - 1e-9))


def _reach(freedom: int, level: float) -> float:
    """Half an interval, and by how much two equal runs seem to differ at most in 80 % of comparisons, in errors."""
    return float(student.ppf(0.5 + level / 2, freedom)) + float(norm.ppf(0.5 + POWER / 2))


def _smallest(start: int, error: Callable[[int], float], margin: float, level: float) -> int | None:
    """The smallest number of clusters, from `start` on, with which the interval is narrow enough; by halving."""
    low, high = start, MOST_CLUSTERS
    if _reach(high - 1, level) * error(high) > margin:
        return None
    while low < high:
        middle = (low + high) // 2
        if _reach(middle - 1, level) * error(middle) <= margin:
            high = middle
        else:
            low = middle + 1
    return low
