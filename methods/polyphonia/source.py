"""What Polyphonia makes of a source before any task: what it hears of it, its stems, its prior and its inversion."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import torch

from bench.audio import Clip
from bench.backbone import Backbone, Encoded
from bench.diffusion.control import SourceRecorder
from bench.diffusion.diagnostics import EntropyRecorder
from bench.diffusion.trajectory import Trajectory
from bench.errors import DataError
from bench.method import Context, Prepared
from bench.task import STEMS, Source, StemName
from methods.polyphonia.config import PolyphoniaConfig
from methods.polyphonia.prior import Prior, clamped_ratio_mask, envelope_mask, ratio_mask

_RELEASE_FPS = 102.4  # mel frames a second that the released code asks for, of a front end that makes 100
_TOLERANCE_S = 0.05  # by which the files of another separator may be longer or shorter than the excerpt


@dataclass(frozen=True, eq=False)
class Inverted(Prepared):
    """A source, inverted.

    Attributes:
        encoded: its latent. samples: its length at the backbone's rate.
        noise: the last inverted latent, (1, channels, time, frequency).
        recorder: its queries and keys at the controlled steps; with `trajectory`, at the last one asked for.
        trajectory: its latents at every level, if queries and keys are to be computed again from them.
        prior: G of its stems.
        entropy: of its attention, if that is measured.
    """

    encoded: Encoded
    samples: int
    noise: torch.Tensor
    recorder: SourceRecorder
    trajectory: Trajectory | None
    prior: Prior
    entropy: EntropyRecorder | None


def heard(mixture: Clip, config: PolyphoniaConfig) -> Clip:
    """What is encoded of a mixture: the mixture; in the released code its first channel, centred, and silence after it.

    The released code asks for int(102.4 · seconds) mel frames and pads the audio to as many: 10.00 s become 10.24 s.
    """
    clip = mixture
    if config.channels == "first":
        first = mixture.samples[:, 0]
        clip = Clip.of(first - first.mean(), mixture.rate)
    if config.frames == "padded":
        seconds = int(_RELEASE_FPS * clip.duration_s) / 100
        clip = clip.fit(round(seconds * clip.rate))
    return clip


def with_stems(source: Source, config: PolyphoniaConfig, context: Context) -> Source:
    """The source with the stems that the configuration asks for.

    Raises:
        DataError, AudioError: if the files of another separator are not there, or cannot be used.
        ModelError: if the weights of HT-Demucs are not there.
    """
    if config.external_stems is not None:
        stems = read_stems(config.external_stems, source)
    elif config.separates:
        (stems,) = context.separator.separate([source.mixture])
    else:
        return source
    mixture = source.mixture
    fitted = {stem: clip.resample(mixture.rate).fit(mixture.length) for stem, clip in stems.items()}
    return replace(source, stems=fitted, stem_origin="separated")


def read_stems(folder: Path, source: Source) -> dict[StemName, Clip]:
    """The stems that another program made of a source: `<source id>/{vocals,drums,bass,other}.wav`.

    A stem without a file has no energy.

    Raises:
        DataError: if there is none, or one is longer or shorter than the mixture.
        AudioError: if one cannot be used.
    """
    here = (folder / source.id).resolve()
    paths = {stem: here / f"{stem}.wav" for stem in STEMS}
    if not here.is_relative_to(folder.resolve()) or not any(path.is_file() for path in paths.values()):
        raise DataError(
            f"there are no stems of {source.id} in {folder}",
            where=str(here),
            remedy=f"Put {', '.join(path.name for path in paths.values())} there, separated from the same excerpt.",
            code="data/no-stems",
        )
    stems = {stem: Clip.read(path) for stem, path in paths.items() if path.is_file()}
    for stem, clip in stems.items():
        if abs(clip.duration_s - source.mixture.duration_s) > _TOLERANCE_S:
            raise DataError(
                f"a stem of {clip.duration_s:.2f} s is not of an excerpt of {source.mixture.duration_s:.2f} s",
                where=str(paths[stem]),
                remedy="Separate the suite's excerpt, not the whole song.",
                code="data/stem-length",
            )
    return stems


def acoustic_prior(source: Source, config: PolyphoniaConfig, backbone: Backbone, clip: Clip, encoded: Encoded) -> Prior:
    """G of every stem.

    Args:
        source: with the stems to use.
        config: which prior.
        backbone: whose mel grid it is on.
        clip: what was encoded.
        encoded: its latent.
    """
    _, frames, bands = backbone.mel_energy([clip], gain=encoded.gain).shape
    if config.prior == "none":
        masks = {stem: torch.ones(frames, bands) for stem in STEMS}
    else:
        masks = {stem: torch.zeros(frames, bands) for stem in STEMS}
        masks |= {stem: _mask(source, stem, config, backbone) for stem in source.stems}
    _, _, time, frequency = encoded.latent.shape
    masks = {stem: mask.to(encoded.latent.device) for stem, mask in masks.items()}
    return Prior(masks, frames, (time, frequency), config.gate_axes)


def _mask(source: Source, stem: StemName, config: PolyphoniaConfig, backbone: Backbone) -> torch.Tensor:
    """G of a stem, (frames, bands) of the source as it is. It does not depend on the level: the gain is left at 1."""
    own = source.stems[stem]
    if config.prior == "norm":
        return envelope_mask(*backbone.mel_energy([own], gain=1.0))
    if config.denominator == "mixture":
        return clamped_ratio_mask(*backbone.mel_energy([own, source.mixture], gain=1.0))
    return ratio_mask(*backbone.mel_energy([own, source.background(stem)], gain=1.0))
