"""Inversion: from a latent to the noise that a deterministic sampler would have started from.

DDIM inversion runs the η = 0 step backwards, with timesteps ascending. Where the exact inverse would need ε at
the point that it is about to reach, ε is taken at the point where it is: the network sees (x_cur, t), the latent
of the level before and the timestep of the level to come. The smaller the steps, the smaller that error.
"""

from __future__ import annotations

import torch

from bench.diffusion.samplers import Callback, Predict, ddim_step
from bench.diffusion.schedule import Schedule


def ddim_invert(
    predict: Predict, x0: torch.Tensor, schedule: Schedule, *, callback: Callback | None = None
) -> torch.Tensor:
    """Invert latents along a schedule with DDIM (Song et al., ICLR 2021, Sec. 4.3).

    For t ascending, with ᾱ_c the level before ᾱ_t (at first `schedule.alpha_end`):

        x ← sqrt(ᾱ_t/ᾱ_c) (x − sqrt(1−ᾱ_c) ε(x, t)) + sqrt(1−ᾱ_t) ε(x, t)

    Args:
        predict: the network, usually with an empty prompt and without guidance.
        x0: latents at `schedule.alpha_end`, (batch, channels, time, frequency).
        schedule: the steps that `ddim_sample` would take back.
        callback: called after each step with the latents at that timestep; step 0 is the one nearest to the audio.

    Returns:
        Latents at the schedule's first (noisiest) level, shaped like `x0`.
    """
    x, alpha = x0, schedule.alpha_end
    ascending = zip(reversed(schedule.timesteps), reversed(schedule.alphas.tolist()), strict=True)
    for step, (timestep, alpha_next) in enumerate(ascending):
        x = ddim_step(x, predict(x, timestep), alpha, alpha_next)
        alpha = alpha_next
        if callback is not None:
            callback(step, timestep, x)
    return x
