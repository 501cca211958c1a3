"""The latents of a DDIM inversion at every level, all kept or some of them computed again.

Methods that clamp an edit to its source, or look at what the network saw of it, need the whole inversion and not its
end alone. A latent is small (AudioLDM 2, 10 s: 128 KiB), but at several hundred levels and with several sources at
once that can be too much. With a memory budget only every k-th latent is kept; the k − 1 between two of them are
computed again, all at once, when the first is asked for. Going through all levels in order, as an edit does, then
costs N − N/k more network calls, once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch

from bench.diffusion.inversion import ddim_invert
from bench.diffusion.samplers import Callback, Predict
from bench.diffusion.schedule import Schedule
from bench.errors import UsageError


@dataclass(frozen=True, eq=False)
class Trajectory:
    """Latents of an inversion by level: 0 is the noisiest, `len(schedule)` the latent that was inverted.

    Level i is where step i of sampling starts. In inversion the network saw level i + 1 at timestep i.

    Attributes:
        predict: the network of the inversion. It is called again for levels that were not kept.
        schedule: the steps of the inversion.
        kept: level → latents; the last level is always among them.
    """

    predict: Predict
    schedule: Schedule
    kept: Mapping[int, torch.Tensor]
    _again: dict[int, torch.Tensor] = field(init=False, repr=False, default_factory=dict)

    def __len__(self) -> int:
        return len(self.schedule) + 1

    def __getitem__(self, level: int) -> torch.Tensor:
        """Latents at a level, shaped like what was inverted.

        Raises:
            IndexError: for a level that the schedule does not have.
        """
        if not 0 <= level < len(self):
            raise IndexError(f"level {level} is not one of 0 to {len(self) - 1}")
        if level in self.kept:
            return self.kept[level]
        if level not in self._again:
            self._compute_again(level)
        return self._again[level]

    def _compute_again(self, level: int) -> None:
        """All latents between the kept levels around `level`, in place of those computed before."""
        after = min(kept for kept in self.kept if kept > level)
        first = max((kept + 1 for kept in self.kept if kept < level), default=0)
        self._again.clear()

        def keep(step: int, _timestep: int, latents: torch.Tensor) -> None:
            self._again[after - 1 - step] = latents

        ddim_invert(self.predict, self.kept[after], self.schedule.between(first, after), callback=keep)


def ddim_trajectory(
    predict: Predict,
    x0: torch.Tensor,
    schedule: Schedule,
    *,
    budget: int | None = None,
    callback: Callback | None = None,
) -> Trajectory:
    """Invert latents with DDIM and keep the way.

    Args:
        predict: the network, usually with an empty prompt and without guidance.
        x0: latents at `schedule.alpha_end`, (batch, channels, time, frequency).
        schedule: the steps that sampling would take back.
        callback: called after each step, as by `ddim_invert`.
        budget: bytes that the latents may take, those computed again included; None keeps all.

    Raises:
        UsageError: if no choice of what to keep fits the budget.
    """
    every = _interval(len(schedule), x0.element_size() * x0.nelement(), budget)
    kept = {len(schedule): x0}

    def keep(step: int, timestep: int, latents: torch.Tensor) -> None:
        level = len(schedule) - 1 - step
        if level % every == 0:
            kept[level] = latents
        if callback is not None:
            callback(step, timestep, latents)

    ddim_invert(predict, x0, schedule, callback=keep)
    return Trajectory(predict, schedule, kept)


def _interval(steps: int, size: int, budget: int | None) -> int:
    """The smallest k such that every k-th of the levels, x0 and k − 1 latents between two of them fit the budget."""
    if budget is None:
        return 1
    needed = {every: (-(-steps // every) + every) * size for every in range(1, max(1, steps) + 1)}
    fitting = [every for every, bytes_needed in needed.items() if bytes_needed <= budget]
    if not fitting:
        raise UsageError(
            f"{steps} steps of inversion do not fit into {budget} bytes",
            remedy=f"Allow at least {min(needed.values())} bytes, or take fewer steps.",
            code="trajectory-budget",
        )
    return fitting[0]
