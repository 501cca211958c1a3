"""CQT1-PCC: does the edit follow the source's strongest pitch?

A constant-Q transform is taken of the source and of the edit. In each frame the *index* of the strongest bin is
kept ("top-1"; not its magnitude), and the two sequences of indices are correlated (Pearson).

Conventions: samples are mono at 16 kHz; frames are 512 samples (32 ms) apart; the 128 bins are quarter tones
from 65 Hz to 2546 Hz. (`fmax = 2100` stands in the published call, but nnAudio's CQT2010 ignores it.)

Two metrics share this transform:

* `cqt1-pcc@steermusic` is the number as published: left channel, every frame counts. In a silent frame the
  strongest of 128 zeros is bin 0, so silence and inaudible noise move the value.
* `cqt1-pcc` is the same correlation made robust: mono mean, only frames in which both clips sound, and a penalty
  for each frame in which the source sounds and the edit does not (`gated_pcc`).

Source: SteerMusic (arXiv 2504.10826), "Top-1 Constant-Q Transform Pearson Correlation Coefficient"; settings of
`eval/CQT1_PCC.py` in sony/steermusic (MIT). Quoted by Polyphonia.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bench.audio import Clip, Samples
from bench.metric import Case, Missing, SampleMetric, length_mismatch, library
from bench.metrics.signals import validate

if TYPE_CHECKING:
    import torch

RATE = 16_000
HOP = 512
BLOCK = 128
GATE_DB = -40.0
MIN_FRAMES = 32
"""About one second: a correlation of fewer source frames says nothing."""


@dataclass(frozen=True, eq=False)
class Contour:
    """The strongest bin of each CQT frame.

    Attributes:
        bins: its index, int64 (frames,).
        level_db: its level re the clip's strongest bin of all, float64 (frames,); -inf where there is no sound.
    """

    bins: npt.NDArray[np.int64]
    level_db: npt.NDArray[np.float64]

    def sounds(self, gate_db: float = GATE_DB) -> npt.NDArray[np.bool_]:
        """Frames at or above the gate, bool (frames,)."""
        return self.level_db >= gate_db


def top1(samples: Samples) -> Contour:
    """Contour of mono samples (samples,) at 16 kHz, one frame in 512 samples; no frame of fewer samples than that."""
    import torch

    if len(samples) < HOP:
        return Contour(np.zeros(0, np.int64), np.zeros(0))
    with torch.inference_mode():
        top, bins = _magnitude(torch.from_numpy(np.ascontiguousarray(samples))).max(dim=0)
    level = top.numpy().astype(np.float64)
    with np.errstate(divide="ignore"):
        level_db = 20 * np.log10(level / max(float(level.max()), float(np.finfo(np.float64).tiny)))
    return Contour(bins.numpy(), level_db)


def pcc(reference_bins: npt.NDArray[np.int64], estimated_bins: npt.NDArray[np.int64]) -> float | Missing:
    """Pearson correlation of two sequences of bin indices (frames,), the longer one cut.

    `Missing("constant-contour")` where either never changes: the correlation is not defined.

    >>> import numpy as np
    >>> tune = np.array([10, 10, 14, 14, 17, 17, 10, 10])
    >>> pcc(tune, tune + 24)  # a transposition of the whole is not seen
    1.0
    >>> round(pcc(tune, tune + 24 * (np.arange(8) >= 4)), 5)
    0.45932
    """
    frames = min(len(reference_bins), len(estimated_bins))
    x, y = reference_bins[:frames].astype(np.float64), estimated_bins[:frames].astype(np.float64)
    if frames < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return Missing("constant-contour", "the strongest bin never changes, so nothing can be correlated")
    x, y = x - x.mean(), y - y.mean()
    return float(np.clip(x @ y / np.sqrt((x @ x) * (y @ y)), -1.0, 1.0))


def gated_pcc(reference: Contour, estimated: Contour, gate_db: float = GATE_DB) -> float | Missing:
    """`pcc` over the frames in which both clips sound, times the share of the reference's frames that these are.

    Each clip is gated by its own loudest frame, so that the edit's overall level does not matter. The source
    decides which frames count. Where it sounds and the edit is silent, the edit's strongest bin is an accident of
    its noise floor: such frames are left out of the correlation and paid for in full by the factor, so leaving out
    what would not have correlated gains nothing. A negative correlation is not brought nearer to zero that way.
    """
    frames = min(len(reference.bins), len(estimated.bins))
    expected = reference.sounds(gate_db)[:frames]
    if expected.sum() < MIN_FRAMES:
        return Missing("too-few-frames", f"the source sounds in {expected.sum()} frames; {MIN_FRAMES} are needed")
    both = expected & estimated.sounds(gate_db)[:frames]
    if not both.any():
        return Missing("silent-edit", "the edit is silent wherever the source sounds")
    value = pcc(reference.bins[:frames][both], estimated.bins[:frames][both])
    if isinstance(value, Missing):
        return value
    return min(value, value * float(both.sum() / expected.sum()))


def cqt1_pcc(
    reference: npt.ArrayLike, estimated: npt.ArrayLike, rate: int, *, gate_db: float | None = GATE_DB
) -> float | Missing:
    """CQT1-PCC of two signals, in [-1, 1]; 1 for equal ones.

    Args:
        reference: the source, (samples,) or (samples, channels).
        estimated: the edit, of the same length within 50 ms.
        rate: of both, in Hz.
        gate_db: frames further below a clip's loudest do not sound (`gated_pcc`, mono means). None: as published, every
            frame counts, and of several channels the first alone.

    Returns:
        `Missing` where it is not defined: `constant-contour`, `too-few-frames` (under 32), `silent-edit`.

    Raises:
        ValueError: as `signals.validate`.

    Source: SteerMusic, AAAI 2026, arXiv 2504.10826.

    >>> import numpy as np
    >>> time = np.arange(32_000) / 16_000
    >>> glide = np.sin(2 * np.pi * (220 + 110 * time) * time)
    >>> round(cqt1_pcc(glide, 0.5 * glide, 16_000), 6)
    1.0
    """
    clips = validate(reference, estimated, rate)
    heard = clips if gate_db is not None else [_first(clip) for clip in clips]
    first, second = (top1(clip.to_mono().resample(RATE).mono) for clip in heard)
    return pcc(first.bins, second.bins) if gate_db is None else gated_pcc(first, second, gate_db)


class Cqt1PccSteerMusic(SampleMetric):
    """CQT1-PCC as SteerMusic and Polyphonia report it, its quirks kept."""

    name = "cqt1-pcc@steermusic"
    version = 1
    direction = "higher"
    range = (-1.0, 1.0)
    summary = "correlation of the strongest CQT bin per frame with the source's, as published"
    source = "SteerMusic (AAAI 2026, arXiv 2504.10826), eval/CQT1_PCC.py"
    smallest_effect = 0.02

    @property
    def parameters(self) -> str:
        """The transform, the channel and the absence of a gate."""
        return f"{_transform()}, left channel, ungated"

    def score(self, case: Case) -> float | Missing:
        """Pearson r between the top-1 contours of source and edit."""
        source, edit = case.source.mixture, case.edit
        if mismatch := length_mismatch(edit, source):
            return mismatch
        return pcc(_contour(case, _left(case, source)).bins, _contour(case, _left(case, edit)).bins)


class Cqt1Pcc(SampleMetric):
    """CQT1-PCC over the frames that sound."""

    name = "cqt1-pcc"
    version = 1
    direction = "higher"
    range = (-1.0, 1.0)
    summary = "correlation of the strongest CQT bin per frame with the source's, where both sound"
    source = "SteerMusic (AAAI 2026, arXiv 2504.10826), gated, mono"
    smallest_effect = 0.02

    @property
    def parameters(self) -> str:
        """The transform, the channel and the gate."""
        return (
            f"{_transform()}, mono mean, frames of the source above {GATE_DB:g} dB re its loudest, at least "
            f"{MIN_FRAMES}, times the share of them in which the edit is above {GATE_DB:g} dB re its own loudest"
        )

    def score(self, case: Case) -> float | Missing:
        """`gated_pcc` between the top-1 contours of source and edit."""
        source, edit = case.source.mixture, case.edit
        if mismatch := length_mismatch(edit, source):
            return mismatch
        reference, estimated = (_contour(case, case.features.mono(clip, RATE)) for clip in (source, edit))
        return gated_pcc(reference, estimated)


def _transform() -> str:
    return f"{library('nnAudio')} CQT2010, 16 kHz soxr HQ, hop {HOP}, 128 bins from 65 Hz, 24 an octave, L1 hann"


def _left(case: Case, clip: Clip) -> Clip:
    """The left channel at 16 kHz. Of a mono clip this is its mono mean, so one transform serves both metrics."""
    return case.features.mono(_first(clip), RATE)


def _first(clip: Clip) -> Clip:
    return clip if clip.channels == 1 else Clip.of(clip.samples[:, 0], clip.rate)


def _contour(case: Case, clip: Clip) -> Contour:
    return case.features.get(clip, "cqt top-1", lambda whole: top1(whole.mono))


def _magnitude(samples: torch.Tensor) -> torch.Tensor:
    """What `CQT2010.forward` gives, (bins, frames), step by step as there but for the halving of the rate.

    That is a convolution of one channel, for which torch takes twelve times as long as for all the rest; as a matrix
    product the same sums are the hundredth part of it. They differ in the last digit, as they do between processors.
    """
    import torch
    from nnAudio.utils import get_cqt_complex2

    layer = _cqt()
    kernels = layer.cqt_kernels_real, layer.cqt_kernels_imag
    hop = HOP
    octaves: list[torch.Tensor] = []
    for octave in range(layer.n_octaves):
        if octave:
            samples, hop = _halved(samples), hop // 2
        found = get_cqt_complex2(samples[None, None], *kernels, hop, layer.padding, wcos=layer.wcos, wsin=layer.wsin)
        octaves.insert(0, found)
    bins = torch.cat(octaves, 1)[0, -layer.n_bins :]
    bins = bins * (torch.sqrt(layer.lenghts.view(-1, 1, 1)) / layer.n_fft)
    return torch.sqrt(bins.pow(2).sum(-1))


def _halved(samples: torch.Tensor) -> torch.Tensor:
    """Samples (samples,) through the transform's low-pass, every second one kept."""
    from torch.nn.functional import pad

    matrix = _low_pass()
    rows, outputs = matrix.shape
    taps = rows - 2 * (outputs - 1)
    before = (taps - 1) // 2
    length = (len(samples) + 2 * before - taps) // 2 + 1
    blocks = -(-length // outputs)
    step = 2 * outputs
    padded = pad(samples, (before, (blocks - 1) * step + rows - before - len(samples)))
    return (padded.as_strided((blocks, rows), (step, 1)) @ matrix).flatten()[:length]


@cache
def _low_pass() -> torch.Tensor:
    """The low-pass as a matrix: from a block of samples to its outputs at half the rate, (samples, outputs)."""
    import torch

    taps = _cqt().lowpass_filter.flatten()
    matrix = torch.zeros(2 * (BLOCK - 1) + len(taps), BLOCK)
    for output in range(BLOCK):
        matrix[2 * output : 2 * output + len(taps), output] = taps
    return matrix


@cache
def _cqt() -> Any:
    """The transform with the published arguments, built once a process; it holds constants only."""
    from nnAudio.features import CQT2010

    layer = CQT2010(
        sr=RATE,
        hop_length=HOP,
        fmin=65,
        fmax=2100,
        n_bins=128,
        bins_per_octave=24,
        norm=1,
        basis_norm=1,
        window="hann",
        pad_mode="constant",
        earlydownsample=True,
        verbose=False,
    )
    return layer.eval()
