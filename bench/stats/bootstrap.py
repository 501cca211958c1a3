"""Intervals for a mean over tasks that are not independent: the cluster bootstrap.

The edits of one song share its audio, so their values resemble each other: 1,170 tasks on 78 songs are nearer to 78
observations than to 1,170. Whole songs are therefore drawn with replacement, and the statistic of a draw is the mean
over all values of the drawn songs (a ratio estimator, since songs may have different numbers of values). The interval
is the percentile interval of these means.

With few songs such an interval is too narrow, and no resampling can repair that: see "Intervals" in
`docs/metrics.md` for how much.

Source: Field and Welsh, "Bootstrapping clustered data", JRSS B 69 (2007); Davison and Hinkley (1997), section 3.8.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bench.errors import UsageError
from bench.stats.clusters import cluster_sums


@dataclass(frozen=True)
class Interval:
    """A mean with its interval.

    Attributes:
        mean: over all values.
        low, high: ends of the interval; None with a single cluster, which says nothing about other songs.
        n: number of values.
        clusters: number of clusters.
    """

    mean: float
    low: float | None
    high: float | None
    n: int
    clusters: int


def cluster_mean(
    values: Sequence[float] | npt.NDArray[np.float64],
    clusters: Sequence[str],
    *,
    seed: int = 0,
    resamples: int = 10_000,
    level: float = 0.95,
) -> Interval:
    """The mean of `values` and its interval by bootstrap over clusters.

    The result depends on the seed, and not on the order of the rows.

    Args:
        values: finite numbers, (n,).
        clusters: the song of each value, (n,).
        seed: of the resampling.
        resamples: number of draws.
        level: coverage wanted, in (0, 1).

    Raises:
        IncompleteError: if there is no value.
        UsageError: if the arguments do not fit together, or a value is not finite.

    >>> cluster_mean([1.0, 3.0, 2.0, 2.0], ["a", "a", "b", "b"])
    Interval(mean=2.0, low=2.0, high=2.0, n=4, clusters=2)
    >>> cluster_mean([1.0, 3.0], ["a", "a"])
    Interval(mean=2.0, low=None, high=None, n=2, clusters=1)
    """
    sums, counts = cluster_sums(values, clusters).arrays
    if not (0.0 < level < 1.0 and resamples >= 1):
        raise UsageError(
            f"an interval needs 0 < level < 1 and resamples >= 1, not {level} and {resamples}",
            remedy="Use level=0.95 and resamples=10000.",
            code="stats/arguments",
        )
    mean = float(sums.sum() / counts.sum())
    n, number = int(counts.sum()), len(sums)
    if number < 2:
        return Interval(mean, None, None, n, number)
    drawn = np.random.default_rng(seed).integers(0, number, size=(resamples, number))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(mean, float(low), float(high), n, number)
