"""Clips as listeners get them: one length, two channels, one loudness, no clipping.

All clips of a task are matched in loudness to each other (ITU-R BS.1770-4): what is louder is preferred, and what
differs in level is told apart by it. If a peak would pass the limit, all of them are made softer by the same amount; no
limiter ever touches a clip. They have two channels because webMUSHRA plays a single one on the left side only.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bench.audio import Clip

PEAK_DB = -1.0
"""Highest sample, in dB re full scale."""

MOST_GAIN_DB = 30.0
"""Beyond it, the noise of an edit that is all but silent would be what is heard."""

_TOLERANCE_LU = 0.1
_PASS_HZ, _STOP_HZ, _STOP_DB = 3_500.0, 4_000.0, 60.0


@dataclass(frozen=True)
class Matched:
    """A clip at its item's loudness. `exact` is False where it has none, or would need more gain than allowed."""

    clip: Clip
    gain_db: float
    exact: bool


def prepared(clip: Clip, rate: int, seconds: float) -> Clip:
    """A clip of two channels at a rate, cut or padded at its end to a length."""
    resampled = clip.resample(rate)
    if resampled.channels == 1:
        resampled = Clip(np.repeat(resampled.samples, 2, axis=1), rate)
    return resampled.fit(round(seconds * rate))


def low_anchor(clip: Clip) -> Clip:
    """The low-range anchor of BS.1534: low-pass at 3.5 kHz.

    The recommendation asks for a ripple within 0.1 dB up to 3.5 kHz, and at least 25 dB less at 4 kHz and 50 dB at
    4.5 kHz; this linear-phase filter (Kaiser window, its delay taken out) has 60 dB from 4 kHz on.
    """
    from scipy import signal

    taps, beta = signal.kaiserord(_STOP_DB, (_STOP_HZ - _PASS_HZ) / (clip.rate / 2))
    kernel = signal.firwin(taps | 1, (_PASS_HZ + _STOP_HZ) / 2, window=("kaiser", beta), fs=clip.rate)
    filtered = signal.oaconvolve(clip.samples.astype(np.float64), kernel[:, None], mode="same", axes=0)
    return Clip.of(filtered, clip.rate)


def matched(clips: Mapping[str, Clip], lufs: float) -> tuple[dict[str, Matched], float]:
    """Clips at one loudness, and which: the one that is wanted, or a lower one at which no peak is above `PEAK_DB`.

    Args:
        clips: of one item, by any name.
        lufs: integrated loudness wanted.
    """
    loudness = {name: clip.loudness_lufs for name, clip in clips.items()}
    wanted = {name: min(lufs - found, MOST_GAIN_DB) for name, found in loudness.items() if found is not None}
    excess = max((_peak_db(clips[name]) + gain - PEAK_DB for name, gain in wanted.items()), default=0.0)
    level = lufs - max(excess, 0.0)
    result = {}
    for name, clip in clips.items():
        found = loudness[name]
        gain = min(PEAK_DB - _peak_db(clip), 0.0) if found is None else min(level - found, MOST_GAIN_DB)
        exact = found is not None and abs(found + gain - level) < _TOLERANCE_LU
        result[name] = Matched(clip.scaled(10 ** (gain / 20)), gain, exact)
    return result, level


def _peak_db(clip: Clip) -> float:
    return 20 * math.log10(clip.peak) if clip.peak > 0 else -math.inf
