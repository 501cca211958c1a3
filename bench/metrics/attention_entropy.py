"""Attention entropy: how sharp is a network's attention? A diagnosis of a method, not a measure of its audio.

For a query with attention p over the K keys that no mask hides,

    H = −Σ p ln p  (nats, 0 ln 0 = 0),     h = H / ln K,

so h is 0 for attention on one key and 1 for attention spread evenly. Branches have different K (AudioLDM 2: eight
language-model tokens, the text's length, all latents), which is why they are compared by h. Mixing two attentions after
the softmax blunts them, mixing their logits need not: Polyphonia shows the two by |H_edit − H_source|.

Conventions: attention has the shape (…, queries, keys), whatever stands for steps, layers and heads in front. It should
have come out of a softmax in float32: in float16 small shares are lost and H comes out too low. Rows sum to 1 within
10⁻³, or they are no attention.

`bench/diffusion/diagnostics.py` measures h while a method runs, on its device; a method that was asked to leaves it in
the run's journal beside each edit, with the mean of |h_edit − h_source| over queries, heads, sites and timesteps. The
metrics here read that distance: 0 where attention is as sharp as it was for the source. They hear nothing.

Source: Shannon, 1948; Polyphonia (ICML 2026) plots it by branch and gives no formula.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from scipy.special import entr

from bench.metric import Case, Missing, Needs, SampleMetric

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


class AttentionEntropy(SampleMetric):
    """How far the sharpness of attention in the edit is from that in the source: a diagnosis, not a quality."""

    name = "attention-entropy"
    version = 1
    direction = "lower"
    range = (0.0, 1.0)
    needs = frozenset({Needs.SOURCE, Needs.DIAGNOSTICS})
    summary = "distance of attention's entropy to the source's, mean of the kinds of attention"
    source = "Polyphonia (ICML 2026) plots it; the formula is ours"
    kinds: ClassVar[frozenset[str]] = frozenset({"self", "loa", "text"})
    """Of attention: those that count."""

    @property
    def parameters(self) -> str:
        """What is averaged."""
        kinds = "kinds of attention" if len(self.kinds) > 1 else f"{next(iter(self.kinds))}-attention"
        return f"|H_edit - H_source| / ln K by the run's own diagnostics, mean over timesteps and sites, {kinds}"

    def score(self, case: Case) -> float | Missing:
        """The distance; 0 for an edit that attends like its source."""
        recorded = entropy_distances(case.diagnostics)
        found = [distance for kind, distance in recorded.items() if kind in self.kinds]
        if not found:
            lacks = f"only of {', '.join(sorted(recorded))}" if recorded else "no distance to the source's"
            return Missing("no-entropy", f"the method recorded attention entropy beside this edit: {lacks}")
        return float(np.mean(found))


class SelfAttentionEntropy(AttentionEntropy):
    """The same of self-attention alone: which places of the mixture look at which."""

    name = "attention-entropy-self"
    summary = "distance of self-attention's entropy to the source's"
    kinds = frozenset({"self"})


class LoaAttentionEntropy(AttentionEntropy):
    """The same of the attention to AudioLDM 2's language-of-audio tokens alone."""

    name = "attention-entropy-loa"
    summary = "distance of the entropy of attention to the language-of-audio tokens to the source's"
    kinds = frozenset({"loa"})


def entropy_distances(diagnostics: Mapping[str, Any]) -> dict[str, float]:
    """Kind of attention → mean |h_edit − h_source|, as `bench.diffusion.diagnostics.compared` left it in a journal.

    Kinds of which nothing could be said are left out, and so is what is no number: journals may come from elsewhere.

    >>> entropy_distances({"entropy": {"distance": {"self": 0.25, "loa": None}}})
    {'self': 0.25}
    """
    entropy_of = diagnostics.get("entropy")
    distances = entropy_of.get("distance") if isinstance(entropy_of, Mapping) else None
    if not isinstance(distances, Mapping):
        return {}
    return {kind: float(value) for kind, value in distances.items() if type(value) in (int, float)}
