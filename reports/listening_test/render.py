"""The tables of a listening test on a terminal, as Markdown, as CSV and as JSON."""

from __future__ import annotations

import csv as csv_file
import io
from collections.abc import Iterator, Mapping
from typing import Any

from rich import box
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from reports.escape import clean, csv_cell, markdown
from reports.listening_test.analyse import Analysis, Block, Row
from reports.listening_test.design import SCALES
from reports.listening_test.wald import Wald

SCHEMA = "timbrebench-listening-results@1"
_NOTHING = "–"
_FEW = 10


class TerminalAnalysis:
    """What to print on a console."""

    def __init__(self, analysis: Analysis):
        self.analysis = analysis

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Rich's protocol."""
        for block in self.analysis.blocks:
            yield Text(clean(f"{block.name}: {block.asks}"), style="bold")
            yield Text(_basis(block), style="dim")
            grid = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
            for place, heading in enumerate(_headings(self.analysis)):
                grid.add_column(Text(clean(heading)), justify="right" if place else "left", no_wrap=place > 0)
            for row in block.rows:
                grid.add_row(*(Text(clean(cell), style="bold" if _found(row) else "") for cell in _cells(row)))
            yield grid
        for note in notes(self.analysis):
            yield Text(clean(f"· {note}"), style="dim")


def to_markdown(analysis: Analysis) -> str:
    """GitHub-flavoured Markdown, names escaped."""
    design = analysis.design
    lines = [f"# Listening test {markdown(design.name)}: {markdown(design.suite)}", ""]
    for block in analysis.blocks:
        headings = [markdown(heading) for heading in _headings(analysis)]
        lines += [f"## {markdown(block.name)}", "", markdown(block.asks), "", _basis(block), ""]
        lines += [_line(headings), _line([":--", *["--:"] * (len(headings) - 1)])]
        for row in block.rows:
            cells = [markdown(cell) for cell in _cells(row)]
            lines.append(_line([f"**{cell}**" for cell in cells] if _found(row) else cells))
        lines.append("")
    return "\n".join([*lines, *(f"- {markdown(note)}" for note in notes(analysis)), ""])


def to_csv(analysis: Analysis) -> str:
    """One row a question and condition; nothing in a cell that has no value."""
    found = [flat for block in analysis.blocks for row in block.rows for flat in [_flat(block, row)]]
    buffer = io.StringIO()
    writer = csv_file.DictWriter(buffer, list(found[0]) if found else ["question"], lineterminator="\n")
    writer.writeheader()
    for record in found:
        writer.writerow({key: csv_cell(value) if isinstance(value, str) else value for key, value in record.items()})
    return buffer.getvalue()


def to_json(analysis: Analysis) -> dict[str, Any]:
    """All that was found."""
    design = analysis.design
    return {
        "schema": SCHEMA,
        "test": design.name,
        "kind": design.kind,
        "scale": list(SCALES[design.kind]),
        "suite": design.suite,
        "suite_digest": design.suite_digest,
        "systems": [system.model_dump(mode="json") for system in design.systems],
        "baseline": analysis.baseline,
        "listeners": analysis.listeners,
        "excluded": [vars(each) for each in analysis.excluded],
        "checked": analysis.checked,
        "unanswered": analysis.unanswered,
        "sets": {str(number): count for number, count in analysis.sets.items()},
        "questions": [_block(block) for block in analysis.blocks],
        "notes": notes(analysis),
    }


