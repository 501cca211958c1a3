"""DDPM inversion: the maps give the latent back, whatever the network."""

import math

import numpy as np
import pytest
import torch
from gaussian_model import grid, model

from bench.backbone import Backbone
from bench.diffusion.ddpm import NoiseMaps, ddpm_invert
from bench.diffusion.edm import karras_sigmas
from bench.diffusion.guidance import guided
from bench.diffusion.samplers import Predict, add_noise, ddim_moments, ddim_sample, step_noise
from bench.diffusion.schedule import Schedule

SEEDS = [3, 4, 5]
X = torch.randn(3, 8, 6, 4, generator=torch.Generator().manual_seed(0))
SCHEDULE = grid(np.geomspace(60.0, 0.05, 20), 0.04)


def network(x: torch.Tensor, timestep: int) -> torch.Tensor:
    """Some nonlinear function of both arguments, to stand for a U-Net."""
    return torch.tanh(1.3 * x.roll(1, dims=2) + math.sin(timestep / 3))


def again(predict: Predict, maps: NoiseMaps, schedule: Schedule, eta: float = 1.0) -> torch.Tensor:
    return ddim_sample(predict, maps.start, schedule, eta=eta, noise=maps)


@pytest.mark.parametrize("tstart", [1, 7, 20])
@pytest.mark.parametrize("eta", [1.0, 0.3])
def test_the_same_network_returns_the_latent_from_any_start(tstart: int, eta: float) -> None:
    part = SCHEDULE.between(20 - tstart, 20)
    maps = ddpm_invert(network, X, part, noise=step_noise(SEEDS), eta=eta)
    assert maps.maps.shape == (tstart, *X.shape)
    assert (again(network, maps, part, eta) - X).abs().max() < 1e-5


@pytest.mark.parametrize("guidance", [1.0, 3.0])
def test_on_the_embedded_network_too(nano: Backbone, guidance: float) -> None:
    """With a source prompt and guidance, from the whole schedule and from a quarter of it."""
    x = torch.randn(2, 8, 8, 16, generator=torch.Generator().manual_seed(0))
    predict = guided(nano, nano.condition(["a warm cello", "loud drums"], negative=""), guidance)
    for strength in (1.0, 0.25):
        part = nano.schedule(8).part(strength)
        maps = ddpm_invert(predict, x, part, noise=step_noise([1, 2]))
        assert (again(predict, maps, part) - x).abs().max() < 1e-5


def test_another_network_leads_elsewhere() -> None:
    maps = ddpm_invert(network, X, SCHEDULE, noise=step_noise(SEEDS))
    assert (again(lambda x, t: 0.9 * network(x, t), maps, SCHEDULE) - X).abs().mean() > 0.01


def test_the_path_is_one_of_the_forward_process_with_independent_noise() -> None:
    """Every x_t is drawn by itself: steps along the path are longer than a forward process would take them."""
    seen: list[torch.Tensor] = []
    x0 = torch.zeros(1, 1, 100, 100, dtype=torch.float64)
    maps = ddpm_invert(model(SCHEDULE), x0, SCHEDULE, noise=step_noise([0]), callback=lambda step, t, x: seen.append(x))
    path = [maps.start, *seen]
    for x, alpha in zip(path[:-1], SCHEDULE.alphas, strict=True):
        assert x.var().item() == pytest.approx(1 - alpha, rel=0.06)
    correlations = np.corrcoef(np.stack([x.flatten().numpy() for x in path[:-1]]))
    assert np.abs(correlations[np.triu_indices(len(correlations), 1)]).max() < 0.05
    assert torch.equal(seen[-1], x0) or (seen[-1] - x0).abs().max() < 1e-12


def test_maps_below_a_level_do_not_depend_on_what_is_above() -> None:
    """So only the steps that are edited need to be inverted. The release inverts all, with the same maps below."""
    eps = {step: torch.randn(X.shape, generator=torch.Generator().manual_seed(step + 10)) for step in range(-1, 19)}
    whole = ddpm_invert(network, X, SCHEDULE, noise=lambda step, shape: eps[step])
    part = SCHEDULE.between(12, 20)
    lower = ddpm_invert(network, X, part, noise=lambda step, shape: eps[step + 12])
    torch.testing.assert_close(lower.start, add_noise(X, eps[11], float(part.alphas[0])))
    torch.testing.assert_close(lower.maps, whole.maps[12:], rtol=1e-3, atol=1e-3)


def test_maps_follow_the_published_formulas() -> None:
    """z = (x_p − μ) / σ with μ and σ from x̂0 and ε, as in the official code at η = 1."""
    eps = {step: torch.randn(X.shape, generator=torch.Generator().manual_seed(step + 10)) for step in range(-1, 19)}
    maps = ddpm_invert(network, X, SCHEDULE, noise=lambda step, shape: eps[step])
    for step in (0, 10, 18):
        a, p = float(SCHEDULE.levels[step]), float(SCHEDULE.levels[step + 1])
        x, x_p = add_noise(X, eps[step - 1], a), add_noise(X, eps[step], p)
        e = network(x, step)
        x0 = (x - (1 - a) ** 0.5 * e) / a**0.5
        variance = (1 - p) / (1 - a) * (1 - a / p)
        mu = p**0.5 * x0 + (1 - p - variance) ** 0.5 * e
        torch.testing.assert_close(maps.maps[step], (x_p - mu) / variance**0.5, rtol=1e-3, atol=1e-3)


def test_without_the_last_map_sampling_ends_at_the_mean_of_the_last_step() -> None:
    """As the release has it: near x0 where the last step's σ is small, but not at it."""
    maps = ddpm_invert(network, X, SCHEDULE, noise=step_noise(SEEDS))
    seen: list[torch.Tensor] = []
    ddim_sample(network, maps.start, SCHEDULE, eta=1.0, noise=maps, callback=lambda step, t, x: seen.append(x))
    alpha, alpha_end = SCHEDULE.levels[-2:].tolist()
    mean, deviation = ddim_moments(seen[-2], network(seen[-2], 19), alpha, alpha_end, eta=1.0)
    end = again(network, maps.without_last(), SCHEDULE)
    torch.testing.assert_close(end, mean)
    torch.testing.assert_close(X - end, deviation * maps.maps[-1], rtol=1e-3, atol=1e-4)


def test_where_the_last_step_has_no_noise_its_map_is_0() -> None:
    clean = grid(karras_sigmas(10))
    maps = ddpm_invert(model(clean), X, clean, noise=step_noise(SEEDS))
    assert torch.equal(maps.maps[-1], torch.zeros_like(X))
    assert torch.isfinite(again(model(clean), maps, clean)).all()


def test_a_row_depends_on_its_own_seed_alone() -> None:
    together = ddpm_invert(network, X, SCHEDULE, noise=step_noise(SEEDS))
    alone = ddpm_invert(network, X[1:2], SCHEDULE, noise=step_noise(SEEDS[1:2]))
    torch.testing.assert_close(alone.maps, together.maps[:, 1:2])


def test_no_steps_and_no_noise() -> None:
    empty = SCHEDULE.part(0.0)
    maps = ddpm_invert(network, X, empty, noise=step_noise(SEEDS))
    assert torch.equal(again(network, maps, empty), X)
    assert maps.without_last().maps.shape == (0, *X.shape)
    with pytest.raises(ValueError, match="no noise to read off"):
        ddpm_invert(network, X, SCHEDULE, noise=step_noise(SEEDS), eta=0.0)
