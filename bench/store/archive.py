"""Files from an archive that may come from anyone: read by name into memory, never extracted.

None of an archive's names, links, owners and modes reaches the disk. An archive that tries is refused as a whole: for
names that lead out of it, for wanted files that are links or devices, for one name twice or in two cases (one file on
some disks), and for unpacking to more than the limits allow, whatever it declares.
"""

from __future__ import annotations

import gzip
import os
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, Literal, cast

from bench.errors import DataError

_BLOCK = 16 << 10
_ZIP_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})

# The most to read at once: beyond any list of files of a zip, and any one name or attribute in a tar.
_LONGEST_ZIP_READ = 4 << 20
_LONGEST_TAR_READ = 64 << 10

_DAMAGE: tuple[type[Exception], ...] = (
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, struct.error, EOFError, OSError),
    *(ValueError, OverflowError, LookupError, RuntimeError),  # the last also for a password, and for endless nesting
)
"""What zipfile, tarfile, gzip and zlib raise for bytes that are not what they should be."""


@dataclass(frozen=True)
class Limits:
    """What is more than an honest archive has.

    Attributes:
        file: bytes of one wanted file.
        files: bytes of all wanted files.
        members: files and folders, wanted or not.
        unpacked: bytes of a whole .tar.gz, which has to be unpacked to get at any of it.
    """

    file: int
    files: int
    members: int = 20_000
    unpacked: int = 256 << 20


def read_files(path: Path, wanted: Callable[[str], bool], limits: Limits) -> dict[str, bytes]:
    """The wanted files of a .zip or .tar.gz, by their names in it, with forward slashes.

    Args:
        path: of the archive; which of the two it is, its first bytes tell.
        wanted: whether a name is wanted.
        limits: what to refuse.

    Raises:
        DataError: `archive/format` if it is neither; `archive/damaged`; `archive/unsafe`; `archive/too-large`.
    """
    found: dict[str, bytes] = {}
    spelt: dict[str, str] = {}
    left = limits.files
    with _damage_told(path):
        for number, member in enumerate(_members(path, limits), start=1):
            if number > limits.members:
                raise _too_large(path, f"more than {limits.members:,} files and folders")
            name = _safe_name(path, member.name)
            if member.kind == "folder" or not wanted(name):
                continue
            if member.kind == "special":
                raise _unsafe(path, f"{name!r} is a link or a device, not a file")
            if (twin := spelt.setdefault(name.casefold(), name)) != name or name in found:
                raise _unsafe(path, f"{name!r} is there twice" + (f", also as {twin!r}" if twin != name else ""))
            with member.open() as file:
                found[name] = _read_at_most(file, limits.file + 1)
            left -= len(found[name])
            if len(found[name]) > limits.file or left < 0:
                raise _too_large(path, f"{name!r} is larger than its limit of {min(limits.file, limits.files):,} bytes")
    return found


def _read_at_most(file: IO[bytes], size: int) -> bytes:
    data = bytearray()
    while len(data) < size and (block := file.read(min(_BLOCK, size - len(data)))):
        data += block
    return bytes(data)


# -- members --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Member:
    name: str
    kind: Literal["file", "folder", "special"]
    open: Callable[[], IO[bytes]]


def _members(path: Path, limits: Limits) -> Iterator[_Member]:
    with path.open("rb") as handle:
        start = handle.read(4)
        handle.seek(0)
        if start[:2] == b"PK":
            yield from _zip_members(_Guarded(path, handle, path.stat().st_size, _LONGEST_ZIP_READ))
        elif start[:2] == b"\x1f\x8b":
            with gzip.GzipFile(fileobj=handle) as unpacked:
                guarded = _Guarded(path, cast(IO[bytes], unpacked), limits.unpacked, _LONGEST_TAR_READ)
                yield from _tar_members(guarded)
        else:
            raise DataError(
                "this is not an archive that is read here",
                where=str(path),
                remedy="Give a .zip or .tar.gz file; if it was one, fetch it again: what came is something else.",
                code="archive/format",
            )


def _zip_members(handle: _Guarded) -> Iterator[_Member]:
    with zipfile.ZipFile(cast(IO[bytes], handle)) as archive:
        for info in archive.infolist():
            kind = stat.S_IFMT(info.external_attr >> 16)  # 0 where the zip was not made on Unix
            special = kind not in {0, stat.S_IFREG, stat.S_IFDIR}
            yield _Member(
                info.filename,
                "special" if special else "folder" if info.is_dir() else "file",
                partial(_open_zipped, archive, info),
            )


def _open_zipped(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> IO[bytes]:
    if info.compress_type not in _ZIP_METHODS:
        raise zipfile.BadZipFile(f"compression method {info.compress_type} is not read here")
    return archive.open(info)


def _tar_members(handle: _Guarded) -> Iterator[_Member]:
    with tarfile.open(fileobj=cast(IO[bytes], handle), mode="r:") as archive:
        for info in archive:
            yield _Member(
                info.name,
                "file" if info.isreg() else "folder" if info.isdir() else "special",
                partial(_open_tarred, archive, info),
            )


def _open_tarred(archive: tarfile.TarFile, info: tarfile.TarInfo) -> IO[bytes]:
    file = archive.extractfile(info)
    assert file is not None  # it is for links and devices only
    return file


class _Guarded:
    """An open file that does not give what only a bomb asks for: megabytes of headers, positions beyond a limit."""

    def __init__(self, path: Path, handle: IO[bytes], limit: int, longest: int):
        self._path = path
        self._handle = handle
        self._limit = limit
        self._longest = longest

    def read(self, size: int = -1) -> bytes:
        data = self._handle.read(size if 0 <= size <= self._longest else self._longest + 1)
        if len(data) > self._longest:
            raise _too_large(self._path, f"a list of files or a name of more than {self._longest:,} bytes")
        self._check(self._handle.tell())
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._check(offset)  # before: to go there in a .gz is to unpack all that lies between
        return self._handle.seek(offset, whence)

    def tell(self) -> int:
        return self._handle.tell()

    def seekable(self) -> bool:
        return True

    def _check(self, position: int) -> None:
        if position > self._limit:
            raise _too_large(self._path, f"more than {self._limit:,} bytes when unpacked")


def _safe_name(path: Path, name: str) -> str:
    """The name without needless slashes and dots."""
    pure = PurePosixPath(name)
    leads_out = pure.is_absolute() or ".." in pure.parts or "\\" in name or PureWindowsPath(name).drive
    if leads_out:
        raise _unsafe(path, f"the name {name!r} leads out of it")
    return pure.as_posix()


# -- errors ---------------------------------------------------------------------------------------------------------


@contextmanager
def _damage_told(path: Path) -> Iterator[None]:
    try:
        yield
    except _DAMAGE as error:
        raise DataError(
            f"the archive is damaged, or cut off ({error or type(error).__name__})",
            where=str(path),
            remedy="Fetch it again.",
            code="archive/damaged",
        ) from error


def _unsafe(path: Path, cause: str) -> DataError:
    return DataError(
        f"the archive is not to be trusted: {cause}",
        where=str(path),
        remedy="Fetch it from where it is published; nothing was taken from this one.",
        code="archive/unsafe",
    )


def _too_large(path: Path, what: str) -> DataError:
    return DataError(
        f"the archive has {what}, which an honest one does not",
        where=str(path),
        remedy="Fetch it from where it is published; nothing was taken from this one.",
        code="archive/too-large",
    )
