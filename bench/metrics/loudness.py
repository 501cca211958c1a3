"""Level of the edit: has it become louder or softer, and is it clipped?

Neither says whether an edit is good, but both move other metrics and what a listener prefers, so they stand beside
them.

Loudness is that of the mono mean: BS.1770 adds up the power of the channels, so that the same sound in two of them
would count 3 LU more than in one, and every mono model would seem to turn a stereo source down.

Source: ITU-R BS.1770-4 loudness (pyloudnorm).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from bench.audio import Samples
from bench.metric import Case, Missing, SampleMetric, library
from bench.metrics.signals import validate

FULL_SCALE = 1.0 - 2.0**-15


def clipped_share(samples: Samples) -> float:
    """Share of samples, (samples, channels), at full scale of 16 bits or beyond, in percent; 0 of none.

    >>> import numpy as np
    >>> clipped_share(np.array([[0.0], [1.0], [-1.0], [0.5]]))
    50.0
    """
    return 100.0 * float((np.abs(samples) >= FULL_SCALE).mean()) if samples.size else 0.0


def loudness_change(reference: npt.ArrayLike, estimated: npt.ArrayLike, rate: int) -> float | Missing:
    """|difference| of two signals' loudness in LU.

    Args:
        reference: the source, (samples,) or (samples, channels).
        estimated: the edit, of the same length within 50 ms.
        rate: of both, in Hz.

    Returns:
        `Missing` where one has none (silence, under 0.4 s): `silent-source`, `silent-edit`.

    Raises:
        ValueError: as `signals.validate`.

    Source: ITU-R BS.1770-4.

    >>> import numpy as np
    >>> tone = np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000)
    >>> round(loudness_change(tone, 0.1 * tone, 16_000), 6)
    20.0
    """
    first, second = (clip.to_mono().loudness_lufs for clip in validate(reference, estimated, rate))
    return _change(first, second)


def _change(source: float | None, edit: float | None) -> float | Missing:
    if source is None or edit is None:
        which = "source" if source is None else "edit"
        return Missing(f"silent-{which}", f"the {which} has no loudness")
    return abs(edit - source)


class LoudnessChange(SampleMetric):
    """How much louder or softer the edit is than the source."""

    name = "loudness-change"
    version = 1
    direction = "lower"
    unit = "LU"
    range = (0.0, float("inf"))
    summary = "difference in loudness to the source, either way"
    source = "ITU-R BS.1770-4"
    smallest_effect = 1.0

    @property
    def parameters(self) -> str:
        """The meter."""
        return f"{library('pyloudnorm')} integrated loudness of the mono mean, |edit - source|"

    def score(self, case: Case) -> float | Missing:
        """The difference in LU; 0 for the source itself."""
        source, edit = (
            case.features.get(clip, "loudness of the mono mean", lambda whole: (whole.to_mono().loudness_lufs,))[0]
            for clip in (case.source.mixture, case.edit)
        )
        return _change(source, edit)


class Clipping(SampleMetric):
    """How much of the edit is clipped."""

    name = "clipping"
    version = 1
    direction = "lower"
    unit = "%"
    range = (0.0, 100.0)
    summary = "share of the edit's samples at full scale"
    source = "counted in the file"
    smallest_effect = 0.01

    @property
    def parameters(self) -> str:
        """What counts."""
        return f"|sample| >= {FULL_SCALE:.7f}"

    def score(self, case: Case) -> float | Missing:
        """The share in percent."""
        return clipped_share(case.edit.samples)
