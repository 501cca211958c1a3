"""The cache: what is costly to compute, under the hash of all that decides it.

A key is a JSON object of everything that moves the result: input hash, stage and its configuration, weights hash,
version of the stage's code. Whoever asks with an equal key gets the same arrays, from whichever process. Values are
safetensors files, or folders built by a caller; no pickle anywhere. An entry is checked against its key and its
content's hash when it is read; one that does not match is moved aside (`.corrupt`) and computed again.

It lives in the user's cache folder (`TIMBREBENCH_CACHE_DIR` overrides it), below `v1`, and may be deleted at any time:

    v1/arrays/<aa>/<digest of key>.safetensors
    v1/folders/<digest of key>/ with .complete.json (size and sha256 of every file), and <digest of key>.lock beside it
    v1/downloads/ what is being downloaded on its way into a folder: see `bench.store.download`
    v1/checkpoints/ published weights, downloaded or put there by the user: see `bench.checkpoints`
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import platformdirs
from filelock import FileLock, Timeout

from bench.identity import canonical_json, digest, sha256_file
from bench.store import strict_json
from bench.store.atomic import TEMP_PREFIX, fsync_folder, make_folder, write_bytes, write_json, writing

ENV = "TIMBREBENCH_CACHE_DIR"
MANIFEST = ".complete.json"

Arrays = dict[str, npt.NDArray[Any]]

_CORRUPT = ".corrupt"


@dataclass(frozen=True)
class CacheEntry:
    """One thing in the cache: arrays, a folder, a checkpoint, or the leftovers of damage and of killed writers."""

    kind: Literal["arrays", "folder", "checkpoint", "leftover"]
    path: Path
    size: int


class Cache:
    """A cache in a folder, shared by any number of processes.

    Args:
        folder: default `$TIMBREBENCH_CACHE_DIR`, else the user's cache folder for timbrebench.
    """

    def __init__(self, folder: Path | None = None):
        chosen = folder or os.environ.get(ENV) or platformdirs.user_cache_path("timbrebench")
        self.folder = Path(chosen) / "v1"
        self._arrays = self.folder / "arrays"
        self._folders = self.folder / "folders"
        self.downloads = self.folder / "downloads"
        self.checkpoints = self.folder / "checkpoints"

    # -- arrays -----------------------------------------------------------------------------------------------

    def get(self, key: Mapping[str, Any]) -> Arrays | None:
        """The arrays of a key, or None if there are none (any more)."""
        from safetensors import SafetensorError, safe_open

        path = self._arrays_path(key)
        if not path.exists():
            return None
        try:
            with safe_open(path, framework="numpy") as file:
                metadata = file.metadata() or {}
                arrays: Arrays = {name: file.get_tensor(name) for name in sorted(file.keys())}
        except FileNotFoundError:
            return None
        except (SafetensorError, OSError, ValueError):
            _set_aside(path)
            return None
        if metadata.get("key") != canonical_json(key) or metadata.get("sha256") != _content(arrays):
            _set_aside(path)
            return None
        return arrays

    def put(self, key: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Store the arrays of a key. A second writer of one key replaces the first's, whole.

        Raises:
            TypeError: for a type of numbers that safetensors does not have.
            IncompleteError, UsageError: if it cannot be written.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import save

        # safetensors copies memory as it lies: an array that is not C-ordered would come back scrambled.
        plain = {name: _plain(array) for name, array in arrays.items()}
        metadata = {"key": canonical_json(key), "sha256": _content(plain)}
        try:
            data = save(plain, metadata=metadata)
        except SafetensorError as error:
            raise TypeError(str(error)) from error
        path = self._arrays_path(key)
        make_folder(path.parent)
        write_bytes(path, data)

    def _arrays_path(self, key: Mapping[str, Any]) -> Path:
        name = digest(key)
        return self._arrays / name[:2] / f"{name}.safetensors"

    # -- folders ----------------------------------------------------------------------------------------------

    def directory(self, key: Mapping[str, Any], build: Callable[[Path], None], *, verify: bool = False) -> Path:
        """The folder of a key, built if it is not there whole. Nobody ever sees half of it.

        Of two processes that want one folder, one builds and the other waits. A builder that fails or is killed
        leaves nothing that counts, and the other builds.

        Args:
            key: all that decides the content.
            build: fills the empty folder it is given. What it raises goes to the caller.
            verify: compare hashes; otherwise a folder is whole if every file is there and has its size.
        """
        target = self._folders / digest(key)
        if _is_whole(target, key, verify=verify):
            return target
        make_folder(self._folders)
        with _locked(target.with_suffix(".lock")):
            if not _is_whole(target, key, verify=verify):
                _set_aside(target)
                self._build(target, key, build)
        return target

    def find(self, key: Mapping[str, Any], *, verify: bool = False) -> Path | None:
        """The folder of a key if it is there whole, as `directory` would give it without building."""
        target = self._folders / digest(key)
        return target if _is_whole(target, key, verify=verify) else None

    def _build(self, target: Path, key: Mapping[str, Any], build: Callable[[Path], None]) -> None:
        building = _building(target)
        if building.exists():  # left by a killed builder: we hold the lock
            with writing(building):
                shutil.rmtree(building)
        make_folder(building)
        try:
            build(building)
            with writing(target):
                write_json(building / MANIFEST, {"key": key, "files": _describe(building)})
                _fsync_tree(building)
                building.rename(target)
                fsync_folder(target.parent)
        except BaseException:
            shutil.rmtree(building, ignore_errors=True)
            raise

    # -- housekeeping -----------------------------------------------------------------------------------------

    def entries(self) -> list[CacheEntry]:
        """All that is in the cache, by path."""
        arrays = [
            CacheEntry("arrays" if path.suffix == ".safetensors" else "leftover", path, _size(path))
            for path in sorted(self._arrays.glob("*/*"))
        ]
        folders = [
            CacheEntry("folder" if "." not in path.name else "leftover", path, _size(path))
            for path in sorted(self._folders.glob("*"))
            if path.suffix != ".lock"
        ]
        downloads = [
            CacheEntry("leftover", path, _size(path))
            for path in sorted(self.downloads.glob("*"))
            if path.suffix != ".lock"
        ]
        checkpoints = [
            CacheEntry("checkpoint", path, _size(path))
            for path in sorted(self.checkpoints.rglob("*"))
            if path.is_file() and path.suffix != ".lock"
        ]
        return arrays + folders + downloads + checkpoints

    def size(self) -> int:
        """Bytes of all entries."""
        return sum(entry.size for entry in self.entries())

    def clear(self, *, checkpoints: bool = False) -> int:
        """Remove all entries but folders that are being built; returns the bytes freed.

        Checkpoints stay unless they are asked for: they are not computed again but fetched, and on a machine without
        access the user has put them there. Lock files (empty) stay: to remove one would let two processes lock two
        files of one name.
        """
        freed = 0
        for entry in self.entries():
            if entry.kind == "checkpoint" and not checkpoints:
                continue
            if entry.path.parent != self._folders:
                entry.path.unlink(missing_ok=True)
            elif not _remove_folder(entry.path):
                continue
            freed += entry.size
        return freed


@contextmanager
def _locked(path: Path, *, wait: bool = True) -> Iterator[bool]:
    """A lock that the kernel releases when we die (see `bench.store.lock`); gives whether we have it."""
    lock = FileLock(path, blocking=wait)
    with writing(path), suppress(Timeout):
        lock.acquire()
    try:
        yield lock.is_locked
    finally:
        lock.release()


def _plain(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return np.asarray(array, dtype=array.dtype.newbyteorder("<"), order="C")


def _content(arrays: Mapping[str, npt.NDArray[Any]]) -> str:
    """sha256 over names, types, shapes and bytes: safetensors itself would not notice a flipped bit."""
    sha = hashlib.sha256()
    for name in sorted(arrays):
        array = _plain(arrays[name])
        sha.update(canonical_json([name, array.dtype.name, list(array.shape)]).encode())
        sha.update(array.reshape(-1).view(np.uint8).data)
    return sha.hexdigest()


def _set_aside(path: Path) -> None:
    """Rename a damaged entry, over an earlier damaged one of the same name."""
    aside = path.with_name(path.name + _CORRUPT)
    if aside.is_dir():
        shutil.rmtree(aside)
    with writing(path), suppress(FileNotFoundError):  # not there, or another process was faster
        path.replace(aside)


def _building(target: Path) -> Path:
    return target.with_name(f"{TEMP_PREFIX}{target.name}")


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and path != folder / MANIFEST)


def _describe(folder: Path) -> dict[str, dict[str, Any]]:
    return {
        path.relative_to(folder).as_posix(): {"size": path.stat().st_size, "sha256": sha256_file(path)}
        for path in _files(folder)
    }


def _is_whole(folder: Path, key: Mapping[str, Any], *, verify: bool) -> bool:
    try:
        manifest = strict_json.parse_object((folder / MANIFEST).read_bytes())
        return canonical_json(manifest["key"]) == canonical_json(key) and all(
            (folder / name).stat().st_size == known["size"]
            and (not verify or sha256_file(folder / name) == known["sha256"])
            for name, known in manifest["files"].items()
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _fsync_tree(folder: Path) -> None:
    for path in _files(folder):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    for each in sorted(path for path in (folder, *folder.rglob("*")) if path.is_dir()):
        fsync_folder(each)


def _size(path: Path) -> int:
    try:
        if path.is_dir():
            return sum(each.stat().st_size for each in path.rglob("*") if each.is_file())
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _remove_folder(path: Path) -> bool:
    """Remove an entry of `folders` unless its builder is at work. Whether it was removed."""
    name = path.name.removeprefix(TEMP_PREFIX).removesuffix(_CORRUPT)
    doomed = path.with_name(f"{TEMP_PREFIX}{name}")
    with _locked(path.with_name(f"{name}.lock"), wait=False) as free:
        if free:
            if path != doomed:
                # Renamed first, so that under its own name it is never there in part.
                shutil.rmtree(doomed, ignore_errors=True)
                with writing(path), suppress(FileNotFoundError):
                    path.replace(doomed)
            shutil.rmtree(doomed, ignore_errors=True)
        return free
