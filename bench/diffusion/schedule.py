"""Noise schedules: one object with the variance-preserving and the EDM view of the same levels.

The variance-preserving (VP) view, in which all latents of this project are kept, has x = sqrt(ᾱ) x0 + sqrt(1−ᾱ) ε. The
EDM view (Karras et al., NeurIPS 2022) divides by sqrt(ᾱ), so that x̄ = x0 + σ ε. One level in both:

    σ = sqrt((1−ᾱ) / ᾱ),   ᾱ = 1 / (1 + σ²)

An edit that keeps part of the source starts in the middle of a schedule. Papers count "how far" in two ways that are
not the same: by the *fraction of the schedule's steps* (`Schedule.part`), or by the *fraction of σ_max*
(`Schedule.part_below`). On the grid of Karras et al., 0.65 of the steps is σ = 8.6, and 0.65 of σ_max is σ = 52.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

Levels = npt.NDArray[np.float64]


def sigma_of_alpha(alpha: npt.ArrayLike) -> Levels:
    """σ of the EDM view for ᾱ in (0, 1]; the inverse of `alpha_of_sigma`.

    >>> float(sigma_of_alpha(0.5))
    1.0
    """
    alphas = np.asarray(alpha, dtype=np.float64)
    return np.asarray(np.sqrt((1 - alphas) / alphas))


def alpha_of_sigma(sigma: npt.ArrayLike) -> Levels:
    """ᾱ of the VP view for σ ≥ 0; the inverse of `sigma_of_alpha`.

    >>> float(alpha_of_sigma(1.0))
    0.5
    """
    return np.asarray(1 / (1 + np.asarray(sigma, dtype=np.float64) ** 2))


def steps_of_part(steps: int, strength: float) -> int:
    """How many of `steps` steps `Schedule.part` keeps: the nearest whole number, at least 1; none for strength 0.

    >>> [steps_of_part(200, strength) for strength in (0.0, 0.001, 0.5, 1.0)]
    [0, 1, 100, 200]

    Raises:
        ValueError: for a strength outside [0, 1].
    """
    if not 0 <= strength <= 1:
        raise ValueError(f"strength {strength} is not in [0, 1]")
    return max(1, round(strength * steps)) if strength > 0 else 0


def steps_below(sigmas: Levels, fraction: float) -> int:
    """How many steps `Schedule.part_below` keeps of a descending σ grid: those from argmin |σ − fraction · σ_max| on.

    >>> steps_below(np.array([80.0, 40.0, 10.0, 1.0]), 0.45)
    3

    Raises:
        ValueError: for a fraction outside [0, 1].
    """
    if not 0 <= fraction <= 1:
        raise ValueError(f"fraction {fraction} of σ_max is not in [0, 1]")
    if fraction == 0:
        return 0
    return len(sigmas) - int(np.argmin(np.abs(sigmas - fraction * sigmas[0])))


@dataclass(frozen=True, eq=False)
class Schedule:
    """The noise levels of a run of N steps, from most to least noise.

    Attributes:
        timesteps: N training timesteps, not ascending, at which the network is evaluated. A grid that is finer than
            the training timesteps (`bench.diffusion.edm`) may name one several times.
        alphas: ᾱ at each of them, shape (N,), ascending.
        alpha_end: ᾱ that the last step arrives at (AudioLDM 2: ᾱ of timestep 0, not 1).
    """

    timesteps: tuple[int, ...]
    alphas: Levels
    alpha_end: float

    def __len__(self) -> int:
        return len(self.timesteps)

    @cached_property
    def levels(self) -> Levels:
        """ᾱ at every point of the way: where each step starts, and where the last one arrives; shape (N + 1,)."""
        return np.append(self.alphas, self.alpha_end)

    @property
    def alphas_next(self) -> Levels:
        """ᾱ that each step arrives at, shape (N,)."""
        return self.levels[1:]

    @cached_property
    def sigmas(self) -> Levels:
        """σ of the EDM view at each timestep, shape (N,)."""
        return sigma_of_alpha(self.alphas)

    @cached_property
    def sigma_end(self) -> float:
        """σ that the last step arrives at."""
        return float(sigma_of_alpha(self.alpha_end))

    @cached_property
    def sigmas_next(self) -> Levels:
        """σ that each step arrives at, shape (N,)."""
        return sigma_of_alpha(self.alphas_next)

    def part(self, strength: float) -> Schedule:
        """The last `strength` of the steps, by *fraction of the schedule*: where an edit starts that keeps the source.

        At least one step is kept, except for strength 0, which keeps none.

        Raises:
            ValueError: for a strength outside [0, 1].
        """
        return self.between(len(self) - steps_of_part(len(self), strength), len(self))

    def part_below(self, fraction: float) -> Schedule:
        """The steps from t* = argmin |σ_t − fraction · σ_max| on, by *fraction of σ_max*; fraction 0 keeps none.

        Raises:
            ValueError: for a fraction outside [0, 1].
        """
        return self.between(len(self) - steps_below(self.sigmas, fraction), len(self))

    def between(self, first: int, last: int) -> Schedule:
        """Steps `first`, …, `last` − 1 alone: from the level at which `first` starts to the one at which `last` does.

        Raises:
            ValueError: unless 0 ≤ first ≤ last ≤ N.
        """
        if not 0 <= first <= last <= len(self):
            raise ValueError(f"steps {first} to {last} are not among the {len(self)} of this schedule")
        return Schedule(self.timesteps[first:last], self.alphas[first:last], float(self.levels[last]))
