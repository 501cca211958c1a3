"""Fréchet distance: how far apart are two sets of embeddings, taken for two Gaussians?

    FAD = |μ₁ - μ₂|² + tr C₁ + tr C₂ - 2 tr (C₁ C₂)^½

with covariances over N - 1, in float64. The trace of the root needs neither a matrix square root nor even the
covariances: with the centred rows X (n, d) and Y (m, d), it is the nuclear norm of X Yᵀ / √((n-1)(m-1)). For n and m
above d the same sum is had from d × d matrices, symmetric ones. Neither gives imaginary parts, whatever the rank.

The value is biased upwards by small sets (512 dimensions: about 1 for 100 clips of one distribution): compare only at
equal numbers, on the same items, and read it against the floor that two halves of the reference give. FAD∞ extrapolates
to sets of any size.

Source: Kilgour et al., Interspeech 2019 (FAD); Chong & Forsyth, CVPR 2020, and Gui et al., ICASSP 2024 (FAD∞).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg import eigh, eigvalsh, svdvals

from bench.identity import derive_seed

Rows = npt.NDArray[np.float64]

ROUNDING = 1e-6
"""A distance this far below zero, relative to the sets' own spread, is rounding, and is given as 0."""


def validate(first: npt.ArrayLike, second: npt.ArrayLike) -> tuple[Rows, Rows]:
    """Two sets of embeddings as float64.

    Raises:
        ValueError: if one is not (rows, dimensions) with at least two rows, they differ in dimensions, or a value
            is not finite.
    """
    sets = tuple(np.asarray(rows, np.float64) for rows in (first, second))
    for rows in sets:
        if rows.ndim != 2 or len(rows) < 2:
            raise ValueError(f"a set of embeddings has the shape {rows.shape}, not (at least 2 rows, dimensions)")
        if not np.isfinite(rows).all():
            raise ValueError("a set of embeddings has values that are not finite")
    if sets[0].shape[1] != sets[1].shape[1]:
        raise ValueError(f"embeddings of {sets[0].shape[1]} and {sets[1].shape[1]} dimensions")
    return sets[0], sets[1]


def frechet_distance(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    """FAD of two sets of embeddings, each (rows, dimensions) with at least two rows. Symmetric; 0 for equal sets.

    >>> frechet_distance([[0, 0], [2, 0], [0, 2], [2, 2]], [[1, 1], [3, 1], [1, 5], [3, 5]])  # doctest: +ELLIPSIS
    6.33333333333...

    Raises:
        ValueError: as `validate`.
    """
    x, y = validate(first, second)
    mean_x, mean_y = x.mean(0), y.mean(0)
    centred_x, centred_y = (x - mean_x) / np.sqrt(len(x) - 1), (y - mean_y) / np.sqrt(len(y) - 1)
    spread = float(np.square(centred_x).sum() + np.square(centred_y).sum())
    if min(len(x), len(y)) < x.shape[1]:
        root = float(svdvals(centred_x @ centred_y.T).sum())
    else:
        root = _root_trace(centred_x.T @ centred_x, centred_y.T @ centred_y)
    value = float(np.square(mean_x - mean_y).sum()) + spread - 2 * root
    return 0.0 if -ROUNDING * max(spread, 1.0) < value < 0 else value


def frechet_gaussians(
    mean_1: npt.ArrayLike, cov_1: npt.ArrayLike, mean_2: npt.ArrayLike, cov_2: npt.ArrayLike
) -> float:
    """The distance of two Gaussians, of means (dimensions,) and covariances (dimensions, dimensions).

    >>> frechet_gaussians([0, 0, 0], np.diag([1, 4, 9]), [1, 2, 2], np.diag([4, 1, 16]))
    12.0
    """
    m1, c1, m2, c2 = (np.asarray(value, np.float64) for value in (mean_1, cov_1, mean_2, cov_2))
    return float(np.square(m1 - m2).sum() + np.trace(c1) + np.trace(c2) - 2 * _root_trace(c1, c2))


def _root_trace(cov_1: Rows, cov_2: Rows) -> float:
    """The trace of (C₁ C₂)^½, as the sum of the roots of the eigenvalues of the symmetric C₁^½ C₂ C₁^½."""
    values, vectors = eigh(cov_1)
    root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    return float(np.sqrt(np.maximum(eigvalsh(root @ cov_2 @ root), 0.0)).sum())


@dataclass(frozen=True)
class Extrapolation:
    """FAD∞: the intercept of FAD = a + b / n, and how well the line fits (R²)."""

    value: float
    slope: float
    r2: float


def frechet_infinity(
    first: npt.ArrayLike, second: npt.ArrayLike, clips: npt.ArrayLike, *, sizes: int = 15, seed: int = 0
) -> Extrapolation:
    """FAD∞ of an evaluated set against a fixed reference, drawing whole clips: frames of one clip are not independent.

    Args:
        first: evaluated embeddings, (rows, dimensions).
        second: reference embeddings.
        clips: which clip each row of `first` is of, (rows,).
        sizes: how many subset sizes, evenly spaced from a third of the clips to all; each drawn without replacement.
        seed: of the draws.

    Raises:
        ValueError: as `validate`, or with fewer than six clips.
    """
    x, y = validate(first, second)
    of = np.asarray(clips)
    names = np.unique(of)
    if len(names) < 6:
        raise ValueError(f"FAD∞ needs at least 6 clips, not {len(names)}")
    rng = np.random.default_rng(derive_seed(seed, "fad-infinity"))
    counts = np.unique(np.linspace(max(2, len(names) // 3), len(names), sizes).round().astype(int))
    chosen = [np.isin(of, rng.permutation(names)[:count]) for count in counts]
    inverse = 1.0 / np.array([mask.sum() for mask in chosen])
    found = np.array([frechet_distance(x[mask], y) for mask in chosen])
    slope, intercept = np.polyfit(inverse, found, 1)
    residual = float(np.square(found - (intercept + slope * inverse)).sum())
    total = float(np.square(found - found.mean()).sum())
    return Extrapolation(float(intercept), float(slope), 1.0 - residual / total if total > 0 else 1.0)
