"""Polyphonia as the paper has it, with the true stems as separator.

1. Once a source: encode the mixture, invert it with DDIM and an empty prompt, and record the queries and keys
   of the self and LoA attentions of the down blocks at every step (App. of the paper; deterministic).
2. For each task: start from the last inverted latent and denoise with the target prompt. At every step, in
   the down blocks, self and LoA attention interpolate with the recorded source by G (eqs. 10-11), and text
   attention is biased towards the target's tokens by λ g (eqs. 13-14).

The released code differs from the paper in seven points (a mask without frequency resolution, a bias for
every stem, …); that variant is not implemented yet. What is here is the text of the paper.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from pydantic import Field

from bench.audio import Clip
from bench.backbone import Conditioning, Encoded
from bench.diffusion.attention import AttentionSite
from bench.diffusion.control import Key, SourceGuide, SourceRecorder
from bench.diffusion.inversion import ddim_invert
from bench.diffusion.samplers import ddim_sample
from bench.method import Cost, Decoding, Method, Need, Prepared
from bench.task import EditTask, Source, StemName
from methods.polyphonia.prior import level_gate, ratio_mask


@dataclass(frozen=True, eq=False)
class Inverted(Prepared):
    """A source, inverted.

    Attributes:
        encoded: its latent. noise: the last inverted latent, (1, channels, time, frequency).
        memory: its recorded queries and keys.
        masks: edited stem → G on the mel grid, (frames, bands).
    """

    encoded: Encoded
    noise: torch.Tensor
    memory: dict[Key, tuple[torch.Tensor, torch.Tensor]]
    masks: dict[StemName, torch.Tensor]


class Polyphonia(Method):
    """Stem-specific timbre transfer by acoustic priors in the attention."""

    name = "polyphonia"
    version = 1
    needs = frozenset({Need.BACKBONE, Need.STEMS, Need.TARGET_PROMPT})

    class Config(Method.Config):
        """Published values: paper, Sec. 5 and App.; official code, `BEST_EDIT_PARAMS`."""

        steps: int = Field(100, ge=1, le=999, description="DDIM steps, of inversion and of generation alike")
        guidance: float = Field(3.5, ge=0, description="classifier-free guidance of the generation")
        lam: float = Field(2.5, ge=0, description="λ, strength of the text bias; 0 turns it off")

    config: Config

    def cost(self) -> Cost:
        """One unconditional row a step to invert, two guided rows a step to generate."""
        return Cost(prepare=self.config.steps, edit=2 * self.config.steps)

    def prepare(self, source: Source) -> Inverted:
        """Invert the mixture once for all its tasks."""
        backbone = self.context.backbone
        encoded = backbone.encode(source.mixture)
        schedule = backbone.schedule(self.config.steps)
        recorder = SourceRecorder()
        predict = partial(self._predict, conditioning=backbone.condition([""]), guidance=1.0)
        with backbone.control(recorder, self._sites("self", "loa")):
            noise = ddim_invert(predict, encoded.latent, schedule, callback=self._tick("inversion", self.config.steps))
        masks = self._masks(source, encoded)
        return Inverted(source, encoded=encoded, noise=noise, memory=recorder.memory, masks=masks)

    def edit(self, prepared: Prepared, tasks: Sequence[EditTask], seeds: Sequence[int]) -> list[Clip] | Decoding:
        """Denoise all tasks as one batch. The method is deterministic: the seeds are not used."""
        assert isinstance(prepared, Inverted)
        backbone, encoded = self.context.backbone, prepared.encoded
        conditioning = backbone.condition([task.target_prompt for task in tasks], negative="")
        sites = self._sites("self", "loa", "text")
        guide = SourceGuide(
            memory=prepared.memory,
            gates=self._gates(prepared, tasks, {site.level for site in sites}),
            tokens=self._target_tokens(conditioning, tasks),
            strength=self.config.lam,
        )
        predict = partial(self._predict, conditioning=conditioning, guidance=self.config.guidance)
        start = prepared.noise.expand(len(tasks), -1, -1, -1)
        with backbone.control(guide, sites):
            schedule = backbone.schedule(self.config.steps)
            latents = ddim_sample(predict, start, schedule, callback=self._tick("editing", self.config.steps))
        return Decoding(partial(backbone.decode, latents, samples=encoded.samples, gain=encoded.gain))

    def _predict(
        self, latents: torch.Tensor, timestep: int, *, conditioning: Conditioning, guidance: float
    ) -> torch.Tensor:
        return self.context.backbone.predict(latents, timestep=timestep, conditioning=conditioning, guidance=guidance)

    def _sites(self, *kinds: str) -> list[AttentionSite]:
        sites = self.context.backbone.attention_sites
        return [site for site in sites if site.block == "down" and site.kind in kinds]

    def _masks(self, source: Source, encoded: Encoded) -> dict[StemName, torch.Tensor]:
        energy = partial(self.context.backbone.mel_energy, gain=encoded.gain)
        masks: dict[StemName, torch.Tensor] = {}
        for stem, clip in source.stems.items():
            target, context = energy([clip, source.background(stem)])
            masks[stem] = ratio_mask(target, context)
        return masks

    def _gates(self, prepared: Inverted, tasks: Sequence[EditTask], levels: set[int]) -> dict[int, torch.Tensor]:
        """Level → G per token, one row a task. A stem that the song does not have has no energy: its G is 0."""
        blank = torch.zeros_like(next(iter(prepared.masks.values())))
        masks = [prepared.masks.get(task.stem, blank) for task in tasks]
        mel_frames_per_latent = blank.shape[0] // prepared.noise.shape[2]
        return {
            level: torch.stack([level_gate(mask, mel_frames_per_latent * 2**level) for mask in masks])
            for level in levels
        }

    def _target_tokens(self, conditioning: Conditioning, tasks: Sequence[EditTask]) -> torch.Tensor:
        """m: 1 on the text tokens of the target phrase; all 0 for a task whose phrase is not in its prompt."""
        tokens = torch.zeros(len(tasks), max(len(row) for row in conditioning.offsets), device=self.context.device)
        for row, task in enumerate(tasks):
            if task.target_span is not None:
                tokens[row, conditioning.tokens(row, task.target_span)] = 1.0
        return tokens

    def _tick(self, stage: str, total: int) -> Callable[[int, int, torch.Tensor], None]:
        return lambda step, _timestep, _latents: self.context.progress(stage, step + 1, total)
