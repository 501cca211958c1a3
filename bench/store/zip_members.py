"""The members of a .zip that may come from anyone: everything wrong with it told at once, the rest read by name.

`bench.store.archive` refuses such a file at the first fault, and holds what it took in memory. Here every fault is a
`Flaw`, so that whoever made the file can mend all of them; members without one are read one at a time, by names that
the caller knew before. Nothing reaches the disk. A member counts as what it declares only after it was read: sizes are
bounded before, checksums compared after.
"""

from __future__ import annotations

import stat
import struct
import unicodedata
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from types import TracebackType
from typing import IO, cast

_BLOCK = 64 << 10
_LOCAL_HEADER = 30  # bytes before a member's name
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_ENCRYPTED = 0x1 | 0x40 | 0x2000  # flags: encrypted, strongly, with hidden names

_DAMAGE: tuple[type[Exception], ...] = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError),
    *(ValueError, OverflowError, LookupError, RuntimeError),  # names that are not UTF-8; passwords; methods
)


@dataclass(frozen=True)
class ZipLimits:
    """What is more than an honest archive has.

    Attributes:
        archive: bytes of the file. member: unpacked bytes of one member. total: of all.
        members: files and folders. directory: bytes of the list of them. ratio: unpacked to packed, of one member.
    """

    archive: int = 32 << 30
    member: int = 256 << 20
    total: int = 64 << 30
    members: int = 100_000
    directory: int = 24 << 20
    ratio: int = 100


@dataclass(frozen=True)
class Flaw:
    """A fault of an archive. `code`: the kind of it. `name`: of the member, or empty for the whole."""

    code: str
    name: str
    what: str


class FlawError(Exception):
    """A member cannot be read; `flaw` says why."""

    def __init__(self, flaw: Flaw):
        super().__init__(flaw.what)
        self.flaw = flaw


class ZipMembers:
    """An opened archive. To be used as a context manager.

    Args:
        path: of a file that exists.
        limits: what to refuse.

    Attributes:
        flaws: of the archive and of its members, but for those that only reading shows.
        names: of all files in it, whatever they are; empty if the archive as a whole cannot be used.
    """

    def __init__(self, path: Path, limits: ZipLimits):
        self._limits = limits
        self._handle = path.open("rb")
        self._archive: zipfile.ZipFile | None = None
        self._usable: dict[str, zipfile.ZipInfo] = {}
        self.names: tuple[str, ...] = ()
        try:
            self.flaws = tuple(self._open(path))
        except BaseException:
            self.close()
            raise

    def __contains__(self, name: str) -> bool:
        """Whether a member of that name is there and has no flaw."""
        return name in self._usable

    def read(self, name: str, most: int) -> bytes:
        """The content of a member that has no flaw.

        Raises:
            FlawError: `too-large` if it unpacks to more than `most` bytes; `crc`; `damaged`.
        """
        assert self._archive is not None
        info = self._usable[name]
        if info.file_size > most:
            raise FlawError(Flaw("too-large", name, f"it has {info.file_size:,} bytes, and may have {most:,}"))
        data = bytearray()
        try:
            with self._archive.open(info) as member:
                while len(data) <= most and (block := member.read(_BLOCK)):
                    data += block
        except _DAMAGE as error:
            checksum = isinstance(error, zipfile.BadZipFile) and str(error).startswith("Bad CRC-32")
            if checksum:
                raise FlawError(Flaw("crc", name, "its content does not have the checksum that it should")) from error
            raise FlawError(Flaw("damaged", name, f"it cannot be read ({error or type(error).__name__})")) from error
        if len(data) != info.file_size:
            what = f"it unpacks to {len(data):,} bytes or more, and declares {info.file_size:,}"
            raise FlawError(Flaw("damaged", name, what))
        return bytes(data)

    def close(self) -> None:
        """Close the file."""
        if self._archive is not None:
            self._archive.close()
        self._handle.close()

    def __enter__(self) -> ZipMembers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # -- what is wrong with it --------------------------------------------------------------------------------------

    def _open(self, path: Path) -> Iterator[Flaw]:
        size = path.stat().st_size
        if size > self._limits.archive:
            yield Flaw("too-large", "", f"it has {size:,} bytes, and may have {self._limits.archive:,}")
            return
        # A member comes first, so that the file is nothing else besides (a program, a page).
        if self._handle.read(4) != b"PK\x03\x04":
            yield Flaw("format", "", "it is not a .zip file that begins with its first member")
            return
        self._handle.seek(0)
        try:
            self._archive = zipfile.ZipFile(cast(IO[bytes], _Guarded(self._handle, self._limits.directory)))
        except _TooLongError:
            yield Flaw("too-many", "", f"its list of members is longer than {self._limits.directory:,} bytes")
            return
        except _DAMAGE as error:
            yield Flaw("damaged", "", f"it is damaged or cut off ({error or type(error).__name__})")
            return
        members = self._archive.infolist()
        if len(members) > self._limits.members:
            yield Flaw("too-many", "", f"it has {len(members):,} members, and may have {self._limits.members:,}")
            return
        yield from self._members(members)

    def _members(self, members: list[zipfile.ZipInfo]) -> Iterator[Flaw]:
        found = [*_clashes(members), *_overlaps(members, self._archive.start_dir if self._archive else 0)]
        found += [flaw for info in members for flaw in self._flaws_of(info)]
        total = sum(info.file_size for info in members)
        if total > self._limits.total:
            found.append(Flaw("too-large", "", f"its members unpack to {total:,} bytes, over {self._limits.total:,}"))
        flawed = {flaw.name for flaw in found}
        files = [info for info in members if not info.is_dir()]
        self.names = tuple(dict.fromkeys(info.filename for info in files))
        self._usable = {info.filename: info for info in files if info.filename not in flawed}
        yield from found

    def _flaws_of(self, info: zipfile.ZipInfo) -> Iterator[Flaw]:
        name = info.filename
        if reason := _unsafe(info):
            yield Flaw("unsafe-name", name, reason)
        kind = stat.S_IFMT(info.external_attr >> 16)  # 0 where the archive was not made on Unix
        if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
            yield Flaw("link", name, "it is a link or a device, not a file")
        if info.flag_bits & _ENCRYPTED:
            yield Flaw("encrypted", name, "it is encrypted")
        if info.compress_type not in _METHODS:
            yield Flaw("compression", name, f"it is packed by method {info.compress_type}")
        if info.is_dir() and info.file_size:
            yield Flaw("damaged", name, "it is a folder, and has content")
        if info.file_size > self._limits.member:
            yield Flaw("too-large", name, f"it has {info.file_size:,} bytes, and may have {self._limits.member:,}")
        if info.file_size > self._limits.ratio * max(info.compress_size, 1):
            yield Flaw("ratio", name, f"it unpacks to {info.file_size:,} bytes from {info.compress_size:,}")
        if info.compress_type == zipfile.ZIP_STORED and info.file_size != info.compress_size:
            yield Flaw(
                "damaged", name, f"it is stored, and declares {info.file_size:,} and {info.compress_size:,} bytes"
            )


