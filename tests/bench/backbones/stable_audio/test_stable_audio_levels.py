"""Noise levels of Stable Audio Open: the published grid, and both views of it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tiny_stable_audio import SCHEDULER, scheduler_module

from bench.backbones.stable_audio.levels import TIMES, Grid, alpha_of, time_of, timestep_of
from bench.diffusion.edm import karras_schedule, to_edm, to_vp
from bench.diffusion.schedule import alpha_of_sigma, sigma_of_alpha
from bench.errors import ModelError, UsageError

GRID = Grid.of(SCHEDULER)


@pytest.mark.parametrize("spacing", ["exponential", "karras"])
@pytest.mark.parametrize("steps", [2, 100, 999])
def test_the_grid_is_the_published_schedulers(spacing: str, steps: int) -> None:
    scheduler = scheduler_module().CosineDPMSolverMultistepScheduler(**{**SCHEDULER, "sigma_schedule": spacing})
    scheduler.set_timesteps(steps)
    schedule = Grid.of(dict(scheduler.config)).schedule(steps)
    theirs = scheduler.sigmas.double().numpy()
    angle = np.abs(np.arctan(schedule.sigmas) - np.arctan(theirs[:-1]))
    assert angle.max() < 2e-6, "what a level is off by, as an angle between x0 and noise; theirs is float32"
    np.testing.assert_allclose(time_of(schedule.timesteps), scheduler.timesteps.numpy(), atol=1e-6)
    assert (schedule.sigma_end, theirs[-1]) == (0.0, 0.0)
    assert len(set(schedule.timesteps)) == steps


def test_both_views_of_a_level_are_exact_both_ways() -> None:
    schedule = GRID.schedule(100)
    np.testing.assert_allclose(alpha_of_sigma(schedule.sigmas), schedule.alphas, rtol=1e-12)
    np.testing.assert_allclose(sigma_of_alpha(schedule.alphas), np.tan(np.pi / 2 * time_of(schedule.timesteps)))
    x = torch.randn(2, 3, 4, 1, dtype=torch.float64)
    for alpha in schedule.alphas[[0, 50, 99]]:
        torch.testing.assert_close(to_vp(to_edm(x, alpha), alpha), x, rtol=1e-14, atol=0)


def test_every_timestep_is_the_nearest_to_its_own_level() -> None:
    timesteps = np.array([0, 1, 185_547, TIMES // 2, TIMES - 2, TIMES - 1])
    np.testing.assert_array_equal(timestep_of(sigma_of_alpha(alpha_of(timesteps))), timesteps)
    assert alpha_of(0) < 1
    assert alpha_of(TIMES - 1) > 0


def test_an_edit_can_start_at_any_level() -> None:
    """The pipeline adds σ_max to what it is given; parts of the schedule begin where they are asked to."""
    schedule = GRID.schedule(100)
    assert schedule.part(0.5).sigmas[0] == pytest.approx(schedule.sigmas[50])
    below = schedule.part_below(0.01)
    assert below.sigmas[0] == pytest.approx(5.0, rel=0.05)
    assert below.alpha_end == 1.0


def test_the_grid_of_karras_finds_its_timesteps() -> None:
    schedule = karras_schedule(alpha_of(np.arange(TIMES)), 30)
    np.testing.assert_allclose(np.tan(np.pi / 2 * time_of(schedule.timesteps)), schedule.sigmas, rtol=1e-3)


def test_a_single_step_begins_at_the_most_noise() -> None:
    """Where diffusers' exponential grid of one step has σ_min, and its pipeline starts at σ_max all the same."""
    assert GRID.schedule(1).sigmas[0] == pytest.approx(500, rel=1e-3)


@pytest.mark.parametrize("steps", [0, -1, 20_000])
def test_a_schedule_that_there_is_not_is_refused(steps: int) -> None:
    with pytest.raises(UsageError) as caught:
        GRID.schedule(steps)
    assert caught.value.code == "steps"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"_class_name": "DDIMScheduler"}, "DDIMScheduler"),
        ({"prediction_type": "epsilon"}, "prediction_type 'epsilon'"),
        ({"sigma_data": 0.5}, "sigma_data 0.5"),
        ({"sigma_schedule": "linear"}, "'exponential' or 'karras'"),
        ({"final_sigmas_type": "sigma_min"}, "final_sigmas_type"),
        ({"sigma_min": 600.0}, "from σ = 500 to 600"),
    ],
)
def test_a_scheduler_that_cannot_be_driven_is_refused(change: dict[str, object], said: str) -> None:
    with pytest.raises(ModelError) as caught:
        Grid.of({**SCHEDULER, **change})
    assert caught.value.code == "model/unsupported"
    assert said in caught.value.cause
