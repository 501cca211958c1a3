"""The way of an inversion: kept, or computed again within a budget."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from gaussian_model import flow, grid, model

from bench.diffusion.inversion import ddim_invert
from bench.diffusion.trajectory import Trajectory, ddim_trajectory
from bench.errors import UsageError

STEPS = 50
SCHEDULE = grid(np.geomspace(60.0, 0.05, STEPS), 0.04)
X = torch.randn(1, 8, 6, 4, generator=torch.Generator().manual_seed(0))
SIZE = X.nelement() * 4


class Counted:
    """A network that counts how often it is called."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, x: torch.Tensor, timestep: int) -> torch.Tensor:
        self.calls += 1
        return 0.3 * torch.tanh(1.3 * x.roll(1, dims=2) + math.sin(timestep / 3))


def held(trajectory: Trajectory) -> int:
    return len(trajectory.kept) + len(trajectory._again)


def test_levels_are_where_sampling_steps_start() -> None:
    seen: dict[int, torch.Tensor] = {}
    network = Counted()
    way = ddim_trajectory(network, X, SCHEDULE, callback=lambda _, t, x: seen.update({t: x}))
    assert (len(way), network.calls) == (STEPS + 1, STEPS)
    assert torch.equal(way[STEPS], X)
    assert torch.equal(way[0], ddim_invert(Counted(), X, SCHEDULE))
    for level, timestep in enumerate(SCHEDULE.timesteps):
        assert torch.equal(way[level], seen[timestep])
    for level in (-1, STEPS + 1):
        with pytest.raises(IndexError, match=f"level {level} is not one of 0 to 50"):
            way[level]


def test_levels_follow_the_flow_of_a_known_model() -> None:
    way = ddim_trajectory(model(SCHEDULE), X, SCHEDULE)
    for level, alpha in enumerate(SCHEDULE.levels.tolist()):
        expected = flow(X, SCHEDULE.alpha_end, alpha)
        assert float((way[level] - expected).norm() / expected.norm()) < 0.15


@pytest.mark.parametrize("latents", [51, 40, 27, 20, 15])
def test_a_budget_changes_the_memory_and_nothing_else(latents: int) -> None:
    whole = ddim_trajectory(Counted(), X, SCHEDULE)
    network = Counted()
    way = ddim_trajectory(network, X, SCHEDULE, budget=latents * SIZE)
    most = 0
    for level in range(STEPS + 1):  # the order in which an edit asks
        assert torch.equal(way[level], whole[level])
        most = max(most, held(way))
    assert most <= latents
    assert network.calls == STEPS if latents == 51 else STEPS < network.calls < 2 * STEPS


def test_any_order_gives_the_same() -> None:
    whole = ddim_trajectory(Counted(), X, SCHEDULE)
    way = ddim_trajectory(Counted(), X, SCHEDULE, budget=15 * SIZE)
    for level in np.random.default_rng(0).permutation(STEPS + 1).tolist():
        assert torch.equal(way[level], whole[level])


def test_a_budget_that_nothing_fits_is_refused() -> None:
    with pytest.raises(UsageError, match="50 steps of inversion do not fit") as refused:
        ddim_trajectory(Counted(), X, SCHEDULE, budget=3 * SIZE)
    assert f"at least {15 * SIZE} bytes" in refused.value.remedy


def test_no_steps_have_one_level() -> None:
    for budget in (None, SIZE):
        way = ddim_trajectory(_never, X, SCHEDULE.part(0.0), budget=budget)
        assert len(way) == 1 and torch.equal(way[0], X)


_never: Callable[[torch.Tensor, int], torch.Tensor] = lambda x, t: pytest.fail("the network was called")  # noqa: E731
