import math

import numpy as np
import pytest
import torch
from gaussian_model import flow, grid, model

from bench.backbone import Backbone
from bench.diffusion.edm import karras_sigmas
from bench.diffusion.guidance import guided
from bench.diffusion.inversion import ddim_invert
from bench.diffusion.samplers import add_noise, ddim_sample, seeded_noise
from bench.diffusion.schedule import Schedule

SHAPE = (2, 8, 6, 4)
BETAS = np.linspace(0.0015**0.5, 0.0195**0.5, 1000) ** 2
ALPHAS = np.cumprod(1 - BETAS)


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def schedule(steps: int) -> Schedule:
    timesteps = tuple(range(1 + (steps - 1) * (1000 // steps), 0, -(1000 // steps)))
    return Schedule(timesteps, ALPHAS[list(timesteps)], float(ALPHAS[0]))


def network(x: torch.Tensor, timestep: int) -> torch.Tensor:
    """A smooth nonlinear ε: near 0 for clean latents, near x for noisy ones."""
    noisiness = math.sqrt(1 - ALPHAS[timestep])
    return noisiness * torch.tanh(x) + 0.1 * torch.sin(2 * x.roll(1, dims=2))


def reconstruction_error(steps: int) -> float:
    x0 = torch.randn(SHAPE, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    noise = ddim_invert(network, x0, schedule(steps))
    back = ddim_sample(network, noise, schedule(steps))
    return float((back - x0).norm() / x0.norm())


def test_generation_undoes_inversion_ever_better_with_more_steps() -> None:
    coarse, middle, fine = (reconstruction_error(steps) for steps in (20, 100, 500))
    assert coarse > 3 * middle > 9 * fine
    assert fine < 0.02


@pytest.mark.parametrize("constant", [0.0, 0.7])
def test_inversion_is_exact_for_a_network_that_does_not_look_at_the_latent(constant: float) -> None:
    x0 = torch.randn(SHAPE, dtype=torch.float64)

    def blind(x: torch.Tensor, timestep: int) -> torch.Tensor:
        return torch.full_like(x, constant)

    noise = ddim_invert(blind, x0, schedule(50))
    torch.testing.assert_close(ddim_sample(blind, noise, schedule(50)), x0, rtol=1e-10, atol=1e-10)


def test_inversion_with_the_true_noise_lands_on_the_forward_process() -> None:
    x0, eps = torch.randn(SHAPE, dtype=torch.float64), torch.randn(SHAPE, dtype=torch.float64)
    steps = schedule(25)
    start = add_noise(x0, eps, steps.alpha_end)
    noise = ddim_invert(lambda x, t: eps, start, steps)
    torch.testing.assert_close(noise, add_noise(x0, eps, float(steps.alphas[0])), rtol=1e-9, atol=1e-9)


def test_inversion_follows_the_published_update() -> None:
    """Polyphonia's released loop: t ascending, network at (x_cur, t), previous timestep t−Δ clipped at 0."""
    steps, delta = schedule(10), 100
    x = x0 = torch.randn(SHAPE, dtype=torch.float64)
    seen: list[tuple[int, int]] = []
    for t in sorted(steps.timesteps):
        current = ALPHAS[max(0, t - delta)]
        eps = network(x, t)
        x = math.sqrt(ALPHAS[t] / current) * (x - math.sqrt(1 - current) * eps) + math.sqrt(1 - ALPHAS[t]) * eps
    ours = ddim_invert(network, x0, steps, callback=lambda step, t, _: seen.append((step, t)))
    torch.testing.assert_close(ours, x, rtol=1e-10, atol=1e-10)
    assert seen == list(enumerate(sorted(steps.timesteps)))


def test_a_part_of_the_schedule_inverts_only_that_far() -> None:
    x0 = torch.randn(SHAPE, dtype=torch.float64)
    whole: dict[int, torch.Tensor] = {}
    ddim_invert(network, x0, schedule(20), callback=lambda _, t, x: whole.update({t: x}))
    part = schedule(20).part(0.5)
    assert torch.equal(ddim_invert(network, x0, part), whole[part.timesteps[0]])


@pytest.mark.slow
def test_on_the_embedded_network_the_same_prompt_returns_the_latent(nano: Backbone) -> None:
    """Without guidance, at most 15 %, 10 % and 5 % off at 10, 20 and 50 steps."""
    x0 = seeded_noise([0], (8, 8, 16))
    predict = guided(nano, nano.condition(["A recording of soulful vocals and a deep bass."]))
    errors = []
    for steps in (10, 20, 50):
        back = ddim_sample(predict, ddim_invert(predict, x0, nano.schedule(steps)), nano.schedule(steps))
        errors.append(float((back - x0).norm() / x0.norm()))
    assert errors == sorted(errors, reverse=True)
    assert errors[0] < 0.15 and errors[1] < 0.1 and errors[2] < 0.05, errors


def known_model_errors(steps: int) -> tuple[float, float]:
    """How far inversion of a model with a known flow is from it, and how far generation then is from the start."""
    sigmas = karras_sigmas(steps, sigma_min=0.02, sigma_max=60.0)
    schedule = grid(sigmas)
    predict = model(schedule)
    x0 = torch.randn(SHAPE, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    noise = ddim_invert(predict, x0, schedule)
    expected = flow(x0, schedule.alpha_end, float(schedule.alphas[0]))
    back = ddim_sample(predict, noise, schedule)
    return float((noise - expected).norm() / expected.norm()), float((back - x0).norm() / x0.norm())


def test_on_a_model_with_a_known_flow_errors_fall_as_the_steps_grow() -> None:
    """First order: twice the steps, half the error, of the inversion and of the way there and back."""
    errors = np.array([known_model_errors(steps) for steps in (50, 100, 200, 400)])
    ratios = errors[:-1] / errors[1:]
    assert ((ratios > 1.6) & (ratios < 2.6)).all(), ratios
    assert errors[-1].max() < 0.03
