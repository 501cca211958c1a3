"""Pitch contours by PESTO: the edited part's in the source and in the edit, which several metrics compare.

Contours are in cents (100 x MIDI note number) at 10 ms, with PESTO's confidence in [0, 1]; a frame is voiced if it is
at least 0.5. Signals are brought to -23 LUFS first, since the confidence depends on the level. PESTO is meant for a
single melodic line: on chords it picks a voice at random.

Voicing costs little; the encoder that finds the pitch takes nine tenths of PESTO's time and looks at each frame for
itself. It is asked about voiced frames only, since no metric looks at the pitch of others.

Source: Riou et al., ISMIR 2023 (PESTO).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bench.audio import Clip
from bench.errors import ModelError
from bench.identity import sha256_file
from bench.metric import Case, Missing, length_mismatch, library
from bench.metrics.part import RATE, edited_part
from bench.metrics.part import described as part_described
from bench.metrics.signals import clip_of

if TYPE_CHECKING:
    import torch

STEP_S = 0.01
LOUDNESS_LUFS = -23.0
MIN_CONFIDENCE = 0.5

WEIGHTS = "mir-1k_g7"
WEIGHTS_SHA256 = "16c32e06ddd950e3e4866dfa3c7f8a87c4988f8adf43e57977b189f031f26f3e"

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Pitch:
    """A pitch contour: cents (frames,), 0 where not voiced, and whether each frame is voiced, bool (frames,).

    A frame is 10 ms.

    Raises:
        ValueError: if the two are not of one shape (frames,).
    """

    cents: Floats
    voiced: npt.NDArray[np.bool_]

    def __post_init__(self) -> None:
        if np.ndim(self.cents) != 1 or np.shape(self.cents) != np.shape(self.voiced):
            raise ValueError(f"cents {np.shape(self.cents)} and voicing {np.shape(self.voiced)} are not both (frames,)")


def described() -> str:
    """How contours are had, for identities."""
    return (
        f"{library('pesto-pitch')} {WEIGHTS} sha256:{WEIGHTS_SHA256[:12]}, 16 kHz mono soxr HQ, "
        f"{1000 * STEP_S:g} ms, {LOUDNESS_LUFS:g} LUFS, voiced: confidence >= {MIN_CONFIDENCE:g}, "
        f"reference: true stem, estimate: {part_described()}"
    )


def pitch(clip: Clip) -> Pitch:
    """PESTO's contour of a mono clip at 16 kHz, brought to -23 LUFS; nowhere voiced if it has no loudness."""
    import torch

    loudness = clip.loudness_lufs
    if loudness is None:
        return Pitch(np.zeros(0), np.zeros(0, np.bool_))
    samples = torch.from_numpy(clip.scaled(10 ** ((LOUDNESS_LUFS - loudness) / 20)).mono)
    with torch.inference_mode():
        semitones, voiced = _followed(samples)
    return Pitch(100.0 * semitones.numpy().astype(np.float64), voiced.numpy())


def pitch_contour(samples: npt.ArrayLike, rate: int) -> Pitch:
    """PESTO's contour of a signal, (samples,) or (samples, channels), at `rate` Hz, brought to -23 LUFS.

    Raises:
        ValueError: as `signals.clip_of`.

    Source: Riou et al., ISMIR 2023.
    """
    return pitch(clip_of(samples, rate).to_mono().resample(RATE))


def _followed(samples: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """PESTO's own forward pass step by step, its encoder asked about voiced frames only: semitones, and voicing."""
    from pesto.utils import reduce_activations

    model = _pesto()
    decibels = model.preprocessor(samples, sr=RATE).flatten(0, 1)
    scaled = decibels * (math.log(10) / 10)
    voiced = model.confidence(scaled.exp().squeeze(1)) >= MIN_CONFIDENCE
    semitones = samples.new_zeros(len(voiced))
    if voiced.any():
        activations = model.encoder(model.crop_cqt(scaled[voiced]))
        shift = round(model.shift.item() * model.bins_per_semitone)
        semitones[voiced] = reduce_activations(activations.roll(-shift, -1), reduction=model.reduction)
    return semitones, voiced


def contours_of(case: Case) -> tuple[Pitch, Pitch] | Missing:
    """The contours of the source's true stem and of the same part in the edit."""
    if mismatch := length_mismatch(case.edit, case.source.mixture):
        return mismatch
    if case.edit.peak == 0.0:
        return Missing("silent-edit", "the edit is silent")
    features = case.features
    target = features.mono(case.source.stems[case.task.stem], RATE)
    return features.get(target, "pesto", pitch), features.get(edited_part(case), "pesto", pitch)


@cache
def _pesto() -> Any:
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
    return load_model(WEIGHTS, step_size=1000 * STEP_S, sampling_rate=RATE).eval()
