"""Distance to the true edit: how near is the result to what was wanted?

Only suites made from a score have a true edit, the same part played by the target instrument over the same
background. Against it the plain multi-resolution log-mel distance says in one number whether the right thing changed
and the rest did not. It is one true edit of many: another sample of the same instrument is not at 0 either.
"""

from __future__ import annotations

from bench.metric import Case, Missing, Needs, SampleMetric, length_mismatch
from bench.metrics.logmel import RATE, described, log_mel_distance, powers_of


class TrueEditLogMel(SampleMetric):
    """Log-mel distance of the edit to the true edit."""

    name = "true-edit-logmel"
    version = 1
    direction = "lower"
    unit = "dB"
    range = (0.0, float("inf"))
    needs = frozenset({Needs.TRUE_EDIT})
    summary = "log-mel distance to the true edit"
    source = "ours"
    smallest_effect = 0.2

    @property
    def parameters(self) -> str:
        """The distance and its reference."""
        return f"{described()}, reference: true edit"

    def score(self, case: Case) -> float | Missing:
        """The distance in dB; 0 for the true edit itself."""
        truth = case.true_edit
        if truth is None:
            return Missing("no-true-edit", "this task has no true edit")
        if truth.peak == 0.0:
            return Missing("silent-true-edit", "the true edit is silent")
        if mismatch := length_mismatch(case.edit, truth):
            return mismatch
        length = case.features.mono(truth, RATE).length
        reference, estimate = (powers_of(case.features, clip, length) for clip in (truth, case.edit))
        return log_mel_distance(reference, estimate)
