"""A tiny Stable Audio Open of the published classes, with random weights, made offline."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import torch
from diffusers import AutoencoderOobleck, StableAudioDiTModel, StableAudioPipeline, StableAudioProjectionModel
from transformers import T5Config, T5EncoderModel, T5Tokenizer

from bench.backbones.checkpoint import Checkpoint, tensors_hash
from bench.backbones.stable_audio import StableAudio
from bench.backbones.stable_audio.load import MODELS

LATENT, FRAMES, HOP, WIDTH, TOKENS, LAYERS = 4, 32, 2048, 24, 40, 3
SCHEDULER = {
    "sigma_min": 0.3, "sigma_max": 500, "sigma_data": 1.0, "sigma_schedule": "exponential", "solver_order": 2,
    "prediction_type": "v_prediction", "solver_type": "midpoint", "lower_order_final": True, "euler_at_final": False,
    "final_sigmas_type": "zero",
}  # fmt: skip
"""The published scheduler."""


def scheduler_module() -> Any:
    """diffusers' module of the published scheduler. It imports torchsde for its noise alone, which tests give it."""
    absent = "torchsde" not in sys.modules and importlib.util.find_spec("torchsde") is None
    if absent:
        sys.modules["torchsde"] = ModuleType("torchsde")
    try:
        return importlib.import_module("diffusers.schedulers.scheduling_cosine_dpmsolver_multistep")
    finally:
        if absent:
            del sys.modules["torchsde"]


@contextmanager
def given_noise(noise: Any) -> Iterator[None]:
    """Within it the published scheduler draws from `noise(step, shape)` in the place of a Brownian tree."""

    class Sampler:
        def __init__(self, x: torch.Tensor, **_: object):
            self.shape, self.step = tuple(x.shape), -1

        def __call__(self, sigma: float, sigma_next: float) -> torch.Tensor:
            self.step += 1
            drawn: torch.Tensor = noise(self.step, (*self.shape, 1))[..., 0]
            return drawn

    module = scheduler_module()
    original, module.BrownianTreeNoiseSampler = module.BrownianTreeNoiseSampler, Sampler
    try:
        yield
    finally:
        module.BrownianTreeNoiseSampler = original


def tokenizer() -> T5Tokenizer:
    words = ["a", "recording", "of", "bright", "flute", "deep", "bass", "soulful", "vocals", "and"]
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz,.é"
    vocab = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0)]
    vocab += [(f"▁{word}", -1.0) for word in words] + [(letter, -5.0) for letter in letters]
    return T5Tokenizer(vocab=vocab, extra_ids=0, model_max_length=TOKENS)


def transformer(**changes: int) -> StableAudioDiTModel:
    sizes = {
        "sample_size": FRAMES, "in_channels": LATENT, "out_channels": LATENT, "num_layers": LAYERS,
        "attention_head_dim": 8, "num_attention_heads": 4, "num_key_value_attention_heads": 2,
        "cross_attention_dim": WIDTH, "cross_attention_input_dim": WIDTH, "global_states_input_dim": 2 * WIDTH,
        "time_proj_dim": 16,
    }  # fmt: skip
    return StableAudioDiTModel(**{**sizes, **changes})


def pipeline(seed: int = 0, *, frames: int = FRAMES, channels: int = 2, **scheduler: object) -> StableAudioPipeline:
    """All classes of the published pipeline, with random weights that depend on the seed alone."""
    torch.manual_seed(seed)
    words = tokenizer()
    network = transformer(sample_size=frames)
    for parameter in network.parameters():  # enough to matter, and not so much that rounding is amplified
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.5 / parameter[0].numel() ** 0.5)
    built = StableAudioPipeline(
        vae=AutoencoderOobleck(
            encoder_hidden_size=2 * LATENT, downsampling_ratios=[4, 8, 8, 8], channel_multiples=[1, 1, 1, 1],
            decoder_channels=4, decoder_input_channels=LATENT, audio_channels=channels, sampling_rate=44_100,
        ),
        text_encoder=T5EncoderModel(
            T5Config(vocab_size=len(words), d_model=WIDTH, d_kv=8, d_ff=32, num_layers=1, num_heads=2)
        ),
        projection_model=StableAudioProjectionModel(WIDTH, WIDTH, min_value=0, max_value=512),
        tokenizer=words,
        transformer=network,
        scheduler=scheduler_module().CosineDPMSolverMultistepScheduler(**{**SCHEDULER, **scheduler}),
    )  # fmt: skip
    built.set_progress_bar_config(disable=True)
    for component in built.components.values():
        if isinstance(component, torch.nn.Module):
            component.eval()
    return built


def in_memory(built: StableAudioPipeline, **options: str) -> StableAudio:
    """A backbone on a pipeline that was not read from files."""
    weights = tensors_hash(built, MODELS)
    return StableAudio(Checkpoint(built, "tiny", None, weights, dict(built.scheduler.config)), **options)
