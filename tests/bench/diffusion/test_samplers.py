import math

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler

from bench.diffusion.samplers import add_noise, ddim_sample, ddim_step, seeded_noise
from bench.diffusion.schedule import Schedule

SHAPE = (2, 8, 5, 4)


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def reference(steps: int) -> DDIMScheduler:
    scheduler = DDIMScheduler(
        beta_start=0.0015,
        beta_end=0.0195,
        beta_schedule="scaled_linear",
        steps_offset=1,
        set_alpha_to_one=False,
        clip_sample=False,
    )
    scheduler.set_timesteps(steps)
    return scheduler


def schedule_of(scheduler: DDIMScheduler) -> Schedule:
    alphas = scheduler.alphas_cumprod.double().numpy()
    timesteps = tuple(int(t) for t in scheduler.timesteps)
    return Schedule(timesteps, alphas[list(timesteps)], float(scheduler.final_alpha_cumprod))


def network(x: torch.Tensor, timestep: int) -> torch.Tensor:
    """Some nonlinear function of both arguments, to stand for a U-Net."""
    return torch.tanh(1.3 * x.roll(1, dims=2) + math.sin(timestep / 100))


@pytest.mark.parametrize("eta", [0.0, 0.4, 1.0])
def test_ddim_agrees_with_diffusers_at_every_step(eta: float) -> None:
    scheduler = reference(20)
    start = torch.randn(SHAPE, generator=torch.Generator().manual_seed(0))

    def noise(step: int, shape: tuple[int, ...]) -> torch.Tensor:
        return torch.randn(shape, generator=torch.Generator().manual_seed(100 + step))

    ours: list[tuple[int, int, torch.Tensor]] = []
    final = ddim_sample(
        network,
        start,
        schedule_of(scheduler),
        eta=eta,
        noise=noise,
        callback=lambda step, timestep, x: ours.append((step, timestep, x)),
    )
    theirs = start
    for step, timestep in enumerate(scheduler.timesteps):
        eps = network(theirs, int(timestep))
        variance_noise = noise(step, SHAPE) if eta else None
        theirs = scheduler.step(eps, timestep, theirs, eta=eta, variance_noise=variance_noise).prev_sample
        assert ours[step][:2] == (step, int(timestep))
        torch.testing.assert_close(ours[step][2], theirs, rtol=1e-5, atol=1e-5)
    assert torch.equal(final, ours[-1][2])


def test_one_step_agrees_with_diffusers_to_1e_6() -> None:
    scheduler = reference(100)
    schedule = schedule_of(scheduler)
    x, eps = torch.randn(SHAPE), torch.randn(SHAPE)
    for timestep, alpha, alpha_next in zip(schedule.timesteps, schedule.alphas, schedule.alphas_next, strict=True):
        theirs = scheduler.step(eps, timestep, x).prev_sample
        torch.testing.assert_close(ddim_step(x, eps, alpha, alpha_next), theirs, rtol=1e-6, atol=1e-6)


def test_a_step_with_the_true_noise_moves_along_the_forward_process() -> None:
    """x0 and ε known: the step from ᾱ to ᾱ' must land on sqrt(ᾱ') x0 + sqrt(1−ᾱ') ε, in both directions."""
    x0, eps = torch.randn(SHAPE), torch.randn(SHAPE)
    for alpha, alpha_next in [(0.1, 0.6), (0.6, 0.1), (0.3, 1.0)]:
        moved = ddim_step(add_noise(x0, eps, alpha), eps, alpha, alpha_next)
        torch.testing.assert_close(moved, add_noise(x0, eps, alpha_next), rtol=1e-5, atol=1e-5)


def test_ancestral_step_keeps_the_variance_of_the_forward_process() -> None:
    """With x0 = 0 and the true ε, a step with any η leaves noise of variance 1−ᾱ'."""
    eps, z = torch.randn(200_000), torch.randn(200_000)
    for eta in (0.0, 0.5, 1.0):
        moved = ddim_step(add_noise(torch.zeros(200_000), eps, 0.2), eps, 0.2, 0.5, eta=eta, noise=z)
        assert moved.var().item() == pytest.approx(0.5, rel=0.02)


def test_eta_needs_noise_and_a_step_that_removes_some() -> None:
    x = torch.zeros(SHAPE)
    with pytest.raises(ValueError, match="needs noise"):
        ddim_step(x, x, 0.2, 0.5, eta=1.0)
    with pytest.raises(ValueError, match="less noise"):
        ddim_step(x, x, 0.5, 0.2, eta=1.0, noise=x)
    with pytest.raises(ValueError, match="needs noise"):
        ddim_sample(network, x, schedule_of(reference(5)), eta=0.5)


def test_noise_is_not_drawn_when_eta_is_zero() -> None:
    def never(step: int, shape: tuple[int, ...]) -> torch.Tensor:
        raise AssertionError("noise was drawn")

    ddim_sample(network, torch.zeros(SHAPE), schedule_of(reference(3)), noise=never)


def test_sdedit_from_a_part_of_the_schedule_restores_a_latent_that_the_network_knows() -> None:
    """A network that knows x0 brings it back from any strength: noise to the part's first level, then denoise."""
    x0 = torch.randn(SHAPE)
    schedule = schedule_of(reference(50)).part(0.4)
    assert len(schedule) == 20
    levels = dict(zip(schedule.timesteps, schedule.alphas.tolist(), strict=True))

    def knows_x0(x: torch.Tensor, timestep: int) -> torch.Tensor:
        alpha = levels[timestep]
        return (x - math.sqrt(alpha) * x0) / math.sqrt(1 - alpha)

    eps = torch.randn(SHAPE)
    start = add_noise(x0, eps, float(schedule.alphas[0]))
    end = ddim_sample(knows_x0, start, schedule)
    torch.testing.assert_close(end, add_noise(x0, eps, schedule.alpha_end), rtol=1e-4, atol=1e-4)


def test_a_row_of_seeded_noise_depends_on_its_seed_alone() -> None:
    batch = seeded_noise([5, 6, 7], (8, 4, 2))
    assert batch.shape == (3, 8, 4, 2)
    assert torch.equal(batch[1], seeded_noise([6], (8, 4, 2))[0])
    assert not torch.equal(batch[0], batch[1])
    state = torch.get_rng_state()
    seeded_noise([2**63 - 1], (4,))
    assert torch.equal(torch.get_rng_state(), state), "the global generator is left alone"


def test_seeded_noise_is_standard_normal() -> None:
    values = seeded_noise(list(range(64)), (1000,)).numpy()
    assert abs(values.mean()) < 0.02
    assert abs(values.std() - 1) < 0.02
    assert np.abs(np.corrcoef(values[:, :1000])[np.triu_indices(64, 1)]).max() < 0.15, "rows are independent"
