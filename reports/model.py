"""What a table is made of. `reports.table` builds it, `reports.render` and the page write it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reports.load import Coverage, Estimate, Role

if TYPE_CHECKING:
    from reports.leaderboard.ranks import RankSet
    from reports.sheet import Sheet


@dataclass(frozen=True)
class Note:
    """One note. `mark` is the sign in the table that it explains, or empty; `warns` if the numbers need care."""

    text: str
    mark: str = ""
    warns: bool = False


@dataclass(frozen=True)
class Column:
    """A metric identity.

    Attributes:
        heading: the metric's name, numbered where a section has several identities of it.
        decimals: for all numbers of the column.
        derived: how it is made of other columns, if it is; empty for what was measured.
    """

    name: str
    heading: str
    identity: str
    direction: str
    unit: str
    summary: str
    decimals: int
    derived: str = ""

    @property
    def arrow(self) -> str:
        """Which way is better."""
        return "↑" if self.direction == "higher" else "↓"


@dataclass(frozen=True)
class Cell:
    """What one run got from one metric; `estimate` is None if the run was not scored with this identity.

    Attributes:
        best: separated from all rivals, see the module's rules.
        missing: (mark of the note that explains it, number of edits) for each reason, but for edits that were not made:
            these are missing in the whole row, which says so once.
        ranks: that the row may have in this column; None where nothing is ranked.
    """

    estimate: Estimate | None
    best: bool = False
    missing: tuple[tuple[str, int], ...] = ()
    ranks: RankSet | None = None

    @property
    def filled(self) -> bool:
        """Whether there is a value."""
        return self.estimate is not None and self.estimate.mean is not None


@dataclass(frozen=True)
class Row:
    """One run.

    Attributes:
        mark: points to a note on the run, or empty.
        needs: what the system was given beside the mixture.
        shortfall: (number of edits, what became of them, mark of the note on it) for those not made.
        clipped: samples beyond full scale, lost in its files; None if nobody counted.
    """

    label: str
    mark: str
    role: Role
    method: str
    needs: tuple[str, ...]
    coverage: Coverage
    shortfall: tuple[tuple[int, str, str], ...]
    songs: int
    clipped: int | None
    digest: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Group:
    """The rows over some tasks of a section. `mark` points to a note on the group, or is empty."""

    name: str
    mark: str
    tasks: int
    songs: int
    rows: tuple[Row, ...]

    @property
    def size(self) -> str:
        """``15 tasks, 1 song``."""
        return f"{count(self.tasks, 'task')}, {count(self.songs, 'song')}"


@dataclass(frozen=True)
class Split:
    """A section taken apart by something its tasks have.

    Attributes:
        by: as the user writes it: ``stem``, ``flag:separator-seen``. title: the same for a heading.
        columns: those of the section.
    """

    by: str
    title: str
    columns: tuple[Column, ...]
    groups: tuple[Group, ...]
    notes: tuple[Note, ...]

    @property
    def rows(self) -> tuple[Row, ...]:
        """Of all groups."""
        return tuple(row for group in self.groups for row in group.rows)


@dataclass(frozen=True)
class PublishedValue:
    """A number of a paper in one of our columns. `text`: as printed. `identity`: what the paper claims to measure."""

    text: str
    value: float
    low: float | None
    high: float | None
    n: int | None
    identity: str


@dataclass(frozen=True)
class PublishedRow:
    """A system as a paper has it. `values`: one a column of the section, None where the paper has none."""

    label: str
    method: str
    values: tuple[PublishedValue | None, ...]


@dataclass(frozen=True)
class PublishedBlock:
    """What a paper prints, below the rows of a section and apart from them: in no rank, with no best cell.

    Attributes:
        key: of the table in `reports.published`. title: as it is called there.
        notes: source, setting, caution, what each column claims to be, and what the section has no column for.
    """

    key: str
    title: str
    rows: tuple[PublishedRow, ...]
    notes: tuple[Note, ...]

    @property
    def heading(self) -> str:
        """What stands above its rows."""
        return f"As published, not measured here, not ranked: {self.title}"


@dataclass(frozen=True)
class Section:
    """Runs that can be read side by side.

    Attributes:
        suite: ``name@version``. suite_digest, seeds: what all runs of the section share.
        only: the pattern by which their tasks were chosen, or empty.
        expected: edits in their plan.
        published: numbers of papers. sheets: tables that only some runs allow for (ablations, grids).
    """

    suite: str
    suite_digest: str
    seeds: tuple[int, ...]
    only: str
    expected: int
    songs: int
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[Note, ...]
    splits: tuple[Split, ...] = ()
    published: tuple[PublishedBlock, ...] = ()
    sheets: tuple[Sheet, ...] = ()

    @property
    def subtitle(self) -> str:
        """What was edited: ``12 edits of 4 songs · seed 0 · suite 3fa9c1e2``."""
        seeds = ", ".join(map(str, self.seeds))
        return (
            f"{count(self.expected, 'edit')} of {count(self.songs, 'song')} · "
            f"seed{'s' if len(self.seeds) > 1 else ''} {seeds} · suite {self.suite_digest[:8]}"
        )


@dataclass(frozen=True)
class Table:
    """All sections, in the order in which their first runs were given."""

    sections: tuple[Section, ...]


def count(number: int, noun: str) -> str:
    """A number and its noun, in the plural where it must be: ``1 song``, ``1,170 edits``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
