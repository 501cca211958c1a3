"""A small table of texts that only some runs allow for: an ablation, a grid of two knobs. Written in every medium."""

from __future__ import annotations

import csv as csv_file
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from reports.escape import clean, csv_cell, markdown
from reports.model import Note

SheetRecord = Mapping[str, str | float | int | None]


@dataclass(frozen=True)
class SheetCell:
    """What stands in a cell: a text, and a second line below it. `strong`: it is set apart, as the notes explain."""

    text: str
    below: str = ""
    strong: bool = False


@dataclass(frozen=True)
class Sheet:
    """A table of texts.

    Attributes:
        kind: "ablation" or "grid". title: for a heading.
        heads: of the columns, the first being that of the labels.
        rows: label, then cells, as many as there are heads.
        notes: below it.
        records: the same as numbers in full precision, all with the same fields.
    """

    kind: str
    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, tuple[SheetCell, ...]], ...]
    notes: tuple[Note, ...]
    records: tuple[SheetRecord, ...]


def sheet_markdown(sheet: Sheet) -> Iterator[str]:
    """Lines of GitHub-flavoured Markdown, names escaped."""
    yield from (f"### {markdown(sheet.title)}", "")
    yield f"| {' | '.join(map(markdown, sheet.heads))} |"
    yield f"| {' | '.join([':--', *['--:'] * (len(sheet.heads) - 1)])} |"
    for label, cells in sheet.rows:
        yield f"| {' | '.join([markdown(label), *map(_markdown_cell, cells)])} |"
    yield ""
    for note in sheet.notes:
        text = markdown(note.text)
        yield f"- {f'**{text}**' if note.warns else text}"
    yield ""


def _markdown_cell(cell: SheetCell) -> str:
    text = markdown(cell.text)
    return " ".join(filter(None, [f"**{text}**" if cell.strong else text, markdown(cell.below)]))


def sheet_csv(sheet: Sheet) -> str:
    """The records: empty where there is no number, text safe for spreadsheets."""
    buffer = io.StringIO()
    writer = csv_file.DictWriter(buffer, list(sheet.records[0]) if sheet.records else [], lineterminator="\n")
    writer.writeheader()
    for record in sheet.records:
        writer.writerow({k: csv_cell(v) if isinstance(v, str) else v for k, v in record.items()})
    return buffer.getvalue()


def sheet_records(sheet: Sheet) -> list[dict[str, str | float | int | None]]:
    """The records for JSON: text without control characters."""
    return [{k: clean(v) if isinstance(v, str) else v for k, v in record.items()} for record in sheet.records]
