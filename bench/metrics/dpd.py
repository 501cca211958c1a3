"""DPD: how far, in cents, is the edited part's pitch from what was played?

Pitch is followed by PESTO in the source's true stem and in the edit, and the mean |difference| along a narrow
time-warping path is reported. It is meant for a stem that is a single melodic line: on chords PESTO picks a voice
at random.

The edit is a mixture, so its part is drawn out first by the Wiener mask of the source's *true* stems,

    W = |S_tgt|² / (|S_tgt|² + |S_con|²),

applied to the edit's complex STFT. No separator is needed, but the mask knows where the source's part was: what
leaks through it from other instruments pulls the value up (the untouched source does not score 0, see the
copy-source control), and what is left at the old pitches pulls a missing part's value down.

Conventions: contours are in cents (100 x MIDI note number) at 10 ms, with PESTO's confidence in [0, 1]. Frames count
if it is at least 0.5 in both. Both signals are brought to -23 LUFS before, since the confidence depends on the level.

Source: "DPD using PESTO", unit cents, in the mutual-information inpainting paper (arXiv 2601.01294), which gives no
formula; this one is ours. It is *not* the DPD of Mancusi et al. 2025 (pitch classes from basic-pitch, in semitones),
and the two do not belong in one column. PESTO: Riou et al., ISMIR 2023.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from bench.audio import Clip, Samples
from bench.errors import ModelError
from bench.identity import sha256_file
from bench.metric import Case, Missing, Needs, SampleMetric, length_mismatch, library

if TYPE_CHECKING:
    import torch

RATE = 16_000
N_FFT, HOP = 2048, 512
STEP_S = 0.01
LOUDNESS_LUFS = -23.0
MIN_CONFIDENCE = 0.5
BAND_S = 0.1
MIN_FRAMES = 50
MIN_SHARE = 0.25

WEIGHTS = "mir-1k_g7"
WEIGHTS_SHA256 = "16c32e06ddd950e3e4866dfa3c7f8a87c4988f8adf43e57977b189f031f26f3e"

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Pitch:
    """A pitch contour: cents (frames,) and whether each frame is voiced, bool (frames,), every 10 ms."""

    cents: Floats
    voiced: npt.NDArray[np.bool_]


def dpd(reference_cents: Floats, estimated_cents: Floats, times_s: Floats, band_s: float = BAND_S) -> float:
    """Mean |difference| in cents along the cheapest path of dynamic time warping.

    Args:
        reference_cents: pitch, (frames,), at least one.
        estimated_cents: pitch in the same frames, (frames,).
        times_s: time of each frame in seconds, ascending. Frames may be missing between them.
        band_s: frames further apart than this are never matched (Sakoe-Chiba band, in time).

    >>> import numpy as np
    >>> tune, times = np.array([6000.0, 6200.0, 6400.0]), np.array([0.0, 1.0, 2.0])
    >>> dpd(tune, tune, times), dpd(tune, tune + 100, times)
    (0.0, 100.0)
    """
    from librosa.sequence import dtw

    cost = np.abs(reference_cents[:, None] - estimated_cents[None, :])
    too_far = np.abs(times_s[:, None] - times_s[None, :]) > band_s + STEP_S / 10
    _, path = dtw(C=np.where(too_far, np.inf, cost))
    return float(cost[path[:, 0], path[:, 1]].mean())


def masked(edit: Samples, target: Samples, background: Samples) -> Samples:
    """The edit through the Wiener mask of the true stems; all (samples,) at 16 kHz and of one length.

    The mask is 1 where neither stem has power, and so everywhere if the source is the stem alone.
    """
    from librosa import istft, stft

    wanted, rest = (np.abs(stft(stem, n_fft=N_FFT, hop_length=HOP)) ** 2 for stem in (target, background))
    total = wanted + rest
    mask = np.divide(wanted, total, out=np.ones_like(total), where=total > 0)
    part = istft(mask * stft(edit, n_fft=N_FFT, hop_length=HOP), hop_length=HOP, length=len(edit))
    return np.asarray(part, np.float32)


def pitch(clip: Clip) -> Pitch:
    """PESTO's contour of a mono clip at 16 kHz, brought to -23 LUFS; nowhere voiced if it has no loudness."""
    import torch

    loudness = clip.loudness_lufs
    if loudness is None:
        return Pitch(np.zeros(0), np.zeros(0, np.bool_))
    samples = clip.scaled(10 ** ((LOUDNESS_LUFS - loudness) / 20)).mono
    with torch.inference_mode():
        semitones, confidence, _ = _pesto()(
            torch.from_numpy(samples), sr=RATE, convert_to_freq=False, return_activations=False
        )
    return Pitch(100.0 * semitones.numpy().astype(np.float64), confidence.numpy() >= MIN_CONFIDENCE)


