from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler

from bench.backbones.nano.config import LOA_WIDTH, TEXT_WIDTH, scheduler_config
from bench.backbones.nano.untrained import unit_gain


def scheduler() -> DDIMScheduler:
    return DDIMScheduler(**scheduler_config("epsilon"))


def _epsilon(pipeline, latents: torch.Tensor, timestep: int, prompt: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(prompt)
    loa = torch.randn(1, 8, LOA_WIDTH, generator=generator).expand(len(latents), -1, -1)
    text = torch.randn(1, 12, TEXT_WIDTH, generator=generator).expand(len(latents), -1, -1)
    with torch.no_grad():
        return pipeline.unet(latents, timestep, encoder_hidden_states=loa, encoder_hidden_states_1=text).sample


def _ddim(pipeline, latents: torch.Tensor, steps: int, *, invert: bool, guidance: float = 1.0) -> torch.Tensor:
    noise = scheduler()
    noise.set_timesteps(steps)
    alphas = noise.alphas_cumprod
    timesteps = [int(t) for t in noise.timesteps]
    for t in timesteps[::-1] if invert else timesteps:
        here, there = alphas[t], alphas[max(t - 1000 // steps, 0)]
        start, end = (there, here) if invert else (here, there)
        epsilon = _epsilon(pipeline, latents, t, prompt=0)
        if guidance != 1.0:
            epsilon = epsilon + guidance * (_epsilon(pipeline, latents, t, prompt=1) - epsilon)
        clean = (latents - (1 - start).sqrt() * epsilon) / start.sqrt()
        latents = end.sqrt() * clean + (1 - end).sqrt() * epsilon
    return latents


@pytest.fixture(scope="module")
def noise() -> torch.Tensor:
    return torch.randn(1, 8, 16, 16, generator=torch.Generator().manual_seed(3))


def test_published_layout(pipeline) -> None:
    attentions = [name for name in pipeline.unet.attn_processors if ".attn2." in name]
    assert len(attentions) == 48
    assert pipeline.unet.config.layers_per_block == 2
    assert len(set(pipeline.unet.config.cross_attention_dim[0])) == 3


def test_gain_is_that_of_white_latents() -> None:
    """Integrate dx̂/dσ = κ x̂ / sqrt(1 + σ²) from σ = 0 to the end: unit variance must stay unit variance."""
    alpha = scheduler().alphas_cumprod[-1].item()
    sigma, steps = math.sqrt((1 - alpha) / alpha), 200_000
    levels = (np.arange(steps) + 0.5) * sigma / steps
    log_gain = unit_gain(scheduler()) * np.sum(1 / np.hypot(1, levels)) * sigma / steps
    assert log_gain == pytest.approx(math.log(math.hypot(1, sigma)), rel=1e-3)


@pytest.mark.parametrize("timestep", [1, 501, 991])
def test_prediction_is_scaled_input_plus_a_small_part(pipeline, noise: torch.Tensor, timestep: int) -> None:
    residual = _epsilon(pipeline, noise, timestep, 0) - unit_gain(scheduler()) * noise
    assert 0.02 < residual.std() < 0.2


def test_prompt_and_timestep_matter(pipeline, noise: torch.Tensor) -> None:
    epsilon = _epsilon(pipeline, noise, 501, 0)
    assert (epsilon - _epsilon(pipeline, noise, 501, 1)).std() > 0.01
    assert (epsilon - _epsilon(pipeline, noise, 901, 0)).std() > 0.003


@pytest.mark.parametrize("steps", [20, 60])
def test_guided_samples_have_unit_variance(pipeline, noise: torch.Tensor, steps: int) -> None:
    sample = _ddim(pipeline, noise, steps, invert=False, guidance=3.5)
    assert torch.isfinite(sample).all()
    assert 0.7 < sample.std() < 1.5


def test_ddim_inversion_ends_near_unit_variance_and_comes_back(pipeline, noise: torch.Tensor) -> None:
    inverted = _ddim(pipeline, noise, 30, invert=True)
    assert 0.7 < inverted.std() < 1.5
    assert (_ddim(pipeline, inverted, 30, invert=False) - noise).std() < 0.1
    assert (_ddim(pipeline, inverted, 30, invert=False, guidance=3.5) - noise).std() > 0.15
