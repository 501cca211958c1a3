"""The leaderboard as data: one CSV and one JSON of all views, a CSV of each entry's tasks, the stores' records."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any, Final

from bench import __version__
from reports.escape import csv_cell
from reports.leaderboard.model import Board, Entry, Leaderboard, Line, View
from reports.model import Column

SCHEMA: Final = "timbrebench-leaderboard@1"

FIELDS = (
    *("suite", "suite_digest", "view", "division", "entry", "system", "version", "role", "provenance", "unranked"),
    *("metric", "identity", "direction", "unit", "mean", "low", "high", "rank_best", "rank_worst", "ranked"),
    *("edits", "songs", "made", "expected"),
)


def rows(board: Board) -> Iterator[dict[str, Any]]:
    """One row for each view, entry and metric; None where there is nothing."""
    for view in board.views:
        for line in view.lines:
            for place, column in enumerate(view.columns):
                yield {**_about(board, view, line), **_measured(line, place, column)}


def _about(board: Board, view: View, line: Line) -> dict[str, Any]:
    entry = line.entry
    return {
        "suite": board.suite,
        "suite_digest": board.digest,
        "view": view.name,
        "division": entry.division,
        "entry": entry.id,
        "system": entry.name,
        "version": entry.version,
        "role": entry.run.about.role,
        "provenance": None if entry.control else entry.provenance,
        "unranked": "control" if entry.control else entry.unranked or None,
        "made": line.made,
        "expected": line.expected,
    }


def _measured(line: Line, place: int, column: Column) -> dict[str, Any]:
    found = line.places[place]
    estimate, rank = found.cell.estimate, found.rank
    return {
        "metric": column.name,
        "identity": column.identity,
        "direction": column.direction,
        "unit": column.unit,
        "mean": estimate.mean if estimate else None,
        "low": estimate.low if estimate else None,
        "high": estimate.high if estimate else None,
        "edits": estimate.n if estimate else 0,
        "songs": estimate.songs if estimate else 0,
        "rank_best": rank.best if rank else None,
        "rank_worst": rank.worst if rank else None,
        "ranked": rank.among if rank else None,
    }


def to_csv(leaderboard: Leaderboard) -> str:
    """All rows of all boards. Names that a spreadsheet would take for formulas are defused."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(FIELDS)
    for board in leaderboard.boards:
        for row in rows(board):
            writer.writerow([_csv_value(row[field]) for field in FIELDS])
    return text.getvalue()


def to_json(leaderboard: Leaderboard, pages: list[str]) -> dict[str, Any]:
    """The same as an object, with the heads of the stores. It holds no time: one store gives one file.

    Args:
        leaderboard: to be written.
        pages: that the site has, by which a later one knows what to remove.
    """
    return {
        "schema": SCHEMA,
        "timbrebench": __version__,
        "stores": [store.head.model_dump() for store in leaderboard.stores if store.head],
        "pages": sorted(pages),
        "rows": [row for board in leaderboard.boards for row in rows(board)],
    }


def history(leaderboard: Leaderboard) -> dict[str, Any]:
    """The records of all stores: whoever has them can check the chain."""
    return {"stores": [[record.as_json() for record in store.records] for store in leaderboard.stores]}


def tasks_csv(entry: Entry) -> str:
    """An entry's values: a row for each edit, a column for each metric identity, empty where there is no value."""
    frame = entry.run.scores
    identities = list(dict.fromkeys(frame["identity"]))
    table = frame.set_index(["task", "seed", "identity"])["value"].to_dict()
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["task", "song", "stem", "seed", "status", *map(csv_cell, identities)])
    tasks, statuses = entry.run.tasks, entry.run.statuses
    for item in entry.run.plan:
        values = (table.get((item.task, item.seed, identity)) for identity in identities)
        named = (item.task, item.song, tasks[item.task].stem)
        shown = ("" if value is None or value != value else repr(float(value)) for value in values)  # noqa: PLR0124  NaN
        writer.writerow([*map(csv_cell, named), item.seed, statuses[item.key], *shown])
    return text.getvalue()


def _csv_value(value: Any) -> Any:
    if value is None:
        return ""
    return csv_cell(value) if isinstance(value, str) else value
