"""SDEdit (Meng et al., ICLR 2022): noise the source part of the way, denoise with the target prompt.

    x_{t*} = sqrt(ᾱ_{t*}) x0 + sqrt(1−ᾱ_{t*}) n,    then DDIM with η = 1 and ε_w(x, t, target) down to t = 0

Published settings for music editing: Manor & Michaeli, ICML 2024 (their SDEdit baseline): 200 steps, start at
half of the schedule, guidance 12, η = 1 (fresh noise in every step). The preset `stable-audio-open` has the steps,
guidance and solver of that model's card; its pipeline cannot start below σ_max, so the start is ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from pydantic import Field

from bench.audio import Clip
from bench.backbone import Encoded
from bench.diffusion.guidance import guided, rows
from bench.diffusion.samplers import ddim_sample, noised, step_noise, ticks
from bench.diffusion.schedule import steps_of_part
from bench.method import Cost, Decoding, Method, Need, Prepared, Presets
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
    presets: ClassVar[Presets] = {
        "published": {"steps": 200, "strength": 0.5, "guidance": 12.0, "negative": "", "eta": 1.0, "order": 1},
        "stable-audio-open": {"steps": 100, "strength": 0.5, "guidance": 7.0, "negative": "", "eta": 1.0, "order": 2},
    }

    class Config(Method.Config):
        """Published values: Manor & Michaeli 2024, official code, SDEdit baseline."""

        steps: int = Field(200, ge=1, le=999, description="steps of the whole schedule")
        strength: float = Field(
            0.5, ge=0, le=1, description="fraction of the schedule that is run; 1 starts in noise, 0 is the codec alone"
        )
        guidance: float = Field(12.0, ge=0, description="classifier-free guidance")
        negative: str = Field("", description="negative prompt of the guidance")
        eta: float = Field(1.0, ge=0, le=1, description="η of DDIM: 1 draws fresh noise in every step, 0 none")
        order: int = Field(1, ge=1, le=2, description="of the solver: 1 DDIM, 2 DPM-Solver++(2M) on its steps")

    config: Config

    def cost(self) -> Cost:
        """The guided rows of each step that is run."""
        return Cost(edit=rows(self.config.guidance) * steps_of_part(self.config.steps, self.config.strength))

    def prepare(self, source: Source) -> Prepared:
        """Encode the mixture."""
        return _Encoded(source, encoded=self.context.backbone.encode(source.mixture))

    def edit(self, prepared: Prepared, tasks: Sequence[EditTask], seeds: Sequence[int]) -> list[Clip] | Decoding:
        """All tasks as one batch, each with the noise of its own seed."""
        assert isinstance(prepared, _Encoded)
        backbone, encoded = self.context.backbone, prepared.encoded
        schedule = backbone.schedule(self.config.steps).part(self.config.strength)
        prompts = [task.target_prompt for task in tasks]
        conditioning = backbone.condition(prompts, negative=self.config.negative, source=encoded)
        noise = step_noise(seeds)
        latents = ddim_sample(
            guided(backbone, conditioning, self.config.guidance),
            noised(encoded.latent.expand(len(tasks), -1, -1, -1), schedule, noise),
            schedule,
            eta=self.config.eta,
            noise=noise,
            order=self.config.order,
            callback=ticks(self.context.progress, "editing", len(schedule)),
        )
        return Decoding(partial(backbone.decode, latents, samples=encoded.samples, gain=encoded.gain))
