"""A table in the terminal, as Markdown and as CSV. The page is made in `reports.html`."""

from __future__ import annotations

import csv as csv_file
import io
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table as Grid
from rich.text import Text

from reports import cells
from reports.escape import clean, csv_cell, markdown
from reports.model import Cell, Column, Row, Section, Table

_LABEL_WIDTH = 28
_HEADING_WIDTH = 14
_COVERAGE = "edits"


# -- terminal -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class TerminalTable:
    """The table as a rich renderable: ``Console().print(TerminalTable(table))``.

    It fits the width it is given: columns that do not fit go into further blocks below, with the labels repeated.
    Names are put in as plain text, so neither markup nor escape sequences in them do anything.
    """

    table: Table

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for section in self.table.sections:
            yield Text(clean(section.suite), style="bold")
            yield Text(clean(section.subtitle), style="dim")
            for places in _blocks(section, options.max_width):
                yield _grid(section, places)
            yield from _notes(section)
            yield Text()


def _blocks(section: Section, width: int) -> Iterator[list[int]]:
    """Column numbers, packed into blocks that fit beside labels and coverage."""
    fixed = max((len(_label(row)) for row in section.rows), default=0)
    room = width - min(fixed, _LABEL_WIDTH) - max(len(line) for row in section.rows for line in _edits(row)) - 4
    block: list[int] = []
    used = 0
    for place, column in enumerate(section.columns):
        if column in _empty(section):
            continue
        lines = [*_heading(column), *(line for row in section.rows for line in _lines(row, row.cells[place], column))]
        wide = max(map(len, lines)) + 3
        if block and used + wide > room:
            yield block
            block, used = [], 0
        block.append(place)
        used += wide
    yield block


def _empty(section: Section) -> list[Column]:
    """Columns in which no run has a value, if any other column has one: a note is enough."""
    filled = [any(row.cells[place].filled for row in section.rows) for place in range(len(section.columns))]
    return [column for column, full in zip(section.columns, filled, strict=True) if not full] if any(filled) else []


def _grid(section: Section, places: Sequence[int]) -> Grid:
    grid = Grid(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, show_lines=False)
    grid.add_column("", overflow="fold", max_width=_LABEL_WIDTH)
    grid.add_column(Text(_COVERAGE), justify="right", no_wrap=True)
    for place in places:
        grid.add_column(Text("\n".join(_heading(section.columns[place]))), justify="right", no_wrap=True)
    previous = None
    for row in section.rows:
        if row.role == "control" and previous not in (None, "control"):
            grid.add_section()
        previous = row.role
        contents = [_cell_text(row, row.cells[place], section.columns[place]) for place in places]
        grid.add_row(Text(_label(row)), Text("\n".join(_edits(row))), *contents)
    return grid


def _cell_text(row: Row, cell: Cell, column: Column) -> Text:
    first, *rest = _lines(row, cell, column)
    text = Text(first, style="bold" if cell.best else "")
    for line in rest:
        text.append(f"\n{line}", style="not bold dim")
    return text


def _lines(row: Row, cell: Cell, column: Column) -> list[str]:
    more = (cells.interval(cell, column), cells.basis(cell, row), cells.missing(cell))
    return [cells.mean(cell, column), *filter(None, more)]


def _edits(row: Row) -> list[str]:
    return [cells.coverage(row), *filter(None, [cells.shortfall(row)])]


def _heading(column: Column) -> list[str]:
    name = clean(column.heading).replace("@", " @")
    return [*textwrap.wrap(name, _HEADING_WIDTH, break_on_hyphens=True), clean(cells.direction(column))]


def _label(row: Row) -> str:
    return clean(f"{row.label} {row.mark}".rstrip())


def _notes(section: Section) -> Iterator[Text]:
    for note in section.notes:
        mark = f"({note.mark})" if note.mark.isalpha() else note.mark or "·"
        yield Text(f"{mark} {clean(note.text)}", style="yellow" if note.warns else "dim")
    for column in _empty(section):
        place = section.columns.index(column)
        marks = sorted({f"({mark})" for row in section.rows for mark, _ in row.cells[place].missing})
        yield Text(f"· Not shown: {clean(column.heading)}, of which no run has a value {', '.join(marks)}", style="dim")
    for column in section.columns:
        yield Text(f"{clean(column.heading)} {column.arrow} {clean(column.summary)}", style="dim")
    yield Text("What moves each metric's value is in table.md and on the page.", style="dim")


