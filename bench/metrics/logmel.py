"""Multi-resolution log-mel distance: the spectral ruler that several metrics share.

Three mel power spectrograms (FFTs of 512, 1024 and 2048 samples at 16 kHz, hop a quarter of it, 64 Slaney bands over
0-8 kHz) are taken of a reference and an estimate. Powers below 80 dB under the reference's maximum are raised to
that floor. The distance is the mean |difference| in dB, first over the cells of each resolution, then over the
resolutions. It hears level, spectrum and timing, and no waveform phase, which latent models do not keep.

16 kHz is the band of AudioLDM 2 and its kin: what a full-band system does above 8 kHz is not seen.

Source: ours, on Slaney's mel scale as librosa has it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from bench.audio import Clip, Samples
from bench.metric import Features, library
from bench.metrics.compiled import ready

RATE = 16_000
N_FFTS = (512, 1024, 2048)
N_MELS = 64
FLOOR_DB = -80.0

Powers = tuple[npt.NDArray[np.float64], ...]
"""One array (bands, frames) of non-negative values for each FFT size."""


def mel_powers(samples: Samples) -> Powers:
    """Mel power spectrograms of mono samples (samples,) at 16 kHz, one for each FFT size."""
    from librosa.feature import melspectrogram

    ready()
    return tuple(
        melspectrogram(
            y=samples, sr=RATE, n_fft=n, hop_length=n // 4, n_mels=N_MELS, power=2.0, pad_mode="constant"
        ).astype(np.float64)
        for n in N_FFTS
    )


def floors(reference: Powers) -> tuple[float, ...]:
    """The power 80 dB below the reference's maximum, for each FFT size; 0 if it is silent."""
    return tuple(float(power.max()) * 10 ** (FLOOR_DB / 10) for power in reference)


def log_mel_distance(reference: Powers, estimate: Powers, weights: Powers | None = None) -> float:
    """Weighted mean |difference| in dB between two clips of the same length, the reference not silent.

    Args:
        reference: sets the floor.
        estimate: of the same shapes.
        weights: of the same shapes, with a positive sum in each; None weighs all cells alike.

    Raises:
        ValueError: for other shapes, or a reference that is silent.

    >>> import numpy as np
    >>> power = np.ones((64, 10))
    >>> log_mel_distance((power,), (10 * power,))
    10.0
    """
    for other in (estimate, reference if weights is None else weights):
        if [power.shape for power in other] != [power.shape for power in reference]:
            raise ValueError("mel powers of a reference and an estimate, and weights, that differ in shape")
    if not all(power.any() for power in reference):
        raise ValueError("the reference is silent: nothing can be far from it")
    distances = []
    for index, (expected, found, floor) in enumerate(zip(reference, estimate, floors(reference), strict=True)):
        difference = np.abs(10 * np.log10(np.maximum(found, floor) / np.maximum(expected, floor)))
        distances.append(np.average(difference, weights=None if weights is None else weights[index]))
    return float(np.mean(distances))


def powers_of(features: Features, clip: Clip, length: int) -> Powers:
    """`mel_powers` of a clip's mono mean at 16 kHz, cut or padded with silence to `length` samples, memoised."""
    mono = features.mono(clip, RATE)
    return features.get(mono, f"mel powers of {length} samples", lambda whole: mel_powers(whole.fit(length).mono))


def described() -> str:
    """The distance's parameters, for identities."""
    sizes = "/".join(str(n) for n in N_FFTS)
    return (
        f"{library('librosa')} mel power, 16 kHz mono soxr HQ, n_fft {sizes}, hop n_fft/4, {N_MELS} Slaney bands, "
        f"floor {FLOOR_DB:g} dB re the reference's maximum, mean |dB|"
    )
