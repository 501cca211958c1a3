"""Tensors out of a file of weights, without running what else may be in it.

* safetensors are read as they are.
* Other files are pickles. They are read by `torch.load(weights_only=True)`, which makes nothing but tensors, plain
  containers and a few types of NumPy that hold numbers: published checkpoints carry counters and scores of their
  training as such.
* A pickle that asks for more could run any code. It is refused unless the user trusts it by its hash.

Where a file has much beside weights (LAION-CLAP's has two moments of Adam for each), or had to be trusted, its weights
are written to the cache as safetensors once, under the file's hash, and read from there after.
"""

from __future__ import annotations

import os
import pickle
import re
import warnings
import zipfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.errors import ModelError
from bench.store.cache import Cache

if TYPE_CHECKING:
    import torch

TRUST_ENV = "TIMBREBENCH_TRUST_CHECKPOINT"
"""sha256 of checkpoints whose pickles may be run, separated by commas."""

_BULK = 1.5
_FILE = "weights.safetensors"
_CONTAINERS = ("state_dict", "model")
_NUMBERS = "?bBhHiIlLqQefd"


def load_tensors(path: Path, sha256: str, *, trusted: Collection[str] = ()) -> dict[str, torch.Tensor]:
    """The weights in a file, by name, on the CPU.

    What training code wraps around them is taken off: a dictionary's `state_dict` or `model`, a `module.` in front of
    every name.

    Args:
        path: of the file.
        sha256: of its content.
        trusted: hashes of files that may run code as they are read, beside those of `TIMBREBENCH_TRUST_CHECKPOINT`.

    Raises:
        ModelError: `model/pickle` if it would run code and is not trusted; `model/unreadable`.
    """
    if path.suffix == ".safetensors":
        return _read(path)
    cache, key = Cache(), {"stage": "checkpoint-weights", "version": 1, "sha256": sha256}
    folder = cache.find(key, verify=True)
    if folder is None:
        content, harmless = _unpickled(path, sha256, {*trusted, *_trusted()})
        tensors = _weights(content, path)
        if harmless and path.stat().st_size < _BULK * sum(tensor.nbytes for tensor in tensors.values()):
            return tensors
        folder = cache.directory(key, lambda folder: _write(tensors, folder / _FILE), verify=True)
    return _read(folder / _FILE)


def _trusted() -> set[str]:
    return set(os.environ.get(TRUST_ENV, "").replace(",", " ").lower().split())


def _unpickled(path: Path, sha256: str, trusted: Collection[str]) -> tuple[Any, bool]:
    """What is in a pickle, and whether reading it was harmless."""
    import torch

    mapped = zipfile.is_zipfile(path)  # files of before torch 1.6 cannot be mapped into memory
    try:
        with torch.serialization.safe_globals(_harmless()), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about protocols of pickle: what cannot be read is an error anyway
            return torch.load(path, map_location="cpu", weights_only=True, mmap=mapped), True
    except pickle.UnpicklingError as error:
        if sha256 not in trusted:
            raise _refused(path, sha256, error) from error
    except (RuntimeError, EOFError, OSError, ValueError, KeyError) as error:
        raise _unreadable(path, error) from error
    try:
        return torch.load(path, map_location="cpu", weights_only=False, mmap=mapped), False
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError, ImportError, AttributeError) as error:
        raise _unreadable(path, error) from error


def _harmless() -> list[Any]:
    """NumPy's numbers and arrays, under the names that NumPy 1 and 2 write into pickles."""
    scalar, array = np.float64(0).__reduce__()[0], np.zeros(0).__reduce__()[0]
    named = [
        (made, f"numpy.{package}.multiarray.{name}")
        for package in ("core", "_core")
        for made, name in ((scalar, "scalar"), (array, "_reconstruct"))
    ]
    return [*named, np.ndarray, np.dtype, *(type(np.dtype(letter)) for letter in _NUMBERS)]


def _weights(content: Any, path: Path) -> dict[str, torch.Tensor]:
    import torch

    for name in _CONTAINERS:
        if isinstance(content, Mapping) and isinstance(content.get(name), Mapping):
            content = content[name]
    items = dict(content.items()) if isinstance(content, Mapping) else {}
    tensors = {str(name): value.detach() for name, value in items.items() if isinstance(value, torch.Tensor)}
    if not tensors:
        raise _unreadable(path, "it holds no weights by name")
    if all(name.startswith("module.") for name in tensors):
        tensors = {name.removeprefix("module."): tensor for name, tensor in tensors.items()}
    return tensors


def _read(path: Path) -> dict[str, torch.Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise _unreadable(path, error) from error


def _write(tensors: Mapping[str, torch.Tensor], path: Path) -> None:
    from safetensors.torch import save_file

    save_file({name: tensor.contiguous().clone() for name, tensor in tensors.items()}, path)


def _refused(path: Path, sha256: str, error: Exception) -> ModelError:
    asked = re.search(r"GLOBAL ([\w.]+)", str(error))
    return ModelError(
        "the checkpoint is a pickle that needs more than weights to be read"
        + (f" (it asks for {asked[1]})" if asked else "")
        + ", so reading it could run any code",
        where=str(path),
        remedy="Get it as safetensors. If you know where it comes from and trust it, say so by its hash: "
        f"{TRUST_ENV}={sha256}",
        code="model/pickle",
    )


def _unreadable(path: Path, error: object) -> ModelError:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return ModelError(
        f"the checkpoint cannot be read: {reason.rstrip('.')}",
        where=str(path),
        remedy="Fetch it again.",
        code="model/unreadable",
    )
