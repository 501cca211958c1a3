"""The run directory: one method, one suite, one set of seeds, and everything that came of it.

Layout, fields and failure modes are on one page: `docs/run-directory.md`. In short: `run.json` and the plan are fixed
before work starts, journals grow line by line, audio is named by its hash, and all the rest can be built again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from bench.audio import Clip
from bench.errors import CorruptStoreError, DataError, UsageError
from bench.identity import sha256_bytes
from bench.store import atomic
from bench.store.audio_files import AudioFiles
from bench.store.journal import Event, Journal, read_events
from bench.store.lock import HOLDER, LOCK, DirectoryLock
from bench.store.outcomes import Key, Ledger, Outcome, PlanItem
from bench.store.record import SCHEMA, RunRecord, as_json, check_same_run, plan_bytes, read_plan
from bench.suite import Suite

__all__ = ["SCHEMA", "Outcome", "PlanItem", "RunDirectory"]

RUN, SUITE, PLAN = "run.json", "suite.jsonl", "plan.jsonl"
STORE = "store"  # the worker name under which the store itself writes

_WORKER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")


class RunDirectory:
    """A run on disk. Made by `create_or_resume` (to work on it, under the lock) or `open` (to read it).

    Attributes:
        path: the folder.
        identity: what decides the audio, as JSON values.
        about: what is worth knowing besides, as it was when the directory was made.
        plan: every (task, seed) expected, in order: the denominator of everything.
        resumed: whether the directory was there before.
    """

    def __init__(self, path: Path, record: RunRecord, plan: Sequence[PlanItem], *, resumed: bool):
        self.path = path
        self.identity = record.identity
        self.about = record.about
        self.plan = tuple(plan)
        self.resumed = resumed
        self._record = record
        self._audio = AudioFiles(path / "audio", path / "quarantine")

    # -- making and opening -----------------------------------------------------------------------------------

    @staticmethod
    def lock(path: Path) -> DirectoryLock:
        """The lock of a run directory, to be entered before `create_or_resume`. Entering creates the folder."""
        return DirectoryLock(path)

    @classmethod
    def create_or_resume(
        cls,
        path: Path,
        *,
        identity: Mapping[str, Any],
        about: Mapping[str, Any],
        plan: Sequence[PlanItem],
        suite: Suite,
    ) -> RunDirectory:
        """Make a run directory, or go on with one that holds the same run. The caller holds the lock.

        Roots of the suite are stored as absolute paths. They are not part of its digest: resuming with other roots
        stores the new ones.

        Raises:
            IdentityError: if the directory holds another run; it lists what differs.
            DataError: if the folder holds something else, or another version's run.
            CorruptStoreError: if the directory is damaged.
            IncompleteError, UsageError: if it cannot be written.
            TypeError, ValueError: if `identity` or `about` is not JSON.
        """
        planned = plan_bytes(plan)
        asked = RunRecord(as_json(identity), as_json(about), sha256_bytes(planned), suite.digest)
        resumed = (path / RUN).exists()
        if resumed:
            there = RunRecord.read(path / RUN)
            check_same_run(path, there, asked, (read_plan(path / PLAN, there.plan_sha256), plan))
        else:
            there = asked
            _check_unused(path)
        atomic.make_folder(path)
        atomic.sweep(path)
        copy = "".join(f"{line}\n" for line in _with_absolute_roots(suite).lines()).encode()
        if not (path / SUITE).exists() or (path / SUITE).read_bytes() != copy:
            atomic.write_bytes(path / SUITE, copy)
        if not resumed:
            atomic.write_bytes(path / PLAN, planned)
            # Last: a directory without it was never begun, and is made again from the start.
            there.write(path / RUN)
        return cls(path, there, plan, resumed=resumed)

    @classmethod
    def open(cls, path: Path) -> RunDirectory:
        """Read a run directory. Takes no lock and writes nothing: the run may still be going on.

        Raises:
            DataError: if it is not a run directory, or another version's.
            CorruptStoreError: if it is damaged.
        """
        if not (path / RUN).exists():
            raise _not_a_run(path)
        record = RunRecord.read(path / RUN)
        return cls(path, record, read_plan(path / PLAN, record.plan_sha256), resumed=True)

    @cached_property
    def suite(self) -> Suite:
        """The suite of the run, read on first use from the directory's own copy.

        Raises:
            CorruptStoreError: if the copy is not the suite that the run was made from.
        """
        where = self.path / SUITE
        try:
            suite = Suite.read(where)
        except DataError as error:
            raise _damaged_suite(where, error.cause) from error
        if suite.digest != self._record.suite_digest:
            raise _damaged_suite(where, "it is another suite (its digest differs)")
        return suite

    # -- journals ---------------------------------------------------------------------------------------------

    def journal(self, worker: str) -> Journal:
        """A worker's journal, opened for appending. One at a time for each worker, under the lock.

        Raises:
            UsageError: if the name does not do as a file name.
        """
        if not _WORKER.fullmatch(worker):
            raise UsageError(
                f"{worker!r} is not a name for a worker",
                remedy="Use letters, digits, '.', '_' and '-'.",
                code="store/worker-name",
            )
        folder = self.path / "journal"
        atomic.make_folder(folder)
        return Journal(folder / f"{worker}.jsonl")

    def events(self) -> list[Event]:
        """All events: the journals by worker name, each in its order."""
        return [event for events in self._journals().values() for event in events]

    def outcomes(self) -> dict[Key, Outcome]:
        """What became of every planned item, in the plan's order. The rules are in `bench.store.outcomes`.

        Raises:
            CorruptStoreError: if a journal is damaged, or is another run's.
        """
        ledger = Ledger(self.plan, self._journals())
        return {item.key: ledger.outcome(item.key) for item in self.plan}

    def _journals(self) -> dict[str, list[Event]]:
        files = sorted((self.path / "journal").glob("*.jsonl"))
        return {file.stem: read_events(file) for file in files}

    # -- audio ------------------------------------------------------------------------------------------------

    def put_audio(self, clip: Clip) -> str:
        """Store a clip, durably, and return the hash that names it. Safe from any thread or worker.

        Journal the hash after this returns: then an event never names audio that a crash took away.
        """
        return self._audio.put(clip)

    def audio_path(self, sha: str) -> Path:
        """The file of a hash."""
        return self._audio.path(sha)

    def read_audio(self, sha: str) -> Clip:
        """The clip of a hash.

        Raises:
            CorruptStoreError: if the file is missing or its content is not what its name says.
        """
        return self._audio.read(sha)

    def quarantine_corrupt(self) -> list[tuple[PlanItem, str]]:
        """Check the audio of every generated item; set damaged files aside and make their items pending again.

        Under the lock, before workers start. Items may share a file (controls give one audio for many tasks); all
        of them are returned, each with the reason.
        """
        ledger = Ledger(self.plan, self._journals())
        audio = {item: ledger.outcome(item.key).audio for item in self.plan}
        damage = {sha: self._audio.damage(sha) for sha in sorted({sha for sha in audio.values() if sha is not None})}
        lost = [(item, sha, why) for item, sha in audio.items() if sha is not None and (why := damage[sha]) is not None]
        if not lost:
            return []
        # First the files, then the events: if we are killed in between, the files are missing the next time.
        for sha in sorted({sha for _, sha, _ in lost}):
            self._audio.set_aside(sha)
        with self.journal(STORE) as journal:
            for item, sha, why in lost:
                journal.append(ledger.quarantine(item, sha, why))
        return [(item, why) for item, _, why in lost]


def _check_unused(path: Path) -> None:
    """Refuse a folder that holds anything but what an interrupted creation leaves."""
    ours = {LOCK, HOLDER, SUITE, PLAN}
    names = sorted(each.name for each in path.iterdir()) if path.exists() else []
    foreign = [name for name in names if name not in ours and not name.startswith(atomic.TEMP_PREFIX)]
    if foreign:
        shown = ", ".join(foreign[:3]) + (f" and {len(foreign) - 3} more" if len(foreign) > 3 else "")
        raise DataError(
            f"the folder is in use and is not a run directory: it has no run.json, but {shown}",
            where=str(path),
            remedy="Choose another --out, or an empty folder.",
            code="store/not-a-run",
        )


def _not_a_run(path: Path) -> DataError:
    if not path.exists():
        cause, remedy = "there is no such run directory", "Check the path, or make one with `timbrebench run`."
    elif (path / SUITE).exists() or (path / HOLDER).exists():
        cause, remedy = "the run was interrupted before it began", "Give its `timbrebench run` command again."
    else:
        cause, remedy = "this is not a run directory: it has no run.json", "Make one with `timbrebench run`."
    return DataError(cause, where=str(path), remedy=remedy, code="store/not-a-run")


def _with_absolute_roots(suite: Suite) -> Suite:
    return suite.with_roots({name: Path(folder).absolute() for name, folder in suite.roots.items()})


def _damaged_suite(where: Path, cause: str) -> CorruptStoreError:
    return CorruptStoreError(
        f"the run's copy of its suite cannot be used: {cause}",
        where=str(where),
        remedy="Give its `timbrebench run` command again, which writes the copy anew.",
        code="corrupt/suite",
    )
