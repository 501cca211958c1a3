"""SDEdit (Meng et al., ICLR 2022) on AudioLDM 2: noise the source part of the way, denoise with the target prompt.

Published settings for music editing: Manor & Michaeli, ICML 2024 (their SDEdit baseline): 200 steps, start at
half of the schedule, guidance 12, η = 1 (fresh noise in every step).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import torch
from pydantic import Field

from bench.audio import Clip
from bench.backbone import Conditioning, Encoded
from bench.diffusion.samplers import add_noise, ddim_sample, seeded_noise
from bench.identity import derive_seed
from bench.method import Cost, Decoding, Method, Need, Prepared
from bench.task import EditTask, Source


@dataclass(frozen=True, eq=False)
class _Encoded(Prepared):
    encoded: Encoded


class SDEdit(Method):
    """Noise the source up to a fraction of the schedule, then denoise towards the target prompt."""

    name = "sdedit"
    version = 1
    role = "baseline"
    needs = frozenset({Need.BACKBONE, Need.TARGET_PROMPT})

    class Config(Method.Config):
        """Published values: Manor & Michaeli 2024, official code, SDEdit baseline."""

        steps: int = Field(200, ge=1, le=999, description="steps of the whole schedule")
        strength: float = Field(0.5, gt=0, le=1, description="fraction of the schedule that is run; 1 starts in noise")
        guidance: float = Field(12.0, ge=0, description="classifier-free guidance")
        eta: float = Field(1.0, ge=0, le=1, description="η of DDIM: 1 draws fresh noise in every step, 0 none")

    config: Config

    def cost(self) -> Cost:
        """Two guided rows for each step that is run."""
        return Cost(edit=2 * max(1, round(self.config.strength * self.config.steps)))

    def prepare(self, source: Source) -> Prepared:
        """Encode the mixture."""
        return _Encoded(source, encoded=self.context.backbone.encode(source.mixture))

    def edit(self, prepared: Prepared, tasks: Sequence[EditTask], seeds: Sequence[int]) -> list[Clip] | Decoding:
        """All tasks as one batch, each with the noise of its own seed."""
        assert isinstance(prepared, _Encoded)
        backbone, encoded = self.context.backbone, prepared.encoded
        schedule = backbone.schedule(self.config.steps).part(self.config.strength)
        x0 = encoded.latent.expand(len(tasks), -1, -1, -1)

        def noise(step: int, shape: tuple[int, ...]) -> torch.Tensor:
            return seeded_noise([derive_seed(seed, f"step {step}") for seed in seeds], shape[1:]).to(x0)

        start = add_noise(x0, noise(-1, tuple(x0.shape)), float(schedule.alphas[0]))
        conditioning = backbone.condition([task.target_prompt for task in tasks], negative="")
        latents = ddim_sample(
            partial(self._predict, conditioning=conditioning),
            start,
            schedule,
            eta=self.config.eta,
            noise=noise,
            callback=lambda step, _timestep, _latents: self.context.progress("editing", step + 1, len(schedule)),
        )
        return Decoding(partial(backbone.decode, latents, samples=encoded.samples, gain=encoded.gain))

    def _predict(self, latents: torch.Tensor, timestep: int, *, conditioning: Conditioning) -> torch.Tensor:
        backbone = self.context.backbone
        return backbone.predict(latents, timestep=timestep, conditioning=conditioning, guidance=self.config.guidance)
