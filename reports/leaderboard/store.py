"""The entry store: a folder that only grows.

```
log/000001.json     one record an event (`reports.leaderboard.records`), each with the hash of the one before
head.json           number and hash of the last
entries/<id>/       what is kept of an entry: a run directory without most of its audio
audits/<hash>.json  audits, named by their hash
```

What the chain finds: a record that was changed, removed or put in between; a file of an entry that is not what its
record says; a last record that was removed, unless `head.json` was turned back with it. Against that, and against a
whole store that was written anew, helps only a head that somebody else has kept: every site shows the head it was
built from, and is only built again from a store that has that record (`EntryStore.require`).

A record is written before the head. A kill in between leaves a head that is one behind, which reading accepts and the
next record mends.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from bench.errors import CorruptStoreError, DataError, UsageError, did_you_mean
from bench.identity import sha256_file
from bench.store import strict_json
from bench.store.atomic import make_folder, write_json
from bench.store.lock import HOLDER, LOCK, DirectoryLock
from reports.escape import clean
from reports.leaderboard.records import GENESIS, Added, Audited, LogRecord, Withdrawn

MOST_BYTES = 1 << 20
"""Of a record."""

_LOG, _HEAD = "log", "head.json"


class Head(BaseModel):
    """The last record of a chain. `first` is the hash of its first record, which says which chain it is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    first: str
    number: int
    hash: str


@dataclass(frozen=True)
class Stored:
    """An entry, with what happened to it since it was added.

    Attributes:
        number, time: of the record that added it. audit: the latest.
        withdrawn: why it is in no table any more. superseded_by: the entry in its place.
    """

    added: Added
    number: int
    time: str
    folder: Path
    audit: Audited | None = None
    withdrawn: str | None = None
    superseded_by: str | None = None

    def verify(self) -> None:
        """Compare every file with its record.

        Raises:
            CorruptStoreError: for the first that is not there, or differs.
        """
        for name, sha in self.added.files.items():
            path = self.folder / name
            try:
                found = sha256_file(path)
            except OSError as error:
                raise _damaged(path, f"a file of the entry cannot be read ({error.strerror or error})") from error
            if found != sha:
                raise _damaged(path, "a file of the entry was changed (its hash differs)")


class EntryStore:
    """A store, read and verified when it is opened.

    Attributes:
        path: its folder. records: the whole chain, oldest first.
    """

    def __init__(self, path: Path, records: Sequence[LogRecord]):
        self.path = path
        self.records = tuple(records)

    @classmethod
    def open(cls, path: Path) -> EntryStore:
        """Read a store.

        Raises:
            DataError: if the folder is not a store. CorruptStoreError: if its chain is broken.
        """
        if not (path / _LOG).is_dir():
            raise DataError(
                "this is not an entry store" if path.exists() else "there is no such entry store",
                where=str(path),
                remedy="Make one with `timbrebench leaderboard add RUN --store FOLDER`.",
                code="leaderboard/no-store",
            )
        store = cls(path, _chain(path / _LOG))
        store._check_head()
        return store

    @property
    def head(self) -> Head | None:
        """The last record; None of an empty store."""
        if not self.records:
            return None
        return Head(first=self.records[0].hash, number=self.records[-1].number, hash=self.records[-1].hash)

    def require(self, head: Head) -> None:
        """See that a head that somebody kept is in this chain.

        Raises:
            CorruptStoreError: if not, so that history was rewritten.
        """
        if head.number > len(self.records) or self.records[head.number - 1].hash != head.hash:
            raise CorruptStoreError(
                f"the store's history was rewritten: its record {head.number} is not {head.hash[:16]}…, or is gone",
                where=str(self.path),
                remedy="Restore the store from a copy; entries leave the tables by `leaderboard withdraw`.",
                code="corrupt/entry-log",
            )

    def require_hash(self, start: str) -> None:
        """See that a record whose hash begins so is in this chain; 16 digits at least.

        Raises:
            UsageError: for fewer digits. CorruptStoreError: if there is no such record.
        """
        if not re.fullmatch(r"[0-9a-f]{16,64}", start):
            raise UsageError(
                f"'{clean(start)}' is not the hash of a record",
                remedy="Give 16 to 64 hex digits.",
                code="leaderboard/head",
            )
        if not any(record.hash.startswith(start) for record in self.records):
            raise CorruptStoreError(
                f"the store's history has no record {start}",
                where=str(self.path),
                remedy="It was rewritten, or is another store: restore it from a copy.",
                code="corrupt/entry-log",
            )

    def entries(self) -> tuple[Stored, ...]:
        """All entries that were ever added, oldest first."""
        found: dict[str, Stored] = {}
        for record in self.records:
            body = record.body
            if isinstance(body, Added):
                found[body.entry] = Stored(body, record.number, record.time, self.path / "entries" / body.entry)
                if body.supersedes is not None:
                    found[body.supersedes] = replace(found[body.supersedes], superseded_by=body.entry)
            elif isinstance(body, Audited):
                found[body.entry] = replace(found[body.entry], audit=body)
            else:
                found[body.entry] = replace(found[body.entry], withdrawn=body.reason)
        return tuple(found.values())

    def entry(self, name: str) -> Stored:
        """The entry of an id.

        Raises:
            UsageError: if there is none.
        """
        known = {each.added.entry: each for each in self.entries()}
        if name not in known:
            raise UsageError(
                f"the store has no entry '{name}'",
                where=str(self.path),
                remedy=did_you_mean(name, known),
                code="no-entry",
            )
        return known[name]

    def _check_head(self) -> None:
        where = self.path / _HEAD
        try:
            head = Head.model_validate(strict_json.parse_object(where.read_bytes()))
        except FileNotFoundError:
            if len(self.records) > 1:
                raise _damaged(where, "the head of the store is not there") from None
            return
        except (OSError, ValueError) as error:
            raise _damaged(where, f"the head of the store cannot be used: {error}") from error
        self.require(head)
        if len(self.records) > head.number + 1:
            raise _damaged(where, f"the head is record {head.number}, and there are {len(self.records)}")