def notes(analysis: Analysis) -> list[str]:
    """What must be said below the tables."""
    design = analysis.design
    low, high = SCALES[design.kind]
    counted = analysis.listeners - len(analysis.excluded)
    said = [
        f"{counted} of {analysis.listeners} listeners count; ratings from {low} to {high}; systems are compared with "
        f"{analysis.baseline}, in z-scores within listeners. 95 % intervals and p by t, listeners as clusters; p Holm "
        "is corrected within the question; bold where it is within .05 for listeners and for songs as clusters."
    ]
    said += [f"Screened out: {each.listener}: {each.why}." for each in analysis.excluded]
    if design.kind == "mushra" and not analysis.checked:
        said.append("No attention check was in these files: webMUSHRA writes those into lss.csv.")
    said += [
        f"{block.name}: not counted, as all answers are one: {', '.join(block.flat)}."
        for block in analysis.blocks
        if block.flat
    ]
    if analysis.unanswered:
        said.append(f"{analysis.unanswered} questions were shown and not answered.")
    if len(set(analysis.sets.values())) > 1:
        told = ", ".join(f"{number}: {count}" for number, count in analysis.sets.items())
        said.append(f"The listener sets were not answered equally often ({told}), so the order is not in balance.")
    if 0 < counted < _FEW:
        said.append(f"With {counted} listeners, intervals are wide, and tests with clusters are rough.")
    off = sorted({design.labels[sound.condition] for sound in design.sounds if not sound.matched})
    if off:
        said.append(f"Some clips could not be brought to the loudness of the others: of {', '.join(off)}.")
    return said


# -- cells ------------------------------------------------------------------------------------------------------------


def _headings(analysis: Analysis) -> list[str]:
    return ["", "rating", "z", f"z minus {analysis.baseline}", "W", "p", "p Holm", "p Holm, songs", "answers"]


def _cells(row: Row) -> list[str]:
    contrast = row.contrast
    first = [row.label, _interval(row.rating), _interval(row.z)]
    if contrast is None:
        return [*first, *[_NOTHING] * 5, str(row.n)]
    w = contrast.listeners
    statistic = _NOTHING if w.statistic is None else f"{w.statistic:.2f}"
    return [*first, _interval(w), statistic, *map(_p, (w.p, contrast.p_holm, contrast.p_holm_songs)), str(row.n)]


def _found(row: Row) -> bool:
    return row.contrast is not None and row.contrast.found


def _interval(wald: Wald) -> str:
    if wald.low is None or wald.high is None:
        return f"{wald.estimate:.2f}"
    return f"{wald.estimate:.2f} [{wald.low:.2f}, {wald.high:.2f}]"


def _p(value: float | None) -> str:
    if value is None:
        return _NOTHING
    return "<.001" if value < 0.001 else f"{value:.3f}".removeprefix("0")


def _basis(block: Block) -> str:
    return f"{block.n} answers, {block.listeners} listeners, {block.tasks} tasks, {block.songs} songs"


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


# -- records ----------------------------------------------------------------------------------------------------------


def _block(block: Block) -> dict[str, Any]:
    about = {key: value for key, value in vars(block).items() if key not in ("rows", "flat")}
    return {**about, "flat": list(block.flat), "rows": [_record(row) for row in block.rows]}


def _record(row: Row) -> dict[str, Any]:
    about = {"condition": row.condition, "label": row.label, "rating": vars(row.rating), "z": vars(row.z), "n": row.n}
    contrast = row.contrast
    if contrast is None:
        return {**about, "contrast": None}
    holm = {"p_holm": contrast.p_holm, "p_holm_songs": contrast.p_holm_songs, "found": contrast.found}
    return {**about, "contrast": {"listeners": vars(contrast.listeners), "songs": vars(contrast.songs), **holm}}


def _flat(block: Block, row: Row) -> Mapping[str, Any]:
    return dict(_leaves({"question": block.name, **_record(row)} | {"contrast": _contrast_cells(row)}))


def _contrast_cells(row: Row) -> dict[str, Any]:
    """The contrast of a row with every cell there is, empty where it has none: all lines of a CSV have one form."""
    empty = vars(Wald(0.0)) | {"estimate": None}
    none = {"listeners": empty, "songs": empty, "p_holm": None, "p_holm_songs": None, "found": None}
    return none | (_record(row)["contrast"] or {})


def _leaves(record: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in record.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{key}_")
        else:
            yield f"{prefix}{key}", value
