"""A table in the terminal, as Markdown, as CSV and as records for JSON. The page is made in `reports.html`."""

from __future__ import annotations

import csv as csv_file
import io
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table as Grid
from rich.text import Text

from reports import cells
from reports.escape import clean, csv_cell, markdown
from reports.model import Cell, Column, Group, Note, PublishedBlock, Row, Section, Split, Table, count
from reports.sheet import sheet_markdown, sheet_records

_LABEL_WIDTH = 28
_HEADING_WIDTH = 14
_COVERAGE = "edits"

TERMINAL_GROUPS = 8
"""Most groups of a split in a terminal: the largest. The files and the page have all."""


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
            yield from _grids(section, [Group("", "", 0, section.songs, section.rows)], options.max_width)
            yield from _notes(section)
            for split in section.splits:
                yield Text(f"\n{clean(split.title)}", style="bold")
                shown = _largest(split.groups)
                yield from _grids(split, shown, options.max_width)
                yield from _split_notes(split, shown)
            yield Text()


def _largest(groups: Sequence[Group]) -> list[Group]:
    """As many groups as a terminal shows, in their order."""
    largest = sorted(groups, key=lambda group: -group.tasks)[:TERMINAL_GROUPS]
    return [group for group in groups if group in largest]


def _grids(table: Section | Split, groups: Sequence[Group], width: int) -> Iterator[Grid]:
    for places in _blocks(table, groups, width):
        yield _grid(table.columns, groups, places)


def _blocks(table: Section | Split, groups: Sequence[Group], width: int) -> Iterator[list[int]]:
    """Column numbers, packed into blocks that fit beside labels and coverage."""
    rows = [row for group in groups for row in group.rows]
    labels = [line for group in groups for line in (*_group_label(group), *map(_label, group.rows))]
    fixed = max(map(len, labels), default=0)
    room = width - min(fixed, _LABEL_WIDTH) - max(len(line) for row in rows for line in _edits(row)) - 4
    block: list[int] = []
    used = 0
    for place, column in enumerate(table.columns):
        if column in _empty(table):
            continue
        lines = [*_heading(column), *(line for row in rows for line in _lines(row, row.cells[place], column))]
        wide = max(map(len, lines)) + 3
        if block and used + wide > room:
            yield block
            block, used = [], 0
        block.append(place)
        used += wide
    yield block


def _empty(table: Section | Split) -> list[Column]:
    """Columns in which no run has a value, if any other column has one: a note is enough."""
    filled = [any(row.cells[place].filled for row in table.rows) for place in range(len(table.columns))]
    return [column for column, full in zip(table.columns, filled, strict=True) if not full] if any(filled) else []


def _grid(columns: Sequence[Column], groups: Sequence[Group], places: Sequence[int]) -> Grid:
    grid = Grid(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, show_lines=False)
    grid.add_column("", overflow="fold", max_width=_LABEL_WIDTH)
    grid.add_column(Text(_COVERAGE), justify="right", no_wrap=True)
    for place in places:
        grid.add_column(Text("\n".join(_heading(columns[place]))), justify="right", no_wrap=True)
    for group in groups:
        if group.name:
            name, size = _group_label(group)
            grid.add_section()
            grid.add_row(Text.assemble((name, "bold"), "\n", (size, "dim")))
        previous = None
        for row in group.rows:
            if row.role == "control" and previous not in (None, "control") and not group.name:
                grid.add_section()
            previous = row.role
            contents = [_cell_text(row, row.cells[place], columns[place]) for place in places]
            grid.add_row(Text(_label(row)), Text("\n".join(_edits(row))), *contents)
    return grid


def _group_label(group: Group) -> tuple[str, ...]:
    """Name and size; nothing for the rows of a whole section."""
    return (clean(f"{group.name} {group.mark}".rstrip()), group.size) if group.name else ()


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
    yield from _listed(section)
    for column in section.columns:
        yield Text(f"{clean(column.heading)} {column.arrow} {clean(column.summary)}", style="dim")
    yield Text("What moves each metric's value is in table.md and on the page.", style="dim")


def _split_notes(split: Split, shown: Sequence[Group]) -> Iterator[Text]:
    hidden = [group.tasks for group in split.groups if group not in shown]
    if hidden:
        text = f"· {count(len(hidden), 'group')} of at most {count(max(hidden), 'task')} not shown here: see table.md"
        yield Text(text, style="yellow")
    yield from _listed(split)


