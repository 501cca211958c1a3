"""Reading a diffusers checkpoint from a directory or from the Hugging Face cache, never from the network.

A checkpoint is what `save_pretrained` of a pipeline writes: `model_index.json` and one folder a component. Only
safetensors are read. Every weight must be in the files: a component that would start from random weights, as the
libraries do with a warning, is an error here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from bench.errors import ModelError, UsageError
from bench.identity import digest, sha256_file


@dataclass(frozen=True)
class Layout:
    """What the checkpoints of a kind of model are made of.

    Attributes:
        family: what people call the model.
        pipeline: diffusers' class of it.
        models: the components that have weights.
        published: hub id of the checkpoint that everybody uses.
        size: of its download, in words.
        include: which of its files are needed, as options of `hf download`; empty for all.
        access: what else it takes to fetch it, a sentence; empty if nothing.
    """

    family: str
    pipeline: str
    models: tuple[str, ...]
    published: str
    size: str
    include: str = ""
    access: str = ""


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A loaded checkpoint.

    Attributes:
        pipeline: on the CPU.
        model: hub id, or the directory's name.
        revision: commit of a hub checkpoint; None for a directory.
        weights: "sha256:…" over the names and contents of the weight files.
        scheduler: configuration of its scheduler.
        codec: "sha256:…" over the weight files of its VAE alone, where something depends on no more.
    """

    pipeline: Any
    model: str
    revision: str | None
    weights: str
    scheduler: Mapping[str, Any]
    codec: str | None = None


@dataclass(frozen=True)
class Found:
    """Where a checkpoint lies: the folder, what it is called, and the commit of a cached hub id."""

    folder: Path
    model: str
    revision: str | None


def find(model: str | Path, revision: str | None, layout: Layout) -> Found:
    """A directory, or the snapshot of a hub id in the local cache.

    Raises:
        ModelError: if it is neither; says how to fetch it.
        UsageError: if a revision is asked of a directory.
    """
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
        return Found(folder, folder.resolve().name, None)
    if str(model).startswith(("/", ".", "~")) or str(model).count("/") > 1:
        raise ModelError(
            "there is no such checkpoint directory",
            where=str(folder),
            remedy=f"Check the path, or give a hub id such as {layout.published}.",
            code="model/missing",
        )
    try:
        snapshot = Path(snapshot_download(str(model), revision=revision, local_files_only=True))
    except (HFValidationError, LocalEntryNotFoundError) as error:
        raise _not_here(str(model), revision, layout) from error
    return Found(snapshot, str(model), snapshot.name)


def _not_here(model: str, revision: str | None, layout: Layout) -> ModelError:
    published = model == layout.published
    size = f" ({layout.size})" if published else ""
    options = f" --revision {revision}" if revision else ""
    options += f" {layout.include}" if published and layout.include else ""
    access = f"{layout.access} " if published and layout.access else ""
    return ModelError(
        f"the {layout.family} checkpoint {model!r}{size} is neither a directory nor in the Hugging Face cache",
        where=f"{model}@{revision}" if revision else model,
        remedy=f"{access}Fetch it with `hf download {model}{options}` (into the cache; HF_HOME moves it), or with "
        f"`hf download {model}{options} --local-dir DIR` and name DIR instead. Downloads never start by themselves.",
        code="model/missing",
    )


def weights_hash(folder: Path, layout: Layout) -> str:
    """Hash ("sha256:…") over the names and contents of a checkpoint's weight files.

    Raises:
        ModelError: if it is not a checkpoint of that kind, or a component has no safetensors.
    """
    files = _weight_files(folder, layout)
    return f"sha256:{digest({f'{path.parent.name}/{path.name}': sha256_file(path) for path in files})}"


def component_hash(folder: Path) -> str:
    """Hash ("sha256:…") over the names and contents of one component's weight files.

    Raises:
        ModelError: if it has no safetensors.
    """
    return f"sha256:{digest({path.name: sha256_file(path) for path in _component_files(folder)})}"


def _weight_files(folder: Path, layout: Layout) -> list[Path]:
    """The safetensors files of each component, in the order of their names."""
    index = folder / "model_index.json"
    try:
        kind = json.loads(index.read_text()).get("_class_name")
    except (OSError, ValueError, AttributeError) as error:
        raise ModelError(
            "this is not a diffusers checkpoint: model_index.json is absent or unreadable",
            where=str(folder),
            remedy=f"Name the folder that `{layout.pipeline}.save_pretrained` wrote, or fetch the checkpoint again.",
            code="model/not-a-checkpoint",
        ) from error
    if kind != layout.pipeline:
        article = "an" if layout.pipeline.startswith("A") else "a"
        raise ModelError(
            f"this is a {kind}, not {article} {layout.pipeline}",
            where=str(index),
            remedy=f"Name a checkpoint of {layout.family}, such as {layout.published}.",
            code="model/wrong-class",
        )
    return [path for component in layout.models for path in _component_files(folder / component)]


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


def tensors_hash(pipeline: Any, models: Sequence[str]) -> str:
    """Hash ("sha256:…") over names, types, shapes and bytes of all weights of a pipeline in memory.

    Args:
        pipeline: of diffusers.
        models: its components that have weights.
    """
    sha = hashlib.sha256()
    for component in models:
        for name, tensor in sorted(getattr(pipeline, component).state_dict().items()):
            sha.update(f"{component}.{name}:{tensor.dtype}:{tuple(tensor.shape)}".encode())
            sha.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    return f"sha256:{sha.hexdigest()}"


def load_models(folder: Path, classes: Mapping[str, Any], dtype: torch.dtype, layout: Layout) -> dict[str, Any]:
    """Each component with all its weights from the files.

    Args:
        folder: of the checkpoint.
        classes: component → class.
        dtype: of the weights in memory.
        layout: for what is said if that fails.

    Raises:
        ModelError: if the files leave a weight to chance.
    """
    return {name: _load_model(folder / name, kind, dtype, layout) for name, kind in classes.items()}


def _load_model(folder: Path, kind: Any, dtype: torch.dtype, layout: Layout) -> Any:
    model, info = kind.from_pretrained(
        folder, dtype=dtype, use_safetensors=True, local_files_only=True, output_loading_info=True
    )
    missing = sorted(info["missing_keys"])
    if missing:
        raise ModelError(
            f"{len(missing)} weights of this {kind.__name__} are not in its files (first: {missing[0]})",
            where=str(folder),
            remedy=f"Fetch the checkpoint again; if it is complete, it is not one of {layout.family}.",
            code="model/incomplete",
        )
    return model


@contextmanager
def reading(folder: Path, layout: Layout) -> Iterator[None]:
    """What the libraries raise while they read a checkpoint, as one error; they say nothing on the terminal.

    Raises:
        ModelError: in the place of what they raise.
    """
    from safetensors import SafetensorError

    try:
        with quiet():
            yield
    except (OSError, ValueError, TypeError, KeyError, RuntimeError, SafetensorError) as error:
        raise ModelError(
            f"the checkpoint cannot be loaded: {str(error).splitlines()[0] if str(error) else type(error).__name__}",
            where=str(folder),
            remedy=f"Fetch the checkpoint again. If it loads with `{layout.pipeline}.from_pretrained` elsewhere, "
            "compare the versions of diffusers and transformers with those of `timbrebench doctor`.",
            code="model/unreadable",
        ) from error


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
