"""Whether an edit is its source, or another entry's edit, in other clothes.

An edit changes one stem of its source; a copy changes nothing. So what is measured is what was changed, against the
stem that should have been:

* by waveform: what is left of the edit once the source is taken out of it, at the gain and the delay (up to 50 ms) at
  which it fits best. An edit leaves about as much as the stem has; a copy leaves the noise of its coding.
* by print: how many bits of the source's fingerprint it flips, against how many the loss of the stem would flip.

Measured on 12 edits of the synth suite. What is left, in dB re the stem: copies (a gain, MP3, OGG, 8 kHz, 20 ms late,
noise at -10 dB) at most -9; true edits, which keep all else to the sample, at least +2. Bits, as a share of the
stem's: copies in MP3, OGG or 8 kHz at most 0.40, true edits at least 0.87, a codec's round trip at least 1.0. Either
measure is enough: one hears copies through the best codecs, which keep no waveform; the other does not mind noise.

A copy hidden under enough noise passes. It gains nothing: scores are compared with those of the copy-source control.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.signal import correlate, correlation_lags

from bench.audio import Clip
from bench.task import Source, StemName
from reports.submission import prints
from reports.submission.prints import Bits, ClipPrint, Fingerprints

MAX_DELAY_S = 0.05
MAX_LEFT_DB = -6.0
"""What an edit may leave, re the stem that it edits, to count as a copy."""

MAX_LEFT_WHOLE_DB = -20.0
"""The same re the whole source, where the stem is not known."""

MAX_FLIPPED = 0.6
"""Bits that it may flip, as a share of those that the loss of the stem flips."""

_FEWEST_FLIPPED = 0.02  # of all bits: a stem whose loss flips fewer is not heard in the print

_Mono = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Reference:
    """A source as edits of one of its stems are compared with it: mono samples (samples,) at 16 kHz."""

    mixture: _Mono
    stem: _Mono | None

    @classmethod
    def of(cls, source: Source, stem: StemName) -> Reference:
        """From a suite's source; a stem that was separated from the mixture does as well here as a true one."""
        found = source.stems.get(stem)
        mixture = prints.mono(source.mixture)
        return cls(mixture, None if found is None else prints.mono(found.resample(source.mixture.rate)))

    @cached_property
    def bits(self) -> Bits:
        """The mixture's print."""
        return prints.print_of(self.mixture)

    @cached_property
    def without_stem(self) -> float:
        """Share of bits that the loss of the stem flips; 0 where the stem is not known."""
        if self.stem is None or not self.stem.any():
            return 0.0
        # Not the sum of the others: some data sets master their mixtures, which is not what is to be measured.
        left, _ = residual(self.stem[: len(self.mixture)], self.mixture[: len(self.stem)])
        return prints.flipped(self.bits, prints.print_of(left))

    def is_copy(self, edit: _Mono) -> bool:
        """Whether mono samples at 16 kHz are the mixture again."""
        if not self.mixture.any() or not edit.any():
            return False
        length = min(len(self.mixture), len(edit))
        mixture, late = _aligned(self.mixture[:length], edit[:length])
        left, gain = residual(mixture, late)
        if gain == 0.0:
            return False
        known = self.stem is not None and bool(self.stem.any())
        changed, most = (self.stem, MAX_LEFT_DB) if known else (mixture, MAX_LEFT_WHOLE_DB)
        assert changed is not None
        if _power(left) <= gain**2 * _power(changed) * 10 ** (most / 10):
            return True
        flips = prints.flipped(prints.print_of(mixture), prints.print_of(late))
        return self.without_stem >= _FEWEST_FLIPPED and flips <= MAX_FLIPPED * self.without_stem


def _aligned(reference: _Mono, estimate: _Mono) -> tuple[_Mono, _Mono]:
    """Both without the delay at which they correlate most."""
    correlation = correlate(estimate, reference, mode="full", method="fft")
    lags = correlation_lags(len(estimate), len(reference), mode="full")
    near = np.abs(lags) <= round(MAX_DELAY_S * prints.RATE)
    lag = int(lags[near][np.argmax(np.abs(correlation[near]))])
    if lag >= 0:
        return reference[: len(reference) - lag], estimate[lag:]
    return reference[-lag:], estimate[:lag]


def residual(reference: _Mono, estimate: _Mono) -> tuple[_Mono, float]:
    """What is left of an estimate (samples,) without the reference (samples,), and the gain at which that fits best."""
    truth = reference.astype(np.float64)
    power = float(truth @ truth)
    gain = float(truth @ estimate.astype(np.float64)) / power if power else 0.0
    return np.asarray(estimate - gain * truth, np.float32), gain


def _power(samples: _Mono) -> float:
    return float(np.mean(np.square(samples, dtype=np.float64))) if len(samples) else 0.0


# -- other entries ----------------------------------------------------------------------------------------------------

Likeness = Literal["same", "near"]


@dataclass(frozen=True, eq=False)
class Heard:
    """One edit as it is compared with others: the hash of its samples and its print."""

    sha256: str
    bits: Bits


def likeness(edit: Heard, others: Sequence[ClipPrint], source: Bits | None) -> Likeness | None:
    """Whether one of several edits of the same task is the same recording.

    Args:
        edit: the one that was submitted.
        others: of another entry, of any seed.
        source: the print of the source; without it only equal samples are found.
    """
    if any(other.sha256 == edit.sha256 for other in others):
        return "same"
    if source is None:
        return None
    shares = (prints.in_common(edit.bits, other.array, source) for other in others)
    return "near" if any(share is not None and share >= prints.SAME for share in shares) else None


def comparable(entry: Fingerprints, suite_digest: str) -> bool:
    """Whether an entry is of the same suite: others have other tasks."""
    return entry.suite_digest == suite_digest


def heard(clip: Clip, samples: _Mono) -> Heard:
    """A clip, and its mono samples at 16 kHz, as they are compared."""
    return Heard(clip.sha256, prints.print_of(samples))
