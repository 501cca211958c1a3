"""nano without training: the same classes and layout, narrower, with random weights; for tests of what needs no music.

Its codec is the trained one, so that audio comes out. Its U-Net has the gain of an ideal denoiser of white latents.

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
from diffusers import AudioLDM2Pipeline, AudioLDM2ProjectionModel, AudioLDM2UNet2DConditionModel, DDIMScheduler
from transformers import ClapModel, GPT2Config, GPT2LMHeadModel, T5Config, T5EncoderModel

from bench.backbones.nano.clap import WIDTH, clap_config, feature_extractor
from bench.backbones.nano.config import (
    LATENT_CHANNELS,
    LOA_WIDTH,
    TEXT_WIDTH,
    gpt2_config,
    scheduler_config,
    t5_config,
    unet_config,
)
from bench.backbones.nano.griffin_lim import GriffinLim
from bench.backbones.nano.ship import read_part, read_words
from bench.backbones.nano.tokens import clap_tokenizer, t5_tokenizer
from bench.backbones.nano.weights import seeded
from bench.identity import derive_seed

RESIDUAL = 0.2
"""Standard deviation of the random part r per unit of its last layer's input."""

_PEDESTAL = 16.0
"""Constant beside ±x in each group of the last normalisation: its deviation is then 0.2 % away from a constant."""


def untrained_pipeline(seed: int = 0) -> AudioLDM2Pipeline:
    """A pipeline on the CPU in float32, in evaluation mode; the same weights, bit for bit, for the same seed.

    Args:
        seed: of the U-Net and the text side. Codec and vocoder do not depend on it.

    Raises:
        ModelError: if the codec's weights are not where they were installed.
    """
    words = read_words()
    tokenizer, tokenizer_2 = clap_tokenizer(words), t5_tokenizer(words)
    seeds = {part: derive_seed(seed, "nano", part) for part in ("clap", "t5", "projection", "gpt2", "unet")}
    return AudioLDM2Pipeline(
        vae=read_part("vae"),
        text_encoder=seeded(lambda: ClapModel(clap_config(len(tokenizer))), seeds["clap"]),
        text_encoder_2=_t5(seeds["t5"], len(tokenizer_2)),
        projection_model=seeded(_projection, seeds["projection"]),
        language_model=seeded(lambda: GPT2LMHeadModel(GPT2Config(**gpt2_config())), seeds["gpt2"]),
        tokenizer=tokenizer,
        tokenizer_2=tokenizer_2,
        feature_extractor=feature_extractor(),
        unet=build_unet(seeds["unet"]),
        scheduler=DDIMScheduler(**scheduler_config("epsilon")),
        vocoder=GriffinLim(),
    )


def _t5(seed: int, vocabulary: int) -> T5EncoderModel:
    config = T5Config(**t5_config(vocabulary))
    t5 = seeded(lambda: T5EncoderModel(config), seed)
    for block in t5.encoder.block:  # T5 does not scale its logits, its queries start small instead
        block.layer[0].SelfAttention.q.weight.data.mul_(config.d_kv**-0.5)
    return t5


def _projection() -> AudioLDM2ProjectionModel:
    return AudioLDM2ProjectionModel(text_encoder_dim=WIDTH, text_encoder_1_dim=TEXT_WIDTH, langauge_model_dim=LOA_WIDTH)


def build_unet(seed: int) -> AudioLDM2UNet2DConditionModel:
    """The untrained network, ready to sample with: widths 32/16/32/48."""
    config = unet_config((4 * LATENT_CHANNELS, 16, 32, 48))
    unet = seeded(lambda: AudioLDM2UNet2DConditionModel(**config), seed)
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
    gain = unit_gain(DDIMScheduler(**scheduler_config("epsilon")))
    for offset, sign in ((0, gain), (1, -gain)):
        unet.conv_out.weight[rows, 4 * rows + offset, 1, 1] = sign
