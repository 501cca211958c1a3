"""KAD: kernel audio distance, the unbiased squared maximum mean discrepancy of two sets of embeddings, times 100.

    KAD = 100 · ( mean_{i≠j} k(xᵢ, xⱼ) + mean_{i≠j} k(yᵢ, yⱼ) - 2 mean_{ij} k(xᵢ, yⱼ) ),
    k(a, b) = exp(-|a - b|² / (2 s² + ε))

It is unbiased, so it may be negative, and it needs fewer clips than FAD. The bandwidth s is the median distance between
pairs of one set, and *which set* moves the number: the paper and README of kadtk say the reference, its code (1.1.0)
takes the evaluated set (issue 9 there). Both are here, under two names. The median is torch's, the lower of the middle
two.

Source: Chung et al., arXiv 2502.15602; kadtk 1.1.0 (MIT).
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import cdist, pdist

from bench.metrics.frechet import validate

Bandwidth = Literal["reference", "evaluated"]

SCALE = 100.0
EPSILON = 1e-8
ROWS = 2048


def median_distance(rows: npt.ArrayLike) -> float:
    """The lower median of the distances between all pairs of rows, as `torch.median` has it.

    >>> median_distance([[1.0], [3.0], [5.0], [7.0]])
    2.0
    """
    distances = pdist(np.asarray(rows, np.float64))
    middle = (len(distances) - 1) // 2
    return float(np.partition(distances, middle)[middle])


def kernel_distance(
    evaluated: npt.ArrayLike, reference: npt.ArrayLike, bandwidth: Bandwidth | float = "reference"
) -> float:
    """KAD of two sets of embeddings, each (rows, dimensions) with at least two rows.

    Args:
        evaluated: the set in question.
        reference: what it is held against.
        bandwidth: s itself, or the set whose median distance it is: `reference`, as documented, or `evaluated`, as in
            kadtk 1.1.0.

    >>> round(kernel_distance([[1], [3], [5], [7]], [[0], [1], [2]], "evaluated"), 8)
    28.40980887

    Raises:
        ValueError: as `frechet.validate`.
    """
    y, x = validate(evaluated, reference)
    s = bandwidth if isinstance(bandwidth, float | int) else median_distance(x if bandwidth == "reference" else y)
    gamma = 1.0 / (2.0 * float(s) ** 2 + EPSILON)
    within = sum((_kernel_sum(rows, rows, gamma) - len(rows)) / (len(rows) * (len(rows) - 1)) for rows in (x, y))
    return SCALE * (within - 2.0 * _kernel_sum(x, y, gamma) / (len(x) * len(y)))


def _kernel_sum(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64], gamma: float) -> float:
    """Σ k(aᵢ, bⱼ), some rows at a time, so that memory does not grow with the square of the sets."""
    blocks = (a[start : start + ROWS] for start in range(0, len(a), ROWS))
    return float(sum(np.exp(-gamma * cdist(block, b, "sqeuclidean")).sum() for block in blocks))
