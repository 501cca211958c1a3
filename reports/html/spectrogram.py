"""Pictures of clips that are meant to be compared: one time axis, one frequency axis, one loudness scale."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bench.audio import Clip

LOWEST_HZ = 40.0
MAX_RATE = 32_000
RANGE_DB = 70.0
CONTRAST_DB = 30.0
BANDS = 128
COLUMNS = 560
WINDOW = 2048

_TICKS_HZ = (500, 1000, 2000, 4000, 8000)


Power = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Tick:
    """A frequency and its height in the picture, in percent from the top."""

    label: str
    top: float


@dataclass(frozen=True)
class Pictures:
    """Spectrograms of some clips.

    Attributes:
        png: one image a clip, `BANDS` pixels high and about `COLUMNS` wide.
        seconds: what the width stands for. ticks: of the frequency axis.
        contrast: one more image, of the difference of two of the clips; empty if none was asked for.
    """

    png: tuple[bytes, ...]
    seconds: float
    ticks: tuple[Tick, ...]
    contrast: bytes = b""


def pictures(clips: Sequence[Clip], contrast: tuple[int, int] | None = None) -> Pictures:
    """Log-mel spectrograms of clips on common axes.

    The frequency axis is mel, from 40 Hz to the Nyquist frequency of the clip with the highest rate (at most 16 kHz);
    what a clip of a lower rate cannot hold stays dark. 0 dB is the loudest point of all clips, the range is 70 dB.
    Shorter clips are followed by silence.

    Args:
        clips: at least one.
        contrast: numbers of two of them: how many dB louder (red) or softer (blue) the second is than the first, white
            where they are equal, full colour from 30 dB on. What is below the range in both counts as equal.
    """
    rate = min(max(clip.rate for clip in clips), MAX_RATE)
    mono = [clip.to_mono().resample(rate) for clip in clips]
    length = max(clip.length for clip in mono)
    powers = [_mel_power(clip.fit(length)) for clip in mono]
    loudest = max(float(power.max(initial=0.0)) for power in powers)
    # All-silent clips have no loudest point; any positive reference then gives an empty picture.
    levels = [_decibels(power, loudest if loudest > 0 else 1.0) for power in powers]
    drawn = tuple(_png(level, -RANGE_DB, 0.0, "magma") for level in levels)
    difference = b""
    if contrast is not None:
        first, second = contrast
        difference = _png(levels[second] - levels[first], -CONTRAST_DB, CONTRAST_DB, "RdBu_r")
    return Pictures(drawn, length / rate, _ticks(rate), difference)


def _mel_power(clip: Clip) -> Power:
    """Mel power, shape (BANDS, frames). The transform is zero-padded so that even the lowest bands hold bins."""
    from scipy.signal import ShortTimeFFT
    from scipy.signal.windows import hann

    transform = ShortTimeFFT(hann(WINDOW, sym=False), max(clip.length // COLUMNS, 1), clip.rate, mfft=2 * WINDOW)
    padded = clip.fit(max(clip.length, WINDOW))
    power: Power = _mel_filters(transform.f, clip.rate / 2) @ transform.spectrogram(padded.mono)
    return power


def _mel_filters(bins_hz: Power, highest_hz: float) -> Power:
    """Triangular filters of equal area, equally spaced in mel, shape (BANDS, bins)."""
    edges = _hz(np.linspace(_mel(LOWEST_HZ), _mel(highest_hz), BANDS + 2))[:, None]
    low, centre, high = edges[:-2], edges[1:-1], edges[2:]
    triangles = np.minimum((bins_hz - low) / (centre - low), (high - bins_hz) / (high - centre))
    return np.asarray(np.maximum(triangles, 0) * 2 / (high - low))


def _mel(hz: float) -> float:
    """O'Shaughnessy's mel: 2595 log10(1 + f / 700)."""
    return 2595 * math.log10(1 + hz / 700)


def _hz(mel: Power) -> Power:
    """The inverse of `_mel`."""
    return np.asarray(700 * (10 ** (mel / 2595) - 1))


def _decibels(power: Power, reference: float) -> Power:
    """Level above the reference, from -`RANGE_DB` on."""
    level: Power = 10 * np.log10(np.maximum(power / reference, 10 ** (-RANGE_DB / 10)))
    return level


def _png(image: Power, lowest: float, highest: float, colours: str) -> bytes:
    from matplotlib.image import imsave

    buffer = io.BytesIO()
    imsave(buffer, image, vmin=lowest, vmax=highest, cmap=colours, origin="lower", format="png")
    return buffer.getvalue()


def _ticks(rate: int) -> tuple[Tick, ...]:
    lowest, highest = _mel(LOWEST_HZ), _mel(rate / 2)
    heights = {hz: 100 * (1 - (_mel(hz) - lowest) / (highest - lowest)) for hz in _TICKS_HZ}
    labels = {hz: f"{hz // 1000}k" if hz >= 1000 else str(hz) for hz in _TICKS_HZ}
    return tuple(Tick(labels[hz], round(height, 2)) for hz, height in heights.items() if height > 5)