class Writer:
    """Adds to a store, under its lock; makes the store if it is not there. A context manager.

    Raises:
        LockedError: on entering, if another process writes to it. What `EntryStore.open` raises.
    """

    def __init__(self, path: Path):
        self.path = path
        self._lock = DirectoryLock(path)

    def __enter__(self) -> Writer:
        _check_free(self.path)
        self._lock.acquire()
        try:
            make_folder(self.path / _LOG)
            self.store = EntryStore.open(self.path)
        except BaseException:
            self._lock.release()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self._lock.release()

    def append(self, body: Added | Audited | Withdrawn) -> LogRecord:
        """Write a record, then the head.

        Raises:
            IncompleteError, UsageError: if it cannot be written.
        """
        head = self.store.head
        number, previous = (head.number + 1, head.hash) if head else (1, GENESIS)
        record = LogRecord.sealed(number, previous, datetime.now(UTC).isoformat(timespec="seconds"), body)
        write_json(_file(self.path / _LOG, number), record.as_json())
        self.store = EntryStore(self.path, (*self.store.records, record))
        head = self.store.head
        assert head is not None
        write_json(self.path / _HEAD, head.model_dump())
        return record


def _chain(folder: Path) -> list[LogRecord]:
    """The records, each checked against the one before."""
    names = sorted(path.name for path in folder.iterdir() if path.suffix == ".json")
    records: list[LogRecord] = []
    added: set[str] = set()
    for number, name in enumerate(names, start=1):
        path = _file(folder, number)
        if path.name != name:
            raise _damaged(path, f"record {number} is gone")
        record = _read(path)
        if record.number != number or record.previous != (records[-1].hash if records else GENESIS):
            raise _damaged(path, "the record does not follow the one before")
        _check_refers(path, record, added)
        records.append(record)
    return records


def _read(path: Path) -> LogRecord:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ValueError(f"it has more than {MOST_BYTES:,} bytes")
        return LogRecord.parsed(strict_json.parse_object(path.read_bytes()))
    except (OSError, ValueError) as error:
        raise _damaged(path, f"a record cannot be used: {error}") from error


def _check_refers(path: Path, record: LogRecord, added: set[str]) -> None:
    body = record.body
    about = body.supersedes if isinstance(body, Added) else body.entry
    if about is not None and about not in added:
        raise _damaged(path, f"the record is about an entry that was not added: {about}")
    if isinstance(body, Added):
        if body.entry in added:
            raise _damaged(path, f"the entry {body.entry} is added twice")
        added.add(body.entry)


def _check_free(path: Path) -> None:
    """Refuse a folder that holds other things and no store."""
    if path.exists() and not (path / _LOG).is_dir() and any(each.name not in (LOCK, HOLDER) for each in path.iterdir()):
        raise UsageError(
            "the folder holds other things, and no entry store",
            where=str(path),
            remedy="Choose another --store, or an empty folder.",
            code="leaderboard/no-store",
        )


def _file(folder: Path, number: int) -> Path:
    return folder / f"{number:06d}.json"


def _damaged(where: Path, cause: str) -> CorruptStoreError:
    return CorruptStoreError(
        cause,
        where=str(where),
        remedy="Restore the store from a copy: it only ever grows, and nothing in it is edited by hand.",
        code="corrupt/entry-log",
    )