def _listed(table: Section | Split) -> Iterator[Text]:
    for note in table.notes:
        mark = f"({note.mark})" if note.mark.isalpha() else note.mark or "·"
        yield Text(f"{mark} {clean(note.text)}", style="yellow" if note.warns else "dim")
    for column in _empty(table):
        place = table.columns.index(column)
        marks = sorted({f"({mark})" for row in table.rows for mark, _ in row.cells[place].missing})
        yield Text(f"· Not shown: {clean(column.heading)}, of which no run has a value {', '.join(marks)}", style="dim")


def terminal(table: Table) -> TerminalTable:
    """What to print on a console."""
    return TerminalTable(table)


# -- Markdown -------------------------------------------------------------------------------------------------


def to_markdown(table: Table) -> str:
    """The table as GitHub-flavoured Markdown, names escaped."""
    return "\n".join(line for section in table.sections for line in _markdown_section(section))


def _markdown_section(section: Section) -> Iterator[str]:
    yield from (f"## {markdown(section.suite)}", "", markdown(section.subtitle), "")
    yield from _markdown_table(section.columns, section.rows)
    for block in section.published:
        yield from _markdown_published(block)
    told = [*section.notes, *(note for block in section.published for note in block.notes)]
    yield from ("", *map(_markdown_note, told), "", "Metrics:", "")
    for column in section.columns:
        yield f"- {markdown(column.heading)} {column.arrow} {markdown(column.summary)}: {markdown(column.identity)}"
    yield ""
    for split in section.splits:
        yield from (f"### {markdown(split.title)}", "")
        yield from _markdown_table(split.columns, split.groups)
        yield from ("", *map(_markdown_note, split.notes), "")
    for sheet in section.sheets:
        yield from sheet_markdown(sheet)


def _markdown_published(block: PublishedBlock) -> Iterator[str]:
    """Rows below those of a table, under a line that says what they are; none where no column has a number."""
    shown = [row for row in block.rows if any(row.values)]
    if shown:
        yield _markdown_row([f"**{markdown(block.heading)}**", "", *[""] * len(shown[0].values)])
    for row in shown:
        values = [f"*{markdown(value.text)}*" if value else "" for value in row.values]
        yield _markdown_row([f"{markdown(row.label)} *(as published)*", "", *values])


def _markdown_table(columns: Sequence[Column], lines: Iterable[Row | Group]) -> Iterator[str]:
    """A table of rows, or of groups of them, each below a line of its own."""
    heads = [f"{markdown(column.heading)} {markdown(cells.direction(column))}" for column in columns]
    yield _markdown_row(["", _COVERAGE, *heads])
    yield _markdown_row([":--", *["--:"] * (len(heads) + 1)])
    for line in lines:
        if isinstance(line, Group):
            label = f"**{markdown(line.name)}** {line.mark}".rstrip()
            yield _markdown_row([f"{label} ({line.size})", *[""] * (len(heads) + 1)])
        for row in line.rows if isinstance(line, Group) else [line]:
            contents = [_markdown_cell(row, *pair) for pair in zip(row.cells, columns, strict=True)]
            yield _markdown_row([markdown(_label(row)), ", ".join(_edits(row)), *contents])


def _markdown_note(note: Note) -> str:
    mark = f"({note.mark}) " if note.mark.isalpha() else f"{note.mark} ".lstrip()
    text = markdown(note.text)
    return f"- {mark}{f'**{text}**' if note.warns else text}"


def _markdown_row(contents: Iterable[str]) -> str:
    return f"| {' | '.join(contents)} |"


def _markdown_cell(row: Row, cell: Cell, column: Column) -> str:
    first, *rest = _lines(row, cell, column)
    mean = f"**{first}**" if cell.best else first
    span, others = (rest[:1], rest[1:]) if cells.interval(cell, column) else ([], rest)
    rank = [f"rank {cell.ranks}"] if cell.ranks else []
    return ", ".join([" ".join([mean, *span]), *rank, *others])


# -- CSV and JSON ---------------------------------------------------------------------------------------------

Record = dict[str, str | float | None]

_FIELDS = (
    *("suite", "suite_digest", "seeds", "only", "split", "group", "run", "role", "method", "needs", "untrained"),
    *("metric", "identity", "direction", "unit", "mean", "low", "high", "n", "songs", "missing"),
    *("rank_best", "rank_worst"),
    *("expected", "generated", "failed", "pending", "absent", "clipped", "run_digest"),
)


