"""DDIM inversion (Song et al., ICLR 2021): invert the source deterministically, generate with the target prompt.

Inversion takes t upwards, from ᾱ_p to ᾱ_t, and generation the same way down with another prompt and guidance:

    x ← sqrt(ᾱ_t/ᾱ_p) (x − sqrt(1−ᾱ_p) ε) + sqrt(1−ᾱ_t) ε,    ε = ε_{w_src}(x, t, source)
    x ← sqrt(ᾱ_p/ᾱ_t) (x − sqrt(1−ᾱ_t) ε) + sqrt(1−ᾱ_p) ε,    ε = ε_{w_tar}(x, t, target)

Published settings: Manor & Michaeli, ICML 2024 (their DDIM baseline): 200 steps, the whole schedule, the
source's prompt with guidance 3, the target's with guidance 5 (their figures; 12 is what their script defaults to for
all its methods). Polyphonia (ICML 2026) inverts with an empty prompt instead: 100 steps, guidance 3.5.
An inversion belongs to a source and its prompt, and is shared by all tasks that have both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import ClassVar

import torch
from pydantic import Field

from bench.audio import Clip
from bench.backbone import Encoded
from bench.diffusion.guidance import guided, rows
from bench.diffusion.inversion import ddim_invert
from bench.diffusion.samplers import ddim_sample, ticks
from bench.diffusion.schedule import Schedule, steps_of_part
from bench.method import Cost, Decoding, Method, Need, Prepared, Presets
from bench.task import EditTask, Source

_PUBLISHED = {"steps": 200, "strength": 1.0, "source_prompt": True, "source_guidance": 3.0, "guidance": 5.0}


@dataclass(frozen=True, eq=False)
class _Inverted(Prepared):
    """A source and its inversions so far: source prompt → latent, (1, channels, time, frequency)."""

    encoded: Encoded
    inversions: dict[str, torch.Tensor] = field(default_factory=dict)


class DDIMInversion(Method):
    """Invert the source with DDIM, then generate from there with the target prompt."""

    name = "ddim-inversion"
    version = 1
    role = "baseline"
    needs = frozenset({Need.BACKBONE, Need.SOURCE_PROMPT, Need.TARGET_PROMPT})
    presets: ClassVar[Presets] = {
        "published": _PUBLISHED,
        "script": {**_PUBLISHED, "guidance": 12.0},
        "polyphonia": {"steps": 100, "strength": 1.0, "source_prompt": False, "guidance": 3.5},
    }

    class Config(Method.Config):
        """Published values: Manor & Michaeli 2024, official code, `--mode ddim`."""

        steps: int = Field(200, ge=1, le=999, description="steps of the whole schedule")
        strength: float = Field(
            1.0, gt=0, le=1, description="fraction of the schedule that is inverted; the release warns below 1"
        )
        source_prompt: bool = Field(True, description="invert with the source's prompt, not with an empty one")
        source_guidance: float = Field(3.0, ge=0, description="guidance of an inversion with the source's prompt")
        guidance: float = Field(5.0, ge=0, description="classifier-free guidance of the generation")

    config: Config

    def cost(self) -> Cost:
        """An inversion a source, one row a step if its prompt is empty, and the guided rows of the generation."""
        steps = steps_of_part(self.config.steps, self.config.strength)
        source_rows = rows(self.config.source_guidance) if self.config.source_prompt else 1
        return Cost(prepare=source_rows * steps, edit=rows(self.config.guidance) * steps)

    def prepare(self, source: Source) -> Prepared:
        """Encode the mixture, and invert it if the tasks' source prompts have no part in that."""
        prepared = _Inverted(source, encoded=self.context.backbone.encode(source.mixture))
        if not self.config.source_prompt:
            self._inversion(prepared, "")
        return prepared

    def edit(self, prepared: Prepared, tasks: Sequence[EditTask], seeds: Sequence[int]) -> list[Clip] | Decoding:
        """All tasks as one batch. The method is deterministic: the seeds are not used."""
        assert isinstance(prepared, _Inverted)
        backbone, encoded, schedule = self.context.backbone, prepared.encoded, self._schedule()
        prompts = [task.source_prompt if self.config.source_prompt else "" for task in tasks]
        conditioning = backbone.condition([task.target_prompt for task in tasks], negative="", source=encoded)
        latents = ddim_sample(
            guided(backbone, conditioning, self.config.guidance),
            torch.cat([self._inversion(prepared, prompt) for prompt in prompts]),
            schedule,
            callback=ticks(self.context.progress, "editing", len(schedule)),
        )
        return Decoding(partial(backbone.decode, latents, samples=encoded.samples, gain=encoded.gain))

    def _schedule(self) -> Schedule:
        return self.context.backbone.schedule(self.config.steps).part(self.config.strength)

    def _inversion(self, prepared: _Inverted, prompt: str) -> torch.Tensor:
        """The source inverted with a prompt, now if no task before had that prompt."""
        if prompt not in prepared.inversions:
            backbone, schedule, encoded = self.context.backbone, self._schedule(), prepared.encoded
            # Guidance between two empty prompts changes nothing: one row does.
            guidance = self.config.source_guidance if prompt else 1.0
            prepared.inversions[prompt] = ddim_invert(
                guided(backbone, backbone.condition([prompt], negative="", source=encoded), guidance),
                encoded.latent,
                schedule,
                callback=ticks(self.context.progress, "inversion", len(schedule)),
            )
        return prepared.inversions[prompt]
