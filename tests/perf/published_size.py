"""AudioLDM 2's U-Net at its published size with random weights: the arithmetic is the same, nothing is downloaded."""

from __future__ import annotations

import numpy as np
import torch
from diffusers import AudioLDM2UNet2DConditionModel

from bench.audio import Clip
from bench.backbones.audioldm2.model import AudioLDM2
from bench.backbones.nano.untrained import untrained_pipeline
from bench.task import EditTask, Source, StemName

PUBLISHED = {
    "in_channels": 8,
    "out_channels": 8,
    "down_block_types": ("DownBlock2D", *("CrossAttnDownBlock2D",) * 3),
    "up_block_types": (*("CrossAttnUpBlock2D",) * 3, "UpBlock2D"),
    "block_out_channels": (128, 256, 384, 640),
    "layers_per_block": 2,
    "attention_head_dim": 8,
    "cross_attention_dim": [[None, 768, 1024]] * 4,
    "transformer_layers_per_block": 1,
    "sample_size": 256,
}
LATENT = (8, 256, 16)  # 10.24 s
SECONDS = 10.24


def backbone(device: str = "cpu", dtype: str = "float32", *, small: bool = False) -> AudioLDM2:
    """The embedded pipeline, with a U-Net of the published size and its own narrow prompts unless `small`."""
    pipeline = untrained_pipeline()
    if not small:
        torch.manual_seed(0)
        widths = [None, pipeline.language_model.config.hidden_size, pipeline.text_encoder_2.config.hidden_size]
        pipeline.unet = AudioLDM2UNet2DConditionModel(**{**PUBLISHED, "cross_attention_dim": [widths] * 4}).eval()
    return AudioLDM2(pipeline, model="random", weights="random", device=device, dtype=dtype, untrained="all")


def noise_source(seconds: float = SECONDS) -> Source:
    """Two stems of noise."""
    draw = np.random.default_rng(0)
    stems: dict[StemName, Clip] = {
        "vocals": Clip.of(0.1 * draw.normal(size=round(16_000 * seconds)), 16_000),
        "bass": Clip.of(0.1 * draw.normal(size=round(16_000 * seconds)), 16_000),
    }
    return Source("noise", "noise", Clip.sum(list(stems.values())), stems)


def cello_task() -> EditTask:
    """Its vocals as a cello."""
    return EditTask(
        id="t", suite="s", song="s", source="noise", stem="vocals",
        source_prompt="", target_prompt="A recording of a cello.", target_phrase="a cello", target_span=(15, 22),
    )  # fmt: skip
