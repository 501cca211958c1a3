"""LPAPS: how far apart do two clips sound to the inner layers of CLAP's audio encoder?

For each of the four Swin stages, with features A and B of shape (tokens, channels), features are normalised, their
squared difference is summed, and the stages are added: 0 for equal clips, about 8 for unrelated ones, at most 16.

Two forms stand beside each other:

* `token_norm`, as published (AudioEditingCode, whose code SteerMusic, Melodia and Polyphonia ran): code written for
  images normalises over the first axis after the batch, and that axis holds the *tokens* here. Each stage is then the
  mean over channels of 2 - 2 cos(a channel's map of A, of B).
* `channel_norm`, as LPIPS means it: each token's vector is normalised over channels, and the mean is over tokens.

Neither uses learned weights. The published windows (`manor2024`, see `bench.embedder`) count the last second of a 10 s
clip as much as the whole clip; the corrected metric takes windows side by side.

Source: Manor and Michaeli, ICML 2024 (AudioEditingCode, evals/lpaps.py, BSD-2); the name: Iashin and Rahtu, BMVC 2021,
whose network is another.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from bench.audio import Clip
from bench.embedder import Embedding
from bench.metric import Case, EmbeddingMetric, Missing, Needs, length_mismatch

EPSILON = 1e-10

StageDistance = Callable[[npt.ArrayLike, npt.ArrayLike], float]


def token_norm(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    """Distance of one stage as published: channels' maps over the tokens, normalised; in [0, 4].

    Args:
        first: features of one window, (tokens, channels).
        second: of the same shape.

    >>> round(token_norm([[1, 2], [3, 4], [0, 1]], [[1, 0], [0, 4], [2, 1]]), 10)
    0.9588432329
    """
    return _distance(first, second, axis=0)


def channel_norm(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    """Distance of one stage, corrected: tokens' vectors over the channels, normalised; in [0, 4].

    >>> round(channel_norm([[1, 2], [3, 4], [0, 1]], [[1, 0], [0, 4], [2, 1]]), 10)
    0.8703818726
    """
    return _distance(first, second, axis=1)


def _distance(first: npt.ArrayLike, second: npt.ArrayLike, *, axis: int) -> float:
    a, b = (np.asarray(features, np.float64) for features in (first, second))
    if a.ndim != 2 or a.shape != b.shape:
        raise ValueError(f"features of the shapes {a.shape} and {b.shape}; equal shapes (tokens, channels) are needed")
    unit_a, unit_b = (f / (np.linalg.norm(f, axis=axis, keepdims=True) + EPSILON) for f in (a, b))
    return float(np.square(unit_a - unit_b).sum(axis=axis).mean())


def lpaps(first: Embedding, second: Embedding, stage_distance: StageDistance = channel_norm) -> float:
    """LPAPS of two embedded clips: the stages' distances summed, averaged over windows by their weights.

    Args:
        first: with `stages`.
        second: the same; windows that only one of them has are left out, as in the published code.
        stage_distance: `channel_norm` or `token_norm`.

    Raises:
        ValueError: if one has no stages, or the two have not the same.

    Source: Manor and Michaeli, ICML 2024 (AudioEditingCode).

    >>> one, two = ([[1, 2], [3, 4], [0, 1]], [[1, 0], [0, 4], [2, 1]])  # a stage of one window: (tokens, channels)
    >>> clips = [Embedding(np.zeros((1, 2)), np.ones(1), (np.array([stage]),)) for stage in (one, two)]
    >>> round(lpaps(*clips), 10), round(lpaps(*clips, token_norm), 10)
    (0.8703818726, 0.9588432329)
    """
    if not first.stages:
        raise ValueError("an embedding without stages: LPAPS compares a network's inner layers")
    count = min(len(first.weights), len(second.weights))
    values = [
        sum(stage_distance(a[window], b[window]) for a, b in zip(first.stages, second.stages, strict=True))
        for window in range(count)
    ]
    return float(np.average(values, weights=first.weights[:count]))


class Lpaps(EmbeddingMetric):
    """LPAPS between edit and source, corrected."""

    name = "lpaps"
    version = 1
    direction = "lower"
    range = (0.0, 16.0)
    summary = "how far the edit sounds from the source, in the layers of CLAP's encoder"
    source = "Manor and Michaeli, ICML 2024, normalised over channels"
    smallest_effect = 0.1
    stages = True
    default_embedder = "laion-clap"
    stage_distance = staticmethod(channel_norm)

    @property
    def parameters(self) -> str:
        """The network, the windows and the axis."""
        return f"{self.embedder.identity}, {self.policy} windows, normalised over channels, reference: source"

    def other(self, case: Case) -> Clip:
        """What the edit is held against."""
        return case.source.mixture

    def clips(self, case: Case) -> Sequence[Clip] | Missing:
        """The edit and what it is held against."""
        return length_mismatch(case.edit, self.other(case)) or [case.edit, self.other(case)]

    def score(self, case: Case) -> float | Missing:
        """The distance; 0 for the source itself."""
        clips = self.clips(case)
        if isinstance(clips, Missing):
            return clips
        edit, other = (self.embedded(case, clip) for clip in clips)
        return lpaps(edit, other, self.stage_distance)


class LpapsManor2024(Lpaps):
    """LPAPS between edit and source, as published."""

    name = "lpaps@manor2024"
    summary = "the same as published: normalised over tokens, the tail counted twice"
    source = "Manor and Michaeli, ICML 2024 (AudioEditingCode, evals/lpaps.py)"
    policy = "manor2024"
    stage_distance = staticmethod(token_norm)

    @property
    def parameters(self) -> str:
        """The network, the windows and the axis."""
        return f"{self.embedder.identity}, {self.policy} windows, normalised over tokens, reference: source"


class LpapsTrueEdit(Lpaps):
    """LPAPS between edit and true edit."""

    name = "true-edit-lpaps"
    summary = "how far the edit sounds from the true edit, in the layers of CLAP's encoder"
    needs = frozenset({Needs.SOURCE, Needs.TRUE_EDIT})

    @property
    def parameters(self) -> str:
        """The network, the windows and the axis."""
        return f"{self.embedder.identity}, {self.policy} windows, normalised over channels, reference: true edit"

    def other(self, case: Case) -> Clip:
        """The true edit."""
        assert case.true_edit is not None
        return case.true_edit
