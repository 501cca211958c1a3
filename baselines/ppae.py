"""PPAE (Xu et al., "Prompt-guided Precise Audio Editing", ICML 2024, arXiv 2406.04350). **A re-implementation.**

No code is public, the paper works on Tango, and the formula of its fuser is not known to us in full: what is here is
prompt-to-prompt (Hertz et al., ICLR 2023) with what is known of PPAE, ported to AudioLDM 2. Do not compare it with
the paper's numbers.

1. Draw a noisy path x_t of the source. In each step, predict ε on it with the source prompt: that gives the noise
   which leads along the path (edit-friendly DDPM inversion, `bench.diffusion.ddpm`), and the source's text
   attention maps M_src.
2. Side by side with it, walk with the same noise, the target prompt and guidance. In the conditional rows, text
   attention is

       M = M_tgt + r · (M_src P − M_tgt),    r = clip( η_min + ½ (η_max − η_min) (1 + cos π p), 0, 1 )

   for the tokens that take part, with P the alignment of the two prompts' tokens (`baselines.cross_attention`) and p
   the progress through the first `cross_replace` of the steps; after them r = 0. *Replace*: tokens in both prompts,
   and those in place of others; *refine*: tokens in both alone; *reweight*: the target phrase's columns times c.

Published: 100 steps of which 50 are skipped, cross-replace 0.8, self-replace 0 (so self-attention has no control
here), η from 1 to −1. Chosen here: the form of r; source guidance 1; the noise of the last step is kept.

The paper edits with five guidance scales and keeps the result that CLAP likes best ("bootstrapping"). That selects by
one of the metrics. Here a single scale is run, the same for every task: the middle one of five around 25, which the
paper finds best.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Literal

import torch
from pydantic import Field

from baselines.cross_attention import MapFuser, MapRecorder, TokenMap, align, cosine_share
from bench.audio import Clip
from bench.backbone import Conditioning, Encoded
from bench.diffusion.attention import select
from bench.diffusion.guidance import guided, rows
from bench.diffusion.samplers import ddim_moments, noised, step_noise
from bench.diffusion.schedule import Schedule
from bench.method import Cost, Decoding, Method, Need, Prepared, Presets
from bench.task import EditTask, Source

_PUBLISHED = {"steps": 100, "skip": 50, "cross_replace": 0.8, "highest": 1.0, "lowest": -1.0, "guidance": 25.0}


@dataclass(frozen=True, eq=False)
class _Encoded(Prepared):
    encoded: Encoded


class PPAE(Method):
    """Mix the source's text attention maps into the edit's (re-implementation)."""

    name = "ppae"
    version = 1
    role = "baseline"
    status = "re-implementation: no code is public, the fuser's form is ours, no selection by CLAP"
    needs = frozenset({Need.BACKBONE, Need.SOURCE_PROMPT, Need.TARGET_PROMPT})
    presets: ClassVar[Presets] = {
        "published": {**_PUBLISHED, "mode": "replace"},
        "refine": {**_PUBLISHED, "mode": "refine"},
        "without-attention": {**_PUBLISHED, "cross_replace": 0.0},
    }

    class Config(Method.Config):
        """Published values: the paper, as far as they are known."""

        steps: int = Field(100, ge=1, le=999, description="steps of the whole schedule")
        skip: int = Field(50, ge=0, description="steps at the noisy end that are not run")
        eta: float = Field(1.0, gt=0, le=1, description="η of DDIM, in both branches")
        guidance: float = Field(25.0, ge=0, description="of the edit: the middle one of the bootstrapped scales")
        source_guidance: float = Field(1.0, ge=0, description="of the source's branch (chosen; 1 turns it off)")
        mode: Literal["replace", "refine"] = Field(
            "replace", description="tokens that follow the source: also those in place of others, or only those in both"
        )
        cross_replace: float = Field(
            0.8, ge=0, le=1, description="fraction of the steps with mixed maps; 0 turns it off"
        )
        highest: float = Field(1.0, description="η_max, where the share of the source's maps begins")
        lowest: float = Field(-1.0, description="η_min, where it would end; what is below 0 counts as 0")
        reweight: float = Field(1.0, ge=0, description="c, factor on the maps of the target phrase's tokens; 1 is none")
        loa: bool = Field(
            False, description="mix the maps of the language-of-audio tokens too, whole (AudioLDM 2 only)"
        )

    config: Config

    def cost(self) -> Cost:
        """For each step that is run, the rows of both branches. A path belongs to a task's seed: nothing is shared."""
        config = self.config
        return Cost(edit=max(0, config.steps - config.skip) * (rows(config.source_guidance) + rows(config.guidance)))

    def prepare(self, source: Source) -> Prepared:
        """Encode the mixture."""
        return _Encoded(source, encoded=self.context.backbone.encode(source.mixture))

    def edit(self, prepared: Prepared, tasks: Sequence[EditTask], seeds: Sequence[int]) -> list[Clip] | Decoding:
        """All tasks as one batch, each on a path of its own seed."""
        assert isinstance(prepared, _Encoded)
        backbone, encoded = self.context.backbone, prepared.encoded
        source = backbone.condition([task.source_prompt for task in tasks], negative="", source=encoded)
        target = backbone.condition([task.target_prompt for task in tasks], negative="", source=encoded)
        x0 = encoded.latent.expand(len(tasks), -1, -1, -1)
        latents = self._walk(x0, source, target, self._factors(target, tasks), seeds)
        return Decoding(partial(backbone.decode, latents, samples=encoded.samples, gain=encoded.gain))

    def _walk(
        self,
        x0: torch.Tensor,
        source: Conditioning,
        target: Conditioning,
        factors: torch.Tensor,
        seeds: Sequence[int],
    ) -> torch.Tensor:
        """Both branches at once: the edited latents, shaped like `x0`: (tasks, channels, time, frequency)."""
        backbone, schedule, noise = self.context.backbone, self._schedule(), step_noise(seeds)
        predict_source = guided(backbone, source, self.config.source_guidance)
        predict_target = guided(backbone, target, self.config.guidance)
        sites = select(backbone.attention_sites, kinds=("text", "loa") if self.config.loa else ("text",))
        tokens = align(source, target)
        on_path = x = noised(x0, schedule, noise)
        for step, timestep in enumerate(schedule.timesteps):
            recorder = MapRecorder()
            with backbone.control(recorder, sites):
                eps_source = predict_source(on_path, timestep)
            fuser = self._fuser(recorder, tokens, factors, progress=step / len(schedule))
            with backbone.control(fuser, sites if fuser.acts else ()):
                eps = predict_target(x, timestep)
            alpha, alpha_next = schedule.levels[step : step + 2].tolist()
            arrival = noised(x0, schedule.between(step + 1, len(schedule)), noise, step=step)
            mean_source, _ = ddim_moments(on_path, eps_source, alpha, alpha_next, eta=self.config.eta)
            mean, deviation = ddim_moments(x, eps, alpha, alpha_next, eta=self.config.eta)
            x = mean + (arrival - mean_source) if deviation > 0 else mean  # σ z leads the source to its arrival
            on_path = arrival
            self.context.progress("editing", step + 1, len(schedule))
        return x

    def _schedule(self) -> Schedule:
        whole = self.context.backbone.schedule(self.config.steps)
        return whole.between(min(self.config.skip, len(whole)), len(whole))

    def _fuser(self, recorder: MapRecorder, tokens: TokenMap, factors: torch.Tensor, *, progress: float) -> MapFuser:
        config = self.config
        mixed = tokens.same if config.mode == "refine" else tokens.same + tokens.swapped
        within = progress / config.cross_replace if config.cross_replace > 0 else 1.0
        share = cosine_share(within, highest=config.highest, lowest=config.lowest)
        return MapFuser(recorder.memory, tokens.projection, mixed, share, factors)

    def _factors(self, target: Conditioning, tasks: Sequence[EditTask]) -> torch.Tensor:
        """Factor c on the text tokens of the target phrase, 1 elsewhere, (tasks, tokens); all 1 without a phrase."""
        factors = torch.ones(len(tasks), max(len(row) for row in target.offsets))
        for row, task in enumerate(tasks):
            if task.target_span is not None:
                factors[row, target.tokens(row, task.target_span)] = self.config.reweight
        return factors
