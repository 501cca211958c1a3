"""The beginning of a file that is being downloaded, the note of what it is the beginning of, and when it is whole.

`<path>.part` has the bytes, in the order in which they came and written when they came; `<path>.part.json` has the URL
and what the server said of the file when the part was begun. `bench.store.download` gives the rules.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from pydantic import BaseModel, ConfigDict

from bench.errors import DataError, IncompleteError
from bench.identity import sha256_file
from bench.store import strict_json
from bench.store.atomic import free_bytes, fsync_folder, write_all, write_json, writing

MIB = 1 << 20


@dataclass(frozen=True)
class Wanted:
    """What a caller asks for.

    Attributes:
        url: where it is.
        sha256, size: of the file, as far as the caller knows them.
        most: bytes beyond which it cannot be that file.
    """

    url: str
    sha256: str | None
    size: int | None
    most: int

    @property
    def shown(self) -> str:
        """The URL as it may be shown and noted."""
        return shown(self.url)

    @property
    def host(self) -> str:
        """The server's name."""
        return urlsplit(self.url).hostname or ""

    def is_at(self, path: Path) -> bool:
        """Whether a file is there that is right, as far as the caller can tell."""
        return (
            path.is_file()
            and self.size in (None, path.stat().st_size)
            and (self.sha256 is None or sha256_file(path) == self.sha256)
        )


def shown(url: str) -> str:
    """A URL without name and password.

    >>> shown("https://me:secret@example.org/a.zip")
    'https://example.org/a.zip'
    """
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


class Origin(BaseModel):
    """What a part is a part of, as the server told when it was begun."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    url: str
    etag: str | None = None
    last_modified: str | None = None
    size: int | None = None

    @property
    def validator(self) -> str | None:
        """What `If-Range` may carry: an ETag unless it is a weak one, else the date of the last change."""
        return self.etag if self.etag and not self.etag.startswith("W/") else self.last_modified


class Part:
    """The part of the file that will be at `path`. Not more than one process at a time may use it."""

    def __init__(self, path: Path, wanted: Wanted):
        self._path = path
        self._wanted = wanted
        self._bytes = path.with_name(f"{path.name}.part")
        self._note = path.with_name(f"{path.name}.part.json")

    @property
    def length(self) -> int:
        """Bytes that are there."""
        return self._bytes.stat().st_size if self._bytes.exists() else 0

    def origin(self) -> Origin | None:
        """The origin, if the part can be continued: it is of this URL, and what follows can be told to belong to it."""
        try:
            origin = Origin.model_validate(strict_json.parse_object(self._note.read_bytes()))
        except (OSError, ValueError):
            return None
        verifiable = origin.validator is not None or self._wanted.sha256 is not None
        return origin if self.length and verifiable and origin.url == self._wanted.shown else None

    def begin(self, origin: Origin) -> None:
        """Start anew."""
        # The old bytes go first: at no moment do they lie beside a note that is not theirs.
        self.discard()
        write_json(self._note, origin.model_dump())

    def check_room(self, total: int) -> None:
        """Before the rest of a file of `total` bytes is asked for: whether that can be the file, and has room.

        Raises:
            DataError: `download/wrong-size`, `download/too-large`; the part is removed.
            IncompleteError: `store/disk-full`.
        """
        self._check_size(total)
        left = total - self.length
        if left > free_bytes(self._path.parent):
            raise IncompleteError(
                f"there is no room for the {left:,} bytes that are left to download",
                where=str(self._path.parent),
                remedy="Free some space, then give the same command again: it goes on where it stopped.",
                code="store/disk-full",
            )

    def append(self, blocks: Iterable[bytes]) -> Iterator[int]:
        """Write what comes, when it comes; gives a number for every MiB, so that progress can be tracked.

        Raises:
            DataError: `download/too-large`, once more comes than the file can have; the part is removed.
            IncompleteError, UsageError: if it cannot be written; what was written stays.
        """
        with writing(self._bytes):
            descriptor = os.open(self._bytes, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        try:
            length = os.fstat(descriptor).st_size
            for block in blocks:
                if length + len(block) > self._wanted.most:
                    self.discard()
                    raise self._too_large()
                with writing(self._bytes):
                    write_all(descriptor, block)
                before, length = length, length + len(block)
                yield from range(before // MIB, length // MIB)
        finally:
            os.close(descriptor)

    def publish(self) -> None:
        """Check the part, and give it the file's name, durably.

        Raises:
            DataError: `download/wrong-size`, `download/wrong-hash`; the part is removed.
            IncompleteError, UsageError: if it cannot be written.
        """
        self._check_size(self.length)
        self._check_hash()
        with writing(self._path):
            descriptor = os.open(self._bytes, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            self._bytes.replace(self._path)
            self._note.unlink(missing_ok=True)
            fsync_folder(self._path.parent)

    def discard(self) -> None:
        """Remove the part."""
        with writing(self._bytes):
            self._bytes.unlink(missing_ok=True)
            self._note.unlink(missing_ok=True)

    def _check_size(self, found: int) -> None:
        if self._wanted.size not in (None, found):
            self.discard()
            raise DataError(
                f"the file is not the one expected: it has {found:,} bytes, not {self._wanted.size:,}",
                where=self._wanted.shown,
                remedy="Check the address: the file was replaced, or this is not the one that is meant.",
                code="download/wrong-size",
            )
        if found > self._wanted.most:
            self.discard()
            raise self._too_large()

    def _check_hash(self) -> None:
        found = None if self._wanted.sha256 is None else sha256_file(self._bytes)
        if found != self._wanted.sha256:
            self.discard()
            raise DataError(
                f"the file is not the one expected: its sha256 is {found}, not {self._wanted.sha256}",
                where=self._wanted.shown,
                remedy="Give the same command again, which starts anew; if it ends here again, the file was replaced.",
                code="download/wrong-hash",
            )

    def _too_large(self) -> DataError:
        return DataError(
            f"the file is larger than {self._wanted.most:,} bytes, which is the most that it can have",
            where=self._wanted.shown,
            remedy="Check the address: this is not the file that is meant.",
            code="download/too-large",
        )
