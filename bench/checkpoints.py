"""Checkpoints that others published: where a file of weights is, that it is the published one, how it comes here.

`locate` looks for a file, in this order, in

1. the folder that `TIMBREBENCH_CHECKPOINTS` names;
2. `checkpoints/` of timbrebench's own cache, where downloads go;
3. the Hugging Face cache, if it was published there;
4. the folders of torch.hub and of frechet-audio-distance.

Otherwise it is downloaded (`bench.store.download`: resumed, verified, never there in part), unless `HF_HUB_OFFLINE` is
set. A file that is found is held against the published size and sha256; the hash is computed once for a file and then
remembered by its path, size and time.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

import numpy as np

from bench.errors import BenchError, ModelError, UsageError
from bench.identity import sha256_file
from bench.store.cache import Cache
from bench.store.download import download
from bench.suite import Track, untracked

FOLDER_ENV = "TIMBREBENCH_CHECKPOINTS"
OFFLINE_ENV = "HF_HUB_OFFLINE"

_HASH_LENGTH = 64
_track: ContextVar[Track] = ContextVar("track", default=untracked)


@dataclass(frozen=True)
class Checkpoint:
    """A published file of weights.

    Attributes:
        file: its name; with a folder if the name alone says nothing ("roberta-base/vocab.json").
        url: where it is published.
        size: bytes, if known.
        sha256: in hex, or its first digits as torch.hub puts them into names; None if nobody published it.
        licence: of the weights.
    """

    file: str
    url: str
    size: int | None
    sha256: str | None
    licence: str

    @property
    def described(self) -> str:
        """The file's name, with its size if that is known."""
        return self.file if self.size is None else f"{self.file} ({_readable(self.size)})"


@contextmanager
def progress(track: Track) -> Iterator[None]:
    """Within it, downloads report their MiB to `track`, as `bench.store.download` does."""
    token = _track.set(track)
    try:
        yield
    finally:
        _track.reset(token)


def locate(checkpoint: Checkpoint | Path) -> Path:
    """The file of a checkpoint, verified; downloaded if it is not on this machine. A path is taken as it is.

    Raises:
        ModelError: `model/missing`, naming file, size, URL and where to put it, if it is not here and cannot be
            fetched; `model/wrong-file` if what is here is not what was published.
        UsageError: if `TIMBREBENCH_CHECKPOINTS` names no folder.
    """
    if isinstance(checkpoint, Path):
        if not checkpoint.is_file():
            raise ModelError(
                "there is no such checkpoint", where=str(checkpoint), remedy="Check the path.", code="model/missing"
            )
        return checkpoint
    path = find(checkpoint)
    if path is None:
        path = _fetched(checkpoint)
        _verify(checkpoint, path)
    return path


def find(checkpoint: Checkpoint) -> Path | None:
    """The file of a checkpoint if it is on this machine, verified.

    Raises:
        ModelError: `model/wrong-file`. UsageError: as `locate`.
    """
    path = next((path for path in _places(checkpoint) if path.is_file()), None)
    if path is not None:
        _verify(checkpoint, path)
    return path


def file_hash(path: Path) -> str:
    """sha256 (hex) of a file; a file whose size and time are as they were is not read again."""
    status = path.stat()
    key = {
        "stage": "file-hash", "version": 1, "path": str(path.resolve()), "size": status.st_size,
        "time": status.st_mtime_ns,
    }  # fmt: skip
    cache = Cache()
    known = cache.get(key)
    if known is not None:
        return known["sha256"].tobytes().hex()
    found = sha256_file(path)
    cache.put(key, {"sha256": np.frombuffer(bytes.fromhex(found), np.uint8)})
    return found


