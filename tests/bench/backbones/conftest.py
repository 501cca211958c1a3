"""A tiny AudioLDM 2 of the published layout, with random weights, made offline and read back from disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import (
    AudioLDM2Pipeline,
    AudioLDM2ProjectionModel,
    AudioLDM2UNet2DConditionModel,
    AutoencoderKL,
    DDIMScheduler,
)
from transformers import (
    ClapAudioConfig,
    ClapConfig,
    ClapFeatureExtractor,
    ClapModel,
    ClapTextConfig,
    GPT2Config,
    GPT2LMHeadModel,
    RobertaTokenizer,
    SpeechT5HifiGan,
    SpeechT5HifiGanConfig,
    T5Config,
    T5EncoderModel,
    T5Tokenizer,
)

from bench.audio import Clip
from bench.backbones.audioldm2 import AudioLDM2

LOA_WIDTH, TEXT_WIDTH = 16, 24
SCHEDULER = {
    "beta_start": 0.0015, "beta_end": 0.0195, "beta_schedule": "scaled_linear", "num_train_timesteps": 1000,
    "steps_offset": 1, "set_alpha_to_one": False, "clip_sample": False,
}  # fmt: skip
"""The published scheduler."""


def t5_tokenizer() -> T5Tokenizer:
    words = ["a", "recording", "of", "smooth", "violin", "drums", "guitar", "and"]
    letters = "abcdefghijklmnopqrstuvwxyz,.é"
    vocab = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0)]
    vocab += [(f"▁{word}", -1.0) for word in words] + [(letter, -5.0) for letter in letters]
    return T5Tokenizer(vocab=vocab, extra_ids=0, model_max_length=64)


def clap_tokenizer() -> RobertaTokenizer:
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    letters = [*"abcdefghijklmnopqrstuvwxyz,.", "Ġ", "Ã", "©"]
    vocab = {token: i for i, token in enumerate(special + letters)}
    return RobertaTokenizer(vocab=vocab, merges=[], model_max_length=48)


def unet(*, widths: tuple[int, ...] = (8, 8, 16, 16), depth: int = 1) -> AudioLDM2UNet2DConditionModel:
    return AudioLDM2UNet2DConditionModel(
        sample_size=256,
        in_channels=8,
        out_channels=8,
        block_out_channels=widths,
        down_block_types=("DownBlock2D", *["CrossAttnDownBlock2D"] * 3),
        up_block_types=(*["CrossAttnUpBlock2D"] * 3, "UpBlock2D"),
        layers_per_block=2,
        cross_attention_dim=[[None, LOA_WIDTH, TEXT_WIDTH]] * 4,
        transformer_layers_per_block=depth,
        attention_head_dim=2,
        norm_num_groups=4,
    )


def pipeline(seed: int = 0, **scheduler: object) -> AudioLDM2Pipeline:
    """All classes of the published pipeline, with random weights that depend on the seed alone."""
    torch.manual_seed(seed)
    t5, clap = t5_tokenizer(), clap_tokenizer()
    text = ClapTextConfig(
        vocab_size=len(clap), hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        max_position_embeddings=64, projection_dim=12, bos_token_id=0, pad_token_id=1, eos_token_id=2,
    )  # fmt: skip
    audio = ClapAudioConfig(
        spec_size=64, window_size=4, num_mel_bins=16, patch_embeds_hidden_size=8, hidden_size=16, depths=[1, 1],
        num_attention_heads=[1, 2], projection_dim=12, num_classes=4,
    )  # fmt: skip
    network = unet()
    vocoder = SpeechT5HifiGan(
        SpeechT5HifiGanConfig(
            model_in_dim=64, sampling_rate=16000, upsample_initial_channel=16, upsample_rates=(5, 4, 4, 2),
            upsample_kernel_sizes=(11, 8, 8, 4), resblock_kernel_sizes=(3,), resblock_dilation_sizes=((1,),),
        )
    )  # fmt: skip
    for parameter in [*network.parameters(), *vocoder.parameters()]:  # with the default weights neither does much
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=1.0 / parameter[0].numel() ** 0.5)
    built = AudioLDM2Pipeline(
        vae=AutoencoderKL(
            in_channels=1, out_channels=1, latent_channels=8, block_out_channels=(4, 4, 8), layers_per_block=1,
            norm_num_groups=4, down_block_types=["DownEncoderBlock2D"] * 3, up_block_types=["UpDecoderBlock2D"] * 3,
            scaling_factor=0.9, sample_size=64,
        ),
        text_encoder=ClapModel(ClapConfig(text_config=text, audio_config=audio, projection_dim=12)),
        text_encoder_2=T5EncoderModel(
            T5Config(vocab_size=len(t5), d_model=TEXT_WIDTH, d_kv=8, d_ff=32, num_layers=1, num_heads=2)
        ),
        projection_model=AudioLDM2ProjectionModel(12, TEXT_WIDTH, LOA_WIDTH),
        language_model=GPT2LMHeadModel(
            GPT2Config(vocab_size=4, n_positions=128, n_embd=LOA_WIDTH, n_layer=2, n_head=2, max_new_tokens=8,
                       bos_token_id=None, eos_token_id=None)
        ),
        tokenizer=clap,
        tokenizer_2=t5,
        feature_extractor=ClapFeatureExtractor(feature_size=16),
        unet=network,
        scheduler=DDIMScheduler(**{**SCHEDULER, **scheduler}),
        vocoder=vocoder,
    )  # fmt: skip
    built.set_progress_bar_config(disable=True)
    for component in built.components.values():
        if isinstance(component, torch.nn.Module):
            component.eval()
    return built


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory, published: AudioLDM2Pipeline) -> Path:
    folder = tmp_path_factory.mktemp("checkpoints") / "tiny-audioldm2"
    published.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def backbone(checkpoint: Path) -> AudioLDM2:
    return AudioLDM2.load(checkpoint)


@pytest.fixture(scope="session")
def song() -> Clip:
    """Two seconds of a decaying chord and noise, stereo at 44.1 kHz, peak well below full scale."""
    rng = np.random.default_rng(7)
    t = np.arange(2 * 44_100) / 44_100
    chord = sum(np.sin(2 * np.pi * f * t) for f in (220.0, 277.2, 329.6)) * np.exp(-t)
    left = 0.05 * chord + 0.005 * rng.standard_normal(t.size)
    return Clip.of(np.stack([left, 0.5 * left], axis=1), 44_100)


@pytest.fixture(scope="session")
def build_pipeline() -> Callable[..., AudioLDM2Pipeline]:
    return pipeline


@pytest.fixture(scope="session")
def published() -> AudioLDM2Pipeline:
    """The pipeline that the checkpoint was saved from: the reference. Only to be read."""
    return pipeline()


@pytest.fixture(scope="session")
def build_unet() -> Callable[..., AudioLDM2UNet2DConditionModel]:
    return unet
