"""Are there notes, and are they steady? What PESTO hears in a clip, compared with what it hears in real renders."""

from __future__ import annotations

import numpy as np

from bench.metrics.pitch import Pitch

STEADY_CENTS = 30.0
"""0.3 semitone."""

SILENT_DB = -50.0
"""Root mean square, re full scale, under which a clip is silent."""


def voiced_share(pitch: Pitch) -> float:
    """Share of the frames in which PESTO is confident of a pitch; 0 for a clip without loudness.

    >>> voiced_share(Pitch(np.array([6000.0, 0.0]), np.array([True, False])))
    0.5
    """
    return float(pitch.voiced.mean()) if len(pitch.voiced) else 0.0


def steadiness(pitch: Pitch) -> float | None:
    """Share of the steps between two voiced frames that are within 0.3 semitone; None where there is no such step.

    Melodies step between notes, so real music is below 1; gliding partials and doubtful frames are far below it.

    >>> steadiness(Pitch(np.array([6000.0, 6010.0, 6100.0, 0.0]), np.array([True, True, True, False])))
    0.5
    """
    both = pitch.voiced[1:] & pitch.voiced[:-1]
    if not both.any():
        return None
    return float((np.abs(np.diff(pitch.cents))[both] <= STEADY_CENTS).mean())
