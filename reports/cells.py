"""How the numbers of a table are written, the same in every medium."""

from __future__ import annotations

from reports.model import Cell, Column, Row, count

NOTHING = "—"
NOT_SCORED = "not scored"


def number(value: float, column: Column) -> str:
    """A value with its column's decimals; never a negative zero.

    The minus sign is the ASCII one, so that a number copied out of a table is a number.
    """
    return f"{round(value, column.decimals) + 0.0:.{column.decimals}f}"


def mean(cell: Cell, column: Column) -> str:
    """The mean, or a word for why there is none."""
    if cell.estimate is None:
        return NOT_SCORED
    return NOTHING if cell.estimate.mean is None else number(cell.estimate.mean, column)


def interval(cell: Cell, column: Column) -> str:
    """``[low, high]``, or nothing where there are too few songs for one."""
    estimate = cell.estimate
    if estimate is None or estimate.mean is None or estimate.low is None or estimate.high is None:
        return ""
    return f"[{number(estimate.low, column)}, {number(estimate.high, column)}]"


def basis(cell: Cell, row: Row) -> str:
    """Edits and songs under a mean, where they are not those of its row."""
    estimate = cell.estimate
    if estimate is None or estimate.mean is None or (estimate.n, estimate.songs) == (row.coverage.generated, row.songs):
        return ""
    return f"n={estimate.n} · {count(estimate.songs, 'song')}"


def missing(cell: Cell) -> str:
    """How many edits have no value, by the mark of the note that says why: ``4 missing (a)``."""
    if not cell.missing:
        return ""
    if len(cell.missing) == 1:
        mark, n = cell.missing[0]
        return f"{n} missing ({mark})"
    return " + ".join(f"{n} ({mark})" for mark, n in cell.missing) + " missing"


def coverage(row: Row) -> str:
    """Edits made of those planned."""
    return f"{row.coverage.generated:,}/{row.coverage.expected:,}"


def shortfall(row: Row) -> str:
    """What became of the rest of the plan: ``1 failed (a)``."""
    return ", ".join(f"{n:,} {what} ({mark})" if mark else f"{n:,} {what}" for n, what, mark in row.shortfall)


def direction(column: Column) -> str:
    """``↓ cents``."""
    return f"{column.arrow} {column.unit}".rstrip()
