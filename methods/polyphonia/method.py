"""Polyphonia (Li et al., ICML 2026): edit one stem of a mixture by steering the attention of AudioLDM 2.

1. Once a source: encode the mixture, invert it with DDIM and an empty prompt, and record the queries and keys of the
   self and LoA attentions of the down blocks at every step (App. of the paper; deterministic).
2. For each task: start from the last inverted latent and denoise with the target prompt. At every step, in the down
   blocks, with G the share of the edited stem in time and frequency (eq. 9: `prior`),

       self, LoA    softmax( G ⊙ E + (1 − G) ⊙ E_src ) V         eqs. 10-11, G one value a query row
       text         softmax( E + λ g mᵀ ) V                      eqs. 13-14, m = 1 on the words of the new instrument

   with E = Q Kᵀ / sqrt(d); E_src is that of the recorded source, V always that of the edit.

A latent without a frequency axis (Stable Audio Open) leaves of G its time: the stem's share of each frame's energy.
A run on one says so, in its identity and in tables.

The paper and its released code differ; `config` has a knob for each difference and for each ablation, `words` says
which words are favoured, and `docs/methods/polyphonia.md` tells what is published and what was chosen here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Literal

import torch

from bench.audio import Clip
from bench.backbone import Backbone, Conditioning
from bench.diffusion.attention import AttentionSite, Controller, Kind, select
from bench.diffusion.control import ByKind, Chain, Composable, Interpolation, Modulation
from bench.diffusion.diagnostics import EntropyRecorder, compared
from bench.diffusion.guidance import guided, rows
from bench.diffusion.samplers import Predict, ddim_sample, ticks
from bench.diffusion.schedule import Schedule, steps_of_part
from bench.diffusion.source_cache import recalling, recorder_for
from bench.diffusion.trajectory import ddim_trajectory
from bench.errors import UsageError
from bench.method import Cost, Decoding, Method, Need, Prepared
from bench.task import EditTask, Source, StemName
from methods.polyphonia.config import PRESETS, PolyphoniaConfig
from methods.polyphonia.prior import with_prefix
from methods.polyphonia.source import Inverted, acoustic_prior, heard, with_stems
from methods.polyphonia.words import favoured_stems, favoured_tokens

FOLLOWED: tuple[Kind, ...] = ("self", "loa")
"""Kinds of attention that interpolate with the source; those of kind "text" are modulated."""

TIME_ONLY = "the latent has no frequency axis, so its prior is one of time alone"
"""What a run on a network such as Stable Audio Open says of itself."""


class Polyphonia(Method):
    """Stem-specific timbre transfer by acoustic priors in the attention."""

    name = "polyphonia"
    version = 2
    needs = frozenset({Need.BACKBONE, Need.STEMS, Need.TARGET_PROMPT})
    presets = PRESETS
    Config = PolyphoniaConfig
    config: PolyphoniaConfig

    def cost(self) -> Cost:
        """An unconditional row a step to invert, guided rows to generate; to recompute, a row a controlled step again.

        Published: 100 a source and 200 a task.
        """
        steps = steps_of_part(self.config.steps, self.config.strength)
        again = self._controlled(steps) if self.config.cache == "recompute" and self._follows else 0
        return Cost(prepare=steps, edit=rows(self.config.guidance) * steps, batch=again)

    def networks(self) -> Mapping[str, str]:
        """The separator, if stems come from one; and that the prior is one of time, where the network has no more."""
        separator = {"separator": self.context.separator.identity} if self.config.separates else {}
        in_time_alone = self.context.load_backbone is not None and _in_time_alone(self.context.backbone)
        return separator | ({"prior": TIME_ONLY} if in_time_alone else {})

    @classmethod
    def standing(cls, backbone: Backbone | None) -> str:
        """As published on AudioLDM 2; a port where the latent has no frequency axis."""
        return f"ported to {backbone.name}: {TIME_ONLY}" if backbone and _in_time_alone(backbone) else cls.status

    # -- once a source ----------------------------------------------------------------------------------------

    def prepare(self, source: Source) -> Inverted:
        """Invert the mixture once for all its tasks.

        Raises:
            UsageError: if the network has no attention in the blocks that are to be controlled.
        """
        backbone, config = self.context.backbone, self.config
        clip = heard(source.mixture, config)
        encoded = backbone.encode(clip)
        prior = acoustic_prior(with_stems(source, config, self.context), config, backbone, clip, encoded)
        recorder, schedule = recorder_for(config.cache, config.cache_dtype), self._schedule()
        stored = self._follows and config.cache != "recompute"
        entropy = EntropyRecorder(recorder if stored else Chain()) if config.entropy else None
        predict = guided(backbone, backbone.condition([""], source=encoded))
        if entropy is not None or stored:
            predict = self._with(entropy or recorder, FOLLOWED, predict, schedule)
        trajectory = ddim_trajectory(
            predict, encoded.latent, schedule, callback=ticks(self.context.progress, "inversion", len(schedule))
        )
        return Inverted(
            source,
            encoded=encoded,
            samples=-(-source.mixture.length * backbone.sample_rate // source.mixture.rate),
            noise=trajectory[0],
            recorder=recorder,
            trajectory=trajectory if self._follows and not stored else None,
            prior=prior,
            entropy=entropy,
        )

    # -- once a batch -----------------------------------------------------------------------------------------

    def edit(self, prepared: Prepared, tasks: Sequence[EditTask], seeds: Sequence[int]) -> list[Clip] | Decoding:
        """Denoise all tasks as one batch. The method is deterministic: the seeds are not used."""
        assert isinstance(prepared, Inverted)
        backbone, config, schedule = self.context.backbone, self.config, self._schedule()
        prompts = [task.target_prompt for task in tasks]
        conditioning = backbone.condition(prompts, negative="", source=prepared.encoded)
        controllers = self._controllers(prepared, tasks, conditioning, schedule)
        predict = guided(backbone, conditioning, config.guidance)
        controller: Controller = ByKind(controllers)
        entropy = None
        if config.entropy:
            controller = entropy = EntropyRecorder(ByKind(controllers), self._gates(prepared, tasks))
        if controllers or entropy is not None:
            kinds = tuple(controllers) if entropy is None else (*FOLLOWED, "text")
            predict = self._with(controller, kinds, predict, schedule)
        if prepared.trajectory is not None:
            predict = self._recalling(prepared, predict, schedule)
        latents = ddim_sample(
            predict,
            prepared.noise.expand(len(tasks), -1, -1, -1),
            schedule,
            callback=ticks(self.context.progress, "editing", len(schedule)),
        )
        finish = partial(backbone.decode, latents, samples=prepared.samples, gain=prepared.encoded.gain)
        return Decoding(finish, self._diagnostics(entropy, prepared, len(tasks)))

    def _controllers(
        self, prepared: Inverted, tasks: Sequence[EditTask], conditioning: Conditioning, schedule: Schedule
    ) -> dict[Kind, Composable]:
        """What takes part in each kind of attention; kinds that are left alone are not there."""
        controllers: dict[Kind, Composable] = {}
        if self._follows:
            softmax: Literal["before", "after"] = "before" if self.config.interpolation == "pre-softmax" else "after"
            interpolation = Interpolation(prepared.recorder.memory, self._gates(prepared, tasks), softmax)
            controllers |= {kind: interpolation for kind in FOLLOWED}
        if self.config.modulation:
            stems = [favoured_stems(task, self.config) for task in tasks]
            pairs = self._stem_gates(prepared, [stem for row in stems for stem in row])
            controllers["text"] = Modulation(
                gates={level: gate.reshape(len(tasks), -1, gate.shape[-1]) for level, gate in pairs.items()},
                tokens=favoured_tokens(conditioning, tasks, self.config).to(prepared.noise.device),
                strength=dict(zip(schedule.timesteps, self._strengths(len(schedule)), strict=True)),
            )
        return controllers

    def _gates(self, prepared: Inverted, tasks: Sequence[EditTask]) -> dict[int, torch.Tensor]:
        """Level → G of each task's stem, (tasks, queries)."""
        return self._stem_gates(prepared, [task.stem for task in tasks])

    def _stem_gates(self, prepared: Inverted, stems: Sequence[StemName]) -> dict[int, torch.Tensor]:
        sites = {site.level: site for site in self._sites(*FOLLOWED, "text")}
        grids = {level: site.grid(*prepared.prior.latent) for level, site in sites.items()}
        gates = prepared.prior.gates(stems, grids)
        return {level: with_prefix(gate, sites[level].prefix) for level, gate in gates.items()}

    def _strengths(self, steps: int) -> list[float]:
        """λ at each step that is run: constant, or from λ at the first to 0 at the last."""
        progress = [step / max(1, steps - 1) for step in range(steps)]
        shape: dict[str, Callable[[float], float]] = {
            "constant": lambda p: 1.0,
            "linear": lambda p: 1.0 - p,
            "cosine": lambda p: 0.5 * (1.0 + math.cos(math.pi * p)),
        }
        return [self.config.lam * shape[self.config.lam_schedule](p) for p in progress]

    def _diagnostics(self, entropy: EntropyRecorder | None, prepared: Inverted, tasks: int) -> list[dict[str, Any]]:
        if entropy is None or prepared.entropy is None:
            return []
        return [{"entropy": compared(entropy, row, prepared.entropy)} for row in range(tasks)]

    # -- steps and sites --------------------------------------------------------------------------------------

    @property
    def _follows(self) -> bool:
        return self.config.interpolation != "off"

    def _schedule(self) -> Schedule:
        return self.context.backbone.schedule(self.config.steps).part(self.config.strength)

    def _controlled(self, steps: int) -> int:
        """How many of the steps that are run come before the break point."""
        return max(0, steps - round(self.config.break_point * self.config.steps))

    def _sites(self, *kinds: Kind) -> tuple[AttentionSite, ...]:
        sites = select(self.context.backbone.attention_sites, kinds=kinds, blocks=self.config.blocks)
        if not sites:
            raise UsageError(
                f"there is no attention of kind {', '.join(kinds)} in the blocks {', '.join(self.config.blocks)}",
                remedy="Name other blocks with --set blocks=….",
                code="no-attention",
            )
        return sites

    def _with(self, controller: Controller, kinds: Sequence[Kind], predict: Predict, schedule: Schedule) -> Predict:
        """`predict` with a controller in the attentions of some kinds, at the steps before the break point."""
        sites = self._sites(*kinds)
        timesteps = frozenset(schedule.timesteps[: self._controlled(len(schedule))])

        def controlled(latents: torch.Tensor, timestep: int) -> torch.Tensor:
            if timestep not in timesteps:
                return predict(latents, timestep)
            with self.context.backbone.control(controller, sites):
                return predict(latents, timestep)

        return controlled

    def _recalling(self, prepared: Inverted, predict: Predict, schedule: Schedule) -> Predict:
        """`predict`, to which the source's queries and keys are computed again before each step that follows them."""
        trajectory, backbone = prepared.trajectory, self.context.backbone
        assert trajectory is not None
        empty = backbone.condition([""], source=prepared.encoded)
        return recalling(
            predict,
            source=self._with(prepared.recorder, FOLLOWED, guided(backbone, empty), schedule),
            recorder=prepared.recorder,
            trajectory=trajectory,
            timesteps=schedule.timesteps[: self._controlled(len(schedule))],
        )


def _in_time_alone(backbone: Backbone) -> bool:
    return "frequency" not in backbone.latent_axes
