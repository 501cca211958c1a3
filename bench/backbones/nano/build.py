"""Build nano: an `AudioLDM2Pipeline` of the published classes with the weights that ship with the package.

Everything is trained (`bench/backbones/nano/train`, model card beside the weights) but the vocoder, an algorithm.
"""

from __future__ import annotations

from pathlib import Path

from diffusers import AudioLDM2Pipeline, DDIMScheduler

from bench.backbones.nano.clap import feature_extractor
from bench.backbones.nano.config import scheduler_config
from bench.backbones.nano.griffin_lim import GriffinLim
from bench.backbones.nano.ship import SHIPPED, read_part, read_words
from bench.backbones.nano.tokens import clap_tokenizer, t5_tokenizer

PREDICTION = "v_prediction"


def build_pipeline(folder: Path = SHIPPED) -> AudioLDM2Pipeline:
    """The pipeline on the CPU in float32, in evaluation mode.

    Args:
        folder: with the weights; other than the package's, for weights that are being trained.

    Raises:
        ModelError: if weights are absent or damaged.
    """
    words = read_words(folder)
    return AudioLDM2Pipeline(
        vae=read_part("vae", folder),
        text_encoder=read_part("text_encoder", folder),
        text_encoder_2=read_part("text_encoder_2", folder),
        projection_model=read_part("projection_model", folder),
        language_model=read_part("language_model", folder),
        tokenizer=clap_tokenizer(words),
        tokenizer_2=t5_tokenizer(words),
        feature_extractor=feature_extractor(),
        unet=read_part("unet", folder),
        scheduler=DDIMScheduler(**scheduler_config(PREDICTION)),
        vocoder=GriffinLim(),
    )
