"""SteerMusic (Niu et al., AAAI 2026, arXiv 2504.10826): delta denoising score on the latent of the source.

No sampling and no inversion: the source's latent itself is moved, by what the network would change more in it with the
target prompt than in the source with the source prompt (Hertz et al., "Delta Denoising Score", ICCV 2023). With
θ = z_src at first, and in every iteration one timestep t and one noise ε for both:

    z_t = sqrt(ᾱ_t) θ     + sqrt(1−ᾱ_t) ε
    s_t = sqrt(ᾱ_t) z_src + sqrt(1−ᾱ_t) ε
    θ ← θ − lr_i · w (1−ᾱ_t) · ( ε_ω(z_t, t, y_target) − ε_ω(s_t, t, y_source) )

The step is plain SGD; no gradient passes through the network.

Published (code, github.com/sony/steermusic): 400 iterations, learning rate 0.02 times 0.9 every 20, guidance ω = 30,
w = 2 (its example: 3), t uniform in [0.02, 0.98] of the training timesteps, negative prompt "". Its loop runs 401
times, but writes the audio before the last step.

Chosen here: t and ε come from each task's own seed, so the batch does not matter; z_src is the mode of the VAE's
posterior, as for every method here, where the code draws a sample; and T5's padding is masked, which the code's own
attention processor forgets (that changes its unconditional row).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch
from pydantic import Field, model_validator

from bench.audio import Clip
from bench.backbone import Conditioning, Encoded
from bench.diffusion.guidance import rows
from bench.diffusion.samplers import step_noise
from bench.identity import derive_seed
from bench.method import Cost, Decoding, Method, Need, Prepared, Presets
from bench.task import EditTask, Source


@dataclass(frozen=True, eq=False)
class _Encoded(Prepared):
    encoded: Encoded


class SteerMusic(Method):
    """Move the source's latent by the difference of two denoising scores."""

    name = "steermusic"
    version = 1
    role = "baseline"
    needs = frozenset({Need.BACKBONE, Need.SOURCE_PROMPT, Need.TARGET_PROMPT})
    presets: ClassVar[Presets] = {
        "published": {"iterations": 400, "learning_rate": 0.02, "guidance": 30.0, "weight": 2.0},
        "example": {"weight": 3.0},
    }

    class Config(Method.Config):
        """Published values: the command-line defaults of `SteerMusic_edit.py`."""

        iterations: int = Field(400, ge=0, description="steps of the optimisation; 0 is the codec's round trip")
        learning_rate: float = Field(0.02, gt=0, description="of SGD")
        decay: float = Field(0.9, gt=0, le=1, description="factor on the learning rate after every `decay_every` steps")
        decay_every: int = Field(20, ge=1, description="iterations between two decays")
        guidance: float = Field(30.0, ge=0, description="ω, classifier-free guidance of both predictions")
        weight: float = Field(2.0, gt=0, description="w in w (1−ᾱ_t); 3 in the code's example")
        t_min: float = Field(0.02, ge=0, le=1, description="least noise, as a fraction of the training timesteps")
        t_max: float = Field(0.98, ge=0, le=1, description="most noise, as a fraction of the training timesteps")

        @model_validator(mode="after")
        def _ordered(self) -> SteerMusic.Config:
            if self.t_min > self.t_max:
                raise ValueError(f"t_min {self.t_min} is above t_max {self.t_max}")
            return self

    config: Config

    def cost(self) -> Cost:
        """The rows of guidance, for the target and again for the source, in every iteration."""
        return Cost(edit=2 * rows(self.config.guidance) * self.config.iterations)

    def prepare(self, source: Source) -> Prepared:
        """Encode the mixture."""
        return _Encoded(source, encoded=self.context.backbone.encode(source.mixture))

    def edit(self, prepared: Prepared, tasks: Sequence[EditTask], seeds: Sequence[int]) -> list[Clip] | Decoding:
        """All tasks as one batch, each with the timesteps and the noise of its own seed."""
        assert isinstance(prepared, _Encoded)
        backbone, encoded = self.context.backbone, prepared.encoded
        target = backbone.condition([task.target_prompt for task in tasks], negative="", source=encoded)
        source = backbone.condition([task.source_prompt for task in tasks], negative="", source=encoded)
        latents = self._steered(encoded.latent.expand(len(tasks), -1, -1, -1), target, source, seeds)
        return Decoding(partial(backbone.decode, latents, samples=encoded.samples, gain=encoded.gain))

    def _steered(
        self, z_source: torch.Tensor, target: Conditioning, source: Conditioning, seeds: Sequence[int]
    ) -> torch.Tensor:
        """θ after all iterations, shaped like `z_source`: (tasks, channels, time, frequency)."""
        config, backbone = self.config, self.context.backbone
        noise, timesteps = step_noise(seeds), self._timesteps(seeds)
        theta = z_source
        for i in range(config.iterations):
            t = timesteps[:, i].tolist()
            alpha = torch.from_numpy(backbone.alphas[t]).to(theta)[:, None, None, None]
            eps = noise(i, tuple(theta.shape)).to(theta)
            predict = partial(backbone.predict, timestep=t, guidance=config.guidance)
            delta = predict(alpha.sqrt() * theta + (1 - alpha).sqrt() * eps, conditioning=target) - predict(
                alpha.sqrt() * z_source + (1 - alpha).sqrt() * eps, conditioning=source
            )
            learning_rate = config.learning_rate * config.decay ** (i // config.decay_every)
            theta = theta - learning_rate * config.weight * (1 - alpha) * delta
            self.context.progress("editing", i + 1, config.iterations)
        return theta

    def _timesteps(self, seeds: Sequence[int]) -> torch.Tensor:
        """Training timesteps, uniform between `t_min` and `t_max`: (tasks, iterations), each row from its own seed."""
        trained = len(self.context.backbone.alphas)
        first, last = int(self.config.t_min * trained), min(int(self.config.t_max * trained), trained - 1)
        generators = [torch.Generator().manual_seed(derive_seed(seed, "timesteps")) for seed in seeds]
        draw = partial(torch.randint, first, last + 1, (self.config.iterations,))
        return torch.stack([draw(generator=generator) for generator in generators])
