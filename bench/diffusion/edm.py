"""The EDM view (Karras et al., NeurIPS 2022): their grid of noise levels and their sampler, on a VP network.

In the EDM view x̄ = x0 + σ ε, the probability flow is dx̄/dσ = ε(x̄; σ), and a DDIM step (η = 0) is an Euler step of it.
Heun's method, Algorithm 2 of the paper without its optional noise, takes for each step from σ to σ' the mean of the
slopes at both ends:

    x̄' = x̄ + (σ' − σ) ε(x̄; σ)
    x̄' ← x̄ + (σ' − σ) (ε(x̄; σ) + ε(x̄'; σ')) / 2        (not in the last step)

A VP network is asked at sqrt(ᾱ) x̄, with ᾱ = 1/(1+σ²), and at one of its own timesteps. On a grid that is not its own
(`karras_schedule`) that is the *nearest* one in log σ, as in k-diffusion's quantized wrappers; the latent keeps the σ
of the grid. Levels below the network's least noise (AudioLDM 2: σ = 0.039) are stepped through at its timestep 0.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import torch

from bench.diffusion.samplers import Callback, Predict
from bench.diffusion.schedule import Levels, Schedule, alpha_of_sigma, sigma_of_alpha
from bench.errors import UsageError

SIGMA_MIN, SIGMA_MAX, RHO = 0.002, 80.0, 7.0
"""The grid of Karras et al., Table 1."""


def to_edm(x: torch.Tensor, alpha: float) -> torch.Tensor:
    """Latents of the VP view at ᾱ = `alpha` in the EDM view: x̄ = x / sqrt(ᾱ)."""
    return x / math.sqrt(alpha)


def to_vp(x: torch.Tensor, alpha: float) -> torch.Tensor:
    """Latents of the EDM view in the VP view at ᾱ = `alpha`: x = sqrt(ᾱ) x̄."""
    return x * math.sqrt(alpha)


def karras_sigmas(
    steps: int, *, sigma_min: float = SIGMA_MIN, sigma_max: float = SIGMA_MAX, rho: float = RHO
) -> Levels:
    """σ_i = (σ_max^{1/ρ} + i/(N−1) (σ_min^{1/ρ} − σ_max^{1/ρ}))^ρ for i = 0 … N−1 (eq. 5), shape (N,), descending.

    >>> karras_sigmas(3, sigma_min=0.0625, sigma_max=1.0, rho=2).round(6).tolist()
    [1.0, 0.390625, 0.0625]

    Raises:
        UsageError: unless there is a step, 0 < σ_min < σ_max and ρ > 0.
    """
    if steps < 1 or not 0 < sigma_min < sigma_max or rho <= 0:
        raise UsageError(
            f"there is no grid of {steps} noise levels from σ = {sigma_max} to {sigma_min} with ρ = {rho}",
            remedy=f"Published: sigma_min={SIGMA_MIN}, sigma_max={SIGMA_MAX}, rho={RHO}, with at least one step.",
            code="sigmas",
        )
    first, last = sigma_max ** (1 / rho), sigma_min ** (1 / rho)
    return np.asarray(np.linspace(first, last, steps) ** rho)


def karras_schedule(
    alphas: Levels, steps: int, *, sigma_min: float = SIGMA_MIN, sigma_max: float = SIGMA_MAX, rho: float = RHO
) -> Schedule:
    """The grid of Karras et al. for a VP network; its last step arrives at σ = 0.

    Args:
        alphas: ᾱ of the network's training timesteps, descending (`Backbone.alphas`).
        steps: N.
        sigma_min: least noise of the grid.
        sigma_max: most noise of the grid.
        rho: ρ, its curvature.

    Returns:
        A schedule whose timesteps are the nearest in log σ.

    Raises:
        UsageError: for an impossible grid, or one that begins above the network's most noise.
    """
    sigmas = karras_sigmas(steps, sigma_min=sigma_min, sigma_max=sigma_max, rho=rho)
    known = sigma_of_alpha(alphas)
    if sigma_max > known[-1]:
        raise UsageError(
            f"a grid from σ = {sigma_max} does not fit a network that was trained up to σ = {known[-1]:.1f}",
            remedy=f"Give a sigma_max of at most {known[-1]:.1f}.",
            code="sigmas",
        )
    return Schedule(tuple(_nearest(np.log(known), np.log(sigmas)).tolist()), alpha_of_sigma(sigmas), 1.0)


def _nearest(known: Levels, wanted: Levels) -> npt.NDArray[np.int64]:
    """For each wanted number the index of the nearest of ascending known ones; of two as near, the first."""
    above = np.searchsorted(known, wanted).clip(1, len(known) - 1)
    return np.where(wanted - known[above - 1] <= known[above] - wanted, above - 1, above)


def heun_calls(steps: int) -> int:
    """How often `heun_sample` calls the network in `steps` steps: twice a step, and once in the last.

    >>> [heun_calls(steps) for steps in (0, 1, 30)]
    [0, 1, 59]
    """
    return max(0, 2 * steps - 1)


def heun_sample(
    predict: Predict, x: torch.Tensor, schedule: Schedule, *, callback: Callback | None = None
) -> torch.Tensor:
    """Denoise latents along a schedule with Heun's method (Karras et al., Algorithm 2, deterministic).

    Args:
        predict: the network.
        x: latents of the VP view at the schedule's first level, (batch, channels, time, frequency).
        schedule: the steps to take. In the last one the slope is taken at its start alone.
        callback: called after each step, with latents of the VP view.

    Returns:
        Latents of the VP view at `schedule.alpha_end`, shaped like `x`.
    """
    for step, timestep in enumerate(schedule.timesteps):
        x = heun_step(predict, x, schedule, step)
        if callback is not None:
            callback(step, timestep, x)
    return x


def heun_step(predict: Predict, x: torch.Tensor, schedule: Schedule, step: int) -> torch.Tensor:
    """One step of `heun_sample`, for those who change the latents between steps.

    Args:
        predict: the network.
        x: latents of the VP view at the level where the step starts.
        schedule: of the whole way: in its last step the slope is taken at the start alone.
        step: its number, from 0.
    """
    alpha, alpha_next = schedule.levels[step : step + 2].tolist()
    width = float(schedule.sigmas_next[step] - schedule.sigmas[step])
    start, slope = to_edm(x, alpha), predict(x, schedule.timesteps[step])
    x = to_vp(start + width * slope, alpha_next)
    if step + 1 < len(schedule):
        slope_next = predict(x, schedule.timesteps[step + 1])
        x = to_vp(start + width * (slope + slope_next) / 2, alpha_next)
    return x
