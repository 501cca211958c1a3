"""The rows of a table: what each run got in each column, and which cell is the best of its column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from reports.composite import Composite, derive
from reports.load import Estimate, RunReport
from reports.model import Cell, Column, Row
from reports.ranks import Ranks

Span = tuple[float | None, float | None, int]
UNTRAINED = "†"
NOT_MADE = ("failed", "pending")


def rows(
    runs: Sequence[RunReport],
    labels: Sequence[str],
    columns: Sequence[Column],
    marks: Mapping[str, str],
    composites: Sequence[Composite] = (),
    ranks: Sequence[Ranks] = (),
) -> tuple[Row, ...]:
    """One row a run, in their order.

    Args:
        runs: which can be read side by side.
        labels: of each run.
        columns: what stands in the rows.
        marks: the sign of each code by which a value is missing.
        composites: those of the columns that are derived from others.
        ranks: of each run, as `reports.ranks.ranks` finds them; without, the cells have none.
    """
    derived = derive(composites, runs)
    grid = [[_cell(run, extra, column, marks) for column in columns] for run, extra in zip(runs, derived, strict=True)]
    ranked = [number for number, run in enumerate(runs) if run.about.role != "control"]
    for place, column in enumerate(columns):
        if column.derived:
            continue
        winner = _separated({number: grid[number][place].estimate for number in ranked}, column)
        if winner is not None:
            grid[winner][place] = replace(grid[winner][place], best=True)
    for mine, known in zip(grid, ranks or [{}] * len(runs), strict=True):
        mine[:] = [replace(cell, ranks=known.get(c.identity)) for cell, c in zip(mine, columns, strict=True)]
    return tuple(_row(run, label, cells, marks) for run, label, cells in zip(runs, labels, grid, strict=True))


def _row(run: RunReport, label: str, cells: Sequence[Cell], marks: Mapping[str, str]) -> Row:
    return Row(
        label=label,
        mark=UNTRAINED if run.untrained else "",
        role=run.about.role,
        method=f"{run.identity.method.name}@{run.identity.method.version}",
        needs=run.about.needs,
        coverage=run.coverage,
        shortfall=tuple((n, code, marks.get(code, "")) for code in NOT_MADE if (n := getattr(run.coverage, code))),
        songs=run.songs,
        clipped=run.clipping.clipped if run.clipping is not None else None,
        digest=run.digest,
        cells=tuple(cells),
    )


def _cell(run: RunReport, derived: Mapping[str, Estimate], column: Column, marks: Mapping[str, str]) -> Cell:
    measured = (estimate for estimate in run.estimates if estimate.identity == column.identity)
    estimate = derived.get(column.identity) or next(measured, None)
    if estimate is None:
        return Cell(None)
    missing = [(marks[code], n) for code, n in sorted(estimate.missing.items()) if n and code not in NOT_MADE]
    return Cell(estimate, missing=tuple(missing))


def _separated(rivals: dict[int, Estimate | None], column: Column) -> int | None:
    """The rival whose interval lies wholly on the better side of every other's, if there is one."""
    spans = {
        number: (estimate.low, estimate.high, estimate.n)
        for number, estimate in rivals.items()
        if estimate is not None and estimate.mean is not None
    }
    for number, mine in spans.items():
        others = [span for other, span in spans.items() if other != number]
        if others and all(_beats(mine, other, column.direction) for other in others):
            return number
    return None


def _beats(mine: Span, other: Span, direction: str) -> bool:
    """Whether an interval lies wholly on the better side of another, and rests on no fewer edits."""
    (low, high, n), (other_low, other_high, other_n) = mine, other
    if low is None or high is None or other_low is None or other_high is None or n < other_n:
        return False
    return low > other_high if direction == "higher" else high < other_low
