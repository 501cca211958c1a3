"""Reading an AudioLDM 2 checkpoint: what `AudioLDM2Pipeline.save_pretrained` writes (`bench.backbones.checkpoint`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from bench.backbones import checkpoint
from bench.backbones.checkpoint import Checkpoint, Layout, component_hash, find, load_models, reading, weights_hash

PUBLISHED = "cvssp/audioldm2"

MODELS = ("text_encoder", "text_encoder_2", "projection_model", "language_model", "unet", "vae", "vocoder")
"""The components of a pipeline that have weights."""

LAYOUT = Layout("AudioLDM 2", "AudioLDM2Pipeline", MODELS, PUBLISHED, "4 to 5 GB")


def load_checkpoint(model: str | Path, *, revision: str | None, dtype: torch.dtype) -> Checkpoint:
    """Load a checkpoint from a directory, or a hub id from the local Hugging Face cache.

    Raises:
        ModelError: if it is not there, incomplete, not safetensors, damaged, or not an AudioLDM 2.
        UsageError: if a revision is asked of a directory.
    """
    from diffusers import AudioLDM2Pipeline

    found = find(model, revision, LAYOUT)
    weights = weights_hash(found.folder, LAYOUT)
    with reading(found.folder, LAYOUT):
        models = load_models(found.folder, _model_classes(), dtype, LAYOUT)
        pipeline = AudioLDM2Pipeline.from_pretrained(found.folder, **models, dtype=dtype, local_files_only=True)
    codec = component_hash(found.folder / "vae")
    return Checkpoint(pipeline, found.model, found.revision, weights, pipeline.scheduler.config, codec)


def tensors_hash(pipeline: Any, models: Sequence[str] = MODELS) -> str:
    """Hash ("sha256:…") over names, types, shapes and bytes of all weights of a pipeline's models in memory."""
    return checkpoint.tensors_hash(pipeline, models)


def _model_classes() -> Mapping[str, Any]:
    """Component → class.

    Published checkpoints list `GPT2Model` as language model; since transformers 4.52 that class cannot generate any
    more, and the same weights have to be read as `GPT2LMHeadModel` (diffusers issue 12630).
    """
    from diffusers import AudioLDM2ProjectionModel, AudioLDM2UNet2DConditionModel, AutoencoderKL
    from transformers import ClapModel, GPT2LMHeadModel, SpeechT5HifiGan, T5EncoderModel

    classes = (
        ClapModel, T5EncoderModel, AudioLDM2ProjectionModel, GPT2LMHeadModel,
        AudioLDM2UNet2DConditionModel, AutoencoderKL, SpeechT5HifiGan,
    )  # fmt: skip
    return dict(zip(MODELS, classes, strict=True))
