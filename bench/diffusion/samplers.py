"""Sampling: from noise to a latent, one network evaluation a step.

Everything here is a plain function of a model (`Predict`: latents and a timestep in, the noise ε out), a state
and a `Schedule`. Methods bring guidance, prompts and attention control inside their `Predict`.

DDIM (Song et al., ICLR 2021, eqs. 12 and 16). From ᾱ_t to ᾱ_p:

    x̂0  = (x_t − sqrt(1−ᾱ_t) ε) / sqrt(ᾱ_t)
    σ²  = η² (1−ᾱ_p)/(1−ᾱ_t) (1 − ᾱ_t/ᾱ_p)
    x_p = sqrt(ᾱ_p) x̂0 + sqrt(1−ᾱ_p−σ²) ε + σ z

η = 0 is deterministic, and then the same formula leads back from less to more noise (`bench.diffusion.inversion`);
η = 1 is ancestral sampling (DDPM).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch

from bench.diffusion.multistep import Multistep
from bench.diffusion.schedule import Schedule
from bench.identity import derive_seed

Predict = Callable[[torch.Tensor, int], torch.Tensor]
"""The network as a sampler sees it: (latents, timestep) → ε, shaped like the latents."""

Noise = Callable[[int, tuple[int, ...]], torch.Tensor]
"""Fresh Gaussian noise for a step: (step index, shape of the latents) → noise."""

Callback = Callable[[int, int, torch.Tensor], None]
"""Called after each step as `callback(step_index, timestep, latents)`, where the latents are what the step gave."""


def ddim_moments(
    x: torch.Tensor, eps: torch.Tensor, alpha: float, alpha_next: float, *, eta: float = 0.0
) -> tuple[torch.Tensor, float]:
    """Mean and standard deviation of x_p in a step of DDIM: sqrt(ᾱ_p) x̂0 + sqrt(1−ᾱ_p−σ²) ε, and σ.

    Arguments are those of `ddim_step`. `bench.diffusion.ddpm` reads the noise of a step off them.
    """
    x0 = (x - math.sqrt(1 - alpha) * eps) / math.sqrt(alpha)
    variance = eta**2 * (1 - alpha_next) / (1 - alpha) * (1 - alpha / alpha_next) if eta > 0 else 0.0
    direction = math.sqrt(max(0.0, 1 - alpha_next - variance)) * eps
    return math.sqrt(alpha_next) * x0 + direction, math.sqrt(variance)


def ddim_step(
    x: torch.Tensor,
    eps: torch.Tensor,
    alpha: float,
    alpha_next: float,
    *,
    eta: float = 0.0,
    noise: torch.Tensor | None = None,
) -> torch.Tensor:
    """One step of DDIM, from noise level ᾱ = `alpha` to ᾱ = `alpha_next`. With η = 1, the ancestral step of DDPM.

    Args:
        x: latents at `alpha`, any shape.
        eps: predicted noise, same shape.
        alpha: ᾱ that `x` is at, in (0, 1]; below 1 if `eta` is above 0.
        alpha_next: ᾱ to arrive at, in (0, 1]; above `alpha` to remove noise, below it to invert.
        eta: η, 0 (deterministic) to 1 (ancestral). Above 0 only when noise is removed.
        noise: standard normal z, same shape; needed if `eta` is above 0.

    Raises:
        ValueError: if `eta` is above 0 without noise, or in a step that adds noise.
    """
    if eta == 0.0:
        return ddim_moments(x, eps, alpha, alpha_next)[0]
    if noise is None or alpha_next < alpha:
        raise ValueError(f"eta {eta} needs noise and a step towards less noise ({alpha} → {alpha_next})")
    mean, deviation = ddim_moments(x, eps, alpha, alpha_next, eta=eta)
    return mean + deviation * noise


def ddim_sample(
    predict: Predict,
    x: torch.Tensor,
    schedule: Schedule,
    *,
    eta: float = 0.0,
    noise: Noise | None = None,
    order: int = 1,
    callback: Callback | None = None,
) -> torch.Tensor:
    """Denoise latents along a schedule with DDIM, or with the multistep solver that corrects its steps.

    Args:
        predict: the network.
        x: latents at the schedule's first noise level, (batch, channels, time, frequency).
        schedule: the steps to take; `schedule.part(strength)` starts later, as SDEdit does.
        eta: η of DDIM; above 0 it draws from `noise` in every step.
        noise: source of fresh noise, called once a step.
        order: 1 is DDIM, 2 DPM-Solver++(2M) (`bench.diffusion.multistep`), which begins anew at the first step.
        callback: called after each step.

    Returns:
        Latents at `schedule.alpha_end`, shaped like `x`.

    Raises:
        ValueError: for another order.
    """
    solver = Multistep(order)
    levels = zip(schedule.timesteps, schedule.alphas.tolist(), schedule.alphas_next.tolist(), strict=True)
    for step, (timestep, alpha, alpha_next) in enumerate(levels):
        eps = solver(x, predict(x, timestep), alpha, alpha_next)
        z = noise(step, tuple(x.shape)).to(x) if noise is not None and eta > 0 else None
        x = ddim_step(x, eps, alpha, alpha_next, eta=eta, noise=z)
        if callback is not None:
            callback(step, timestep, x)
    return x


def add_noise(x0: torch.Tensor, noise: torch.Tensor, alpha: float) -> torch.Tensor:
    """The forward process: sqrt(ᾱ) x0 + sqrt(1−ᾱ) noise."""
    return math.sqrt(alpha) * x0 + math.sqrt(1 - alpha) * noise


def noised(x0: torch.Tensor, schedule: Schedule, noise: Noise, *, step: int = -1) -> torch.Tensor:
    """Latents at a schedule's first level, for an edit that starts there; `x0` itself if the schedule has no step.

    Args:
        x0: clean latents, (batch, channels, time, frequency).
        schedule: the steps to come.
        noise: source of fresh noise.
        step: which step's noise to take: −1 differs from all that `ddim_sample` draws.
    """
    if len(schedule) == 0:
        return x0
    return add_noise(x0, noise(step, tuple(x0.shape)).to(x0), float(schedule.alphas[0]))


def seeded_noise(seeds: Sequence[int], shape: Sequence[int]) -> torch.Tensor:
    """Standard normal noise whose rows depend on their own seed alone.

    Every row is drawn from a generator of its own on the CPU, so a row is the same whatever else is in the
    batch and whatever device the latents live on.

    Args:
        seeds: one seed a row, in [0, 2**63).
        shape: shape of one row, without the batch axis.

    Returns:
        (len(seeds), *shape), float32, on the CPU.
    """
    rows = [torch.randn(tuple(shape), generator=torch.Generator().manual_seed(seed)) for seed in seeds]
    return torch.stack(rows)


def step_noise(seeds: Sequence[int]) -> Noise:
    """Fresh noise for every step and row, whose rows depend on their own seed and the step alone.

    Args:
        seeds: one seed a row, as `Method.edit` gets them.
    """

    def noise(step: int, shape: tuple[int, ...]) -> torch.Tensor:
        return seeded_noise([derive_seed(seed, f"step {step}") for seed in seeds], shape[1:])

    return noise


def ticks(progress: Callable[[str, int, int], None], stage: str, total: int) -> Callback:
    """A callback that tells `Context.progress` after each step how many of `total` are done."""
    return lambda step, _timestep, _latents: progress(stage, step + 1, total)