def _unsafe(info: zipfile.ZipInfo) -> str:
    """Why a name must not be used as one; empty if nothing is wrong with it."""
    name = info.orig_filename
    pure = PurePosixPath(name)
    if pure.is_absolute() or PureWindowsPath(name).drive or "\\" in name:
        return "the name is a path of its own"
    if ".." in pure.parts or "." in name.split("/"):
        return "the name leads out of the archive, or around in it"
    if not name or "//" in name or any(unicodedata.category(character)[0] == "C" for character in name):
        return "the name is empty, or has characters that do not show"
    return ""


def _clashes(members: list[zipfile.ZipInfo]) -> Iterator[Flaw]:
    """Names that are there twice, or would be one file on some disks: those that ignore case, or unify Unicode."""
    for name, count in Counter(info.filename for info in members).items():
        if count > 1:
            yield Flaw("duplicate", name, f"it is there {count} times")
    spelt: dict[str, str] = {}
    for name in dict.fromkeys(info.filename.rstrip("/") for info in members):
        plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
        twin = spelt.setdefault(plain, name)
        if twin != name:
            yield Flaw("colliding", name, f"it would be the same file as {twin!r} on some disks")


def _overlaps(members: list[zipfile.ZipInfo], end: int) -> Iterator[Flaw]:
    """Members that share bytes with another: how a small file unpacks to any size without nesting (Fifield, 2019)."""
    ordered = sorted(members, key=lambda info: info.header_offset)
    starts = [info.header_offset for info in ordered[1:]] + [end]
    for info, following in zip(ordered, starts, strict=True):
        if info.header_offset + _LOCAL_HEADER + info.compress_size > following:
            yield Flaw("overlap", info.filename, "its bytes are also those of another member, or not in the file")


class _TooLongError(Exception):
    """More was asked for at once than a list of members may have."""


class _Guarded:
    """An open file that does not give more than so many bytes at once: zipfile reads the whole list of members so."""

    def __init__(self, handle: IO[bytes], longest: int):
        self._handle = handle
        self._longest = longest

    def read(self, size: int = -1) -> bytes:
        data = self._handle.read(size if 0 <= size <= self._longest else self._longest + 1)
        if len(data) > self._longest:
            raise _TooLongError
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._handle.seek(offset, whence)

    def tell(self) -> int:
        return self._handle.tell()

    def seekable(self) -> bool:
        return True
