"""Stable Audio Open behind the contract of a backbone.

Its latent has no frequency axis: 64 channels at 21.5 Hz, so (batch, 64, time, 1). Outside the networks everything is
float32, whatever their dtype: latents, ε, guidance and audio.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch

from bench.audio import Clip
from bench.backbone import Backbone, Conditioning, Encoded
from bench.backbones.attention import NetworkCall, check_sites, controlled
from bench.backbones.checkpoint import Checkpoint, tensors_hash
from bench.backbones.rows import batched, device_of, dtype_of, eps_of_v, frozen, guided_output, timesteps_of
from bench.backbones.stable_audio.attention import StableAudioProcessor, find_sites
from bench.backbones.stable_audio.conditioning import CONTEXT, GLOBAL, PromptEncoder
from bench.backbones.stable_audio.levels import TIMES, Grid, alpha_of, time_of
from bench.backbones.stable_audio.load import LICENCE, MODELS, PUBLISHED, load_checkpoint
from bench.diffusion.attention import AttentionSite, Controller
from bench.diffusion.schedule import Levels, Schedule
from bench.errors import AudioError, ModelError


class StableAudio(Backbone):
    """Stable Audio Open: a transformer over the latent of a stereo waveform codec, conditioned on T5 and durations.

    Args:
        checkpoint: with a `StableAudioPipeline`, which is moved, cast and frozen in place. Of its scheduler only the
            configuration is used.
        device: torch device.
        dtype: of the networks: float32, float16 or bfloat16.
        licence: of the weights.
        untrained: which weights were drawn at random, in words; empty if none.

    Raises:
        ModelError: if the pipeline is not one that this class can drive.
        UsageError: for an unknown dtype or a device that is not there.
    """

    name = "stable-audio-open"
    latent_axes = ("time",)

    def __init__(
        self,
        checkpoint: Checkpoint,
        *,
        device: str = "cpu",
        dtype: str = "float32",
        licence: str = "unknown",
        untrained: str = "",
    ):
        pipeline = checkpoint.pipeline
        _check(pipeline)
        self._grid, self._checkpoint = Grid.of(checkpoint.scheduler), checkpoint
        self.licence, self.untrained = licence, untrained
        self._codec = checkpoint.codec or tensors_hash(pipeline, ("vae",))
        self._dtype_name, self._dtype, self._device = dtype, dtype_of(dtype), device_of(device)
        frozen(pipeline, MODELS, self._device, self._dtype)
        self._transformer, self._vae = pipeline.transformer, pipeline.vae
        self.sample_rate = int(self._vae.config.sampling_rate)
        self._hop, self._frames = int(self._vae.hop_length), int(self._transformer.config.sample_size)
        self._prompts = PromptEncoder(pipeline, self._device)
        self._rotary = lru_cache(maxsize=4)(self._rotation)
        self._network = NetworkCall()
        self._sites = find_sites(self._transformer)

    @classmethod
    def load(
        cls, model: str | Path = PUBLISHED, *, revision: str | None = None, device: str = "cpu", dtype: str = "float32"
    ) -> Self:
        """Load a checkpoint directory, or a hub id from the local Hugging Face cache. Nothing is downloaded.

        Raises:
            ModelError: if the checkpoint is absent, incomplete, pickled, damaged or of another kind.
            UsageError: for an unknown dtype or a device that is not there.
        """
        device_of(device)
        checkpoint = load_checkpoint(model, revision=revision, dtype=dtype_of(dtype))
        published = checkpoint.model.startswith("stabilityai/stable-audio-open")
        return cls(checkpoint, device=device, dtype=dtype, licence=LICENCE if published else "unknown")

    @property
    def identity(self) -> Mapping[str, Any]:
        """Model, revision, hashes of all weights and the codec, licence, dtype, scheduler, front end, latent axes."""
        scheduler = {k: v for k, v in sorted(self._checkpoint.scheduler.items()) if not k.startswith("_")}
        channels = int(self._vae.config.audio_channels)
        return {
            "name": self.name,
            "untrained": self.untrained,
            "licence": self.licence,
            "model": self._checkpoint.model,
            "revision": self._checkpoint.revision,
            "weights": self._checkpoint.weights,
            "codec": self._codec,
            "dtype": self._dtype_name,
            "scheduler": scheduler,
            "front_end": {"rate": self.sample_rate, "channels": channels, "hop": self._hop, "frames": self._frames},
            "latent_axes": list(self.latent_axes),
        }

    # -- audio ------------------------------------------------------------------------------------------------

    @torch.no_grad()
    def encode(self, clip: Clip) -> Encoded:
        """The codec's channels and rate, the clip's own level, then silence up to the window that the network takes.

        Raises:
            AudioError: for a clip without samples, or one longer than the window (47.6 s at the published size).
        """
        resampled = clip.resample(self.sample_rate)
        posterior = self._vae.encode(self._waveforms([resampled]).to(self._dtype)).latent_dist
        return Encoded(posterior.mode().float()[..., None], 1.0, resampled.length)

    @torch.no_grad()
    def mel_energy(self, clips: Sequence[Clip], *, gain: float) -> torch.Tensor:
        """Energy of clips in each latent frame, over all frequencies and channels: (n, frames, 1).

        Raises:
            AudioError: if there is no clip, one has no samples, or one is longer than the window.
        """
        waveforms = self._waveforms([clip.resample(self.sample_rate) for clip in clips]) * gain
        cells = waveforms.view(*waveforms.shape[:2], self._frames, self._hop)
        return cells.square().sum(dim=(1, 3))[..., None]

    @torch.no_grad()
    def decode(self, latents: torch.Tensor, *, samples: int, gain: float = 1.0) -> list[Clip]:
        """The codec's decoder, one clip after the other: `samples` long, divided by `gain`."""
        scaled = latents.squeeze(-1).to(self._device, self._dtype)
        decoded = (self._vae.decode(row[None]).sample[0, :, :samples].float().cpu().numpy() for row in scaled)
        return [Clip.of(waveform.T, self.sample_rate).fit(samples).scaled(1 / gain) for waveform in decoded]

    def _waveforms(self, clips: Sequence[Clip]) -> torch.Tensor:
        """Clips at the codec's rate as (n, channels, samples of the window), each followed by silence."""
        window, longest = self._frames * self._hop, max((clip.length for clip in clips), default=0)
        if longest == 0:
            raise AudioError("there is no audio to encode", remedy="Give clips with samples.", code="audio/empty")
        if longest > window:
            raise AudioError(
                f"{longest / self.sample_rate:.2f} s are longer than the {window / self.sample_rate:.2f} s that "
                f"{self.name} takes",
                remedy="Cut excerpts that are short enough, or use another --backbone.",
                code="audio/too-long",
            )
        mono = self._vae.config.audio_channels == 1
        fitted = [(clip.to_mono() if mono else clip).fit(window).samples for clip in clips]
        return torch.stack([torch.from_numpy(_stereo(each) if not mono else each).T for each in fitted]).to(
            self._device
        )

    # -- network ----------------------------------------------------------------------------------------------

    def condition(
        self, prompts: Sequence[str], *, negative: str | None = None, source: Encoded | None = None
    ) -> Conditioning:
        """Encode prompts for audio as long as the source, or as long as the window if there is none.

        The tensors are `context` (rows, T5's tokens + 2, width) and `global` (rows, 1, 2 · width); see
        `bench.backbones.stable_audio.conditioning`.
        """
        samples = self._frames * self._hop if source is None else source.samples
        return self._prompts(prompts, negative, samples / self.sample_rate)

    @cached_property
    def alphas(self) -> Levels:
        """ᾱ of every timestep, shape (1000000,): the network's continuous time in equal cells (`levels`)."""
        return alpha_of(np.arange(TIMES))

    def schedule(self, steps: int) -> Schedule:
        """The grid of the published sampler; its last step arrives at ᾱ = 1.

        Raises:
            UsageError: for less than one step, or so many that timesteps would repeat.
        """
        return self._grid.schedule(steps)

    def predict(
        self,
        latents: torch.Tensor,
        *,
        timestep: int | Sequence[int],
        conditioning: Conditioning,
        guidance: float = 1.0,
    ) -> torch.Tensor:
        """ε in `latents`, from one call of the transformer; differentiable in the latents where gradients are enabled.

        Without guidance the network sees the latents' rows, with it twice as many: unconditional, then conditional.
        Where each latent has a timestep of its own, controllers are told the timestep −1.

        Raises:
            UsageError: if guidance lacks a negative prompt, or rows do not match.
        """
        guided = guidance != 1.0
        parts = [conditioning.negative, conditioning.positive] if guided else [conditioning.positive]
        tensors = batched(parts, (CONTEXT, GLOBAL), latents.shape[0])
        timesteps = timesteps_of(timestep, latents.shape[0])
        x = latents.squeeze(-1).to(self._device, self._dtype)
        times = torch.from_numpy(time_of(timesteps)).to(self._device, torch.float32)
        self._network.timestep, self._network.guided = timestep if isinstance(timestep, int) else -1, guided
        output: torch.Tensor = self._transformer(
            torch.cat([x, x]) if guided else x,
            times.expand(len(x)).repeat(len(parts)),
            encoder_hidden_states=tensors[CONTEXT].to(self._dtype),
            global_hidden_states=tensors[GLOBAL].to(self._dtype),
            rotary_embedding=self._rotary(x.shape[-1]),
            return_dict=False,
        )[0].float()[..., None]
        if guided:
            output = guided_output(output, guidance)
        return eps_of_v(output, latents, torch.from_numpy(alpha_of(timesteps)))

    def _rotation(self, frames: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Cosines and sines of RoPE for the global token and some frames, each (1 + frames, half a head)."""
        from diffusers.models.embeddings import get_1d_rotary_pos_embed

        cos, sin = get_1d_rotary_pos_embed(
            self._transformer.config.attention_head_dim // 2, 1 + frames, use_real=True, repeat_interleave_real=False
        )
        return cos.to(self._device), sin.to(self._device)

    @property
    def attention_sites(self) -> tuple[AttentionSite, ...]:
        """The attentions of the transformer: 48 in the published model, two at each of 24 positions."""
        return self._sites

    def control(self, controller: Controller, sites: Sequence[AttentionSite]) -> AbstractContextManager[None]:
        """Let a controller compute the attention at some sites; contexts nest if their sites are disjoint.

        Raises:
            UsageError: for a site of another network, or one that has a controller (when the context is entered).
        """
        check_sites(self._sites, sites)
        return controlled(self._transformer, StableAudioProcessor, controller, sites, self._network)


def _stereo(samples: Any) -> Any:
    """(samples, 1 or 2) as (samples, 2)."""
    return np.repeat(samples, 2, axis=1) if samples.shape[1] == 1 else samples


def _check(pipeline: Any) -> None:
    """Refuse a pipeline whose parts do not fit this class.

    Raises:
        ModelError: says which.
    """
    from transformers import T5EncoderModel

    transformer, vae = pipeline.transformer.config, pipeline.vae.config
    problem = None
    if not isinstance(pipeline.text_encoder, T5EncoderModel):
        problem = f"its text encoder is {type(pipeline.text_encoder).__name__}, not T5"
    elif not pipeline.tokenizer.is_fast:
        problem = "its T5 tokenizer is not a fast one, so tokens cannot be traced back to characters"
    elif pipeline.tokenizer.padding_side != "right":
        problem = "its T5 tokenizer pads on the left, so that a prompt's tokens do not come first"
    elif transformer.in_channels != vae.decoder_input_channels:
        problem = f"its codec has {vae.decoder_input_channels} channels and its network {transformer.in_channels}"
    elif any(ratio % 2 for ratio in vae.downsampling_ratios):
        problem = "its codec has odd strides, with which frames are not a whole number of samples"
    if problem:
        raise ModelError(
            f"this Stable Audio pipeline cannot be used: {problem}",
            remedy=f"Use a checkpoint such as {PUBLISHED}.",
            code="model/unsupported",
        )
