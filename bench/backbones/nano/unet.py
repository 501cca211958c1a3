"""nano's U-Net: AudioLDM 2's layout in small, untrained, but with the gain of an ideal denoiser of white latents.

With plain random weights ε̂ has nothing to do with the noise, and sampling multiplies it by σ_max ≈ 77 (β from
0.0015 to 0.0195): nothing after the first steps would be audio. So the last layers are set by hand such that

    ε̂(x, t, prompt) = κ x + r(x, t, prompt)

exactly, where r is what the random network computes, small against x. Along the probability-flow ODE, dx̂/dσ = ε̂
with x̂ = x sqrt(1 + σ²), the linear part alone multiplies x̂ by (σ + sqrt(1 + σ²))^κ from no noise to σ. κ is chosen so
that this equals σ_max: white noise becomes latents of unit variance, and inversion makes noise of unit variance of
them. Guidance only amplifies differences between prompts, that is, of r.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from diffusers import AudioLDM2UNet2DConditionModel, DDIMScheduler

from bench.backbones.nano.weights import seeded

LATENT_CHANNELS = 8
LOA_WIDTH, TEXT_WIDTH = 48, 64

RESIDUAL = 0.2
"""Standard deviation of the random part r per unit of its last layer's input."""

_PEDESTAL = 16.0
"""Constant beside ±x in each group of the last normalisation: its deviation is then 0.2 % away from a constant."""


def scheduler() -> DDIMScheduler:
    """The published scheduler of AudioLDM 2."""
    return DDIMScheduler(
        num_train_timesteps=1000,
        beta_schedule="scaled_linear",
        beta_start=0.0015,
        beta_end=0.0195,
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
        timestep_spacing="leading",
    )


def unet_config() -> dict[str, Any]:
    """The published layout; widths 32/16/32/48 instead of 128/256/384/640, heads 1/1/2/3 instead of 8."""
    return {
        "sample_size": 256,
        "in_channels": LATENT_CHANNELS,
        "out_channels": LATENT_CHANNELS,
        "block_out_channels": (4 * LATENT_CHANNELS, 16, 32, 48),
        "down_block_types": ("DownBlock2D", *("CrossAttnDownBlock2D",) * 3),
        "up_block_types": (*("CrossAttnUpBlock2D",) * 3, "UpBlock2D"),
        "layers_per_block": 2,
        "cross_attention_dim": [[None, LOA_WIDTH, TEXT_WIDTH]] * 4,
        "attention_head_dim": (1, 1, 2, 3),  # the number of heads, despite its name
        "transformer_layers_per_block": 1,
        "norm_num_groups": LATENT_CHANNELS,
    }


def build_unet(seed: int) -> AudioLDM2UNet2DConditionModel:
    """The untrained network, ready to sample with."""
    unet = seeded(lambda: AudioLDM2UNet2DConditionModel(**unet_config()), seed)
    with torch.no_grad():
        _carry_input(unet)
        _read_out(unet)
    return unet


def unit_gain(noise_scheduler: DDIMScheduler) -> float:
    """κ with (σ + sqrt(1 + σ²))^κ = sqrt(1 + σ²) at the schedule's largest σ."""
    alpha = noise_scheduler.alphas_cumprod[-1].item()
    sigma = math.sqrt((1 - alpha) / alpha)
    return math.log(math.hypot(1, sigma)) / math.asinh(sigma)


def _carry_input(unet: Any) -> None:
    """Let channels 4i and 4i + 1 of the first layer be +x_i and −x_i; the other two stay random features of x."""
    weight = unet.conv_in.weight
    rows = np.arange(LATENT_CHANNELS)
    for offset, sign in ((0, 1.0), (1, -1.0)):
        weight[4 * rows + offset] = 0.0
        weight[4 * rows + offset, rows, 1, 1] = sign


def _read_out(unet: Any) -> None:
    """Make the last residual block and the output layers compute κ x + r.

    The last block of the U-Net sees the first layer's output again, through the outermost skip connection. Its
    shortcut passes ±x_i on to channels 4i and 4i + 1 and sets the other two to ± the pedestal; its convolution adds
    ±r_i to the first two. Group i of the last GroupNorm then holds (x + r, −x − r, +c, −c): mean 0, and a deviation
    of nearly c/√2 whatever x is, which the affine weight undoes. Last, SiLU(a) − SiLU(−a) = a.
    """
    block = unet.up_blocks[-1].resnets[-1]
    rows = np.arange(LATENT_CHANNELS)
    skip = block.conv_shortcut.in_channels - unet.conv_in.out_channels  # the skip comes after the hidden channels

    shortcut, residual = block.conv_shortcut, block.conv2
    shortcut.weight.zero_()
    for offset in (0, 1):
        shortcut.weight[4 * rows + offset, skip + 4 * rows + offset] = 1.0
    shortcut.bias[2::4] = _PEDESTAL
    shortcut.bias[3::4] = -_PEDESTAL

    residual.weight.mul_(RESIDUAL)
    residual.weight[1::4] = -residual.weight[0::4]
    residual.weight[2::4] = 0.0
    residual.weight[3::4] = 0.0

    unet.conv_norm_out.weight.fill_(_PEDESTAL / math.sqrt(2))
    unet.conv_out.weight.zero_()
    gain = unit_gain(scheduler())
    for offset, sign in ((0, gain), (1, -gain)):
        unet.conv_out.weight[rows, 4 * rows + offset, 1, 1] = sign