def checkpoint_folders() -> list[Path]:
    """Folders that are searched for any checkpoint: the user's, if named, and the cache's.

    Raises:
        UsageError: if `TIMBREBENCH_CHECKPOINTS` names no folder.
    """
    own = Cache().checkpoints
    named = os.environ.get(FOLDER_ENV)
    if not named:
        return [own]
    folder = Path(named).expanduser()
    if not folder.is_dir():
        raise UsageError(
            f"{FOLDER_ENV} names a folder that is not there",
            where=str(folder),
            remedy="Make it, name another one, or unset the variable.",
            code="no-checkpoint-folder",
        )
    return [folder, own]


def torch_hub_folder() -> Path:
    """Where torch.hub keeps what it downloads, as torch finds it (importing torch to ask takes seconds)."""
    home = os.environ.get("TORCH_HOME") or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "torch"
    return Path(home).expanduser() / "hub"


def is_offline() -> bool:
    """Whether the user forbids downloads."""
    return os.environ.get(OFFLINE_ENV, "").upper() in {"1", "ON", "YES", "TRUE"}


def _places(checkpoint: Checkpoint) -> Iterator[Path]:
    for folder in checkpoint_folders():
        yield folder / checkpoint.file
    yield from _hub_cached(checkpoint.url)
    hub, name = torch_hub_folder(), Path(checkpoint.file).name
    yield hub / "checkpoints" / name
    yield hub / quote(name)  # frechet-audio-distance keeps Zenodo's "%3D" for "="


def _hub_cached(url: str) -> Iterator[Path]:
    """Where the Hugging Face cache has a file of that address, https://huggingface.co/OWNER/NAME/resolve/REV/FILE."""
    parts = urlsplit(url)
    if parts.hostname != "huggingface.co":
        return
    from huggingface_hub import constants, try_to_load_from_cache

    repository, _, rest = parts.path.strip("/").partition("/resolve/")
    file = rest.partition("/")[2]
    # What had no owner in the hub's first years ("roberta-base") is still asked for, and cached, by the bare name.
    for name in (repository, repository.rpartition("/")[2]):
        found = try_to_load_from_cache(name, file, cache_dir=constants.HF_HUB_CACHE)
        if isinstance(found, str):
            yield Path(found)


def _fetched(checkpoint: Checkpoint) -> Path:
    target = Cache().checkpoints / checkpoint.file
    local = checkpoint.url.startswith("file:")
    if is_offline() and not local:
        raise _missing(checkpoint, f"{OFFLINE_ENV} is set")
    sha256 = checkpoint.sha256 if checkpoint.sha256 and len(checkpoint.sha256) == _HASH_LENGTH else None
    try:
        return download(checkpoint.url, target, sha256=sha256, size=checkpoint.size, track=_track.get())
    except BenchError as error:
        if error.code.startswith("download/"):
            raise _missing(checkpoint, error.cause) from error
        raise


def _missing(checkpoint: Checkpoint, why: str) -> ModelError:
    return ModelError(
        f"the checkpoint {checkpoint.described} is not on this machine, and was not downloaded: {why}",
        where=checkpoint.url,
        remedy=f"Fetch it where you can, and put it at {checkpoint_folders()[0] / checkpoint.file}"
        + ("." if os.environ.get(FOLDER_ENV) else f" or into a folder that {FOLDER_ENV} names."),
        code="model/missing",
    )


def _verify(checkpoint: Checkpoint, path: Path) -> None:
    size = path.stat().st_size
    if checkpoint.size not in (None, size):
        raise _wrong(checkpoint, path, f"it has {size:,} bytes, not {checkpoint.size:,}")
    if checkpoint.sha256 is not None:
        found = file_hash(path)
        if not found.startswith(checkpoint.sha256):
            raise _wrong(checkpoint, path, f"its sha256 is {found}, not {checkpoint.sha256}")


def _wrong(checkpoint: Checkpoint, path: Path, how: str) -> ModelError:
    return ModelError(
        f"this file is not the {checkpoint.file} that was published: {how}",
        where=str(path),
        remedy=f"Remove it and fetch it again from {checkpoint.url}.",
        code="model/wrong-file",
    )


def _readable(size: int) -> str:
    return f"{size / 1e9:.2f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"
