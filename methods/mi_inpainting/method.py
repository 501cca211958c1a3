"""MI-guided inpainting (Lee et al., ICASSP 2026, arXiv 2601.01294), ported: regenerate the channels that carry timbre.

Some channels of a latent say more about the instrument than others. Rank them by I_c = I(Z_c; instrument family) on
labelled notes (`analysis`, `timbrebench analyse mi`); the top ⌈k C⌉ are *timbre*, M_c = 1, the others *structure*.

1. Once a source: invert z_0 with DDIM, without prompt and guidance, and keep z_t^inv of every step t = T … 0.
2. Start: fresh noise where it is timbre, the inversion where it is structure,

       z̃_T = M ⊙ σ_T ε + (1 − M) ⊙ z_T^inv,    ε ~ N(0, I)

3. Generate with the target and guidance. After each of the first round(ρ T) steps, structure is put back:

       z_t ← M ⊙ z_t + (1 − M) ⊙ z_t^inv

   From there on nothing is held.

These are equations of the EDM view, z = z_0 + σ ε; in code all latents are in the VP view (times sqrt(ᾱ)), in which
they read the same. `clamp="renoised"` is the ablation in RePaint's manner (Lugmayr et al., CVPR 2022): z_0 + σ_t ε_t,
noised anew at each step, in the place of z_t^inv, at the start too; it needs no inversion.

**Ported.** The paper edits 64-channel latents of a closed model (Diff-A-Riff on Music2Latent2) that is steered by a
recording. Here the recipe is on open models: AudioLDM 2 has 8 channels, so k = 50 % is 4 of them, and is steered by
the prompt, or by a recording in a way that it was not trained for (`MIInpaintingReference`); Stable Audio Open has 64,
without a frequency axis, and takes prompts only. Numbers are not to be
compared with the paper's. What is published and what was chosen: `config`, `docs/methods/mi-inpainting.md`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import torch

from bench.audio import Clip
from bench.backbone import Conditioning, Encoded
from bench.diffusion.edm import heun_calls, heun_step, karras_schedule
from bench.diffusion.guidance import guided, rows
from bench.diffusion.samplers import Noise, Predict, add_noise, ddim_sample, step_noise, ticks
from bench.diffusion.schedule import Schedule
from bench.diffusion.trajectory import Trajectory, ddim_trajectory
from bench.errors import UsageError
from bench.method import Cost, Decoding, Method, Need, Prepared
from bench.task import EditTask, Source
from methods.mi_inpainting.config import PRESETS, MIInpaintingConfig
from methods.mi_inpainting.ranking import Ranking


@dataclass(frozen=True, eq=False)
class Masked(Prepared):
    """A source, ready to be regenerated in part.

    Attributes:
        encoded: its latent.
        timbre: M, True where it is timbre, (1, channels, 1, frequency).
        trajectory: its inversion; None where structure is noised anew.
    """

    encoded: Encoded
    timbre: torch.Tensor
    trajectory: Trajectory | None


class MIInpainting(Method):
    """Regenerate the latent channels that say most about the instrument, with the target prompt."""

    name = "mi-inpainting"
    version = 1
    status = "port to an open model: the paper's own is not public, its numbers are not to be compared"
    needs = frozenset({Need.BACKBONE, Need.TARGET_PROMPT})
    presets = PRESETS
    Config = MIInpaintingConfig
    config: MIInpaintingConfig

    def cost(self) -> Cost:
        """An unconditional row a step to invert, guided rows to generate.

        Published: 30 a source and 60 a task; with Heun's sampler 118 a task.
        """
        steps = self.config.steps
        calls = heun_calls(steps) if self.config.sampler == "heun" else steps
        inversion = steps if self.config.clamp == "inverted" else 0
        return Cost(prepare=inversion, edit=rows(self.config.guidance) * calls)

    def networks(self) -> Mapping[str, str]:
        """The ranking, by its digest: it decides what is regenerated. Errors as `ranking`."""
        return {"ranking": f"sha256:{self.ranking().digest}"}

    def ranking(self) -> Ranking:
        """The ranking to go by.

        Raises:
            UsageError: if it is of another backbone, or there is none for this one; names the command that makes one.
            DataError: if its file cannot be used.
        """
        backbone = self.context.backbone
        ranking = Ranking.shipped(backbone) if self.config.ranking is None else Ranking.read(self.config.ranking)
        ranking.check(backbone)
        return ranking

    # -- once a source ----------------------------------------------------------------------------------------

    def prepare(self, source: Source) -> Masked:
        """Encode the mixture and, but for the ablation, invert it."""
        backbone, schedule = self.context.backbone, self.schedule()
        encoded = backbone.encode(source.mixture)
        timbre = torch.from_numpy(self.ranking().mask(self.config.k, self.config.unit))
        trajectory = None
        if self.config.clamp == "inverted":
            predict = guided(backbone, backbone.condition([""], source=encoded))
            ticking = ticks(self.context.progress, "inversion", len(schedule))
            trajectory = ddim_trajectory(predict, encoded.latent, schedule, callback=ticking)
        mask = timbre[None, :, None, :].to(encoded.latent.device)
        return Masked(source, encoded=encoded, timbre=mask, trajectory=trajectory)

    # -- once a batch -----------------------------------------------------------------------------------------

    def edit(self, prepared: Prepared, tasks: Sequence[EditTask], seeds: Sequence[int]) -> list[Clip] | Decoding:
        """All tasks as one batch, each with the noise of its own seed."""
        assert isinstance(prepared, Masked)
        backbone, schedule, noise = self.context.backbone, self.schedule(), step_noise(seeds)
        predict = guided(backbone, self.conditioning(tasks, prepared.encoded), self.config.guidance)
        clamped = round(self.config.rho * len(schedule))
        x = self._start(prepared, schedule, noise, len(tasks))
        for step in range(len(schedule)):
            x = self._step(predict, x, schedule, step)
            if step < clamped:
                x = torch.where(prepared.timbre, x, self._structure(prepared, schedule, noise, step + 1, len(tasks)))
            self.context.progress("editing", step + 1, len(schedule))
        encoded = prepared.encoded
        return Decoding(partial(backbone.decode, x, samples=encoded.samples, gain=encoded.gain))

    def conditioning(self, tasks: Sequence[EditTask], encoded: Encoded) -> Conditioning:
        """What steers the generation: the target prompts."""
        prompts = [task.target_prompt for task in tasks]
        return self.context.backbone.condition(prompts, negative="", source=encoded)

    def schedule(self) -> Schedule:
        """The steps of inversion and generation: the network's own grid, or that of Karras et al. for Heun."""
        backbone, steps = self.context.backbone, self.config.steps
        return karras_schedule(backbone.alphas, steps) if self.config.sampler == "heun" else backbone.schedule(steps)

    def _start(self, prepared: Masked, schedule: Schedule, noise: Noise, tasks: int) -> torch.Tensor:
        """z̃_T, (tasks, channels, time, frequency)."""
        structure = self._structure(prepared, schedule, noise, 0, tasks)
        fresh = noise(-1, tuple(structure.shape)).to(structure)
        # σ_T ε in the VP view: z_0 = 0, noised.
        return torch.where(prepared.timbre, add_noise(torch.zeros_like(fresh), fresh, schedule.levels[0]), structure)

    def _structure(self, prepared: Masked, schedule: Schedule, noise: Noise, level: int, tasks: int) -> torch.Tensor:
        """What the source is at a level (0 the noisiest, T no noise), for each task."""
        if prepared.trajectory is not None:
            return prepared.trajectory[level].expand(tasks, -1, -1, -1)
        source = prepared.encoded.latent.expand(tasks, -1, -1, -1)
        return add_noise(source, noise(level, tuple(source.shape)).to(source), schedule.levels[level])

    def _step(self, predict: Predict, x: torch.Tensor, schedule: Schedule, step: int) -> torch.Tensor:
        if self.config.sampler == "heun":
            return heun_step(predict, x, schedule, step)
        return ddim_sample(predict, x, schedule.between(step, step + 1))


class MIInpaintingReference(MIInpainting):
    """The same, steered by a recording of the target instrument, as the paper's model is, and by no prompt.

    Experimental: see `Backbone.condition_audio` of the backbone for how it hears the recording.
    """

    name = "mi-inpainting-reference"
    needs = frozenset({Need.BACKBONE, Need.TARGET_AUDIO})

    def conditioning(self, tasks: Sequence[EditTask], encoded: Encoded) -> Conditioning:
        """What steers the generation: the tasks' references.

        Raises:
            UsageError: if a task has none, or the backbone takes none.
            DataError, AudioError: if its audio cannot be read, or is not what it was.
        """
        references = []
        for task in tasks:
            clip = self.context.suite.target_audio(task)
            if clip is None:
                raise UsageError(
                    "the task has no recording of the wanted timbre",
                    where=task.id,
                    remedy="Run a suite that has them (pairs), or mi-inpainting, which goes by the prompt.",
                    code="mi/no-reference",
                )
            references.append(clip)
        return self.context.backbone.condition_audio(references)
