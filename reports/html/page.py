"""`index.html`: the tables of a report, and some of its edits to listen to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from reports import cells
from reports.html import frame
from reports.html.examples import listen
from reports.html.players import Put
from reports.load import RunReport
from reports.model import Cell, Column, Row, Table, count
from reports.plots.draw import Plot
from reports.table import group_runs

TEMPLATE = Path(__file__).parent / "templates" / "index.html.j2"
OPEN_GROUPS = 12
"""A split of more groups is folded up at first."""


@dataclass(frozen=True)
class Whisker:
    """A mean and its interval as positions in percent of the column's range."""

    mean: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Picture:
    """A plot on the page: its address and what it shows in words."""

    address: str
    title: str


def render(
    runs: Sequence[RunReport], table: Table, put: Put, *, examples: int, plots: Sequence[Sequence[Plot]] = ()
) -> str:
    """The page of a table.

    Args:
        runs: the runs the table was built from.
        table: as `reports.table.build` made it.
        put: stores an asset and returns its address.
        examples: most tasks to be heard in each section.
        plots: of each section, if there are any.
    """
    groups = group_runs(runs)
    listening = [listen(g, s, put, limit=examples) for g, s in zip(groups, table.sections, strict=True)]
    pictures = [[Picture(put(plot.png, ".png"), plot.title) for plot in drawn] for drawn in plots or [()] * len(groups)]
    return frame.render(
        TEMPLATE,
        sections=list(zip(table.sections, listening, pictures, strict=True)),
        title=_title(table),
        scored=max((run.scored for run in runs), default=""),
        several=len(table.sections) > 1,
        cells=cells,
        whisker=whisker,
        column_help=_column_help,
        open_groups=OPEN_GROUPS,
    )


def whisker(rows: Sequence[Row], place: int, cell: Cell) -> Whisker | None:
    """Where a cell lies in the range of its column over some rows; None where there is nothing to draw."""
    mine = cell.estimate
    if mine is None or mine.mean is None:
        return None
    estimates = [e for row in rows if (e := row.cells[place].estimate) is not None]
    ends = [value for e in estimates for value in (e.mean, e.low, e.high) if value is not None]
    lowest, width = min(ends), max(ends) - min(ends)

    def at(value: float) -> float:
        return round(4 + 92 * (value - lowest) / width, 2) if width > 0 else 50.0

    low, high = (None if end is None else at(end) for end in (mine.low, mine.high))
    return Whisker(at(mine.mean), low, high)


def _column_help(column: Column) -> str:
    return f"{column.summary} ({column.direction} is better). {column.identity}"


def _title(table: Table) -> str:
    suites = list(dict.fromkeys(section.suite for section in table.sections))
    systems = sum(len(section.rows) for section in table.sections)
    return f"{count(systems, 'run')} on {', '.join(suites)}"
