"""Published numbers as rows below a section: each number in our column of the metric that it claims to be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from reports.model import Column, Note, PublishedBlock, PublishedRow, PublishedValue
from reports.published import Published, System, published


def block(name: str, columns: Sequence[Column]) -> PublishedBlock:
    """A published table as it stands below some columns.

    A number goes into the first column of its metric, network included (`clap:laion-clap`): in a column of another
    network it would be taken for comparable. What has no column is told in a note.

    Args:
        name: of the table, see `reports.published.names`.
        columns: of the section.

    Raises:
        UnknownNameError: if there is no such table.
    """
    table = published(name)
    first = {column.name: place for place, column in reversed(list(enumerate(columns)))}
    places = {what: first[m.metric] for what, m in table.measures.items() if m.metric in first}
    rows = tuple(_row(table, system, places, len(columns)) for system in table.systems)
    return PublishedBlock(name, table.title, rows, tuple(_notes(table, places, columns)))


def _row(table: Published, system: System, places: Mapping[str, int], columns: int) -> PublishedRow:
    cells: list[PublishedValue | None] = [None] * columns
    for what, place in places.items():
        if what in system.values:
            value = system.values[what]
            claim = table.measures[what].identity
            cells[place] = PublishedValue(
                _text(table, system, what), value.value, value.low, value.high, value.n, f"as published: {claim}"
            )
    return PublishedRow(system.label, system.method, tuple(cells))


def _text(table: Published, system: System, what: str) -> str:
    """A number with the decimals it was printed with, and its interval if it has one."""
    value, decimals = system.values[what], table.measures[what].decimals
    if value.low is None or value.high is None:
        return f"{value.value:.{decimals}f}"
    return f"{value.value:.{decimals}f} [{value.low:.{decimals}f}, {value.high:.{decimals}f}]"


def _notes(table: Published, places: Mapping[str, int], columns: Sequence[Column]) -> Iterator[Note]:
    yield Note(
        f"{table.title}: numbers of the paper. They were measured elsewhere, on other excerpts and with other "
        f"settings, and must not be compared with a row above. {table.caution}",
        warns=True,
    )
    yield Note(f"Paper: {table.paper}. Found in: {table.found}.")
    yield Note(f"Setting: {table.setting}.")
    for what, place in places.items():
        yield Note(f"{columns[place].heading} claims to be: {table.measures[what].identity}.")
    for what, measure in table.measures.items():
        if what not in places:
            there = [s for s in table.systems if what in s.values]
            told = ", ".join(f"{system.label} {_text(table, system, what)}" for system in there)
            arrow = "↑" if measure.direction == "higher" else "↓"
            if told:
                yield Note(f"No column here for {what} {arrow} ({measure.identity}): {told}.")
