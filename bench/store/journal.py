"""The journal: an append-only file of JSON lines, one event a line, on the disk before `append` returns.

A kill or a power cut in the middle of an append can only tear the last line, because each line is synced before the
next is begun. So a torn last line (no newline, or not an object) is an append that never returned: readers ignore it
and the next writer cuts it off. Any other damage has no such explanation; it stops with file and line.

A file has one writer at a time: each worker has its own journal, and the run directory's lock keeps other runs away.
Readers need no lock.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from bench.errors import CorruptStoreError
from bench.store import strict_json
from bench.store.atomic import fsync_folder, write_all, writing

Event = dict[str, Any]


class Journal:
    """A journal opened for appending. Safe to share between threads; usable as a context manager.

    Opening creates the file, or cuts off a torn last line.

    Raises:
        CorruptStoreError: if the file is damaged elsewhere.
        IncompleteError, UsageError: if it cannot be written.
    """

    def __init__(self, path: Path):
        self.path = path
        self._lock = threading.Lock()
        self._descriptor: int | None = None
        self._open()

    def append(self, event: Mapping[str, Any]) -> None:
        """Append one event: a single write, then fsync. On an error the journal is as it was before.

        Raises:
            TypeError, ValueError: for an event that would not come back from `read_events`. Nothing is written.
            IncompleteError, UsageError: if the line cannot be written.
        """
        line = strict_json.dump(event)
        strict_json.parse_object(line)
        with self._lock, writing(self.path):
            descriptor = self._open()
            start = os.fstat(descriptor).st_size
            try:
                write_all(descriptor, line + b"\n")
                os.fsync(descriptor)
            except BaseException:
                # Cut the piece off. Should even that fail, the next append opens the file again, which repairs it.
                with suppress(OSError):
                    os.ftruncate(descriptor, start)
                self._close()
                raise

    def close(self) -> None:
        """Close the file. A later `append` opens it again."""
        with self._lock:
            self._close()

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _open(self) -> int:
        if self._descriptor is not None:
            return self._descriptor
        with writing(self.path):
            created = not self.path.exists()
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
            try:
                if created:
                    fsync_folder(self.path.parent)
                else:
                    self._repair(descriptor)
            except BaseException:
                os.close(descriptor)
                raise
        self._descriptor = descriptor
        return descriptor

    def _repair(self, descriptor: int) -> None:
        data = self.path.read_bytes()
        _, intact = _scan(data, self.path)
        if intact < len(data):
            os.ftruncate(descriptor, intact)
            os.fsync(descriptor)

    def _close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def read_events(path: Path) -> list[Event]:
    """All events of a journal in their order; event i is line i + 1. A torn last line is left out.

    Raises:
        CorruptStoreError: for any other damage, with file and line.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CorruptStoreError(
            f"cannot read the journal ({error.strerror or error})",
            where=str(path),
            remedy="Check the disk and the file's permissions.",
            code="corrupt/journal",
        ) from error
    return _scan(data, path)[0]


def _scan(data: bytes, path: Path) -> tuple[list[Event], int]:
    """The events of a journal's bytes, and how many bytes they take: what follows is a torn last line."""
    *lines, tail = data.split(b"\n")
    events: list[Event] = []
    intact = 0
    for number, line in enumerate(lines, start=1):
        try:
            events.append(strict_json.parse_object(line))
        except ValueError as error:
            if number == len(lines) and not tail:
                break
            raise CorruptStoreError(
                f"the journal is damaged in a way that no interrupted write explains: {error}",
                where=f"{path}:{number}",
                remedy="Restore the file from a copy, or remove that line: its task is then done again.",
                code="corrupt/journal",
            ) from error
        intact += len(line) + 1
    return events, intact
