"""Noise schedules: one object with the variance-preserving and the EDM view of the same levels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

Levels = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Schedule:
    """The noise levels of a run of N steps, from most to least noise.

    The variance-preserving view has x = sqrt(ᾱ) x0 + sqrt(1-ᾱ) ε; the EDM view divides by sqrt(ᾱ), so that
    x = x0 + σ ε with σ = sqrt((1-ᾱ)/ᾱ).

    Attributes:
        timesteps: N training timesteps, descending, at which the network is evaluated.
        alphas: ᾱ at each of them, shape (N,).
        alpha_end: ᾱ that the last step arrives at (AudioLDM 2: ᾱ of timestep 0, not 1).
    """

    timesteps: tuple[int, ...]
    alphas: Levels
    alpha_end: float

    def __len__(self) -> int:
        return len(self.timesteps)

    @cached_property
    def alphas_next(self) -> Levels:
        """ᾱ that each step arrives at, shape (N,)."""
        return np.append(self.alphas[1:], self.alpha_end)

    @cached_property
    def sigmas(self) -> Levels:
        """σ of the EDM view at each timestep, shape (N,)."""
        return np.asarray(np.sqrt((1 - self.alphas) / self.alphas))

    def part(self, strength: float) -> Schedule:
        """The last `strength` (0 to 1) of the steps: where an edit starts that keeps part of the source.

        At least one step is kept.
        """
        if not 0 < strength <= 1:
            raise ValueError(f"strength {strength} is not in (0, 1]")
        first = len(self) - max(1, round(strength * len(self)))
        return Schedule(self.timesteps[first:], self.alphas[first:], self.alpha_end)
