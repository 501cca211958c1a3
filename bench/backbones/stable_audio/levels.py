"""Noise levels of Stable Audio Open: continuous time, and the published grid of σ.

The network knows a level by t = 2/π · atan σ in (0, 1). In this time the VP view is a rotation,

    x = cos(π t / 2) x0 + sin(π t / 2) ε,    ᾱ = cos²(π t / 2),

and x is what the network reads: the published scheduler keeps x̄ = x0 + σ ε and multiplies it by
1 / sqrt(σ² + 1) = sqrt(ᾱ) first (σ_data = 1).

Timesteps have to be whole numbers here (`bench.backbone`), so t is cut into a million equal cells, and timestep i is
the centre of the i-th: a level of the grid is off by at most 8e-7 of the rotation's angle. (In the network's time a
level moves by as little as 1e-5 from one of 1000 steps to the next.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self, cast

import numpy as np
import numpy.typing as npt

from bench.diffusion.edm import karras_sigmas
from bench.diffusion.schedule import Levels, Schedule
from bench.errors import ModelError, UsageError

TIMES = 1_000_000
"""Timesteps that there are."""

SCHEDULER = "CosineDPMSolverMultistepScheduler"
_SIGMAS = (0.3, 500.0)  # what is published, and diffusers' defaults


def time_of(timestep: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """The network's time t at a timestep.

    >>> time_of([0, 999_999]).tolist()
    [5e-07, 0.9999995]
    """
    return np.asarray((np.asarray(timestep, np.float64) + 0.5) / TIMES)


def alpha_of(timestep: npt.ArrayLike) -> Levels:
    """ᾱ at a timestep."""
    return np.asarray(np.cos(np.pi / 2 * time_of(timestep)) ** 2)


def timestep_of(sigma: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """The timestep nearest to σ > 0 in the network's time.

    >>> timestep_of([0.3, 1.0, 500.0]).tolist()
    [185547, 500000, 998726]
    """
    time = 2 / np.pi * np.arctan(np.asarray(sigma, np.float64))
    return np.asarray(np.minimum(np.floor(time * TIMES), TIMES - 1), np.int64)


@dataclass(frozen=True)
class Grid:
    """The σ of the published sampler; its last step arrives at σ = 0.

    Attributes:
        sigma_min, sigma_max: published: 0.3 and 500.
        spacing: published: "exponential", equal steps in log σ.
        rho: ρ of the spacing "karras".
    """

    sigma_min: float
    sigma_max: float
    spacing: Literal["exponential", "karras"]
    rho: float

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Self:
        """The grid of a scheduler's configuration.

        Raises:
            ModelError: if it is not a `CosineDPMSolverMultistepScheduler`, or has settings that the views and samplers
                of `bench.diffusion` do not express.
        """
        problem = _problem(config)
        if problem:
            raise ModelError(
                f"this Stable Audio pipeline cannot be used: {problem}",
                remedy="Use a checkpoint such as stabilityai/stable-audio-open-1.0 with the scheduler that is in it.",
                code="model/unsupported",
            )
        spacing = cast("Literal['exponential', 'karras']", config.get("sigma_schedule", "exponential"))
        sigmas = (float(config.get("sigma_min", _SIGMAS[0])), float(config.get("sigma_max", _SIGMAS[1])))
        return cls(*sigmas, spacing, float(config.get("rho", 7.0)))

    def sigmas(self, steps: int) -> Levels:
        """σ where each step starts, (steps,), descending."""
        if self.spacing == "karras" and steps > 1:
            return karras_sigmas(steps, sigma_min=self.sigma_min, sigma_max=self.sigma_max, rho=self.rho)
        return np.asarray(np.geomspace(self.sigma_max, self.sigma_min, steps))

    def schedule(self, steps: int) -> Schedule:
        """The grid as a schedule.

        Raises:
            UsageError: unless there is a step, and so few that all have timesteps of their own.
        """
        timesteps = tuple(timestep_of(self.sigmas(steps)).tolist()) if steps > 0 else ()
        if not timesteps or len(set(timesteps)) < steps:
            raise UsageError(f"there is no schedule of {steps} steps", remedy="Ask for 1 to 1000 steps.", code="steps")
        return Schedule(timesteps, alpha_of(timesteps), 1.0)


def _problem(config: Mapping[str, Any]) -> str | None:
    """Why a scheduler's configuration cannot be used; None if it can."""
    wanted = {
        "_class_name": (SCHEDULER,),
        "prediction_type": ("v_prediction",),
        "sigma_data": (1.0,),  # otherwise the network does not read latents of the VP view
        "sigma_schedule": ("exponential", "karras"),
        "final_sigmas_type": ("zero",),
    }
    for key, values in wanted.items():
        if config.get(key, values[0]) not in values:
            return f"its scheduler has {key} {config[key]!r}, not {' or '.join(repr(value) for value in values)}"
    sigma_min, sigma_max = config.get("sigma_min", _SIGMAS[0]), config.get("sigma_max", _SIGMAS[1])
    return None if 0 < sigma_min < sigma_max else f"its levels go from σ = {sigma_max} to {sigma_min}"
