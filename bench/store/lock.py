"""One writer a folder: a lock that the kernel takes back when its holder dies, and a note of who holds it.

The lock is an `flock` on `run.lock` (what `filelock.FileLock` takes on Linux and macOS). It belongs to the open file,
so a SIGKILL releases it and no stale lock is ever left. The lock file itself stays: to remove it would let two
processes lock two files of one name.

Accepted: a child made by `os.fork` alone shares the open file and keeps the lock as long as it lives, so workers are
spawned. On a file system without `flock` (some cluster mounts) filelock warns and falls back to a lock by existence,
which it takes back from dead holders on the same host only.
"""

from __future__ import annotations

import os
import shlex
import socket
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from filelock import FileLock, Timeout

from bench.errors import LockedError
from bench.store import strict_json
from bench.store.atomic import make_folder, write_json, writing

LOCK = "run.lock"
HOLDER = "run.holder.json"


class DirectoryLock:
    """The lock on a folder, as a context manager. It never waits.

    Raises:
        LockedError: on entering, if another process (or another lock in this one) holds it; it names the holder.
        IncompleteError, UsageError: if the folder cannot be written to.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        # Not thread-local: whoever has the object may release it, from whichever thread.
        self._lock = FileLock(folder / LOCK, blocking=False, thread_local=False)

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return self._lock.is_locked

    def acquire(self) -> None:
        """Take the lock and note who has it."""
        make_folder(self.folder)
        with writing(self.folder / LOCK):
            try:
                self._lock.acquire()
            except Timeout as error:  # an OSError, too
                raise self._locked() from error
        try:
            write_json(
                self.folder / HOLDER,
                {
                    "pid": os.getpid(),
                    "host": socket.gethostname(),
                    "since": datetime.now(UTC).isoformat(timespec="seconds"),
                    "command": shlex.join(sys.argv),
                },
            )
        except BaseException:
            self._lock.release()
            raise

    def release(self) -> None:
        """Remove the note, then release the lock: a note without a lock names nobody who still works."""
        with suppress(OSError):
            (self.folder / HOLDER).unlink()
        self._lock.release()

    def __enter__(self) -> DirectoryLock:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def _locked(self) -> LockedError:
        try:
            holder = strict_json.parse_object((self.folder / HOLDER).read_bytes())
            who = f"process {holder['pid']} on {holder['host']}, since {holder['since']}: `{holder['command']}`"
        except (OSError, ValueError, KeyError):
            # The holder has the lock and has not written its note yet, or is about to end.
            who = "a process that has not said who it is"
        return LockedError(
            f"another run is writing to this directory ({who})",
            where=str(self.folder),
            remedy="Wait until it ends or stop it, or choose another --out.",
        )
