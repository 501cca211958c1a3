"""Is a mean of paired differences zero? Signs of whole clusters are flipped.

If two runs do the same, base and new could change places in any song: the differences of a song, all together, are as
likely to be what they are as to have the opposite signs. So each of the 2ᵏ ways to choose the signs of k songs is
equally likely, and p is the share of them whose |sum of all differences| is at least the one that was seen. Nothing is
assumed of the distribution, nor of how the differences within a song depend on each other. For runs of one code with
other seeds the exchange is exactly what happens, so there the test is exact.

With k songs p is at least 2 / 2ᵏ: five songs can never be significant at 5 %.

Source: Fisher, The Design of Experiments (1935), chapter 3; Canay, Romano and Shaikh, Econometrica 85 (2017), for
clusters.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

EXACT_TO = 14
"""Up to so many songs all signs are enumerated; with more they are drawn."""

DRAWS = 10_000
_PARTS, _FEW = 20, 500


def smallest_p(clusters: int) -> float:
    """The smallest p that so many clusters can give.

    >>> smallest_p(5), smallest_p(6)
    (0.0625, 0.03125)
    """
    return 2.0 ** (1 - clusters) if clusters <= EXACT_TO else 1.0 / (DRAWS + 1)


def sign_flip_p(sums: npt.NDArray[np.float64], *, seed: int = 0) -> float:
    """The two-sided p of a zero mean.

    Args:
        sums: of the differences of each cluster, (k,), k >= 1.
        seed: of the signs, where they are drawn. The p counts the observed signs as one draw, and so is never 0.

    >>> sign_flip_p(np.array([1.0, 2.0, 3.0, 1.0, 2.0, 3.0]))
    0.03125
    """
    # What differs from the observed sum by rounding alone is equal to it.
    seen = abs(float(sums.sum())) - 1e-12 * float(np.abs(sums).sum())
    if len(sums) <= EXACT_TO:
        return float(np.mean(np.abs(_every(len(sums)) @ sums) >= seen))
    parts = np.array_split(_drawn(len(sums), seed), _PARTS)
    reached = sum(int((np.abs(part.astype(np.float64, copy=False) @ sums) >= seen).sum()) for part in parts)
    return (reached + 1) / (DRAWS + 1)


@lru_cache(maxsize=EXACT_TO)
def _every(clusters: int) -> npt.NDArray[np.float64]:
    """All signs with the first one fixed, since all others are the same with both turned: (2 ** (k - 1), k)."""
    numbers = np.arange(2 ** (clusters - 1))[:, None]
    return np.where((numbers >> np.arange(clusters)) & 1, -1.0, 1.0)


@lru_cache(maxsize=2)
def _drawn(clusters: int, seed: int) -> npt.NDArray[Any]:
    """So many draws of signs, (DRAWS, k): in bytes if there are thousands of songs, which would fill the memory."""
    signs = 1 - 2 * np.random.default_rng(seed).integers(0, 2, size=(DRAWS, clusters), dtype=np.int8)
    return signs.astype(np.float64) if clusters <= _FEW else signs
