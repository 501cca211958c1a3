"""Values by cluster: all that the statistics here need of a sample are the sum and the number of each cluster's."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bench.errors import IncompleteError, UsageError

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Clustered:
    """A sample by cluster.

    Attributes:
        names: of the clusters, sorted, (k,). sums, counts: of their values, (k,). squares: sum of all squared values.
    """

    names: tuple[str, ...]
    sums: Floats
    counts: Counts
    squares: float

    @property
    def arrays(self) -> tuple[Floats, Counts]:
        """Sums and counts."""
        return self.sums, self.counts

    @property
    def n(self) -> int:
        """Number of values."""
        return int(self.counts.sum())

    @property
    def mean(self) -> float:
        """Over all values."""
        return float(self.sums.sum() / self.counts.sum())


def cluster_sums(values: Sequence[float] | Floats, clusters: Sequence[str]) -> Clustered:
    """Sum and count of the values of each cluster.

    The result does not depend on the order of the rows.

    Args:
        values: finite numbers, (n,).
        clusters: the song of each value, (n,).

    Raises:
        IncompleteError: if there is no value.
        UsageError: if the arguments do not fit together, or a value is not finite.

    >>> found = cluster_sums([1.0, 3.0, 2.0], ["b", "a", "b"])
    >>> found.names, found.sums.tolist(), found.counts.tolist()
    (('a', 'b'), [3.0, 3.0], [1, 2])
    """
    array = np.asarray(values, np.float64)
    if array.ndim != 1 or len(array) != len(clusters) or not np.isfinite(array).all():
        raise UsageError(
            f"{array.shape} values and {len(clusters)} clusters: one cluster a value is needed, and finite values",
            remedy="Leave out what is Missing, and give each value the song it belongs to.",
            code="stats/arguments",
        )
    if len(array) == 0:
        raise IncompleteError("there is no value to average", remedy="Score at least one task.", code="stats/no-values")
    names, index = np.unique(np.asarray(clusters, dtype=str), return_inverse=True)
    order, counts = np.argsort(index, kind="stable"), np.bincount(index).astype(np.int64)
    parts = np.split(array[order], np.cumsum(counts)[:-1])
    # Exactly rounded sums depend neither on the order of the rows nor, but for the sign, on the sign of them all.
    sums = np.array([math.fsum(part) for part in parts])
    return Clustered(tuple(names.tolist()), sums, counts, math.fsum(np.square(array)))
