"""DDPM-Friendly (ZETA; Manor & Michaeli, ICML 2024): keep the noise of a path to the source, change the prompt.

The inversion of Huberman-Spiegelglas et al. (CVPR 2024; `bench.diffusion.ddpm`) draws latents x_t of the source, each
with noise of its own, and reads off the noise maps z_t with which ancestral sampling walks from one to the next.
The edit starts from x_{t_start} and walks with the same z_t, but the target's prompt:

    x_p = sqrt(ᾱ_p) x̂0 + sqrt(1−ᾱ_p−σ²) ε + σ z_t,    ε = ε_{w_tar}(x, t, target)

Published settings: official code, 200 steps of which the last 100 (`tstart`) are edited, η = 1, guidance 3 with the
source's prompt and 12 with the target's, negative prompt "", z = 0 in the last step. The release inverts all 200
steps; the maps above t_start are never used and do not influence those below, so only the edited steps are inverted
here. The noise belongs to a task's seed, so every task has an inversion of its own, as every call of the release has.

For Stable Audio Open the release has that model's second-order solver, and recommends guidance 1 in the inversion
(preset `stable-audio-open`). It takes the solver's history above t_start into the edit; here inversion and edit both
begin with a step of first order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from pydantic import Field

from bench.audio import Clip
from bench.backbone import Encoded
from bench.diffusion.ddpm import ddpm_invert
from bench.diffusion.guidance import guided, rows
from bench.diffusion.samplers import Predict, ddim_sample, step_noise, ticks
from bench.diffusion.schedule import steps_of_part
from bench.method import Cost, Decoding, Method, Need, Prepared, Presets
from bench.task import EditTask, Source

_PUBLISHED = {
    "steps": 200,
    "strength": 0.5,
    "eta": 1.0,
    "source_prompt": True,
    "source_guidance": 3.0,
    "guidance": 12.0,
    "negative": "",
    "last_noise": False,
    "order": 1,
}


@dataclass(frozen=True, eq=False)
class _Encoded(Prepared):
    encoded: Encoded


class DDPMFriendly(Method):
    """Walk the source's own noise path again with the target prompt."""

    name = "ddpm-friendly"
    version = 1
    role = "baseline"
    needs = frozenset({Need.BACKBONE, Need.SOURCE_PROMPT, Need.TARGET_PROMPT})
    presets: ClassVar[Presets] = {
        "published": _PUBLISHED,
        "stable-audio-open": {**_PUBLISHED, "source_guidance": 1.0, "order": 2},
    }

    class Config(Method.Config):
        """Published values: Manor & Michaeli 2024, official code, `main_run.py`."""

        steps: int = Field(200, ge=1, le=999, description="steps of the whole schedule")
        strength: float = Field(
            0.5,
            ge=0,
            le=1,
            description="fraction of the schedule that is edited: tstart 100 of 200 (figures: 40 to 160)",
        )
        eta: float = Field(1.0, gt=0, le=1, description="η of DDIM, in inversion and edit alike")
        source_prompt: bool = Field(True, description="invert with the source's prompt, not with an empty one")
        source_guidance: float = Field(3.0, ge=0, description="guidance of an inversion with the source's prompt")
        guidance: float = Field(12.0, ge=0, description="classifier-free guidance of the edit")
        negative: str = Field("", description="negative prompt of the edit's guidance")
        last_noise: bool = Field(
            False, description="keep the last step's noise map, which the release sets to 0, or what the step lacks"
        )
        order: int = Field(
            1, ge=1, le=2, description="of the solver, in inversion and edit alike: 1 DDIM, 2 DPM-Solver++(2M)"
        )

    config: Config

    def cost(self) -> Cost:
        """For each edited step the rows of the task's own inversion, one if its prompt is empty, and of its edit."""
        source_rows = rows(self.config.source_guidance) if self.config.source_prompt else 1
        steps = steps_of_part(self.config.steps, self.config.strength)
        return Cost(edit=(source_rows + rows(self.config.guidance)) * steps)

    def prepare(self, source: Source) -> Prepared:
        """Encode the mixture."""
        return _Encoded(source, encoded=self.context.backbone.encode(source.mixture))

    def edit(self, prepared: Prepared, tasks: Sequence[EditTask], seeds: Sequence[int]) -> list[Clip] | Decoding:
        """All tasks as one batch, each on a path of its own seed."""
        assert isinstance(prepared, _Encoded)
        backbone, encoded = self.context.backbone, prepared.encoded
        schedule = backbone.schedule(self.config.steps).part(self.config.strength)
        path = ddpm_invert(
            self._source(tasks, encoded),
            encoded.latent.expand(len(tasks), -1, -1, -1),
            schedule,
            noise=step_noise(seeds),
            eta=self.config.eta,
            order=self.config.order,
            callback=ticks(self.context.progress, "inversion", len(schedule)),
        )
        if not self.config.last_noise:
            path = path.without_last()
        prompts = [task.target_prompt for task in tasks]
        conditioning = backbone.condition(prompts, negative=self.config.negative, source=encoded)
        latents = ddim_sample(
            guided(backbone, conditioning, self.config.guidance),
            path.start,
            schedule,
            eta=self.config.eta,
            noise=path,
            order=self.config.order,
            callback=ticks(self.context.progress, "editing", len(schedule)),
        )
        return Decoding(partial(backbone.decode, latents + path.rest, samples=encoded.samples, gain=encoded.gain))

    def _source(self, tasks: Sequence[EditTask], encoded: Encoded) -> Predict:
        """The network of the inversion. The release has no negative prompt there, and guides no empty prompt."""
        backbone = self.context.backbone
        if not self.config.source_prompt:
            return guided(backbone, backbone.condition([""], source=encoded))
        conditioning = backbone.condition([task.source_prompt for task in tasks], negative="", source=encoded)
        return guided(backbone, conditioning, self.config.source_guidance)
