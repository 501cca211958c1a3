"""The weights that ship with the package: where they lie, how they are read, and how training writes them.

`shipped/` holds a component a folder, as `save_pretrained` writes them (half-precision safetensors), the words of the
tokenizers, and the model card. `text_encoder` is nano-clap, complete with its front end and tokenizer.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from bench.errors import ModelError
from bench.store.atomic import make_folder, write_text

SHIPPED = Path(__file__).with_name("shipped")
CLAP = "text_encoder"
WORDS = "words.txt"
PARTS = ("vae", "unet", CLAP, "text_encoder_2", "projection_model", "language_model")


def read_words(folder: Path = SHIPPED) -> tuple[str, ...]:
    """The words that the tokenizers know.

    Raises:
        ModelError: if the list is not there.
    """
    try:
        return tuple((folder / WORDS).read_text(encoding="utf-8").split())
    except OSError as error:
        raise _absent(folder / WORDS) from error


def read_part(name: str, folder: Path = SHIPPED) -> Any:
    """A component with its trained weights, in float32 and evaluation mode.

    Args:
        name: one of `PARTS`.
        folder: what `write_part` wrote to.

    Raises:
        ModelError: if its files are absent, damaged, or lack weights.
    """
    from safetensors import SafetensorError

    from bench.backbones.checkpoint import quiet

    try:
        with quiet():
            loaded, info = _class(name).from_pretrained(
                folder / name, torch_dtype=torch.float32, output_loading_info=True, local_files_only=True
            )
    except (OSError, ValueError, SafetensorError) as error:
        raise _absent(folder / name) from error
    lacking = [key for key in info["missing_keys"] if not key.endswith("position_ids")]
    if lacking:
        raise _absent(folder / name, f"it lacks {lacking[0]}")
    return loaded.eval()


def write_part(name: str, module: Any, folder: Path) -> None:
    """Write a component's weights in half precision; the module itself is left as it is."""
    from copy import deepcopy

    deepcopy(module).to(memory_format=torch.contiguous_format).half().save_pretrained(folder / name)


def write_clap(clap: Any, tokenizer: Any, folder: Path) -> None:
    """Write nano-clap with its front end and tokenizer: a folder that `ClapProcessor.from_pretrained` reads."""
    from transformers import ClapProcessor

    from bench.backbones.nano.clap import feature_extractor

    write_part(CLAP, clap, folder)
    ClapProcessor(feature_extractor=feature_extractor(), tokenizer=tokenizer).save_pretrained(folder / CLAP)


def write_words(words: Sequence[str], folder: Path) -> None:
    """Write the words that the tokenizers know."""
    make_folder(folder)
    write_text(folder / WORDS, "\n".join(sorted(set(words))) + "\n")


def _class(name: str) -> Any:
    from diffusers import AudioLDM2ProjectionModel, AudioLDM2UNet2DConditionModel, AutoencoderKL
    from transformers import ClapModel, GPT2LMHeadModel, T5EncoderModel

    classes = (
        AutoencoderKL, AudioLDM2UNet2DConditionModel, ClapModel, T5EncoderModel, AudioLDM2ProjectionModel,
        GPT2LMHeadModel,
    )  # fmt: skip
    return dict(zip(PARTS, classes, strict=True))[name]


def _absent(path: Path, why: str = "") -> ModelError:
    return ModelError(
        f"the weights of nano cannot be read{f': {why}' if why else ''}",
        where=str(path),
        remedy="Install timbrebench again, or train them: `timbrebench nano train --help`.",
        code="model/nano-weights",
    )
