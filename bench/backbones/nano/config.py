"""The sizes of nano's parts: AudioLDM 2's classes and layout, small."""

from __future__ import annotations

from typing import Any

LATENT_CHANNELS = 8
LOA_WIDTH, TEXT_WIDTH = 48, 64
LOA_TOKENS = 8
MAX_TOKENS = 128
CLAP_TOKENS = 77
"""Longest prompt of T5, and of CLAP."""


def vae_config() -> dict[str, Any]:
    """AudioLDM 2's codec in small: one log-mel in, eight channels out, time and bands divided by four.

    Widths 16/32/64 instead of 128/256/512, one layer a block instead of two. Without attention in the middle, whose
    cost grows with the square of the duration and would dominate on a clip of ten seconds.
    """
    return {
        "in_channels": 1,
        "out_channels": 1,
        "latent_channels": LATENT_CHANNELS,
        "block_out_channels": (16, 32, 64),
        "layers_per_block": 1,
        "norm_num_groups": 8,
        "mid_block_add_attention": False,
        "sample_size": 64,
        "down_block_types": ("DownEncoderBlock2D",) * 3,
        "up_block_types": ("UpDecoderBlock2D",) * 3,
    }


def unet_config(widths: tuple[int, ...] = (32, 32, 64, 96), heads: tuple[int, ...] = (1, 1, 2, 3)) -> dict[str, Any]:
    """The published layout; 128/256/384/640 channels and 8 heads there.

    Args:
        widths: channels of the four levels.
        heads: of the attentions of each level.
    """
    return {
        "sample_size": 256,
        "in_channels": LATENT_CHANNELS,
        "out_channels": LATENT_CHANNELS,
        "block_out_channels": widths,
        "down_block_types": ("DownBlock2D", *("CrossAttnDownBlock2D",) * 3),
        "up_block_types": (*("CrossAttnUpBlock2D",) * 3, "UpBlock2D"),
        "layers_per_block": 2,
        "cross_attention_dim": [[None, LOA_WIDTH, TEXT_WIDTH]] * 4,
        "attention_head_dim": heads,  # the number of heads, despite its name
        "transformer_layers_per_block": 1,
        "norm_num_groups": LATENT_CHANNELS,
    }


def scheduler_config(prediction: str) -> dict[str, Any]:
    """The published scheduler of AudioLDM 2, for a network that predicts `epsilon` or `v_prediction`."""
    return {
        "num_train_timesteps": 1000,
        "beta_schedule": "scaled_linear",
        "beta_start": 0.0015,
        "beta_end": 0.0195,
        "clip_sample": False,
        "set_alpha_to_one": False,
        "steps_offset": 1,
        "timestep_spacing": "leading",
        "prediction_type": prediction,
    }


def t5_config(vocabulary: int) -> dict[str, Any]:
    """A T5 encoder of two layers."""
    return {
        "vocab_size": vocabulary,
        "d_model": TEXT_WIDTH,
        "d_kv": 16,
        "d_ff": 128,
        "num_layers": 2,
        "num_heads": 4,
        "feed_forward_proj": "gated-gelu",
        "dropout_rate": 0.0,
        "use_cache": False,
    }


def gpt2_config() -> dict[str, Any]:
    """A GPT-2 of two layers that generates the eight language-of-audio tokens."""
    return {
        "vocab_size": LOA_TOKENS,
        "n_positions": MAX_TOKENS + 16,
        "n_embd": LOA_WIDTH,
        "n_layer": 2,
        "n_head": 4,
        "resid_pdrop": 0.0,
        "embd_pdrop": 0.0,
        "attn_pdrop": 0.0,
        "bos_token_id": 0,
        "eos_token_id": 0,
        "max_new_tokens": LOA_TOKENS,
    }
