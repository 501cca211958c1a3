"""MusicMagus (Zhang et al., IJCAI 2024, arXiv 2402.06178): move the text embedding, hold the cross-attention maps.

1. Invert the source with its prompt, DDIM without guidance, the predicted noise regularised in every step
   (`baselines.noise_regularisation`).
2. Pass 1: denoise with the source prompt and keep the maps A_src of all cross-attention, of both halves of guidance.
3. Δ = mean T5(captions with the word after) − mean T5(captions with the word before); the edit's text tokens are
   T5(source prompt) + Δ, and its language-of-audio tokens are those of the target prompt.
4. Pass 2, from the same start, before every guided DDIM step:

       x ← x − η ∇_x Σ_sites Σ (A − A_src)²        (a site's sum over queries and tokens, its mean over heads)

Steps 1 and 2 depend on the source and its prompt alone: they are done once for all tasks that share both.

Published (code, github.com/ldzhangyx/MusicMagus, and its notebook): 100 steps, inversion guidance 1, guidance 3.5,
negative prompt "low quality", η = 0.04 (another version of the notebook: 0; the pipeline's default: 0.15),
λ_ac = λ_kl = 20, seed 42.

Chosen here. Captions: 24 stored ones with a gap (`baselines/captions.toml`) where the code asks a language model; the
word is the name of the instrument, or what the prompts exchange (`baselines.wording`). A caption that is shorter than
the prompt counts as 0 where it has ended; the code encodes padding there, alike on both sides. Source prompts are the
suite's, where the code captions the audio. The latent is the mode of the VAE's posterior, where the code samples.

`gradient` names a quirk of the code, which pix2pix-zero has as well: it descends with two latents, one for each half
of guidance, and goes on from the unconditional one. So the maps of the prompt never move the edit itself, only the
noise that is predicted for it. "published" does that (preset `code`); "fixed", the default, is the formula above: one
latent, with the gradient of both halves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from pydantic import Field

from baselines.captions import captions
from baselines.cross_attention import MapDistance, MapRecorder
from baselines.noise_regularisation import Regularisation
from baselines.wording import concepts
from bench.audio import Clip
from bench.backbone import Conditioning, Encoded
from bench.backbones.audioldm2.conditioning import TEXT, TEXT_MASK
from bench.diffusion.attention import AttentionSite, select
from bench.diffusion.control import Key
from bench.diffusion.guidance import guided, rows
from bench.diffusion.inversion import ddim_invert
from bench.diffusion.samplers import Predict, ddim_sample, ddim_step, ticks
from bench.errors import UsageError
from bench.method import Context, Cost, Decoding, Method, Need, Prepared, Presets
from bench.task import EditTask, Source

_PUBLISHED = {"steps": 100, "guidance": 3.5, "negative": "low quality", "constraint": 0.04}


@dataclass(frozen=True, eq=False)
class Reference:
    """What the edits of one source prompt start from and hold on to.

    Attributes:
        start: the inverted latent, (1, channels, time, frequency).
        maps: cross-attention of pass 1, each (copies, heads, queries, tokens), copies being the rows of guidance.
    """

    start: torch.Tensor
    maps: dict[Key, torch.Tensor]


@dataclass(frozen=True, eq=False)
class _Encoded(Prepared):
    """A source, and its references so far by source prompt."""

    encoded: Encoded
    references: dict[str, Reference] = field(default_factory=dict)


class MusicMagus(Method):
    """Edit the words in embedding space, and hold the cross-attention of the source by gradient descent."""

    name = "musicmagus"
    version = 1
    role = "baseline"
    status = "re-implementation: stored captions in place of a language model"
    needs = frozenset({Need.BACKBONE, Need.SOURCE_PROMPT, Need.TARGET_PROMPT})
    presets: ClassVar[Presets] = {
        "published": {**_PUBLISHED, "gradient": "fixed"},
        "code": {**_PUBLISHED, "gradient": "published"},
        "pipeline": {**_PUBLISHED, "constraint": 0.15},
        "without-constraint": {**_PUBLISHED, "constraint": 0.0},
    }

    class Config(Method.Config):
        """Published values: the notebook of the official code, and the defaults of its `invert`."""

        steps: int = Field(100, ge=1, le=999, description="DDIM steps, of inversion and of both passes alike")
        guidance: float = Field(3.5, ge=0, description="classifier-free guidance of both passes; 1 turns it off")
        negative: str = Field("low quality", description="negative prompt of both passes")
        constraint: float = Field(
            0.04, ge=0, description="η, step of the descent on the maps' distance; 0 turns it off (pipeline: 0.15)"
        )
        gradient: Literal["fixed", "published"] = Field(
            "fixed",
            description="of both halves of guidance on one latent, or (published) of the unconditional half alone",
        )
        regularisation_rounds: int = Field(5, ge=0, description="of the inverted noise, in every step; 0 turns it off")
        rolls: int = Field(5, ge=1, description="random shifts a round, of the autocorrelation")
        autocorrelation: float = Field(20.0, ge=0, description="λ_ac")
        divergence: float = Field(20.0, ge=0, description="λ_kl")
        seed: int = Field(42, ge=0, description="of the random shifts: the same for all, so inversions can be shared")

    config: Config

    def __init__(self, config: Config, context: Context):
        super().__init__(config, context)
        self._means: dict[str, torch.Tensor] = {}

    def cost(self) -> Cost:
        """An inversion and pass 1 a source prompt; a task's pass 2, twice if it is constrained.

        The gradient of the constraint goes back through one of the two.
        """
        steps, guided_rows = self.config.steps, rows(self.config.guidance) * self.config.steps
        held = guided_rows if self.config.constraint else 0
        return Cost(prepare=steps + guided_rows, edit=guided_rows + held, backward=held)

    def prepare(self, source: Source) -> Prepared:
        """Encode the mixture. All else waits for a source prompt.

        Raises:
            UsageError: if the backbone's prompts have no text tokens that could be moved.
        """
        backbone = self.context.backbone
        if TEXT not in backbone.condition([""]).positive:
            raise UsageError(
                f"the prompts of {backbone.name} have no text tokens that MusicMagus could move",
                remedy="Use an AudioLDM 2 backbone: nano or audioldm2.",
                code="no-text-tokens",
            )
        return _Encoded(source, encoded=backbone.encode(source.mixture))

    def edit(self, prepared: Prepared, tasks: Sequence[EditTask], seeds: Sequence[int]) -> list[Clip] | Decoding:
        """The tasks of a source prompt as one batch. The method is deterministic: the seeds are not used."""
        assert isinstance(prepared, _Encoded)
        encoded = prepared.encoded
        latents = torch.zeros_like(encoded.latent).repeat(len(tasks), 1, 1, 1)
        for prompt in dict.fromkeys(task.source_prompt for task in tasks):
            chosen = [index for index, task in enumerate(tasks) if task.source_prompt == prompt]
            if prompt not in prepared.references:
                prepared.references[prompt] = self._reference(encoded.latent, prompt)
            latents[chosen] = self._pass_2(prepared.references[prompt], prompt, [tasks[index] for index in chosen])
        decode = self.context.backbone.decode
        return Decoding(partial(decode, latents, samples=encoded.samples, gain=encoded.gain))

    # -- the source -----------------------------------------------------------------------------------------------

    def _reference(self, x0: torch.Tensor, prompt: str) -> Reference:
        """Invert a latent with its prompt, and denoise it again to see where the prompt's tokens are (pass 1)."""
        backbone, config = self.context.backbone, self.config
        schedule, conditioning = backbone.schedule(config.steps), backbone.condition([prompt], negative=config.negative)
        start = ddim_invert(
            self._regularised(guided(backbone, conditioning)),
            x0,
            schedule,
            callback=ticks(self.context.progress, "inversion", len(schedule)),
        )
        recorder = MapRecorder()
        with backbone.control(recorder, self._sites()):
            ddim_sample(
                guided(backbone, conditioning, config.guidance),
                start,
                schedule,
                callback=ticks(self.context.progress, "reference", len(schedule)),
            )
        return Reference(start, recorder.memory)

    def _regularised(self, predict: Predict) -> Predict:
        config = self.config
        regularise = Regularisation(
            config.regularisation_rounds, config.rolls, config.autocorrelation, config.divergence
        )
        generator = torch.Generator().manual_seed(config.seed)
        return lambda x, timestep: regularise(predict(x, timestep), generator)

    def _sites(self) -> tuple[AttentionSite, ...]:
        return select(self.context.backbone.attention_sites, kinds=("loa", "text"))

    # -- the words ------------------------------------------------------------------------------------------------

    def _edited(self, prompt: str, tasks: Sequence[EditTask]) -> Conditioning:
        """The target prompts' conditioning, its text tokens replaced by those of the source prompt plus Δ."""
        backbone, negative = self.context.backbone, self.config.negative
        source = backbone.condition([prompt] * len(tasks), negative=negative)
        target = backbone.condition([task.target_prompt for task in tasks], negative=negative)
        assert source.negative is not None and target.negative is not None
        tokens = source.positive[TEXT]
        shift = torch.stack([self._difference(*concepts(task), tokens.shape[1]) for task in tasks])
        return replace(
            source,
            positive={**target.positive, **_text(source.positive), TEXT: tokens + shift.to(tokens)},
            negative={**target.negative, **_text(source.negative)},
        )

    def _difference(self, before: str, after: str, tokens: int) -> torch.Tensor:
        """Δ for a prompt of some tokens, (tokens, width): cut there, or followed by zeros."""
        both = [self._mean(concept)[:tokens] for concept in (after, before)]
        target, source = (F.pad(mean, (0, 0, 0, tokens - len(mean))) for mean in both)
        return target - source

    def _mean(self, concept: str) -> torch.Tensor:
        """Mean text embedding of the captions of a concept, (tokens, width)."""
        if concept not in self._means:
            encoded = self.context.backbone.condition(captions(concept)).positive
            self._means[concept] = (encoded[TEXT] * encoded[TEXT_MASK][..., None]).float().mean(0)
        return self._means[concept]

    # -- the edit -------------------------------------------------------------------------------------------------

    def _pass_2(self, reference: Reference, prompt: str, tasks: Sequence[EditTask]) -> torch.Tensor:
        """Edited latents, (tasks, channels, time, frequency)."""
        backbone, config = self.context.backbone, self.config
        schedule = backbone.schedule(config.steps)
        if not config.constraint:
            return ddim_sample(
                guided(backbone, self._edited(prompt, tasks), config.guidance),
                reference.start.expand(len(tasks), -1, -1, -1),
                schedule,
                callback=ticks(self.context.progress, "editing", len(schedule)),
            )
        halves = self._both_halves(prompt, tasks)
        x = reference.start.expand(len(tasks), -1, -1, -1)
        for step, (timestep, alpha) in enumerate(zip(schedule.timesteps, schedule.alphas.tolist(), strict=True)):
            both = self._constrained(x, timestep, halves, reference)
            eps = backbone.predict(both.flatten(0, 1), timestep=timestep, conditioning=halves).view_as(both)
            x = ddim_step(
                both[0], eps[0] + config.guidance * (eps[-1] - eps[0]), alpha, float(schedule.alphas_next[step])
            )
            self.context.progress("editing", step + 1, len(schedule))
        return x

    def _constrained(self, x: torch.Tensor, timestep: int, halves: Conditioning, reference: Reference) -> torch.Tensor:
        """A step down the distance of the maps: the latents of both halves, (copies, tasks, …)."""
        shape = (rows(self.config.guidance), *x.shape)
        leaf = x[None] if self.config.gradient == "fixed" else x.expand(shape)
        leaf = leaf.detach().clone().requires_grad_()
        with torch.enable_grad():
            distance = self._distance(leaf.expand(shape), timestep, halves, reference)
            (gradient,) = torch.autograd.grad(distance, leaf)
        return (leaf.detach() - self.config.constraint * gradient).expand(shape)

    def _distance(self, both: torch.Tensor, timestep: int, halves: Conditioning, reference: Reference) -> torch.Tensor:
        """Sum over tasks of the distance between their cross-attention maps and those of pass 1."""
        distance = MapDistance(reference.maps, len(both))
        with self.context.backbone.control(distance, self._sites()):
            self.context.backbone.predict(both.flatten(0, 1), timestep=timestep, conditioning=halves)
        return torch.as_tensor(distance.total)

    def _both_halves(self, prompt: str, tasks: Sequence[EditTask]) -> Conditioning:
        """The rows of guidance spelled out, unconditional ones first, so that each can have a latent of its own."""
        edited, copies = self._edited(prompt, tasks), rows(self.config.guidance)
        if copies == 1 or edited.negative is None:
            return replace(edited, negative=None)
        return replace(
            edited,
            prompts=edited.prompts * copies,
            positive={name: torch.cat([edited.negative[name], t]) for name, t in edited.positive.items()},
            negative=None,
            offsets=edited.offsets * copies,
        )


def _text(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: tensors[name] for name in (TEXT, TEXT_MASK)}
