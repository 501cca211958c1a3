"""DDIM-PnI (baseline of Lee et al., ICASSP 2026, arXiv 2601.01294): PnI from an inversion instead of fresh noise.

Invert z_0 deterministically with ε_θ and without guidance up to t*, then denoise as PnI does, with the target:

    z̄ ← z̄ + (σ_t − σ_p) ε(z, t)        for t upwards to t*        (DDIM in the EDM view: x = z̄ / sqrt(1 + σ²))

Settings are those of `baselines.pni`; where they are published, and what is ported, stands there. The inversion has an
empty prompt: it is the source's alone, and all tasks share it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from baselines.pni import EncodedSource, PnI
from bench.diffusion.guidance import guided
from bench.diffusion.inversion import ddim_invert
from bench.diffusion.samplers import ticks
from bench.diffusion.schedule import Schedule
from bench.method import Cost, Prepared
from bench.task import Source


@dataclass(frozen=True, eq=False)
class _Inverted(EncodedSource):
    """A source inverted to t*: (1, channels, time, frequency)."""

    noise: torch.Tensor


class DDIMPnI(PnI):
    """Invert the source up to a fraction of the grid of Karras et al., then denoise with Heun's sampler."""

    name = "ddim-pni"
    version = 1

    def cost(self) -> Cost:
        """One row a step to invert, and PnI's rows to denoise."""
        return Cost(prepare=self.config.steps_run(), edit=super().cost().edit)

    def prepare(self, source: Source) -> Prepared:
        """Encode the mixture and invert it, once for all its tasks."""
        backbone, schedule = self.context.backbone, self.schedule()
        encoded = backbone.encode(source.mixture)
        noise = ddim_invert(
            guided(backbone, backbone.condition([""], source=encoded)),
            encoded.latent,
            schedule,
            callback=ticks(self.context.progress, "inversion", len(schedule)),
        )
        return _Inverted(source, encoded=encoded, noise=noise)

    def start(self, prepared: EncodedSource, schedule: Schedule, seeds: Sequence[int]) -> torch.Tensor:
        """z_{t*}, the same for every task. The method is deterministic: the seeds are not used."""
        assert isinstance(prepared, _Inverted)
        return prepared.noise.expand(len(seeds), -1, -1, -1)
