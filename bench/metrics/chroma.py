"""Chroma similarity: are the same pitch classes played at the same time?

Each clip's power spectrogram is folded into twelve pitch classes per frame and scaled to a largest value of 1; the
value is the mean over frames of the cosine between the two clips' chroma vectors, in [0, 1]. Octaves do not count, and
since no component is negative, unrelated music does not get 0: read it against the random-clip control.

Frames in which either clip is silent have no direction; they count as 0 if one of them is silent and are left out if
both are.

Source: MusicGen (Copet et al., NeurIPS 2023; audiocraft's ChromaCosineSimilarityMetric), taken up by Melodia as its
melody score. Spectrogram and filters as there: 32 kHz, windows of 4096 samples, hop a quarter, librosa's filter bank.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from bench.audio import Samples
from bench.metric import Case, Missing, SampleMetric, length_mismatch, library
from bench.metrics.compiled import ready

RATE = 32_000
WINDOW = 4096

Chroma = npt.NDArray[np.float64]


def chromagram(samples: Samples) -> Chroma:
    """Chroma of mono samples (samples,) at 32 kHz: (12, frames), each frame's largest value 1, or all 0 in silence."""
    from librosa import stft
    from librosa.filters import chroma

    ready()
    power = np.abs(stft(samples, n_fft=WINDOW, hop_length=WINDOW // 4)).astype(np.float64) ** 2
    raw = chroma(sr=RATE, n_fft=WINDOW, tuning=0.0, n_chroma=12).astype(np.float64) @ power
    peak = raw.max(axis=0)
    return np.asarray(np.divide(raw, peak, out=np.zeros_like(raw), where=peak > 1e-10))


def chroma_cosine(reference: Chroma, estimated: Chroma) -> float | Missing:
    """Mean cosine of two chromagrams (`chromagram`), (12, frames) each, the longer one cut.

    `Missing("silent")` where neither sounds. Source: Copet et al., NeurIPS 2023 (audiocraft).

    >>> import numpy as np
    >>> round(chroma_cosine(np.eye(12), np.eye(12)), 3), chroma_cosine(np.eye(12), np.roll(np.eye(12), 1, axis=0))
    (1.0, 0.0)

    Raises:
        ValueError: if one of them does not have twelve rows.
    """
    if reference.ndim != 2 or estimated.ndim != 2 or {len(reference), len(estimated)} != {12}:
        raise ValueError(f"chromagrams of the shapes {reference.shape} and {estimated.shape}, not (12, frames)")
    frames = min(reference.shape[1], estimated.shape[1])
    a, b = reference[:, :frames], estimated[:, :frames]
    lengths = np.linalg.norm(a, axis=0) * np.linalg.norm(b, axis=0)
    sounding = (a.any(axis=0)) | (b.any(axis=0))
    if not sounding.any():
        return Missing("silent", "neither clip sounds in any frame")
    cosines = np.divide((a * b).sum(axis=0), lengths, out=np.zeros(frames), where=lengths > 0)
    return float(cosines[sounding].mean())


class ChromaCosine(SampleMetric):
    """Chroma cosine similarity between edit and source."""

    name = "chroma-cosine"
    version = 1
    direction = "higher"
    range = (0.0, 1.0)
    summary = "pitch classes kept: cosine of chroma with the source's, frame by frame"
    source = "Copet et al., NeurIPS 2023 (audiocraft); Melodia"
    smallest_effect = 0.01

    @property
    def parameters(self) -> str:
        """The transform."""
        return f"{library('librosa')} chroma of STFT power, {RATE} Hz mono soxr HQ, window {WINDOW}, hop a quarter"

    def score(self, case: Case) -> float | Missing:
        """`chroma_cosine` of edit and source."""
        source, edit = case.source.mixture, case.edit
        if mismatch := length_mismatch(edit, source):
            return mismatch
        reference, estimated = (
            case.features.get(case.features.mono(clip, RATE), "chroma", lambda whole: chromagram(whole.mono))
            for clip in (source, edit)
        )
        return chroma_cosine(reference, estimated)
