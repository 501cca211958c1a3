"""A diffusion model whose score is known exactly: data from N(0, s²), for tests with known answers.

At level ᾱ the latents are N(0, ᾱ s² + 1 − ᾱ), so ε(x) = sqrt(1−ᾱ) x / (ᾱ s² + 1 − ᾱ), and the probability flow only
stretches: from ᾱ to ᾱ' by sqrt((ᾱ' s² + 1 − ᾱ') / (ᾱ s² + 1 − ᾱ)).
"""

from __future__ import annotations

import math

import torch

from bench.diffusion.samplers import Predict
from bench.diffusion.schedule import Levels, Schedule, alpha_of_sigma

DEVIATION = 0.5


def variance(alpha: float) -> float:
    return alpha * DEVIATION**2 + 1 - alpha


def grid(sigmas: Levels, sigma_end: float = 0.0) -> Schedule:
    """A schedule over any σ grid, whose timesteps count the levels, so that the model knows each level exactly."""
    return Schedule(tuple(range(len(sigmas))), alpha_of_sigma(sigmas), float(alpha_of_sigma(sigma_end)))


def model(schedule: Schedule) -> Predict:
    """The exact ε of the levels of a schedule made by `grid`."""

    def predict(x: torch.Tensor, timestep: int) -> torch.Tensor:
        alpha = float(schedule.alphas[timestep])
        return math.sqrt(1 - alpha) / variance(alpha) * x

    return predict


def flow(x: torch.Tensor, alpha: float, alpha_next: float) -> torch.Tensor:
    """Where the probability flow takes latents from one level to another, exactly."""
    return x * math.sqrt(variance(alpha_next) / variance(alpha))
