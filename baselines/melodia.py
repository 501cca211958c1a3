"""Melodia (Yang et al., AAAI 2026, arXiv 2511.08252): the source's self-attention maps keep its structure in the edit.

1. Once a source: invert it with DDIM and an empty prompt up to the level T_start (partial inversion), and record the
   queries and keys of self-attention at every step (the paper's attention repository).
2. For each task: denoise from there with the target prompt. In the chosen layers, self-attention takes its map from
   the source and its values from the edit (attention-based structure retention):

       softmax(Q_src K_srcᵀ / √d) V

   Cross-attention is left alone, and no source prompt is needed.

Published (paper; its repository holds no code): AudioLDM 2, 200 steps, guidance 5.5, layers 8 to 14 of the 16
attention positions in the order of execution, T_start swept from 300 to 1000.

Chosen here: T_start 1000, which is what the same authors' later editor (Polyphonia) runs with; and `double_self`,
because the paper does not say whether the second self-attention of a position is replaced too (that editor replaces
both).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, ClassVar

import torch
from pydantic import BeforeValidator, Field

from bench.audio import Clip
from bench.backbone import Encoded
from bench.diffusion.attention import AttentionCall, AttentionSite, Controller, select
from bench.diffusion.control import Composable, Part, SourceMemory, SourceRecorder, of_source
from bench.diffusion.guidance import guided, rows
from bench.diffusion.samplers import Predict, ddim_sample, ticks
from bench.diffusion.schedule import Schedule, steps_of_part
from bench.diffusion.source_cache import CacheDtype, CachePlace, recalling, recorder_for
from bench.diffusion.trajectory import Trajectory, ddim_trajectory
from bench.errors import UsageError
from bench.method import Cost, Decoding, Method, Need, Prepared, Presets
from bench.task import EditTask, Source


def _positions(value: object) -> object:
    """The command line writes a list as "8-14", "1,3,5-7" or "none"."""
    if not isinstance(value, str):
        return value
    positions: list[int] = []
    for part in value.split(",") if value.strip() not in ("", "none") else ():
        match = re.fullmatch(r"\s*(\d{1,3})\s*(?:-\s*(\d{1,3})\s*)?", part)
        layers = range(int(match[1]), int(match[2] or match[1]) + 1) if match else ()
        if not layers:
            raise ValueError(f"{part!r} is neither a layer nor a range such as 8-14")
        positions += layers
    return tuple(sorted(set(positions)))


Layers = Annotated[tuple[Annotated[int, Field(ge=1)], ...], BeforeValidator(_positions)]


@dataclass(frozen=True, eq=False)
class SourceMaps(Composable):
    """Attention with the source's map and the edit's values, for both halves of guidance.

    Attributes:
        memory: queries and keys of the source at the timesteps and sites that will be asked for.
    """

    memory: SourceMemory

    def parts(self, call: AttentionCall) -> Sequence[Part]:
        """softmax(Q_src K_srcᵀ / √d) V."""
        return (Part(of_source(call, self.memory)),)


@dataclass(frozen=True, eq=False)
class _Inverted(Prepared):
    """A source inverted up to T_start.

    Attributes:
        start: the latent there, (1, channels, time, frequency).
        recorder: its queries and keys at every step; with `trajectory`, at the last one asked for.
        trajectory: its latents at every level, if queries and keys are to be computed again from them.
    """

    encoded: Encoded
    start: torch.Tensor
    recorder: SourceRecorder
    trajectory: Trajectory | None


class Melodia(Method):
    """Follow the source's self-attention in the layers that hold the structure, and the prompt everywhere else."""

    name = "melodia"
    version = 1
    role = "baseline"
    status = "re-implementation: no code is public"
    needs = frozenset({Need.BACKBONE, Need.TARGET_PROMPT})
    presets: ClassVar[Presets] = {
        "published": {"steps": 200, "guidance": 5.5, "layers": "8-14"},
        "t-start-300": {"strength": 0.3},
        "t-start-500": {"strength": 0.5},
        "t-start-700": {"strength": 0.7},
        "without-attention": {"layers": "none"},
        "all-layers": {"layers": "1-16"},
        "layers-6-16": {"layers": "6-16"},
        "layers-10-12": {"layers": "10-12"},
        "layers-1-7": {"layers": "1-7"},
    }

    class Config(Method.Config):
        """Published values: the paper. Its ablations of the layers, and points of its sweep of T_start, are presets."""

        steps: int = Field(200, ge=1, le=999, description="DDIM steps of the whole schedule")
        strength: float = Field(
            1.0,
            gt=0,
            le=1,
            description="T_start / 1000: fraction of the schedule inverted and run again (paper: 0.3 to 1)",
        )
        guidance: float = Field(5.5, ge=0, description="classifier-free guidance of the generation; 1 turns it off")
        layers: Layers = Field(
            tuple(range(8, 15)),
            description="attention positions that follow the source, in the order of execution: 8-14, 1,3,5 or none",
        )
        double_self: bool = Field(
            True, description="also the second self-attention of a position, where it has one (the paper does not say)"
        )
        cache: CachePlace = Field(
            "device", description="where the source's queries and keys are kept; recompute keeps its latents instead"
        )
        cache_dtype: CacheDtype = Field("same", description="what they are kept in; same: as the network computed them")

    config: Config

    def cost(self) -> Cost:
        """For each step from T_start on: one unconditional row to invert, and the rows of guidance to generate.

        To recompute, that unconditional row again for every batch.
        """
        steps = steps_of_part(self.config.steps, self.config.strength)
        return Cost(prepare=steps, edit=rows(self.config.guidance) * steps, batch=steps if self._recomputes else 0)

    def prepare(self, source: Source) -> Prepared:
        """Invert the mixture once for all its tasks.

        Raises:
            UsageError: if the network does not have one of the layers.
        """
        backbone, schedule, config = self.context.backbone, self._schedule(), self.config
        recorder = recorder_for(config.cache, config.cache_dtype)
        sites, encoded = self._sites(), backbone.encode(source.mixture)
        with backbone.control(recorder, () if self._recomputes else sites):
            trajectory = ddim_trajectory(
                guided(backbone, backbone.condition([""], source=encoded)),
                encoded.latent,
                schedule,
                callback=ticks(self.context.progress, "inversion", len(schedule)),
            )
        kept = trajectory if self._recomputes else None
        return _Inverted(source, encoded=encoded, start=trajectory[0], recorder=recorder, trajectory=kept)

    def edit(self, prepared: Prepared, tasks: Sequence[EditTask], seeds: Sequence[int]) -> list[Clip] | Decoding:
        """Denoise all tasks as one batch. The method is deterministic: the seeds are not used."""
        assert isinstance(prepared, _Inverted)
        backbone, encoded, schedule = self.context.backbone, prepared.encoded, self._schedule()
        conditioning = backbone.condition([task.target_prompt for task in tasks], negative="", source=encoded)
        maps = SourceMaps(prepared.recorder.memory)
        predict = self._with(maps, guided(backbone, conditioning, self.config.guidance))
        if prepared.trajectory is not None:
            predict = recalling(
                predict,
                source=self._with(prepared.recorder, guided(backbone, backbone.condition([""], source=encoded))),
                recorder=prepared.recorder,
                trajectory=prepared.trajectory,
                timesteps=schedule.timesteps,
            )
        latents = ddim_sample(
            predict,
            prepared.start.expand(len(tasks), -1, -1, -1),
            schedule,
            callback=ticks(self.context.progress, "editing", len(schedule)),
        )
        return Decoding(partial(backbone.decode, latents, samples=encoded.samples, gain=encoded.gain))

    @property
    def _recomputes(self) -> bool:
        return self.config.cache == "recompute" and bool(self.config.layers)

    def _with(self, controller: Controller, predict: Predict) -> Predict:
        """`predict` with a controller in the chosen layers."""
        backbone, sites = self.context.backbone, self._sites()

        def controlled(latents: torch.Tensor, timestep: int) -> torch.Tensor:
            with backbone.control(controller, sites):
                return predict(latents, timestep)

        return controlled

    def _schedule(self) -> Schedule:
        return self.context.backbone.schedule(self.config.steps).part(self.config.strength)

    def _sites(self) -> tuple[AttentionSite, ...]:
        sites = self.context.backbone.attention_sites
        last = max(site.position for site in sites)
        if any(position > last for position in self.config.layers):
            raise UsageError(
                f"this network has {last} attention positions, and layer {max(self.config.layers)} was asked for",
                remedy=f"Give layers from 1 to {last}, as in --set layers=1-{last}.",
                code="layers",
            )
        chosen = select(sites, kinds=("self",), positions=self.config.layers)
        return tuple(site for site in chosen if self.config.double_self or not site.name.endswith("attn2"))
