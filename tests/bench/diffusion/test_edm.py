"""The grid and the sampler of Karras et al., against diffusers' and against a model with a known flow."""

import math

import numpy as np
import pytest
import torch
from diffusers import HeunDiscreteScheduler
from gaussian_model import flow, grid, model

from bench.backbone import Backbone
from bench.diffusion.edm import heun_sample, karras_schedule, karras_sigmas
from bench.diffusion.samplers import ddim_sample
from bench.diffusion.schedule import alpha_of_sigma, sigma_of_alpha
from bench.errors import UsageError

X = torch.randn(2, 3, 4, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_the_grid_is_that_of_diffusers() -> None:
    theirs = HeunDiscreteScheduler(beta_start=0.0015, beta_end=0.0195, beta_schedule="scaled_linear")
    ends = np.array([0.05, 80.0])
    expected = theirs._convert_to_karras(in_sigmas=ends[::-1], num_inference_steps=30)
    np.testing.assert_allclose(karras_sigmas(30, sigma_min=0.05, sigma_max=80.0), expected, rtol=1e-6)


def test_the_grid_has_its_ends_and_falls() -> None:
    sigmas = karras_sigmas(30)
    np.testing.assert_allclose(sigmas[[0, -1]], [80, 0.002])
    assert (np.diff(sigmas) < 0).all()
    assert karras_sigmas(1).tolist() == pytest.approx([80])


@pytest.mark.parametrize("knobs", [{"sigma_min": 90.0}, {"sigma_min": 0.0}, {"rho": 0.0}])
def test_impossible_grids_are_refused(knobs: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="no grid of 30 noise levels"):
        karras_sigmas(30, **knobs)


def test_the_network_is_asked_at_the_nearest_timestep_and_the_latent_keeps_the_grid(nano: Backbone) -> None:
    schedule = karras_schedule(nano.alphas, 30)
    known = sigma_of_alpha(nano.alphas)
    assert list(schedule.timesteps) == sorted(schedule.timesteps, reverse=True)
    np.testing.assert_allclose(schedule.sigmas, karras_sigmas(30), rtol=1e-9)
    for timestep, sigma in zip(schedule.timesteps, schedule.sigmas, strict=True):
        if sigma > known[0]:  # half of the distance to the next level, in log σ, at most
            neighbours = known[max(0, timestep - 1) : timestep + 2]
            assert abs(math.log(sigma / known[timestep])) <= max(np.diff(np.log(neighbours))) / 2 + 1e-9
        else:
            assert timestep == 0
    assert (schedule.alpha_end, schedule.sigma_end) == (1.0, 0.0)


def test_a_grid_above_the_networks_noise_is_refused(nano: Backbone) -> None:
    with pytest.raises(UsageError, match=r"trained up to σ = 83\.8"):
        karras_schedule(nano.alphas, 30, sigma_max=100.0)


def test_heun_agrees_with_diffusers_at_every_step() -> None:
    scheduler = HeunDiscreteScheduler(
        beta_start=0.0015, beta_end=0.0195, beta_schedule="scaled_linear", use_karras_sigmas=True
    )
    scheduler.set_timesteps(12)
    sigmas = scheduler.sigmas.double()
    schedule = grid(torch.cat([sigmas[0:1], sigmas[1:-1:2]]).unique().flip(0).numpy())
    assert len(schedule) == 12

    def network(latents: torch.Tensor, timestep: int) -> torch.Tensor:
        return torch.tanh(1.3 * latents.roll(1, dims=2))

    theirs = X * sigmas[0]
    ours: list[torch.Tensor] = []
    start = theirs * math.sqrt(schedule.alphas[0])
    heun_sample(network, start, schedule, callback=lambda step, t, x: ours.append(x))
    for index, timestep in enumerate(scheduler.timesteps):
        eps = network(scheduler.scale_model_input(theirs, timestep), 0)
        theirs = scheduler.step(eps, timestep, theirs).prev_sample
        if index % 2 or index + 1 == len(scheduler.timesteps):
            alpha = float(schedule.levels[index // 2 + 1])
            torch.testing.assert_close(ours[index // 2], theirs * math.sqrt(alpha), rtol=1e-5, atol=1e-5)
    assert len(ours) == 12


def error(sample: object, steps: int) -> float:
    """Distance from the exact flow, from σ = 20 to 0.02."""
    sigmas = karras_sigmas(steps + 1, sigma_min=0.02, sigma_max=20.0)
    schedule = grid(sigmas[:-1], float(sigmas[-1]))
    end = sample(model(schedule), X, schedule)  # type: ignore[operator]
    return float((end - flow(X, float(schedule.alphas[0]), schedule.alpha_end)).norm() / X.norm())


def test_heun_is_of_second_order_and_ddim_of_first() -> None:
    heun = [error(heun_sample, steps) for steps in (20, 40, 80)]
    ddim = [error(ddim_sample, steps) for steps in (20, 40, 80)]
    assert 3 < heun[0] / heun[1] < 6 and 3 < heun[1] / heun[2] < 6
    assert 1.6 < ddim[0] / ddim[1] < 2.5 and 1.6 < ddim[1] / ddim[2] < 2.5
    assert heun[2] < ddim[2] / 10


def test_a_single_step_is_ddims() -> None:
    """A DDIM step is Euler's in the EDM view, and Heun's last step is Euler's."""
    schedule = grid(np.array([3.0]), 0.5)
    one, other = (sample(model(schedule), X, schedule) for sample in (heun_sample, ddim_sample))
    torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)
    assert torch.equal(heun_sample(model(schedule), X, schedule.part(0.0)), X)


def test_ddims_ancestral_step_is_the_euler_ancestral_step_of_the_edm_view() -> None:
    """k-diffusion's split of a step into σ_down and σ_up, with the noise given."""
    sigma, sigma_next = 5.0, 2.0
    schedule = grid(np.array([sigma]), sigma_next)
    predict, z = model(schedule), torch.randn(X.shape, generator=torch.Generator().manual_seed(1)).double()
    ours = ddim_sample(predict, X, schedule, eta=1.0, noise=lambda step, shape: z)
    up = math.sqrt(sigma_next**2 * (sigma**2 - sigma_next**2) / sigma**2)
    down = math.sqrt(sigma_next**2 - up**2)
    edm = X * math.sqrt(1 + sigma**2) + (down - sigma) * predict(X, 0) + up * z
    torch.testing.assert_close(ours, edm * math.sqrt(alpha_of_sigma(sigma_next)), rtol=1e-10, atol=1e-10)