def compare(reference: Pitch, estimated: Pitch) -> float | Missing:
    """`dpd` over the frames that are voiced in both contours, if there are enough of them."""
    expected = int(reference.voiced.sum())
    if expected < MIN_FRAMES:
        return Missing("too-few-voiced-frames", f"the source's stem has {expected} voiced frames, {MIN_FRAMES} needed")
    frames = min(len(reference.voiced), len(estimated.voiced))
    common = np.flatnonzero(reference.voiced[:frames] & estimated.voiced[:frames])
    needed = max(MIN_FRAMES, round(MIN_SHARE * expected))
    if len(common) < needed:
        return Missing("edit-unvoiced", f"{len(common)} of {expected} voiced frames are voiced in the edit too")
    return dpd(reference.cents[common], estimated.cents[common], common * STEP_S)


class DpdPestoCents(SampleMetric):
    """Pitch distance between the source's stem and the same part in the edit."""

    name = "dpd-pesto-cents"
    version = 1
    direction = "lower"
    unit = "cents"
    range = (0.0, float("inf"))
    needs = frozenset({Needs.SOURCE, Needs.STEMS, Needs.MONOPHONIC})
    summary = "pitch distance of the edited part to the source's stem, warped by at most 100 ms"

    @property
    def parameters(self) -> str:
        """The pitch follower, what it is given, and the path."""
        return (
            f"{library('pesto-pitch')} {WEIGHTS} sha256:{WEIGHTS_SHA256[:12]}, 16 kHz mono soxr HQ, "
            f"{1000 * STEP_S:g} ms, {LOUDNESS_LUFS:g} LUFS, reference: true stem, estimate: edit through the Wiener "
            f"mask of the true stems (STFT {N_FFT}/{HOP}), confidence >= {MIN_CONFIDENCE:g} in both, at least "
            f"{MIN_FRAMES} frames and {MIN_SHARE:g} of the reference's, DTW band {1000 * BAND_S:g} ms, path mean"
        )

    def score(self, case: Case) -> float | Missing:
        """The distance in cents."""
        source, stem = case.source, case.task.stem
        if mismatch := length_mismatch(case.edit, source.mixture):
            return mismatch
        if case.edit.peak == 0.0:
            return Missing("silent-edit", "the edit is silent")
        target = case.features.mono(source.stems[stem], RATE)
        background = case.features.mono(source.background(stem), RATE).fit(target.length)
        reference = case.features.get(target, "pesto", pitch)
        edit = case.features.mono(case.edit, RATE).fit(target.length)
        part = Clip.of(masked(edit.mono, target.mono, background.mono), RATE)
        return compare(reference, pitch(part))


@cache
def _pesto() -> torch.nn.Module:
    """PESTO with the weights of its wheel, loaded once a process.

    Its loader unpickles them (`weights_only=False`), so they are checked to be the ones we know first.

    Raises:
        ModelError: if they are not.
    """
    from pesto import load_model

    spec = find_spec("pesto")
    path = Path(spec.origin if spec and spec.origin else "pesto").parent / "weights" / f"{WEIGHTS}.ckpt"
    if not path.is_file() or sha256_file(path) != WEIGHTS_SHA256:
        raise ModelError(
            "the weights of pesto are not those of pesto-pitch 2.0.1",
            where=str(path),
            remedy="Reinstall pesto-pitch==2.0.1.",
            code="model/pesto-weights",
        )
    model: torch.nn.Module = load_model(WEIGHTS, step_size=1000 * STEP_S, sampling_rate=RATE)
    return model.eval()
