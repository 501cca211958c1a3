"""Metrics for the scorer's tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from bench.audio import Clip
from bench.embedder import Embedder, Embedding, Policy
from bench.metric import Case, CorpusMetric, EmbeddingMetric, Frames, Missing, Needs, SampleMetric


class Level(SampleMetric):
    """RMS of the edit; counts its calls."""

    name, version, direction, unit, summary = "level", 1, "higher", "dB", "level of the edit"
    parameters = "no parameters"
    calls: ClassVar[list[str]] = []

    def score(self, case: Case) -> float | Missing:
        self.calls.append(case.task.id)
        return case.edit.rms_db


class SameLevel(Level):
    """Another class with the same identity."""


class NoCello(Level):
    """Cannot be computed for one task, and gives nonsense for another."""

    name = "no-cello"

    def score(self, case: Case) -> float | Missing:
        if "cello" in case.task.id:
            return Missing("cello", "the cello is ill")
        return float("nan") if "harp" in case.task.id else 1.0


class WantsTruth(Level):
    """Needs what these tasks do not have."""

    name = "wants-truth"
    needs = frozenset({Needs.TRUE_EDIT})


class SourceOnce(Level):
    """Uses a feature of the source; counts how often it is computed."""

    name = "source-once"
    computed: ClassVar[list[str]] = []

    def score(self, case: Case) -> float | Missing:
        def compute(clip: object) -> float:
            self.computed.append(case.source.id)
            return 1.0

        return case.features.get(case.source.mixture, "once", compute)


class Bands(Embedder):
    """Mean level in eight bands, a second at a time: an embedder without weights."""

    name, version, rate, inner = "bands", 1, 8_000, True
    identity = "bands@1"
    passes: ClassVar[list[int]] = []

    def embed(self, clips: Sequence[Clip], *, policy: Policy = "blocks", stages: bool = False) -> list[Embedding]:
        self.passes.append(len(clips))
        spectra = [np.abs(np.fft.rfft(clip.mono)) for clip in clips]
        frames = [np.array([[band.mean() for band in np.array_split(s, 8)]], np.float32) for s in spectra]
        return [Embedding(rows, np.ones(1), (rows[:, None],) if stages else ()) for rows in frames]


class Brightness(EmbeddingMetric):
    """Distance of the edit's vector from the source's."""

    name, version, direction, summary = "brightness", 1, "lower", "distance in bands"
    parameters = "no parameters"

    def clips(self, case: Case) -> Sequence[Clip] | Missing:
        return [case.edit, case.source.mixture]

    def score(self, case: Case) -> float | Missing:
        edit, source = (self.embedded(case, clip).frames[0] for clip in (case.edit, case.source.mixture))
        return float(np.abs(edit - source).sum())


class Layers(Brightness):
    """The same from an inner layer."""

    name, stages = "layers", True

    def score(self, case: Case) -> float | Missing:
        edit, source = (self.embedded(case, clip).stages[0] for clip in (case.edit, case.source.mixture))
        return float(np.abs(edit - source).sum())


class Spread(CorpusMetric):
    """Distance between the mean vectors of the two sets."""

    name, version, direction, summary = "spread", 1, "lower", "distance of the means"
    parameters = "no parameters"

    def reference(self, case: Case) -> Clip | Missing:
        return case.source.background("vocals")

    def distance(self, evaluated: Frames, reference: Frames) -> float | Missing:
        return float(np.abs(evaluated.values.mean(0) - reference.values.mean(0)).sum())


class Apart(Spread):
    """Of a set that is too small."""

    name = "apart"

    def evaluated(self, case: Case) -> Clip | Missing:
        return Missing("nobody", "nobody is left")