def records(table: Table) -> Iterator[Record]:
    """One record per run and metric, of the whole section and then of each group of its splits.

    Numbers in full precision, None where there is none; text without control characters. `split` and `group` are empty
    for the whole. `absent` is None in a group, since a run does not tell which of the suite's absent tasks are in it.
    Published numbers come after the runs of a section, with the role ``published`` and without a run.
    """
    for section in table.sections:
        shared = {
            "suite": section.suite,
            "suite_digest": section.suite_digest,
            "seeds": " ".join(map(str, section.seeds)),
            "only": section.only,
        }
        whole = {**shared, "split": "", "group": ""}
        yield from _records(whole, section.columns, section.rows)
        for block in section.published:
            yield from _of_published({**whole, "suite": block.title, "suite_digest": ""}, section.columns, block)
        for split in section.splits:
            for group in split.groups:
                place = {**shared, "split": split.by, "group": group.name}
                yield from _records(place, section.columns, group.rows)


def to_csv(table: Table) -> str:
    """The `records` as CSV: empty where there is no number, text safe for spreadsheets."""
    buffer = io.StringIO()
    writer = csv_file.DictWriter(buffer, _FIELDS, lineterminator="\n")
    writer.writeheader()
    for record in records(table):
        writer.writerow({k: csv_cell(v) if isinstance(v, str) else v for k, v in record.items()})
    return buffer.getvalue()


def to_json(table: Table) -> dict[str, Any]:
    """The `records` with the notes and the further tables of each section, for `table.json`."""
    return {
        "schema": "timbrebench-table@1",
        "rows": list(records(table)),
        "sections": [
            {
                "suite": clean(section.suite),
                "suite_digest": section.suite_digest,
                "notes": [clean(note.text) for note in section.notes],
                "published": {block.key: [clean(note.text) for note in block.notes] for block in section.published},
                "sheets": [
                    {"kind": sheet.kind, "title": clean(sheet.title), "rows": sheet_records(sheet)}
                    for sheet in section.sheets
                ],
            }
            for section in table.sections
        ],
    }


def _records(place: Mapping[str, str], columns: Sequence[Column], rows: Iterable[Row]) -> Iterator[Record]:
    for row in rows:
        for cell, column in zip(row.cells, columns, strict=True):
            record: Record = {**place, **_of_run(row), **_of_cell(cell, column)}
            yield _cleaned(record)


def _of_published(place: Mapping[str, str], columns: Sequence[Column], block: PublishedBlock) -> Iterator[Record]:
    nothing: Record = dict.fromkeys(_FIELDS)
    for row in block.rows:
        for value, column in zip(row.values, columns, strict=True):
            if value is not None:
                numbers: Record = {"mean": value.value, "low": value.low, "high": value.high, "n": value.n}
                named = {"metric": column.name, "identity": value.identity, "direction": column.direction}
                who = {"run": f"{row.label} (as published)", "role": "published", "method": row.method}
                yield _cleaned({**nothing, **place, **who, **named, "seeds": "", "only": "", **numbers})


def _cleaned(record: Record) -> Record:
    return {key: clean(value) if isinstance(value, str) else value for key, value in record.items()}


def _of_run(row: Row) -> Record:
    return {
        "run": row.label,
        "role": row.role,
        "method": row.method,
        "needs": " ".join(row.needs),
        "untrained": "yes" if row.mark else "no",
        "expected": row.coverage.expected,
        "generated": row.coverage.generated,
        "failed": row.coverage.failed,
        "pending": row.coverage.pending,
        "absent": row.coverage.absent,
        "clipped": row.clipped,
        "run_digest": row.digest,
    }


def _of_cell(cell: Cell, column: Column) -> Record:
    estimate = cell.estimate
    numbers = {key: getattr(estimate, key) for key in ("mean", "low", "high", "n", "songs")} if estimate else {"n": 0}
    missing = "; ".join(f"{code}: {n}" for code, n in sorted(estimate.missing.items())) if estimate else "not-scored"
    return {
        "metric": column.name,
        "identity": column.identity,
        "direction": column.direction,
        "unit": column.unit,
        **{"mean": None, "low": None, "high": None, "songs": None},
        **numbers,
        "missing": missing,
        "rank_best": cell.ranks.best if cell.ranks else None,
        "rank_worst": cell.ranks.worst if cell.ranks else None,
    }
