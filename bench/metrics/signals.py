"""Plain arrays as clips: where the public functions of `bench.metrics` check what they are given."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from bench.audio import Clip
from bench.metric import LENGTH_TOLERANCE_S


def validate(reference: npt.ArrayLike, estimated: npt.ArrayLike, rate: int) -> tuple[Clip, Clip]:
    """Two signals, (samples,) or (samples, channels), at `rate` Hz, as clips.

    Raises:
        ValueError: if the rate is not positive, or a signal is empty, has another shape or values that are not finite,
            or they differ by over 50 ms in length.
    """
    first, second = clip_of(reference, rate, "the reference signal"), clip_of(estimated, rate, "the estimated signal")
    if abs(first.length - second.length) > LENGTH_TOLERANCE_S * rate:
        raise ValueError(f"signals of {first.duration_s:.3f} s and {second.duration_s:.3f} s are not compared in time")
    return first, second


def clip_of(signal: npt.ArrayLike, rate: int, name: str = "the signal") -> Clip:
    """A signal, (samples,) or (samples, channels), at `rate` Hz, as a clip.

    Raises:
        ValueError: as `validate`.
    """
    samples = np.asarray(signal, np.float32)
    if rate <= 0:
        raise ValueError(f"a rate of {rate} Hz")
    if samples.ndim not in (1, 2) or not samples.size:
        raise ValueError(f"{name} has the shape {samples.shape}; (samples,) or (samples, channels) is needed")
    if not np.isfinite(samples).all():
        raise ValueError(f"{name} has values that are not finite")
    return Clip.of(samples, rate)
