"""DPM-Solver++(2M): known answers, and the inversion that knows its history."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from gaussian_model import flow, grid, model

from bench.diffusion.ddpm import ddpm_invert
from bench.diffusion.multistep import Multistep
from bench.diffusion.samplers import ddim_sample, step_noise

X = torch.randn(3, 8, 6, 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def error(steps: int, order: int) -> float:
    """Against the exact flow of a Gaussian, from σ = 20 to 0.05."""
    schedule = grid(np.geomspace(20.0, 0.05, steps + 1)[:-1], 0.05)
    exact = flow(X, float(schedule.alphas[0]), schedule.alpha_end)
    return float((ddim_sample(model(schedule), X, schedule, order=order) - exact).abs().max())


def test_the_order_is_the_order_of_convergence() -> None:
    """Twice the steps: half the error of DDIM, a quarter of this."""
    assert error(40, 1) / error(80, 1) == pytest.approx(2.0, rel=0.15)
    assert error(40, 2) / error(80, 2) == pytest.approx(4.0, rel=0.25)
    assert error(40, 2) < 0.2 * error(40, 1)


def test_a_step_follows_the_published_formula() -> None:
    """SDE-DPM-Solver++(2M), midpoint, in the EDM view: e^{-h} is the ratio of the σs."""
    sigmas = np.array([9.0, 4.0, 1.0])
    schedule, noise = grid(sigmas, 0.5), step_noise([1, 2, 3])
    predict = model(schedule)
    seen = [X]
    ddim_sample(predict, X, schedule, eta=1.0, noise=noise, order=2, callback=lambda step, t, x: seen.append(x))
    bar = [x * np.sqrt(1 + s**2) for x, s in zip(seen, [9.0, 4.0, 1.0, 0.5], strict=True)]
    m = [bar[i] - sigmas[i] * predict(seen[i], i) for i in range(3)]
    for step, (before, start, end) in enumerate([(9.0, 4.0, 1.0), (4.0, 1.0, 0.5)], start=1):
        ratio = end / start
        d1 = np.log(start / end) / np.log(before / start) * (m[step] - m[step - 1])
        mean = ratio**2 * bar[step] + (1 - ratio**2) * (m[step] + 0.5 * d1)
        z = noise(step, tuple(X.shape)).double()
        torch.testing.assert_close(bar[step + 1], mean + end * np.sqrt(1 - ratio**2) * z, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("sigma_end", [0.04, 0.0])
@pytest.mark.parametrize("eta", [1.0, 0.3])
def test_maps_with_history_return_the_latent(eta: float, sigma_end: float) -> None:
    schedule, x0 = grid(np.geomspace(500.0, 0.3, 12), sigma_end), X.float()

    def network(x: torch.Tensor, timestep: int) -> torch.Tensor:
        return torch.tanh(1.3 * x.roll(1, dims=2) + timestep / 3)

    for part in (schedule, schedule.part(0.5)):
        maps = ddpm_invert(network, x0, part, noise=step_noise([1, 2, 3]), eta=eta, order=2)
        back = ddim_sample(network, maps.start, part, eta=eta, noise=maps, order=2)
        assert (back + maps.rest - x0).abs().max() < 1e-5
        assert (maps.rest.abs().max() > 1e-3) == (sigma_end == 0.0), "what the last step without noise lacks"
        assert not maps.without_last().rest.any()
        wrong = ddim_sample(network, maps.start, part, eta=eta, noise=maps)
        assert (wrong + maps.rest - x0).abs().max() > 1e-3, "the maps are those of a solver with this history"


def test_there_are_two_orders() -> None:
    with pytest.raises(ValueError, match="order 3"):
        Multistep(3)