def terminal(table: Table) -> TerminalTable:
    """What to print on a console."""
    return TerminalTable(table)


# -- Markdown -------------------------------------------------------------------------------------------------


def to_markdown(table: Table) -> str:
    """The table as GitHub-flavoured Markdown, names escaped."""
    return "\n".join(line for section in table.sections for line in _markdown_section(section))


def _markdown_section(section: Section) -> Iterator[str]:
    yield from (f"## {markdown(section.suite)}", "", markdown(section.subtitle), "")
    heads = [f"{markdown(column.heading)} {markdown(cells.direction(column))}" for column in section.columns]
    yield _markdown_row(["", _COVERAGE, *heads])
    yield _markdown_row([":--", *["--:"] * (len(heads) + 1)])
    for row in section.rows:
        edits = ", ".join(_edits(row))
        contents = [_markdown_cell(row, *pair) for pair in zip(row.cells, section.columns, strict=True)]
        yield _markdown_row([markdown(_label(row)), edits, *contents])
    yield ""
    for note in section.notes:
        mark = f"({note.mark}) " if note.mark.isalpha() else f"{note.mark} ".lstrip()
        text = markdown(note.text)
        yield f"- {mark}{f'**{text}**' if note.warns else text}"
    yield from ("", "Metrics:", "")
    for column in section.columns:
        yield f"- {markdown(column.heading)} {column.arrow} {markdown(column.summary)}: {markdown(column.identity)}"
    yield ""


def _markdown_row(contents: Iterable[str]) -> str:
    return f"| {' | '.join(contents)} |"


def _markdown_cell(row: Row, cell: Cell, column: Column) -> str:
    first, *rest = _lines(row, cell, column)
    mean = f"**{first}**" if cell.best else first
    span, others = (rest[:1], rest[1:]) if cells.interval(cell, column) else ([], rest)
    return ", ".join([" ".join([mean, *span]), *others])


# -- CSV ------------------------------------------------------------------------------------------------------

_FIELDS = (
    *("suite", "suite_digest", "seeds", "run", "role", "method", "needs", "untrained"),
    *("metric", "identity", "direction", "unit", "mean", "low", "high", "n", "songs", "missing"),
    *("expected", "generated", "failed", "pending", "absent", "run_digest"),
)


def to_csv(table: Table) -> str:
    """One line per run and metric: full precision, empty where there is no number, text safe for spreadsheets."""
    buffer = io.StringIO()
    writer = csv_file.DictWriter(buffer, _FIELDS, lineterminator="\n")
    writer.writeheader()
    for section in table.sections:
        for row in section.rows:
            for cell, column in zip(row.cells, section.columns, strict=True):
                record = _record(section, row, cell, column)
                writer.writerow({k: csv_cell(v) if isinstance(v, str) else v for k, v in record.items()})
    return buffer.getvalue()


def _record(section: Section, row: Row, cell: Cell, column: Column) -> dict[str, str | float | None]:
    estimate, coverage = cell.estimate, row.coverage
    numbers = {key: getattr(estimate, key) for key in ("mean", "low", "high", "n", "songs")} if estimate else {"n": 0}
    missing = "; ".join(f"{code}: {n}" for code, n in sorted(estimate.missing.items())) if estimate else "not-scored"
    return {
        "suite": section.suite,
        "suite_digest": section.suite_digest,
        "seeds": " ".join(map(str, section.seeds)),
        "run": row.label,
        "role": row.role,
        "method": row.method,
        "needs": " ".join(row.needs),
        "untrained": "yes" if row.mark else "no",
        "metric": column.name,
        "identity": column.identity,
        "direction": column.direction,
        "unit": column.unit,
        **numbers,
        "missing": missing,
        "expected": coverage.expected,
        "generated": coverage.generated,
        "failed": coverage.failed,
        "pending": coverage.pending,
        "absent": coverage.absent,
        "run_digest": row.digest,
    }
