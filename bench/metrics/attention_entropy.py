"""Attention entropy: how sharp is a network's attention? A diagnosis of a method, not a measure of its audio.

For a query with attention p over the K keys that no mask hides,

    H = −Σ p ln p  (nats, 0 ln 0 = 0),     h = H / ln K,

so h is 0 for attention on one key and 1 for attention spread evenly. Branches have different K (AudioLDM 2: eight
language-model tokens, the text's length, all latents), which is why they are compared by h. Mixing two attentions after
the softmax blunts them, mixing their logits need not: Polyphonia shows the two by |H_edit − H_source|.

Conventions: attention has the shape (…, queries, keys), whatever stands for steps, layers and heads in front. It should
have come out of a softmax in float32: in float16 small shares are lost and H comes out too low. Rows sum to 1 within
10⁻³, or they are no attention.

`bench/diffusion/diagnostics.py` measures the same while a method runs, on its device.

Source: Shannon, 1948; Polyphonia (ICML 2026) plots it by branch and gives no formula.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from scipy.special import entr

TOLERANCE = 1e-3

Floats = npt.NDArray[np.float64]


def entropy(attention: npt.ArrayLike, keys: npt.ArrayLike | None = None) -> Floats:
    """Entropy of attention in nats, (…, queries).

    Args:
        attention: (…, queries, keys), each row a distribution.
        keys: which keys count, bool, of a shape that broadcasts to attention's; None: all. What a mask hides must have
            next to no share.

    Raises:
        ValueError: for attention that is not finite, negative, or does not sum to 1 within 10⁻³ over the keys that
            count; for a mask of another shape.

    >>> entropy([0.9, 0.1]).round(10).item()
    0.3250829734
    """
    shares, _ = _validated(attention, keys)
    return np.asarray(entr(shares).sum(axis=-1), np.float64)


def normalised_entropy(attention: npt.ArrayLike, keys: npt.ArrayLike | None = None) -> Floats:
    """Entropy over that of even attention, ln K, in [0, 1], (…, queries); NaN where a single key counts.

    Arguments and errors as `entropy`.

    >>> normalised_entropy([[0.25, 0.25, 0.25, 0.25], [1.0, 0.0, 0.0, 0.0]]).tolist()
    [1.0, 0.0]
    """
    shares, counted = _validated(attention, keys)
    count = counted.sum(axis=-1)
    most = np.where(count > 1, np.log(np.maximum(count, 2)), np.nan)
    return np.asarray(np.clip(entr(shares).sum(axis=-1) / most, 0.0, 1.0), np.float64)


def mean_by_branch(
    attention: Mapping[str, npt.ArrayLike], keys: Mapping[str, npt.ArrayLike] | None = None
) -> dict[str, float]:
    """Mean normalised entropy of each branch over all that is in front of its keys; NaN where no row has two keys.

    Args:
        attention: (…, queries, keys) by branch ("self", "loa", "text"), each with its own number of keys.
        keys: which keys count, for the branches that hide some.
    """
    means = {}
    for branch, shares in attention.items():
        found = normalised_entropy(shares, (keys or {}).get(branch))
        known = found[np.isfinite(found)]
        means[branch] = float(known.mean()) if known.size else float("nan")
    return means


def split_means(entropies: npt.ArrayLike, gate: npt.ArrayLike) -> tuple[float, float]:
    """Mean entropy of the target's queries and of the background's: weighted by G, and by 1 − G.

    Args:
        entropies: (…, queries).
        gate: G in [0, 1], of a shape that broadcasts to entropies'.

    Returns:
        NaN for a side that has no weight.

    Raises:
        ValueError: for a gate outside [0, 1], or of another shape.

    >>> split_means([1.0, 0.5], [1.0, 0.0])
    (1.0, 0.5)
    """
    values = np.asarray(entropies, np.float64)
    try:
        weights = np.broadcast_to(np.asarray(gate, np.float64), values.shape)
    except ValueError as error:
        raise ValueError(f"a gate of shape {np.shape(gate)} for entropies of shape {values.shape}") from error
    if not ((weights >= 0) & (weights <= 1)).all():
        raise ValueError("a gate has values outside [0, 1]")
    target, background = (
        float((values * side).sum() / side.sum()) if side.any() else float("nan") for side in (weights, 1 - weights)
    )
    return target, background


def _validated(attention: npt.ArrayLike, keys: npt.ArrayLike | None) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Attention in float64 with 0 at keys that do not count, and which count."""
    shares = np.asarray(attention, np.float64)
    if shares.ndim < 1 or shares.shape[-1] == 0:
        raise ValueError(f"attention of shape {shares.shape}; (…, queries, keys) with at least one key is needed")
    mask = np.asarray(True if keys is None else keys, bool)
    try:
        counted = np.broadcast_to(mask, shares.shape)
    except ValueError as error:
        raise ValueError(f"a mask of shape {mask.shape} for attention of shape {shares.shape}") from error
    if not np.isfinite(shares).all() or (shares < 0).any():
        raise ValueError("attention has values that are negative or not finite")
    shares = np.where(counted, shares, 0.0)
    furthest = float(np.abs(shares.sum(axis=-1) - 1.0).max(initial=0.0))
    if furthest > TOLERANCE:
        raise ValueError(f"a row of attention does not sum to 1 over the keys that count, but is {furthest:g} away")
    return shares, counted
