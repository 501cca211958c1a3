"""nano-clap's configuration: transformers' `ClapModel` with four audio stages, small, at 16 kHz.

The audio side sees 64 mel bands every 40 ms, which a Swin transformer of four stages reads as an image of 128 × 128.
"""

from __future__ import annotations

from typing import Any

from transformers import ClapConfig, ClapFeatureExtractor

from bench.backbones.nano.config import CLAP_TOKENS

RATE = 16_000
HOP = 640
WIDTH = 128
"""Of the space that audio and texts share."""


def clap_config(vocabulary: int) -> ClapConfig:
    """The configuration for a vocabulary of some size."""
    text: dict[str, Any] = {
        "vocab_size": vocabulary,
        "hidden_size": 96,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 256,
        "max_position_embeddings": CLAP_TOKENS + 2,
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
        "projection_dim": WIDTH,
    }
    audio: dict[str, Any] = {
        "spec_size": 128,
        "window_size": 4,
        "patch_size": 4,
        "patch_stride": [4, 4],
        "num_mel_bins": 64,
        "patch_embeds_hidden_size": 32,
        "hidden_size": 256,  # 32 · 2³, the width of the last of four stages
        "depths": [1, 1, 2, 1],
        "num_attention_heads": [2, 4, 4, 8],
        "mlp_ratio": 2.0,
        "drop_path_rate": 0.0,
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
        "projection_hidden_size": WIDTH,
        "projection_dim": WIDTH,
        "enable_fusion": False,
    }
    return ClapConfig(text_config=text, audio_config=audio, projection_dim=WIDTH, logit_scale_init_value=10.0)


def feature_extractor() -> ClapFeatureExtractor:
    """CLAP's own front end, at 16 kHz with a hop of 40 ms; clips are repeated up to ten seconds."""
    return ClapFeatureExtractor(
        sampling_rate=RATE,
        hop_length=HOP,
        max_length_s=10,
        fft_window_size=1024,
        frequency_min=0,
        frequency_max=8000,
        truncation="rand_trunc",
        padding="repeat",  # transformers' default repeats whole times only, and a clip of 6 s would end in silence
    )
