"""Metrics for the scorer's tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from bench.metric import Case, CorpusMetric, Missing, Needs, SampleMetric


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


class Spread(CorpusMetric):
    """Standard deviation of the levels."""

    name, version, direction, unit, summary = "spread", 1, "lower", "dB", "spread of the levels"
    parameters = "no parameters"

    def score(self, cases: Sequence[Case]) -> float | Missing:
        return float(np.std([case.edit.rms_db for case in cases]))
