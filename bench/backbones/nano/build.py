"""Build nano: an `AudioLDM2Pipeline` of the published classes, small enough for a CPU, without any download.

Trained: the codec (`train_vae.py`), whose weights lie beside this file. Computed: the vocoder. Everything else is drawn
from a seed, that is, untrained. See `docs/nano.md`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from diffusers import AudioLDM2Pipeline, AutoencoderKL

from bench.backbones.nano import text
from bench.backbones.nano.griffin_lim import GriffinLim
from bench.backbones.nano.unet import LATENT_CHANNELS, build_unet, scheduler
from bench.errors import ModelError
from bench.identity import derive_seed

VAE_DIRECTORY = Path(__file__).with_name("vae")


def build_pipeline(seed: int = 0) -> AudioLDM2Pipeline:
    """The pipeline on the CPU in float32, in evaluation mode; the same weights, bit for bit, for the same seed.

    Args:
        seed: of the U-Net and the text side. Codec and vocoder do not depend on it.

    Raises:
        ModelError: if the codec's weights are not where they were installed.
    """
    tokenizer, tokenizer_2 = text.clap_tokenizer(), text.t5_tokenizer()
    return AudioLDM2Pipeline(
        vae=load_vae(),
        text_encoder=text.build_clap(derive_seed(seed, "nano", "text_encoder"), len(tokenizer)),
        text_encoder_2=text.build_t5(derive_seed(seed, "nano", "text_encoder_2"), len(tokenizer_2)),
        projection_model=text.build_projection(derive_seed(seed, "nano", "projection_model")),
        language_model=text.build_gpt2(derive_seed(seed, "nano", "language_model")),
        tokenizer=tokenizer,
        tokenizer_2=tokenizer_2,
        feature_extractor=text.feature_extractor(),
        unet=build_unet(derive_seed(seed, "nano", "unet")),
        scheduler=scheduler(),
        vocoder=GriffinLim(),
    )


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


def load_vae() -> AutoencoderKL:
    """The trained codec, in float32.

    Raises:
        ModelError: if its files are absent or damaged.
    """
    try:
        vae = AutoencoderKL.from_pretrained(VAE_DIRECTORY, torch_dtype=torch.float32, low_cpu_mem_usage=False)
    except (OSError, ValueError) as error:
        raise ModelError(
            "the weights of nano's codec cannot be read",
            where=str(VAE_DIRECTORY),
            remedy="Install timbrebench again, or make them with `python -m bench.backbones.nano.train_vae`.",
            code="model/nano-codec",
        ) from error
    return vae.eval()
