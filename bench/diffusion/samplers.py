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

from bench.diffusion.schedule import Schedule

Predict = Callable[[torch.Tensor, int], torch.Tensor]
"""The network as a sampler sees it: (latents, timestep) → ε, shaped like the latents."""

Noise = Callable[[int, tuple[int, ...]], torch.Tensor]
"""Fresh Gaussian noise for a step: (step index, shape of the latents) → noise."""

Callback = Callable[[int, int, torch.Tensor], None]
"""Called after each step as `callback(step_index, timestep, latents)`, where the latents are what the step gave."""


def ddim_step(
    x: torch.Tensor,
    eps: torch.Tensor,
    alpha: float,
    alpha_next: float,
    *,
    eta: float = 0.0,
    noise: torch.Tensor | None = None,
) -> torch.Tensor:
    """One step of DDIM, from noise level ᾱ = `alpha` to ᾱ = `alpha_next`.

    Args:
        x: latents at `alpha`, any shape.
        eps: predicted noise, same shape.
        alpha: ᾱ that `x` is at, in (0, 1).
        alpha_next: ᾱ to arrive at, in (0, 1]; above `alpha` to remove noise, below it to invert.
        eta: η, 0 (deterministic) to 1 (ancestral). Above 0 only when noise is removed.
        noise: standard normal z, same shape; needed if `eta` is above 0.

    Raises:
        ValueError: if `eta` is above 0 without noise, or in a step that adds noise.
    """
    x0 = (x - math.sqrt(1 - alpha) * eps) / math.sqrt(alpha)
    if eta == 0.0:
        return math.sqrt(alpha_next) * x0 + math.sqrt(1 - alpha_next) * eps
    if noise is None or alpha_next < alpha:
        raise ValueError(f"eta {eta} needs noise and a step towards less noise ({alpha} → {alpha_next})")
    variance = eta**2 * (1 - alpha_next) / (1 - alpha) * (1 - alpha / alpha_next)
    direction = math.sqrt(max(0.0, 1 - alpha_next - variance)) * eps
    return math.sqrt(alpha_next) * x0 + direction + math.sqrt(variance) * noise


def ddim_sample(
    predict: Predict,
    x: torch.Tensor,
    schedule: Schedule,
    *,
    eta: float = 0.0,
    noise: Noise | None = None,
    callback: Callback | None = None,
) -> torch.Tensor:
    """Denoise latents along a schedule with DDIM.

    Args:
        predict: the network.
        x: latents at the schedule's first noise level, (batch, channels, time, frequency).
        schedule: the steps to take; `schedule.part(strength)` starts later, as SDEdit does.
        eta: η of DDIM; above 0 it draws from `noise` in every step.
        noise: source of fresh noise, called once a step.
        callback: called after each step.

    Returns:
        Latents at `schedule.alpha_end`, shaped like `x`.
    """
    levels = zip(schedule.timesteps, schedule.alphas.tolist(), schedule.alphas_next.tolist(), strict=True)
    for step, (timestep, alpha, alpha_next) in enumerate(levels):
        eps = predict(x, timestep)
        z = noise(step, tuple(x.shape)).to(x) if noise is not None and eta > 0 else None
        x = ddim_step(x, eps, alpha, alpha_next, eta=eta, noise=z)
        if callback is not None:
            callback(step, timestep, x)
    return x


def add_noise(x0: torch.Tensor, noise: torch.Tensor, alpha: float) -> torch.Tensor:
    """The forward process: sqrt(ᾱ) x0 + sqrt(1−ᾱ) noise."""
    return math.sqrt(alpha) * x0 + math.sqrt(1 - alpha) * noise


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
