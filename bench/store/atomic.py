"""The one way the store replaces a file: the old content or the new content, never a mixture, never nothing.

1. Write a temporary file in the folder of the target (the same file system, or step 3 would be a copy).
2. fsync it: its content is on the disk before anything points to it.
3. Replace the target by it, which is atomic on POSIX.
4. fsync the folder: the new name survives a power cut, too.

An error before step 3 leaves the target as it was and removes the temporary file. A kill leaves the temporary file,
whose name says what it is; `sweep` removes it once nobody else can be writing (under the run directory's lock).

Accepted: a target that is a symbolic link is replaced by a plain file; permissions are those of a new file (umask);
on macOS fsync reaches the drive, but not always past its cache. Appending is not done here: see `journal`.
"""

from __future__ import annotations

import errno
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from bench.errors import IncompleteError, UsageError
from bench.store import strict_json

TEMP_PREFIX = ".timbrebench-tmp-"

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_IN_THE_WAY = frozenset({errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENAMETOOLONG})


def free_bytes(path: Path) -> int:
    """Free space where a path is, or would be made."""
    while not path.exists():
        path = path.parent
    return shutil.disk_usage(path).free


def write_bytes(path: Path, data: bytes) -> None:
    """Replace a file's content, durably. The folder must exist.

    Raises:
        IncompleteError: `store/disk-full` or `store/write-failed`; the previous file is intact.
        UsageError: `store/not-writable`, if the folder cannot be written to.
    """
    temp = path.with_name(f"{TEMP_PREFIX}{uuid.uuid4().hex}")
    with writing(path):
        try:
            descriptor = os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
            try:
                write_all(descriptor, data)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            temp.replace(path)
        except BaseException:
            with suppress(OSError):
                temp.unlink()
            raise
        fsync_folder(path.parent)


def write_text(path: Path, text: str) -> None:
    """`write_bytes` of UTF-8 text."""
    write_bytes(path, text.encode("utf-8"))


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """`write_bytes` of an object as indented JSON with sorted names.

    Raises:
        TypeError, ValueError: for what JSON does not know, NaN and infinity included. Nothing is written.
    """
    write_bytes(path, strict_json.dump(value, indent=2, sort_keys=True) + b"\n")


def write_all(descriptor: int, data: bytes) -> None:
    """Write all bytes: one `os.write`, unless the system takes fewer (a nearly full disk, a limit on file size)."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def make_folder(folder: Path) -> None:
    """Create a folder and its parents, durably. One that exists is fine.

    Raises:
        IncompleteError, UsageError: as `write_bytes`.
    """
    with writing(folder):
        created = [each for each in (folder, *folder.parents) if not each.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        for each in created:
            fsync_folder(each.parent)


def fsync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some network and FUSE file systems have no fsync of folders; there the server decides.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)


def sweep(folder: Path) -> list[Path]:
    """Remove what killed writers left in a folder and below it; returns what was removed.

    Only for a caller who knows that nobody is writing there, that is, who holds the lock.
    """
    leftovers = sorted(path for path in folder.rglob(f"{TEMP_PREFIX}*") if not path.is_dir())
    with writing(folder):
        for path in leftovers:
            path.unlink()
    return leftovers


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn the system's errors while writing `path` into errors that say what to do."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        if error.errno in _FULL:
            raise IncompleteError(
                f"there is no room to write '{path.name}' ({reason}); what was there before is intact",
                where=str(path),
                remedy="Free some space, then give the same command again: it goes on where it stopped.",
                code="store/disk-full",
            ) from error
        if error.errno in _FORBIDDEN | _IN_THE_WAY:
            raise UsageError(
                f"cannot write '{path.name}' ({reason})",
                where=str(path),
                remedy="Choose a folder that you may write to.",
                code="store/not-writable",
            ) from error
        raise IncompleteError(
            f"writing '{path.name}' failed ({reason}); what was there before is intact",
            where=str(path),
            remedy="Check the disk, then give the same command again: it goes on where it stopped.",
            code="store/write-failed",
        ) from error
