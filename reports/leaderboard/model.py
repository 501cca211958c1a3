"""What the pages of a leaderboard show: boards, their views, and entries in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

from bench.errors import UsageError
from bench.suite import Suite
from reports.leaderboard.ranks import RankSet
from reports.leaderboard.store import EntryStore, Stored
from reports.load import RunReport, load
from reports.model import Cell, Column, count
from reports.submission.model import Card, Division

Provenance = Literal["self-reported", "scored", "audited"]

PROVENANCES: Final[Mapping[Provenance, str]] = {
    "self-reported": "the scores are its makers' own",
    "scored": "the scores were computed here, from the audio submitted",
    "audited": "scored here, and edits drawn by lot were made again and agree",
}

DIVISIONS: Final[Mapping[Division, str]] = {
    "closed": "Zero-shot, with separated stems at most.",
    "open": "Anything, as long as the card says it.",
    "oracle": "Sees the true stems, which no recording comes with.",
}


@dataclass(frozen=True, eq=False)
class Entry:
    """An entry with its run as it was kept.

    Attributes:
        stored: what the store says of it. run: its scores.
    """

    stored: Stored
    run: RunReport

    @property
    def id(self) -> str:
        """16 hex digits."""
        return self.stored.added.entry

    @property
    def card(self) -> Card | None:
        """Of its makers; None of a control."""
        return self.stored.added.card

    @property
    def name(self) -> str:
        """The system's."""
        return self.card.system if self.card else self.stored.added.label

    @property
    def version(self) -> str:
        """The system's, or nothing."""
        return self.card.version if self.card else ""

    @property
    def division(self) -> Division | None:
        """None of a control."""
        return self.card.division if self.card else None

    @property
    def control(self) -> bool:
        """Whether it stands in the tables to be looked at, not to be ranked."""
        return self.card is None

    @property
    def provenance(self) -> Provenance:
        """How far its scores can be trusted."""
        audit = self.stored.audit
        return "audited" if audit is not None and audit.reproduced else self.stored.added.origin

    @property
    def unranked(self) -> str:
        """Why an entry that is no control has no rank; empty if it has one."""
        if self.run.untrained:
            return "untrained weights: its numbers say nothing about a method"
        audit = self.stored.audit
        if audit is not None and not audit.reproduced:
            return f"an audit did not reproduce it: {audit.within} of {audit.drawn} tasks agreed"
        return ""

    @property
    def current(self) -> bool:
        """Whether it stands in tables: neither withdrawn nor superseded."""
        return self.stored.withdrawn is None and self.stored.superseded_by is None

    @cached_property
    def suite(self) -> Suite:
        """Whose tasks were edited."""
        return self.run.directory.suite


@dataclass(frozen=True)
class Place:
    """What an entry got from a metric: a cell as in every table, and its rank set; None for what has no rank."""

    cell: Cell
    rank: RankSet | None = None

    @property
    def value(self) -> float | None:
        """To sort by."""
        return self.cell.estimate.mean if self.cell.estimate else None

    @property
    def lost(self) -> str:
        """``4 missing: silent``, but for edits that were never made: the row says those."""
        return "; ".join(f"{n} missing: {code}" for code, n in self.cell.missing)


@dataclass(frozen=True, eq=False)
class Line:
    """An entry in a view: a place for each column, and the edits made of those planned."""

    entry: Entry
    places: tuple[Place, ...]
    made: int
    expected: int

    @property
    def coverage(self) -> str:
        """``14/15``."""
        return f"{self.made:,}/{self.expected:,}"


@dataclass(frozen=True)
class DivisionTable:
    """The entries of a division in a view, those that have ranks first and in the order of the primary column."""

    division: Division
    ranked: tuple[Line, ...]
    unranked: tuple[Line, ...]


@dataclass(frozen=True)
class View:
    """One page of tables: a board over all its tasks, or some of them.

    Attributes:
        name: what the page calls it. file: of the page. explained: which tasks these are.
        columns: metrics. primary: place of the column by which rows stand.
    """

    name: str
    file: str
    explained: str
    tasks: int
    songs: int
    columns: tuple[Column, ...]
    primary: int
    divisions: tuple[DivisionTable, ...]
    controls: tuple[Line, ...]

    @property
    def size(self) -> str:
        """``15 tasks, 1 song``."""
        return f"{count(self.tasks, 'task')}, {count(self.songs, 'song')}"

    @property
    def lines(self) -> tuple[Line, ...]:
        """All of them."""
        tables = (line for each in self.divisions for line in (*each.ranked, *each.unranked))
        return (*tables, *self.controls)


@dataclass(frozen=True)
class Board:
    """Entries on one suite and one set of tasks; the first view is that of all of them.

    Attributes:
        suite: ``name@version``. digest: the suite's. caveats: what must be known of its numbers.
    """

    suite: str
    digest: str
    views: tuple[View, ...]
    caveats: tuple[str, ...]


@dataclass(frozen=True)
class Leaderboard:
    """All there is.

    Attributes:
        boards: the one with most entries first. entries: all that were added and not withdrawn, superseded ones too.
        stores: where they come from.
    """

    boards: tuple[Board, ...]
    entries: tuple[Entry, ...]
    stores: tuple[EntryStore, ...]


def load_entries(stores: tuple[EntryStore, ...]) -> tuple[Entry, ...]:
    """Every entry that was not withdrawn, its files verified.

    Raises:
        CorruptStoreError: if a file of an entry is not what its record says.
        UsageError: if two stores have the same entry.
    """
    found: dict[str, Entry] = {}
    for store in stores:
        for stored in store.entries():
            if stored.withdrawn is not None:
                continue
            if stored.added.entry in found:
                raise UsageError(
                    f"two stores have the entry {stored.added.entry}",
                    where=str(store.path),
                    remedy="Give each store once.",
                    code="leaderboard/twice",
                )
            stored.verify()
            found[stored.added.entry] = Entry(stored, load(stored.folder))
    return tuple(found.values())
