"""The edited part of an edit, and its background, without a separator: the true stems' Wiener masks.

    W = |S_tgt|² / (|S_tgt|² + |S_con|²)   draws out the part,   1 - W   the background,

applied to the edit's complex STFT. No model takes part, so none can blur the answer; but the masks know where the
*source's* stems were: what the edit has elsewhere ends up in whichever stem was there.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from bench.audio import Clip, Samples
from bench.metric import Case, library
from bench.metrics.compiled import ready

RATE = 16_000
N_FFT, HOP = 2048, 512


def described() -> str:
    """The mask's parameters, for identities."""
    return f"edit through the Wiener mask of the true stems ({library('librosa')} STFT {N_FFT}/{HOP}, 16 kHz mono)"


def wiener_mask(target: Samples, background: Samples) -> npt.NDArray[np.float64]:
    """W in (bins, frames), of stems (samples,) at 16 kHz; 1 where neither has power."""
    from librosa import stft

    ready()
    wanted, rest = (
        np.abs(stft(stem, n_fft=N_FFT, hop_length=HOP)).astype(np.float64) ** 2 for stem in (target, background)
    )
    total = wanted + rest
    return np.asarray(np.divide(wanted, total, out=np.ones_like(total), where=total > 0))


def through(mask: npt.NDArray[np.float64], samples: Samples) -> Samples:
    """Samples (samples,) at 16 kHz through a mask of their own length."""
    from librosa import istft, stft

    ready()
    masked = istft(mask * stft(samples, n_fft=N_FFT, hop_length=HOP), hop_length=HOP, length=len(samples))
    return np.asarray(masked, np.float32)


def masked(edit: Samples, target: Samples, background: Samples) -> Samples:
    """The edit through the Wiener mask of the true stems; all (samples,) at 16 kHz and of one length.

    The mask is 1 where neither stem has power, and so everywhere if the source is the stem alone.
    """
    return through(wiener_mask(target, background), edit)


def edited_part(case: Case) -> Clip:
    """The edited stem's part of the edit: mono, 16 kHz, as long as the source."""
    return _part(case, background=False)


def edit_background(case: Case) -> Clip:
    """The rest of the edit: mono, 16 kHz, as long as the source."""
    return _part(case, background=True)


def _part(case: Case, *, background: bool) -> Clip:
    features, stem = case.features, case.task.stem
    stems = f"{stem} of {case.source.sha256}"
    target = features.mono(case.source.stems[stem], RATE)

    def mask(of: Clip) -> npt.NDArray[np.float64]:
        rest = features.mono(case.source.background(stem), RATE).fit(of.length)
        return wiener_mask(of.mono, rest.mono)

    def drawn(mono: Clip) -> Clip:
        wiener = features.get(target, f"Wiener mask {stems}", mask)
        return Clip.of(through(1.0 - wiener if background else wiener, mono.fit(target.length).mono), RATE)

    return features.get(features.mono(case.edit, RATE), f"{'background' if background else 'part'} {stems}", drawn)
