"""Reading an AudioLDM 2 checkpoint from a directory or from the Hugging Face cache, never from the network.

A checkpoint is what `AudioLDM2Pipeline.save_pretrained` writes: `model_index.json` and one folder a component.
Only safetensors are read. Every weight must be in the files: a component that would start from random weights, as
the libraries do with a warning, is an error here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from bench.errors import ModelError, UsageError
from bench.identity import digest, sha256_file

PUBLISHED = "cvssp/audioldm2"
PUBLISHED_SIZE = "4 to 5 GB"

MODELS = ("text_encoder", "text_encoder_2", "projection_model", "language_model", "unet", "vae", "vocoder")
"""The components of a pipeline that have weights."""


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A loaded checkpoint.

    Attributes:
        pipeline: `AudioLDM2Pipeline` on the CPU.
        model: hub id, or the directory's name.
        revision: commit of a hub checkpoint; None for a directory.
        weights: "sha256:…" over the names and contents of the weight files.
    """

    pipeline: Any
    model: str
    revision: str | None
    weights: str


def load_checkpoint(model: str | Path, *, revision: str | None, dtype: torch.dtype) -> Checkpoint:
    """Load a checkpoint from a directory, or a hub id from the local Hugging Face cache.

    Raises:
        ModelError: if it is not there, incomplete, not safetensors, damaged, or not an AudioLDM 2.
    """
    folder, name, commit = _find(model, revision)
    files = _weight_files(folder)
    hashes = {f"{path.parent.name}/{path.name}": sha256_file(path) for paths in files.values() for path in paths}
    return Checkpoint(_load_pipeline(folder, dtype), name, commit, f"sha256:{digest(hashes)}")


def tensors_hash(pipeline: Any) -> str:
    """Hash ("sha256:…") over names, types, shapes and bytes of all weights of a pipeline in memory."""
    sha = hashlib.sha256()
    for component in MODELS:
        for name, tensor in sorted(getattr(pipeline, component).state_dict().items()):
            sha.update(f"{component}.{name}:{tensor.dtype}:{tuple(tensor.shape)}".encode())
            sha.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    return f"sha256:{sha.hexdigest()}"


def _find(model: str | Path, revision: str | None) -> tuple[Path, str, str | None]:
    """(folder, name, commit) of a directory or a cached hub id."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    folder = Path(model).expanduser()
    if folder.is_dir():
        if revision is not None:
            raise UsageError(
                f"revision {revision!r} was asked of a directory, which has none",
                where=str(folder),
                remedy="Leave the revision out, or give a hub id.",
                code="revision-of-directory",
            )
        return folder, folder.resolve().name, None
    if str(model).startswith(("/", ".", "~")) or str(model).count("/") > 1:
        raise ModelError(
            "there is no such checkpoint directory",
            where=str(folder),
            remedy="Check the path, or give a hub id such as cvssp/audioldm2.",
            code="model/missing",
        )
    try:
        snapshot = Path(snapshot_download(str(model), revision=revision, local_files_only=True))
    except (HFValidationError, LocalEntryNotFoundError) as error:
        raise _not_here(str(model), revision) from error
    return snapshot, str(model), snapshot.name


def _not_here(model: str, revision: str | None) -> ModelError:
    size = f" ({PUBLISHED_SIZE})" if model == PUBLISHED else ""
    pin = f" --revision {revision}" if revision else ""
    return ModelError(
        f"the AudioLDM 2 checkpoint {model!r}{size} is neither a directory nor in the Hugging Face cache",
        where=f"{model}@{revision}" if revision else model,
        remedy=f"Fetch it with `hf download {model}{pin}` (into the cache; HF_HOME moves it), or with "
        f"`hf download {model}{pin} --local-dir DIR` and name DIR instead. Downloads never start by themselves.",
        code="model/missing",
    )


def _weight_files(folder: Path) -> dict[str, list[Path]]:
    """The safetensors files of each component, in the order of their names."""
    index = folder / "model_index.json"
    try:
        kind = json.loads(index.read_text()).get("_class_name")
    except (OSError, ValueError, AttributeError) as error:
        raise ModelError(
            "this is not a diffusers checkpoint: model_index.json is absent or unreadable",
            where=str(folder),
            remedy="Name the folder that `AudioLDM2Pipeline.save_pretrained` wrote, or fetch the checkpoint again.",
            code="model/not-a-checkpoint",
        ) from error
    if kind != "AudioLDM2Pipeline":
        raise ModelError(
            f"this is a {kind}, not an AudioLDM2Pipeline",
            where=str(index),
            remedy="Name an AudioLDM 2 checkpoint, such as cvssp/audioldm2.",
            code="model/wrong-class",
        )
    return {component: _component_files(folder / component) for component in MODELS}


def _component_files(folder: Path) -> list[Path]:
    # Variants, such as model.fp16.safetensors, have a dot in their stem and are not what `from_pretrained` reads.
    found = sorted(path for path in folder.glob("*.safetensors") if "." not in path.stem)
    if found:
        return found
    pickled = sorted(folder.glob("*.bin"))
    raise ModelError(
        f"the weights here are a pickle ({pickled[0].name}), which can run code when it is read"
        if pickled
        else "the checkpoint has no weights here",
        where=str(folder),
        remedy="Only safetensors are read. Fetch the checkpoint again, or load it in a place you trust and write it "
        "with `pipeline.save_pretrained(DIR, safe_serialization=True)`.",
        code="model/pickle" if pickled else "model/incomplete",
    )


def _load_pipeline(folder: Path, dtype: torch.dtype) -> Any:
    from diffusers import AudioLDM2Pipeline
    from safetensors import SafetensorError

    try:
        with quiet():
            models = {name: _load_model(folder / name, kind, dtype) for name, kind in _model_classes().items()}
            return AudioLDM2Pipeline.from_pretrained(folder, **models, dtype=dtype, local_files_only=True)
    except (OSError, ValueError, TypeError, KeyError, RuntimeError, SafetensorError) as error:
        raise ModelError(
            f"the checkpoint cannot be loaded: {str(error).splitlines()[0] if str(error) else type(error).__name__}",
            where=str(folder),
            remedy="Fetch the checkpoint again. If it loads with `AudioLDM2Pipeline.from_pretrained` elsewhere, "
            "compare the versions of diffusers and transformers with those of `timbrebench doctor`.",
            code="model/unreadable",
        ) from error


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


def _load_model(folder: Path, kind: Any, dtype: torch.dtype) -> Any:
    """One component with all its weights from the files.

    Raises:
        ModelError: if the files leave a weight to chance.
    """
    model, info = kind.from_pretrained(
        folder, dtype=dtype, use_safetensors=True, local_files_only=True, output_loading_info=True
    )
    missing = sorted(info["missing_keys"])
    if missing:
        raise ModelError(
            f"{len(missing)} weights of this {kind.__name__} are not in its files (first: {missing[0]})",
            where=str(folder),
            remedy="Fetch the checkpoint again; if it is complete, it is not an AudioLDM 2 checkpoint.",
            code="model/incomplete",
        )
    return model


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the libraries' progress bars and warnings off the terminal. What matters in them is checked above."""
    import diffusers.utils.logging as diffusers_log
    import transformers.utils.logging as transformers_log

    with ExitStack() as restore:
        for log in (diffusers_log, transformers_log):
            restore.callback(log.set_verbosity, log.get_verbosity())
            if log.is_progress_bar_enabled():
                restore.callback(log.enable_progress_bar)
            log.set_verbosity_error()
            log.disable_progress_bar()
        yield
