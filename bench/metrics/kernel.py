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

from collections.abc import Iterator
from typing import Literal

import numpy as np
import numpy.typing as npt

from bench.metrics.frechet import Rows, validate

Bandwidth = Literal["reference", "evaluated"]

SCALE = 100.0
EPSILON = 1e-8
ROWS = 512
"""Rows at a time, so that memory does not grow with the square of the sets (but for the median)."""


def median_distance(rows: npt.ArrayLike) -> float:
    """The lower median of the distances between all pairs of rows, as `torch.median` has it.

    Takes 4 n² bytes for n rows.

    >>> median_distance([[1.0], [3.0], [5.0], [7.0]])
    2.0
    """
    blocks = _pairs(np.asarray(rows, np.float64))
    squared = np.concatenate(
        [part for near, far in blocks for part in (near[np.triu_indices(len(near), 1)], far.ravel())]
    )
    middle = (len(squared) - 1) // 2
    squared.partition(middle)
    return float(np.sqrt(squared[middle]))


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
    within = sum(2 * _kernel_within(rows, gamma) / (len(rows) * (len(rows) - 1)) for rows in (x, y))
    return SCALE * (within - 2.0 * _kernel_between(x, y, gamma) / (len(x) * len(y)))


def _kernel_within(rows: Rows, gamma: float) -> float:
    """Σ_{i<j} k(xᵢ, xⱼ)."""
    total = 0.0
    for square, rest in _pairs(rows):
        total += (_kernel_sum(square, gamma) - len(square)) / 2 + _kernel_sum(rest, gamma)
    return total


def _kernel_between(x: Rows, y: Rows, gamma: float) -> float:
    """Σ k(xᵢ, yⱼ)."""
    mean = x.mean(axis=0)
    blocks = (_squared(x[start : start + ROWS] - mean, y - mean) for start in range(0, len(x), ROWS))
    return sum(_kernel_sum(block, gamma) for block in blocks)


def _kernel_sum(squared: Rows, gamma: float) -> float:
    """Σ exp(-γ d²) over squared distances, which are lost."""
    squared *= -gamma
    return float(np.exp(squared, out=squared).sum())


def _pairs(rows: Rows) -> Iterator[tuple[Rows, Rows]]:
    """Squared distances of some rows at a time: to each other, (n, n), and to all rows after them."""
    centred = rows - rows.mean(axis=0)
    for start in range(0, len(rows), ROWS):
        some, later = centred[start : start + ROWS], centred[start + ROWS :]
        square = _squared(some, some)
        np.fill_diagonal(square, 0.0)
        yield square, _squared(some, later)


def _squared(a: Rows, b: Rows) -> Rows:
    """|aᵢ - bⱼ|² as |aᵢ|² + |bⱼ|² - 2 aᵢ·bⱼ: a matrix product, many times faster than one pair at a time.

    What it loses is a rounding error of |a|² and |b|², so a common offset is to be taken out first.
    """
    found = np.asarray(a @ b.T)
    found *= -2.0
    found += np.square(a).sum(axis=1)[:, None]
    found += np.square(b).sum(axis=1)
    return np.maximum(found, 0.0, out=found)
