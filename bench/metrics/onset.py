"""Onset F1: are the edit's notes struck when the source's are?

The same detector listens to the source and to the edit; the source's onsets are taken as the reference. A pair
matches if it lies within the window (inclusive), each onset is used once (maximum bipartite matching), and F1 is the
harmonic mean of precision and recall.

Conventions: onset times are in seconds, ascending. The detector is librosa's spectral flux at a fixed 22.05 kHz
with a grid of 256 samples (11.6 ms) and no backtracking: other rates and grids give other numbers.

Two windows are offered: 50 ms, the field's usual one, and 100 ms, which forgives the smeared attacks of codecs and
vocoders.

Source: mir_eval.onset (Raffel et al., ISMIR 2014); detector: librosa.onset (Böck et al., ISMIR 2012 peak picking).
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from bench.audio import Clip, Samples
from bench.metric import Case, Features, Missing, SampleMetric, length_mismatch, library
from bench.metrics.compiled import ready

RATE = 22_050
HOP = 256

Times = npt.NDArray[np.float64]


def onsets(samples: Samples) -> Times:
    """Onset times in seconds of mono samples (samples,) at 22.05 kHz; none for silence."""
    from librosa.onset import onset_detect

    ready()
    times = onset_detect(y=samples, sr=RATE, hop_length=HOP, units="time", backtrack=False)
    return np.asarray(times, np.float64)


def onsets_of(features: Features, clip: Clip) -> Times:
    """`onsets` of a clip's mono mean, memoised."""
    return features.get(features.mono(clip, RATE), "librosa onsets", lambda whole: onsets(whole.mono))


def onset_scores(
    reference_onsets: Times, estimated_onsets: Times, window_s: float = 0.05
) -> tuple[float, float, float] | Missing:
    """F1, precision and recall of two lists of onset times (seconds, ascending); conventions as `onset_f1`."""
    from mir_eval.onset import f_measure

    if len(reference_onsets) == 0 and len(estimated_onsets) == 0:
        return Missing("no-onsets", "neither the source nor the edit has an onset")
    if len(reference_onsets) == 0 or len(estimated_onsets) == 0:
        return 0.0, 0.0, 0.0
    f1, precision, recall = f_measure(reference_onsets, estimated_onsets, window=window_s)
    return float(f1), float(precision), float(recall)


def onset_f1(reference_onsets: Times, estimated_onsets: Times, window_s: float = 0.05) -> float | Missing:
    """F1 of two lists of onset times (seconds, ascending).

    If only one of them is empty, all of the other is missed or invented: 0. If both are, there was no onset to keep
    and F1 is not defined: `Missing("no-onsets")`. Source: mir_eval.onset (Raffel et al., ISMIR 2014).

    Raises:
        ValueError: for times that do not ascend, are negative or not (onsets,).

    >>> import numpy as np
    >>> round(onset_f1(np.array([0.0, 1.0, 2.0]), np.array([0.04, 1.06, 2.0, 3.0])), 6)
    0.571429
    """
    scores = onset_scores(reference_onsets, estimated_onsets, window_s)
    return scores if isinstance(scores, Missing) else scores[0]


class OnsetF1(SampleMetric):
    """Onset F1 between source and edit at 50 ms."""

    name = "onset-f1"
    version = 1
    direction = "higher"
    range = (0.0, 1.0)
    summary = "F1 of the edit's onsets against the source's, within 50 ms"
    source = "Raffel et al., ISMIR 2014 (mir_eval.onset)"
    smallest_effect = 0.02
    window_s: ClassVar[float] = 0.05
    which: ClassVar[int] = 0

    @property
    def parameters(self) -> str:
        """The detector, the reference and the window."""
        return (
            f"{library('librosa')} onset_detect, mono {RATE} Hz soxr HQ, hop {HOP}, no backtracking, "
            f"{library('mir_eval')} window {1000 * self.window_s:g} ms, reference: detector on the source"
        )

    def score(self, case: Case) -> float | Missing:
        """F1 (precision, recall) of the onsets detected in the edit against those detected in the source."""
        source, edit = case.source.mixture, case.edit
        if mismatch := length_mismatch(edit, source):
            return mismatch
        reference, estimated = (onsets_of(case.features, clip) for clip in (source, edit))
        scores = onset_scores(reference, estimated, self.window_s)
        return scores if isinstance(scores, Missing) else scores[self.which]


class OnsetF1At100Ms(OnsetF1):
    """Onset F1 between source and edit at 100 ms."""

    name = "onset-f1-100ms"
    summary = "F1 of the edit's onsets against the source's, within 100 ms"
    window_s = 0.1


class OnsetPrecision(OnsetF1):
    """Share of the edit's onsets that are the source's."""

    name = "onset-precision"
    summary = "share of the edit's onsets that the source has within 50 ms"
    which = 1


class OnsetRecall(OnsetF1):
    """Share of the source's onsets that the edit has."""

    name = "onset-recall"
    summary = "share of the source's onsets that the edit has within 50 ms"
    which = 2
