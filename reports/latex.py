r"""A table as LaTeX with booktabs, to be taken into a paper as it is: `\input{table.tex}`.

Every section and every split is one `table*` float. Under each mean stands its interval, beside it its rank set as a
superscript. Controls and published numbers stand in blocks of their own under a rule and a heading. Many columns go
into several tabulars below one another, with the labels repeated. All names are text: no character of theirs is a
command.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

from reports import cells
from reports.escape import clean
from reports.model import Cell, Column, Group, Note, PublishedBlock, Row, Section, Split, Table
from reports.sheet import Sheet, SheetCell

COLUMNS_A_TABULAR = 6
"""Most metrics side by side in the width of two text columns."""

_PREAMBLE = (
    r"% Needs \usepackage{booktabs} and LaTeX of 2020 or later.",
    "% Names in other scripts than Latin need XeLaTeX or LuaLaTeX.",
    "% Made by timbrebench from scored runs: make it again rather than edit it.",
)
_COMMANDS = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "'": r"\textquotesingle{}",
    "`": r"\textasciigrave{}",
}
_SYMBOLS = {
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    "→": r"$\rightarrow$",
    "·": r"$\cdot$",
    "×": r"$\times$",
    "±": r"$\pm$",
    "−": "$-$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "∞": r"$\infty$",
    "Δ": r"$\Delta$",
    "λ": r"$\lambda$",
    "ρ": r"$\rho$",
    "σ": r"$\sigma$",
    "†": r"\textdagger{}",
    "‡": r"\textdaggerdbl{}",
    "§": r"\textsection{}",
    "–": "--",
    "—": "---",
    "…": r"\ldots{}",
    "•": r"\textbullet{}",
    "“": "``",
    "”": "''",
    "‘": "`",
    "’": "'",
}
_MINUS = re.compile(r"(?<![\w.])-(?=\d)")
_LABEL = re.compile(r"[^A-Za-z0-9]+")


def escaped(text: str) -> str:
    r"""Text that LaTeX sets as it is: no command, argument, comment, alignment or ligature can come out of it.

    Letters, digits and accents of any script stay; other signs that LaTeX has no command for become their code point.

    >>> escaped(r"50% of a_b & \input{x}")
    '50\\% of a\\_b \\& \\textbackslash{}input\\{x\\}'
    >>> escaped("[1] -- 🎻")
    '{[}1] -{}- [U+1F3BB]'
    """
    letters = unicodedata.normalize("NFC", clean(text))
    safe = "".join(map(_letter, " " + letters, letters))
    # After a line break or a rule these would begin an argument of the command.
    return f"{{{safe.lstrip()[0]}}}{safe.lstrip()[1:]}" if safe.lstrip().startswith(("[", "*")) else safe


def figures(text: str) -> str:
    """`escaped`, for numbers: their hyphens are minus signs.

    >>> figures("[-0.12, 0.30]")
    '{[}$-$0.12, 0.30]'
    """
    return _MINUS.sub("$-$", escaped(text))


def _letter(before: str, character: str) -> str:
    known = _COMMANDS.get(character) or _SYMBOLS.get(character)
    if known:
        return known
    if character in "-," and character == before:
        return f"{{}}{character}"
    if character.isascii() or unicodedata.category(character)[0] in "LMN":
        return character
    return f"[U+{ord(character):04X}]"


def _command(name: str, content: str) -> str:
    return f"\\{name}{{{content}}}"


def _small(text: str) -> str:
    return rf"{{\scriptsize {figures(text)}}}" if text else ""


def to_latex(table: Table) -> str:
    """The table as LaTeX, one float a section, a split and a sheet."""
    lines = [*_PREAMBLE]
    for number, section in enumerate(table.sections, start=1):
        name = f"{_slug(section.suite)}-{number}"
        lines += ["", *_float(_section(section), _caption(section), name)]
        for split in section.splits:
            caption = f"{escaped(split.title)}: {escaped(section.suite)}."
            lines += ["", *_float([*_tabulars(split), *_notes(split.notes)], caption, f"{name}-{_slug(split.by)}")]
        for place, sheet in enumerate(section.sheets, start=1):
            lines += ["", *_float([*_sheet(sheet)], f"{escaped(sheet.title)}.", f"{name}-{sheet.kind}-{place}")]
    return "\n".join(lines) + "\n"


def _float(body: Iterable[str], caption: str, name: str) -> Iterator[str]:
    yield from (r"\begin{table*}[tp]", r"\centering", rf"\caption{{{caption}}}", rf"\label{{tab:{name}}}", r"\small")
    yield from body
    yield r"\end{table*}"


def _slug(text: str) -> str:
    return _LABEL.sub("-", text).strip("-").lower() or "table"


def _caption(section: Section) -> str:
    return (
        f"{escaped(section.suite)}: {escaped(section.subtitle)}. Mean, below it its 95\\,\\% interval over songs; "
        "superscripts: ranks that are not excluded."
    )


def _section(section: Section) -> Iterator[str]:
    yield from _tabulars(section)
    yield from _notes([*section.notes, *(note for block in section.published for note in block.notes)])


# -- tabulars -------------------------------------------------------------------------------------------------


def _tabulars(table: Section | Split) -> Iterator[str]:
    filled = [place for place in range(len(table.columns)) if any(row.cells[place].filled for row in table.rows)]
    places = filled or list(range(len(table.columns)))
    for start in range(0, max(len(places), 1), COLUMNS_A_TABULAR):
        if start:
            yield r"\par\medskip"
        yield from _tabular(table, places[start : start + COLUMNS_A_TABULAR])


def _tabular(table: Section | Split, places: Sequence[int]) -> Iterator[str]:
    width = len(places) + 2
    columns = [table.columns[place] for place in places]
    yield from (rf"\begin{{tabular}}{{@{{}}l{'r' * (width - 1)}@{{}}}}", r"\toprule")
    yield _line(["", "edits", *(f"{escaped(c.heading)} {_head(c)}" for c in columns)])
    yield r"\midrule"
    if isinstance(table, Section):
        ranked = [row for row in table.rows if row.role != "control"]
        controls = [row for row in table.rows if row.role == "control"]
        yield from _rows(ranked, columns, places)
        if controls:
            yield from _heading("Controls, not ranked", width, rule=bool(ranked))
            yield from _rows(controls, columns, places)
        for block in table.published:
            yield from _published(block, places, width)
    else:
        for number, group in enumerate(table.groups):
            yield from _heading(_group(group), width, rule=number > 0)
            yield from _rows(group.rows, columns, places)
    yield from (r"\bottomrule", r"\end{tabular}")


def _head(column: Column) -> str:
    return escaped(cells.direction(column))


def _group(group: Group) -> str:
    return f"{group.name} {group.mark}".rstrip() + f" ({group.size})"


def _heading(text: str, width: int, *, rule: bool) -> Iterator[str]:
    if rule:
        yield r"\midrule"
    yield rf"\multicolumn{{{width}}}{{@{{}}l}}{{{_command('emph', escaped(text))}}} \\"


def _rows(rows: Iterable[Row], columns: Sequence[Column], places: Sequence[int]) -> Iterator[str]:
    for row in rows:
        pairs = [(row.cells[place], column) for place, column in zip(places, columns, strict=True)]
        label = escaped(f"{row.label} {row.mark}".rstrip())
        yield _line([label, escaped(cells.coverage(row)), *(_mean(*pair) for pair in pairs)])
        below = [cells.interval(*pair) for pair in pairs]
        if any(below):
            yield _line(["", "", *map(_small, below)])


def _mean(cell: Cell, column: Column) -> str:
    mean = figures(cells.mean(cell, column))
    rank = _command("textsuperscript", escaped(str(cell.ranks))) if cell.ranks else ""
    missing = rf"\ {_small(cells.missing(cell))}" if cell.missing else ""
    return f"{_command('textbf', mean) if cell.best else mean}{rank}{missing}"


def _published(block: PublishedBlock, places: Sequence[int], width: int) -> Iterator[str]:
    shown = [row for row in block.rows if any(row.values[place] for place in places)]
    if shown:
        yield from _heading(block.heading, width, rule=True)
    for row in shown:
        values = [row.values[place] for place in places]
        yield _line([escaped(row.label), "", *(_command("emph", figures(v.text)) if v else "" for v in values)])


def _line(contents: Sequence[str]) -> str:
    return " & ".join(contents) + r" \\"


# -- sheets and notes -----------------------------------------------------------------------------------------


def _sheet(sheet: Sheet) -> Iterator[str]:
    yield from (rf"\begin{{tabular}}{{@{{}}l{'r' * (len(sheet.heads) - 1)}@{{}}}}", r"\toprule")
    yield _line([escaped(head) for head in sheet.heads])
    yield r"\midrule"
    for label, row in sheet.rows:
        yield _line([escaped(label), *map(_sheet_cell, row)])
        if any(cell.below for cell in row):
            yield _line(["", *(_small(cell.below) for cell in row)])
    yield from (r"\bottomrule", r"\end{tabular}")
    yield from _notes(sheet.notes)


def _sheet_cell(cell: SheetCell) -> str:
    return _command("textbf", figures(cell.text)) if cell.strong else figures(cell.text)


def _notes(notes: Iterable[Note]) -> Iterator[str]:
    lines = [
        f"{escaped(f'({note.mark})' if note.mark.isalpha() else note.mark)} {escaped(note.text)}".strip()
        for note in notes
    ]
    if lines:
        yield r"\par\medskip"
        yield r"\begin{minipage}{\linewidth}\footnotesize\raggedright"
        yield "\\par\n".join(lines)
        yield r"\end{minipage}"
