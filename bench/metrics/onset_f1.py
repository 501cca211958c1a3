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

from bench.audio import Samples
from bench.metric import Case, Missing, SampleMetric, length_mismatch, library

RATE = 22_050
HOP = 256

Times = npt.NDArray[np.float64]


def onsets(samples: Samples) -> Times:
    """Onset times in seconds of mono samples (samples,) at 22.05 kHz; none for silence."""
    from librosa.onset import onset_detect

    times = onset_detect(y=samples, sr=RATE, hop_length=HOP, units="time", backtrack=False)
    return np.asarray(times, np.float64)


def onset_f1(reference_onsets: Times, estimated_onsets: Times, window_s: float = 0.05) -> float | Missing:
    """F1 of two lists of onset times (seconds, ascending).

    If only one of them is empty, all of the other is missed or invented: 0. If both are, there was no onset to keep
    and F1 is not defined: `Missing("no-onsets")`.

    >>> import numpy as np
    >>> round(onset_f1(np.array([0.0, 1.0, 2.0]), np.array([0.04, 1.06, 2.0, 3.0])), 6)
    0.571429
    """
    from mir_eval.onset import f_measure

    if len(reference_onsets) == 0 and len(estimated_onsets) == 0:
        return Missing("no-onsets", "neither the source nor the edit has an onset")
    if len(reference_onsets) == 0 or len(estimated_onsets) == 0:
        return 0.0
    value, _, _ = f_measure(reference_onsets, estimated_onsets, window=window_s)
    return float(value)


class OnsetF1(SampleMetric):
    """Onset F1 between source and edit at 50 ms."""

    name = "onset-f1"
    version = 1
    direction = "higher"
    range = (0.0, 1.0)
    summary = "F1 of the edit's onsets against the source's, within 50 ms"
    window_s: ClassVar[float] = 0.05

    @property
    def parameters(self) -> str:
        """The detector, the reference and the window."""
        return (
            f"{library('librosa')} onset_detect, mono {RATE} Hz soxr HQ, hop {HOP}, no backtracking, "
            f"{library('mir_eval')} window {1000 * self.window_s:g} ms, reference: detector on the source"
        )

    def score(self, case: Case) -> float | Missing:
        """F1 of the onsets detected in the edit against those detected in the source."""
        source, edit = case.source.mixture, case.edit
        if mismatch := length_mismatch(edit, source):
            return mismatch
        reference, estimated = (
            case.features.get(case.features.mono(clip, RATE), "librosa onsets", lambda whole: onsets(whole.mono))
            for clip in (source, edit)
        )
        return onset_f1(reference, estimated, self.window_s)


class OnsetF1At100Ms(OnsetF1):
    """Onset F1 between source and edit at 100 ms."""

    name = "onset-f1-100ms"
    summary = "F1 of the edit's onsets against the source's, within 100 ms"
    window_s = 0.1
