"""AudioLDM 2 behind the contract of a backbone.

Outside the networks everything is float32, whatever their dtype: latents, ε, guidance and audio.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import torch

from bench.audio import Clip
from bench.backbone import Backbone, Conditioning, Encoded
from bench.backbones import mel
from bench.backbones.attention import NetworkCall, check_sites, controlled
from bench.backbones.audioldm2.attention import AudioLDM2Processor, find_sites
from bench.backbones.audioldm2.conditioning import LOA, TEXT, TEXT_MASK, PromptEncoder
from bench.backbones.audioldm2.load import MODELS, PUBLISHED, load_checkpoint, tensors_hash
from bench.backbones.rows import batched, device_of, dtype_of, eps_of_v, frozen, guided_output, timesteps_of
from bench.diffusion.attention import AttentionSite, Controller
from bench.diffusion.schedule import Levels, Schedule
from bench.errors import AudioError, ModelError, UsageError

PEAK = 0.5
"""The mixture is brought to this peak before it is encoded, as in AudioLDM 2's own front end."""


class AudioLDM2(Backbone):
    """AudioLDM 2: latent diffusion of 64-band log-mels, conditioned on T5 and language-of-audio tokens.

    Args:
        pipeline: an `AudioLDM2Pipeline` with T5 as second text encoder; it is moved, cast and frozen in place.
        model: what it is called in the identity.
        revision: its commit, if it has one.
        weights: hash of its weight files; computed from the weights in memory if not given.
        codec: hash of those of its VAE alone, likewise.
        device: torch device.
        dtype: of the networks: float32, float16 or bfloat16.
        licence: of the weights.
        untrained: which weights were drawn at random, in words; empty if none.

    Raises:
        ModelError: if the pipeline is not one that this class can drive.
        UsageError: for an unknown dtype or a device that is not there.
    """

    name = "audioldm2"
    sample_rate = mel.RATE

    def __init__(  # noqa: PLR0913  one parameter a fact about the checkpoint
        self,
        pipeline: Any,
        *,
        model: str,
        revision: str | None = None,
        weights: str | None = None,
        codec: str | None = None,
        device: str = "cpu",
        dtype: str = "float32",
        licence: str = "unknown",
        untrained: str = "",
    ):
        _check(pipeline)
        self.licence, self.untrained = licence, untrained
        self._weights = weights if weights is not None else tensors_hash(pipeline)
        self._codec = codec if codec is not None else tensors_hash(pipeline, ("vae",))
        self._model, self._revision, self._dtype_name = model, revision, dtype
        self._dtype, self._device = dtype_of(dtype), device_of(device)
        self._pipeline = frozen(pipeline, MODELS, self._device, self._dtype)
        self._unet, self._vae, self._vocoder = pipeline.unet, pipeline.vae, pipeline.vocoder
        self._scaling = float(pipeline.vae.config.scaling_factor)
        self._cell = mel.HOP * int(pipeline.vae_scale_factor)
        self._scheduler = _ddim(pipeline.scheduler.config)
        self._front_end = mel.MelFrontEnd(self._device)
        self._prompts = PromptEncoder(pipeline, self._device)
        self._network = NetworkCall()
        self._sites = find_sites(
            pipeline.unet,
            loa_width=pipeline.language_model.config.hidden_size,
            text_width=pipeline.text_encoder_2.config.hidden_size,
        )

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
        return cls(
            checkpoint.pipeline,
            model=checkpoint.model,
            revision=checkpoint.revision,
            weights=checkpoint.weights,
            codec=checkpoint.codec,
            device=device,
            dtype=dtype,
            licence="CC-BY-NC-SA-4.0" if checkpoint.model.startswith("cvssp/audioldm2") else "unknown",
        )

    @property
    def identity(self) -> Mapping[str, Any]:
        """Model, revision, hash of all weights and of the codec's, dtype, scheduler and front end."""
        scheduler = {k: v for k, v in sorted(self._scheduler.config.items()) if not k.startswith("_")}
        return {
            "name": self.name,
            "untrained": self.untrained,
            "model": self._model,
            "revision": self._revision,
            "weights": self._weights,
            "codec": self._codec,
            "dtype": self._dtype_name,
            "scheduler": scheduler,
            "front_end": {**mel.PARAMETERS, "peak": PEAK},
        }

    # -- audio ------------------------------------------------------------------------------------------------

    @torch.no_grad()
    def encode(self, clip: Clip) -> Encoded:
        """Mono mean, 16 kHz, peak 0.5 (one gain for the mixture and its stems), log-mel, mode of the VAE posterior.

        The audio is followed by silence up to a whole number of latent frames (40 ms at the published size).

        Raises:
            AudioError: for a clip without samples.
        """
        mono = clip.to_mono().resample(mel.RATE)
        gain = PEAK / mono.peak if mono.peak > 0 else 1.0
        log_mel = self._front_end.log_mel(self._waveforms([mono], gain))
        posterior = self._vae.encode(log_mel[:, None].to(self._dtype)).latent_dist
        return Encoded((posterior.mode() * self._scaling).float(), gain, mono.length)

    @torch.no_grad()
    def mel_energy(self, clips: Sequence[Clip], *, gain: float) -> torch.Tensor:
        """Mel power of clips on the frames of `encode`: (n, frames, 64), one latent cell for every 4 × 4 of them.

        Raises:
            AudioError: if there is no clip, or none has samples.
        """
        mono = [clip.to_mono().resample(mel.RATE) for clip in clips]
        return self._front_end.mel_power(self._waveforms(mono, gain))

    @torch.no_grad()
    def decode(self, latents: torch.Tensor, *, samples: int, gain: float = 1.0) -> list[Clip]:
        """VAE decoder, then vocoder; `samples` long, divided by `gain`, mono at 16 kHz."""
        scaled = (latents / self._scaling).to(self._device, self._dtype)
        waveforms = self._vocoder(self._vae.decode(scaled).sample.squeeze(1)).float().cpu().numpy()
        return [Clip.of(waveform, mel.RATE).fit(samples).scaled(1 / gain) for waveform in waveforms]

    def _waveforms(self, clips: Sequence[Clip], gain: float) -> torch.Tensor:
        """Mono clips × gain as (n, samples), each followed by silence up to whole latent frames of the longest."""
        longest = max((clip.length for clip in clips), default=0)
        if longest == 0:
            raise AudioError("there is no audio to encode", remedy="Give clips with samples.", code="audio/empty")
        length = -(-longest // self._cell) * self._cell
        return torch.stack([torch.from_numpy(clip.fit(length).mono) for clip in clips]).to(self._device) * gain

    # -- network ----------------------------------------------------------------------------------------------

    def condition(
        self, prompts: Sequence[str], *, negative: str | None = None, source: Encoded | None = None
    ) -> Conditioning:
        """Encode prompts, each as the pipeline encodes it alone; see `bench.backbones.audioldm2.conditioning`.

        The tensors are `loa` (rows, 8, GPT-2 width), `text` (rows, tokens, T5 width) and `text_mask` (rows, tokens).
        The network is not told how long its audio is, so the source has no part in them.
        """
        return self._prompts(prompts, negative)

    def condition_audio(self, clips: Sequence[Clip]) -> Conditioning:
        """Recordings through CLAP's audio tower, where GPT-2 expects its text tower; T5 reads an empty prompt.

        CLAP puts both into one space, but GPT-2 was trained on the text side alone: a use that nobody trained for.
        """
        return self._prompts.of_audio(clips)

    @cached_property
    def alphas(self) -> Levels:
        """ᾱ of every training timestep, shape (1000,)."""
        return self._scheduler.alphas_cumprod.double().numpy()  # type: ignore[no-any-return]

    def schedule(self, steps: int) -> Schedule:
        """The timesteps of the checkpoint's DDIM scheduler, and ᾱ at each.

        Raises:
            UsageError: if the checkpoint has no such schedule. With 1000 training steps and an offset of 1, as
                published, 1000 steps would need timestep 1000, one more than there is.
        """
        trained = len(self.alphas)
        timesteps = _timesteps(self._scheduler, steps) if 1 <= steps <= trained else ()
        if not timesteps or timesteps[0] >= trained:
            raise UsageError(
                f"a schedule of {steps} steps does not fit into {trained} training timesteps",
                remedy=f"Ask for 1 to {trained // 2} steps.",
                code="steps",
            )
        arrival = timesteps[-1] - trained // steps
        alpha_end = self.alphas[arrival] if arrival >= 0 else self._scheduler.final_alpha_cumprod
        return Schedule(timesteps, self.alphas[list(timesteps)], float(alpha_end))

    def predict(
        self,
        latents: torch.Tensor,
        *,
        timestep: int | Sequence[int],
        conditioning: Conditioning,
        guidance: float = 1.0,
    ) -> torch.Tensor:
        """ε in `latents`, from one call of the U-Net; differentiable in the latents where gradients are enabled.

        Without guidance the network sees the latents' rows, with it twice as many: unconditional, then conditional.
        Where each latent has a timestep of its own, controllers are told the timestep −1.

        Raises:
            UsageError: if guidance lacks a negative prompt, or rows do not match.
        """
        guided = guidance != 1.0
        parts = [conditioning.negative, conditioning.positive] if guided else [conditioning.positive]
        tensors = batched(parts, (LOA, TEXT, TEXT_MASK), latents.shape[0])
        timesteps = timesteps_of(timestep, latents.shape[0])
        x = latents.to(self._device, self._dtype)
        self._network.timestep, self._network.guided = timestep if isinstance(timestep, int) else -1, guided
        output: torch.Tensor = self._unet(
            torch.cat([x, x]) if guided else x,
            torch.tensor(timesteps, device=self._device).expand(len(x)).repeat(len(parts)),
            encoder_hidden_states=tensors[LOA].to(self._dtype),
            encoder_hidden_states_1=tensors[TEXT].to(self._dtype),
            encoder_attention_mask_1=tensors[TEXT_MASK],
            return_dict=False,
        )[0].float()
        if guided:
            output = guided_output(output, guidance)
        if self._scheduler.config.prediction_type == "epsilon":
            return output
        return eps_of_v(output, latents, torch.from_numpy(self.alphas[timesteps]))

    @property
    def attention_sites(self) -> tuple[AttentionSite, ...]:
        """The attentions of the U-Net: 96 in the published model, at 16 positions."""
        return self._sites

    def control(self, controller: Controller, sites: Sequence[AttentionSite]) -> AbstractContextManager[None]:
        """Let a controller compute the attention at some sites; contexts nest if their sites are disjoint.

        Raises:
            UsageError: for a site of another network, or one that has a controller (when the context is entered).
        """
        check_sites(self._sites, sites)
        return controlled(self._unet, AudioLDM2Processor, controller, sites, self._network)


def _check(pipeline: Any) -> None:
    """Refuse a pipeline whose parts do not fit this class.

    Raises:
        ModelError: says which.
    """
    from transformers import T5EncoderModel

    scheduler, vocoder = pipeline.scheduler.config, pipeline.vocoder.config
    problem = None
    if not isinstance(pipeline.text_encoder_2, T5EncoderModel):
        problem = f"its second text encoder is {type(pipeline.text_encoder_2).__name__}, not T5 (a speech checkpoint?)"
    elif not pipeline.tokenizer_2.is_fast:
        problem = "its T5 tokenizer is not a fast one, so tokens cannot be traced back to characters"
    elif (vocoder.sampling_rate, vocoder.model_in_dim) != (mel.RATE, mel.BANDS):
        problem = f"its vocoder reads {vocoder.model_in_dim} bands at {vocoder.sampling_rate} Hz, not 64 at 16000 Hz"
    elif scheduler.get("prediction_type", "epsilon") not in ("epsilon", "v_prediction"):
        problem = f"its network predicts {scheduler['prediction_type']}, not epsilon or v_prediction"
    elif scheduler.get("clip_sample", False) or scheduler.get("thresholding", False):
        problem = "its scheduler clips the predicted latent, which no inversion can undo"
    if problem:
        raise ModelError(
            f"this AudioLDM 2 pipeline cannot be used: {problem}",
            remedy="Use a text-to-audio checkpoint such as cvssp/audioldm2.",
            code="model/unsupported",
        )


def _ddim(config: Any) -> Any:
    from diffusers import DDIMScheduler

    return DDIMScheduler.from_config(config)


def _timesteps(scheduler: Any, steps: int) -> tuple[int, ...]:
    scheduler.set_timesteps(steps)
    return tuple(int(timestep) for timestep in scheduler.timesteps)
