"""Reading a Stable Audio Open checkpoint: what `StableAudioPipeline.save_pretrained` writes (`checkpoint`).

The components are read one by one, and of the scheduler its configuration alone: diffusers makes the published class
only where `torchsde` is installed, whose Brownian tree is the source of its noise. The levels and steps are those of
`levels` and `bench.diffusion`, with noise from a task's own seed.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from bench.backbones.checkpoint import Checkpoint, Layout, component_hash, find, load_models, reading, weights_hash
from bench.store import strict_json

PUBLISHED = "stabilityai/stable-audio-open-1.0"
LICENCE = "Stability AI Community License"

MODELS = ("text_encoder", "projection_model", "transformer", "vae")
"""The components of a pipeline that have weights."""

LAYOUT = Layout(
    "Stable Audio Open",
    "StableAudioPipeline",
    MODELS,
    PUBLISHED,
    "about 5 GB",
    # The same weights lie beside the folders, in another format.
    include='--include "*/*" --include model_index.json',
    access=f"Accept its licence on https://huggingface.co/{PUBLISHED} and log in with `hf auth login` first.",
)


def load_checkpoint(model: str | Path, *, revision: str | None, dtype: torch.dtype) -> Checkpoint:
    """Load a checkpoint from a directory, or a hub id from the local Hugging Face cache.

    Raises:
        ModelError: if it is not there, incomplete, not safetensors, damaged, or not a Stable Audio Open.
        UsageError: if a revision is asked of a directory.
    """
    from diffusers import StableAudioPipeline
    from transformers import AutoTokenizer

    found = find(model, revision, LAYOUT)
    weights = weights_hash(found.folder, LAYOUT)
    with reading(found.folder, LAYOUT), warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of torch, on how diffusers normalises the codec's weights
        models = load_models(found.folder, _model_classes(), dtype, LAYOUT)
        tokenizer = AutoTokenizer.from_pretrained(found.folder / "tokenizer", local_files_only=True)
        scheduler = strict_json.parse_object((found.folder / "scheduler" / "scheduler_config.json").read_bytes())
        pipeline = StableAudioPipeline(**models, tokenizer=tokenizer, scheduler=None)
    return Checkpoint(pipeline, found.model, found.revision, weights, scheduler, component_hash(found.folder / "vae"))


def _model_classes() -> Mapping[str, Any]:
    """Component → class."""
    from diffusers import AutoencoderOobleck, StableAudioDiTModel, StableAudioProjectionModel
    from transformers import T5EncoderModel

    classes = (T5EncoderModel, StableAudioProjectionModel, StableAudioDiTModel, AutoencoderOobleck)
    return dict(zip(MODELS, classes, strict=True))
