"""Waveform ratios, SI-SDR and SDR: how much of the background's waveform is kept, in dB?

Secondary to the phase-free background metrics: models that decode from a mel spectrogram do not keep phase and are
punished for nothing (white noise delayed by one sample: SI-SDR -43 dB). For methods that do keep it they are the
sharpest ruler. A constant delay of up to 50 ms is taken out first; within that, SI-SDR forgives a gain, and SDR a
filter of 512 taps.

Source: Le Roux et al., ICASSP 2019 (SI-SDR); Vincent et al., 2006, and Scheibler, 2021 (SDR); computed by torchmetrics.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.signal import correlate, correlation_lags

from bench.audio import Clip
from bench.metric import Case, Missing, library
from bench.metrics.background_kept import Compared
from bench.metrics.part import RATE

MAX_DELAY_S = 0.05
CEILING_DB = 100.0
"""Equal signals have an infinite ratio; values are cut here, far above what audio of 16 bits can show."""


def si_sdr(reference: npt.ArrayLike, estimate: npt.ArrayLike) -> float:
    """Scale-invariant SDR in dB of an estimate (samples,) of a reference (samples,), neither made zero-mean.

    >>> round(si_sdr([3.0, -0.5, 2.0, 7.0], [2.5, 0.0, 2.0, 8.0]), 4)
    18.403

    NaN where rounding has eaten the answer (a filter for a reference of very few frequencies).

    Raises:
        ValueError: if they differ in shape, are empty or not finite, or the reference is silent.
    """
    from torchmetrics.functional.audio import scale_invariant_signal_distortion_ratio

    return _ratio(scale_invariant_signal_distortion_ratio, reference, estimate)


def sdr(reference: npt.ArrayLike, estimate: npt.ArrayLike) -> float:
    """SDR in dB, a filter of 512 taps forgiven; arguments and errors as `si_sdr`."""
    from torchmetrics.functional.audio import signal_distortion_ratio

    return _ratio(signal_distortion_ratio, reference, estimate)


def _ratio(function: Callable[..., object], reference: npt.ArrayLike, estimate: npt.ArrayLike) -> float:
    import torch

    truth, found = (np.asarray(signal, np.float64) for signal in (reference, estimate))
    if truth.shape != found.shape or truth.ndim != 1 or not truth.size:
        raise ValueError(f"signals of the shapes {truth.shape} and {found.shape}; two of one length are needed")
    if not (np.isfinite(truth).all() and np.isfinite(found).all()):
        raise ValueError("a signal has values that are not finite")
    if not truth.any():
        raise ValueError("the reference is silent: nothing can be kept of it")
    if np.array_equal(truth, found):  # rounding makes of it what it likes, NaN included
        return CEILING_DB
    value = float(function(torch.from_numpy(found), torch.from_numpy(truth)))  # type: ignore[arg-type]
    return float(np.clip(value, -CEILING_DB, CEILING_DB))


def aligned(
    reference: npt.NDArray[np.float32], estimate: npt.NDArray[np.float32], rate: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Both signals (samples,), of one length, without the delay at which they correlate most (at most 50 ms)."""
    correlation = correlate(estimate, reference, mode="full", method="fft")
    lags = correlation_lags(len(estimate), len(reference), mode="full")
    near = np.abs(lags) <= round(MAX_DELAY_S * rate)
    lag = int(lags[near][np.argmax(np.abs(correlation[near]))])
    if lag >= 0:
        return reference[: len(reference) - lag], estimate[lag:]
    return reference[-lag:], estimate[:lag]


class BackgroundSiSdr(Compared):
    """SI-SDR of the edit's background."""

    name = "background-si-sdr"
    version = 1
    direction = "higher"
    unit = "dB"
    range = (-CEILING_DB, CEILING_DB)
    summary = "waveform of the other stems kept, a gain forgiven; only for methods that keep phase"
    source = "Le Roux et al., ICASSP 2019"
    smallest_effect = 0.5
    ratio = staticmethod(si_sdr)

    @property
    def parameters(self) -> str:
        """The ratio, the delay and how the background is drawn out."""
        return (
            f"{library('torchmetrics')} {self.ratio.__name__}, delay up to {1000 * MAX_DELAY_S:g} ms taken out, "
            + self.comparison
        )

    def compare(self, case: Case, truth: Clip, found: Clip) -> float | Missing:
        """The ratio in dB."""
        if found.peak == 0.0:
            return Missing("silent-edit", "the edit's background is silent")
        reference, estimate = aligned(truth.mono, found.mono, RATE)
        if not reference.any():
            return Missing("no-background", f"nothing but the {case.task.stem} is in the source, the delay taken out")
        return self.ratio(reference, estimate)


class BackgroundSdr(BackgroundSiSdr):
    """SDR of the edit's background."""

    name = "background-sdr"
    summary = "waveform of the other stems kept, a short filter forgiven; only for methods that keep phase"
    source = "Vincent et al., 2006; Scheibler, 2021"
    ratio = staticmethod(sdr)
