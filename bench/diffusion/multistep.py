"""DPM-Solver++(2M): steps of DDIM that look at the step before (Lu et al., arXiv 2211.01095, Alg. 2).

DDIM moves towards the x̂0 of the present level. The multistep solver moves towards where x̂0 will be in the middle of
the step, on the line through the last two (in λ = −ln σ of the EDM view):

    D = x̂0 + h / (2 h') (x̂0 − x̂0'),    h the step's width in λ, h' and x̂0' those of the step before

With η = 0 that is the paper's solver of the ODE, with η = 1 that of the SDE ("SDE-DPM-Solver++", midpoint), which is
what Stable Audio Open samples with. The first step, and one that arrives at σ = 0, are steps of DDIM.
"""

from __future__ import annotations

import math

import torch


class Multistep:
    """The history of a solver. Called once a step, from most to least noise, it corrects the step's ε.

    Args:
        order: 1 leaves ε as it is, 2 puts D in the place of x̂0.

    Raises:
        ValueError: for another order.
    """

    def __init__(self, order: int):
        if order not in (1, 2):
            raise ValueError(f"there is no solver of order {order} here, only 1 and 2")
        self._order = order
        self._before: tuple[float, torch.Tensor] | None = None

    def __call__(self, x: torch.Tensor, eps: torch.Tensor, alpha: float, alpha_next: float) -> torch.Tensor:
        """The ε with which a step of DDIM becomes one of this solver.

        Args:
            x: latents at `alpha`, any shape.
            eps: predicted noise, same shape.
            alpha: ᾱ that `x` is at, in (0, 1).
            alpha_next: ᾱ to arrive at, in (`alpha`, 1].
        """
        if self._order == 1:
            return eps
        x0 = (x - math.sqrt(1 - alpha) * eps) / math.sqrt(alpha)
        before, self._before = self._before, (_lambda(alpha), x0)
        if before is None or alpha_next == 1:
            return eps
        ratio = (_lambda(alpha_next) - _lambda(alpha)) / (_lambda(alpha) - before[0])
        ahead = x0 + ratio / 2 * (x0 - before[1])
        return (x - math.sqrt(alpha) * ahead) / math.sqrt(1 - alpha)


def _lambda(alpha: float) -> float:
    """−ln σ of the EDM view, half the logarithm of the signal-to-noise ratio."""
    return 0.5 * (math.log(alpha) - math.log1p(-alpha))
