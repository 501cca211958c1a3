"""DDPM inversion: the noise maps with which ancestral sampling gives a latent back.

Huberman-Spiegelglas et al., "An Edit Friendly DDPM Noise Space", CVPR 2024, Alg. 1; for audio Manor & Michaeli,
ICML 2024. Where DDIM inversion looks for a starting point, this one keeps a *path*. It draws the latents of the path
at once, each with noise of its own,

    x_t = sqrt(ᾱ_t) x0 + sqrt(1−ᾱ_t) ε_t        (ε_t independent)

and reads off each step of DDIM with η > 0 the noise that leads from one to the next:

    z_t = (x_p − μ(x_t, ε(x_t, t))) / σ_t,      x_p ← μ + σ_t z_t

The assignment on the right is the published numerical fix: the next step starts from what sampling will really
arrive at. Sampling with these maps and the same network returns x0; with another prompt it is an edit. The
maps below a level do not depend on those above, so an edit that starts in the middle inverts only from there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from bench.diffusion.multistep import Multistep
from bench.diffusion.samplers import Callback, Noise, Predict, ddim_moments, noised
from bench.diffusion.schedule import Schedule


@dataclass(frozen=True, eq=False)
class NoiseMaps:
    """Where a path starts, and the noise of each of its steps. Called, it is the `noise` of `ddim_sample`.

    Attributes:
        start: latents at the first level of the schedule that was inverted, (batch, channels, time, frequency).
        maps: z of each step, (steps, batch, channels, time, frequency).
        rest: what is left between where the maps lead and x0, (batch, channels, time, frequency). It is 0 but for
            rounding, unless the last step has no noise.
    """

    start: torch.Tensor
    maps: torch.Tensor
    rest: torch.Tensor

    def __call__(self, step: int, shape: tuple[int, ...]) -> torch.Tensor:
        """The noise z of a step, for the rows that were inverted."""
        return self.maps[step].expand(shape)

    def without_last(self) -> NoiseMaps:
        """The same with z = 0 in the last step, as the published code has it.

        There the last step arrives at ᾱ = 1 in most models, where σ = 0 and no z can be read off. Where it does not
        (AudioLDM 2: ᾱ = 0.9985), sampling then ends at the mean of the last step, near x0 but not at it. Nor is there
        a rest.
        """
        maps = torch.cat([self.maps[:-1], torch.zeros_like(self.maps[-1:])])
        return replace(self, maps=maps, rest=torch.zeros_like(self.rest))


def ddpm_invert(
    predict: Predict,
    x0: torch.Tensor,
    schedule: Schedule,
    *,
    noise: Noise,
    eta: float = 1.0,
    order: int = 1,
    callback: Callback | None = None,
) -> NoiseMaps:
    """Find maps with which `ddim_sample(predict, maps.start, schedule, eta=eta, noise=maps)` + `maps.rest` is `x0`.

    Args:
        predict: the network, with the source's prompt or an empty one.
        x0: latents at `schedule.alpha_end`, (batch, channels, time, frequency).
        schedule: the steps that sampling will take; `schedule.part(strength)` for an edit that starts later.
        noise: source of ε_t: step −1 for the first level, i for the level that step i arrives at.
        eta: η of DDIM, above 0.
        order: of the solver, as that of `ddim_sample`: the maps are those of its steps, history included.
        callback: called after each step with the latents that it arrives at.

    Returns:
        The maps. A step without noise (σ = 0, as the last one to ᾱ = 1) has z = 0; what the network's prediction
        lacks there is the rest.

    Raises:
        ValueError: if `eta` is not above 0: a deterministic step has no noise that could lead to x_p; or for an order
            that there is not.
    """
    if eta <= 0:
        raise ValueError(f"eta {eta} leaves no noise to read off; use ddim_invert")
    x = start = noised(x0, schedule, noise)
    maps, solver = [], Multistep(order)
    for step, timestep in enumerate(schedule.timesteps):
        arrival = noised(x0, schedule.between(step + 1, len(schedule)), noise, step=step)
        alpha, alpha_next = schedule.levels[step : step + 2].tolist()
        eps = solver(x, predict(x, timestep), alpha, alpha_next)
        mean, deviation = ddim_moments(x, eps, alpha, alpha_next, eta=eta)
        z = (arrival - mean) / deviation if deviation > 0 else torch.zeros_like(mean)
        maps.append(z)
        x = mean + deviation * z
        if callback is not None:
            callback(step, timestep, x)
    return NoiseMaps(start, torch.stack(maps) if maps else x0.new_zeros(0, *x0.shape), x0 - x)
