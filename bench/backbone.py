"""The contract of a backbone: one latent diffusion model, seen as a few plain operations.

Methods are written against this page alone. A backbone encodes audio to a latent, turns prompts into
conditioning, predicts noise, decodes, and exposes its attention positions so that a controller can take part.
The latent has shape (batch, channels, time, frequency).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, ClassVar

import torch

from bench.audio import Clip
from bench.diffusion.attention import AttentionSite, Controller
from bench.diffusion.schedule import Levels, Schedule
from bench.errors import UsageError

Span = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Encoded:
    """A clip in latent space, with what decoding needs to give it back its length and level.

    Attributes:
        latent: (1, channels, time, frequency).
        gain: what the audio was multiplied by before encoding; the mixture and its stems share one gain.
        samples: length of the clip at the backbone's rate.
    """

    latent: torch.Tensor
    gain: float
    samples: int


@dataclass(frozen=True, eq=False)
class Conditioning:
    """Prompts as the network reads them, one row a prompt.

    Attributes:
        prompts: the texts.
        positive: tensors by name, each with the prompts as first axis.
        negative: the same for the negative prompt, or None where guidance is not wanted.
        offsets: for each prompt, the character range [start, end) of each text token; (0, 0) for special tokens.
    """

    prompts: tuple[str, ...]
    positive: Mapping[str, torch.Tensor]
    negative: Mapping[str, torch.Tensor] | None
    offsets: tuple[tuple[Span, ...], ...]

    def tokens(self, row: int, span: Span) -> list[int]:
        """Indices of the text tokens of prompt `row` that overlap the characters [start, end)."""
        start, end = span
        return [i for i, (a, b) in enumerate(self.offsets[row]) if a < b and a < end and start < b]


class Backbone(ABC):
    """One latent diffusion model.

    Attributes:
        name: as registered.
        sample_rate: Hz of the audio it reads and writes.
        latent_axes: what the axes of its latent after the channels stand for. Where there is no "frequency", the last
            axis has one cell, and priors on it are in time alone.
        untrained: which of its weights were drawn at random, in words; empty if none. Every table says so.
        caveat: what every table must say of its numbers, a sentence; empty if nothing.
        licence: of its weights.
    """

    name: ClassVar[str]
    sample_rate: int
    latent_axes: ClassVar[tuple[str, ...]] = ("time", "frequency")
    untrained: str = ""
    caveat: str = ""
    licence: str = "unknown"

    @property
    @abstractmethod
    def identity(self) -> Mapping[str, Any]:
        """All that moves its output: model id, revision, weights hash, dtype. JSON values."""

    @abstractmethod
    def encode(self, clip: Clip) -> Encoded:
        """The clip's latent: the mode of the VAE posterior, scaled, of the clip with the channels and level it expects.

        Raises:
            AudioError: for a clip without samples, or one longer than the network takes.
        """

    @abstractmethod
    def mel_energy(self, clips: Sequence[Clip], *, gain: float) -> torch.Tensor:
        """Energy of clips on the time-frequency grid of the front end, for priors such as ratio masks.

        Clips shorter than the longest are followed by silence. For the stems of a mixture, give the mixture's gain.

        Returns:
            (clips, frames, bands): the frames that `encode` has for a clip as long as the longest. Frames and bands
            are whole multiples of the latent's time and frequency axes, in this order. There is one band where the
            latent has no frequency axis.
        """

    @abstractmethod
    def decode(self, latents: torch.Tensor, *, samples: int, gain: float = 1.0) -> list[Clip]:
        """Audio of latents (batch, channels, time, frequency): `samples` long, divided by `gain`."""

    @abstractmethod
    def condition(
        self, prompts: Sequence[str], *, negative: str | None = None, source: Encoded | None = None
    ) -> Conditioning:
        """Encode prompts, each by itself, so that a prompt's conditioning does not depend on its neighbours.

        The empty prompt is what the network takes for no prompt at all.

        Args:
            prompts: the texts.
            negative: with it, the conditioning carries what classifier-free guidance needs.
            source: what is edited; a network that is told how long its audio is reads that off it.
        """

    def condition_audio(self, clips: Sequence[Clip]) -> Conditioning:
        """Encode recordings in the place of prompts, each by itself, with an empty prompt as negative.

        Raises:
            UsageError: if the network takes no recordings, as most do not.
        """
        raise UsageError(
            f"{self.name} cannot be conditioned on a recording",
            remedy="Use a method that goes by the prompt, or another --backbone.",
            code="no-audio-conditioning",
        )

    @property
    @abstractmethod
    def alphas(self) -> Levels:
        """ᾱ of every training timestep, for methods that draw timesteps instead of following a schedule."""

    @abstractmethod
    def schedule(self, steps: int) -> Schedule:
        """The model's own noise schedule at `steps` steps.

        Raises:
            UsageError: if the model has no such schedule.
        """

    @abstractmethod
    def predict(
        self,
        latents: torch.Tensor,
        *,
        timestep: int | Sequence[int],
        conditioning: Conditioning,
        guidance: float = 1.0,
    ) -> torch.Tensor:
        """The noise ε in `latents` (batch, …) at a timestep, guided if `guidance` is not 1.

        `timestep` is one for all latents, or one for each. `conditioning` has one row per latent, or a single
        row for all. Guidance ε∅ + w (ε_c − ε∅) needs a conditioning with a negative. Where the caller has gradients
        enabled, the result and what controllers see are differentiable in the latents.
        """

    @property
    @abstractmethod
    def attention_sites(self) -> tuple[AttentionSite, ...]:
        """Every attention of the network, in the order in which they are executed."""

    @abstractmethod
    def control(self, controller: Controller, sites: Sequence[AttentionSite]) -> AbstractContextManager[None]:
        """Let a controller compute the attention at some sites for as long as the context lasts.

        On leaving, by an exception too, the network is as it was.
        """
