"""PnI, partial noise injection (baseline of Lee et al., ICASSP 2026, arXiv 2601.01294): SDEdit in the EDM family.

In the EDM view, noise the source to a level and denoise from there without fresh noise:

    z_{t*} = z_0 + σ_{t*} ε,    then Heun's sampler with ε_w(z, t, target) from t* down to σ = 0

The paper sets t* = argmin |σ_t − σ*| with σ* = α σ_max. Read literally, α = 0.65 with σ_max = 80 is σ = 52, where
nothing of the source is left, yet its demos at 0.65 keep the melody: α most likely counts the *schedule*, 0.65 of
which is σ = 8.6. That is the default here; `counts="sigma-max"` is the literal reading.

Published: α of 0.65 and 0.70 (demo page), 30 steps and guidance 1.25 (Diff-A-Riff, the paper's model). Not
published: the grid, taken from Karras et al. (σ from 80 to 0.002, ρ = 7). Ported: the paper's model is not public and
takes the timbre from a recording; here an AudioLDM 2 takes it from the target prompt, through its EDM view
(`bench.diffusion.edm`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Literal

import torch
from pydantic import Field, model_validator

from bench.audio import Clip
from bench.backbone import Encoded
from bench.diffusion.edm import RHO, SIGMA_MAX, SIGMA_MIN, heun_calls, heun_sample, karras_schedule, karras_sigmas
from bench.diffusion.guidance import guided, rows
from bench.diffusion.samplers import noised, step_noise, ticks
from bench.diffusion.schedule import Schedule, steps_below, steps_of_part
from bench.method import Cost, Decoding, Method, Need, Prepared, Presets
from bench.task import EditTask, Source

PUBLISHED = {"steps": 30, "fraction": 0.65, "counts": "schedule", "guidance": 1.25}


@dataclass(frozen=True, eq=False)
class EncodedSource(Prepared):
    """A source and its latent."""

    encoded: Encoded


class PnI(Method):
    """Noise the source up to a fraction of the grid of Karras et al., then denoise with Heun's sampler."""

    name = "pni"
    version = 1
    role = "baseline"
    status = "port: the paper's backbone is not public, its noise grid is a choice"
    needs = frozenset({Need.BACKBONE, Need.TARGET_PROMPT})
    presets: ClassVar[Presets] = {"published": PUBLISHED, "0.65": PUBLISHED, "0.70": {**PUBLISHED, "fraction": 0.7}}

    class Config(Method.Config):
        """Published values: the paper's demo page; Diff-A-Riff's; the grid: Karras et al. 2022, Table 1."""

        steps: int = Field(30, ge=1, le=999, description="T, steps of the whole grid")
        fraction: float = Field(0.65, ge=0, le=1, description="α, where the edit starts; 0 is the codec alone")
        counts: Literal["schedule", "sigma-max"] = Field(
            "schedule", description="what α is a fraction of: the grid's steps, or literally σ_max"
        )
        sigma_min: float = Field(SIGMA_MIN, gt=0, description="least noise of the grid; σ = 0 comes after it")
        sigma_max: float = Field(SIGMA_MAX, gt=0, description="most noise of the grid")
        rho: float = Field(RHO, gt=0, description="ρ, curvature of the grid")
        guidance: float = Field(1.25, ge=0, description="classifier-free guidance of the denoising")

        @model_validator(mode="after")
        def _is_a_grid(self) -> PnI.Config:
            self.steps_run()
            return self

        def steps_run(self) -> int:
            """Steps from t* on.

            Raises:
                UsageError: for an impossible grid.
            """
            sigmas = karras_sigmas(self.steps, sigma_min=self.sigma_min, sigma_max=self.sigma_max, rho=self.rho)
            if self.counts == "schedule":
                return steps_of_part(self.steps, self.fraction)
            return steps_below(sigmas, self.fraction)

    config: Config

    def cost(self) -> Cost:
        """The guided rows of each of the sampler's calls: two a step, one in the last."""
        return Cost(edit=rows(self.config.guidance) * heun_calls(self.config.steps_run()))

    def prepare(self, source: Source) -> Prepared:
        """Encode the mixture."""
        return EncodedSource(source, encoded=self.context.backbone.encode(source.mixture))

    def edit(self, prepared: Prepared, tasks: Sequence[EditTask], seeds: Sequence[int]) -> list[Clip] | Decoding:
        """All tasks as one batch."""
        assert isinstance(prepared, EncodedSource)
        backbone, encoded, schedule = self.context.backbone, prepared.encoded, self.schedule()
        conditioning = backbone.condition([task.target_prompt for task in tasks], negative="", source=encoded)
        latents = heun_sample(
            guided(backbone, conditioning, self.config.guidance),
            self.start(prepared, schedule, seeds),
            schedule,
            callback=ticks(self.context.progress, "editing", len(schedule)),
        )
        return Decoding(partial(backbone.decode, latents, samples=encoded.samples, gain=encoded.gain))

    def schedule(self) -> Schedule:
        """The grid from t* on, for the backbone's network."""
        config = self.config
        grid = karras_schedule(
            self.context.backbone.alphas,
            config.steps,
            sigma_min=config.sigma_min,
            sigma_max=config.sigma_max,
            rho=config.rho,
        )
        return grid.between(config.steps - config.steps_run(), config.steps)

    def start(self, prepared: EncodedSource, schedule: Schedule, seeds: Sequence[int]) -> torch.Tensor:
        """z_{t*} of each task: the source with noise of the task's seed."""
        return noised(prepared.encoded.latent.expand(len(seeds), -1, -1, -1), schedule, step_noise(seeds))
