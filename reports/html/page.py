"""`index.html`: one page that needs no network, no server and no script.

Names are escaped by the template engine; the content security policy lets the browser load nothing but the page's
own pictures and audio, and run nothing but the one script whose hash it names. The script only adds comfort
(players of a task share their position); without it every player works alone.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from bench import __version__
from reports import cells
from reports.escape import clean
from reports.html.examples import Put, listen
from reports.load import RunReport
from reports.model import Cell, Column, Section, Table, count
from reports.table import group_runs

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Whisker:
    """A mean and its interval as positions in percent of the column's range."""

    mean: float
    low: float | None
    high: float | None


def render(runs: Sequence[RunReport], table: Table, put: Put, *, examples: int) -> str:
    """The page of a table.

    Args:
        runs: the runs the table was built from.
        table: as `reports.table.build` made it.
        put: stores an asset and returns its address.
        examples: most tasks to be heard in each section.
    """
    style, script = (_HERE / "style.css").read_text("utf-8"), (_HERE / "player.js").read_text("utf-8")
    groups = group_runs(runs)
    listening = [listen(g, s, put, limit=examples) for g, s in zip(groups, table.sections, strict=True)]
    html = (
        _environment()
        .get_template("index.html.j2")
        .render(
            policy=policy(style, script),
            style=Markup(style),
            script=Markup(script),
            sections=list(zip(table.sections, listening, strict=True)),
            title=_title(table),
            scored=max((run.scored for run in runs), default=""),
            version=__version__,
            several=len(table.sections) > 1,
        )
    )
    return html + "\n"


def policy(style: str, script: str) -> str:
    """The content security policy: nothing but this style, this script, and files beside the page.

    Browsers differ in whether `'self'` matches a page opened from the disk, so `file:` stands beside it; a page that
    came over the network cannot load files anyway.
    """
    return "; ".join(
        [
            "default-src 'none'",
            "img-src 'self' file:",
            "media-src 'self' file:",
            f"style-src '{_hash(style)}'",
            f"script-src '{_hash(script)}'",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


def whisker(section: Section, place: int, cell: Cell) -> Whisker | None:
    """Where a cell lies in the range of its column; None where there is nothing to draw."""
    mine = cell.estimate
    if mine is None or mine.mean is None:
        return None
    estimates = [e for row in section.rows if (e := row.cells[place].estimate) is not None]
    ends = [value for e in estimates for value in (e.mean, e.low, e.high) if value is not None]
    lowest, width = min(ends), max(ends) - min(ends)

    def at(value: float) -> float:
        return round(4 + 92 * (value - lowest) / width, 2) if width > 0 else 50.0

    low, high = (None if end is None else at(end) for end in (mine.low, mine.high))
    return Whisker(at(mine.mean), low, high)


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        finalize=_finalize,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"cells": cells, "count": count, "whisker": whisker, "column_help": _column_help}
    return environment


def _finalize(value: Any) -> Any:
    """Every text that is put into the page is cleaned of control characters first, escaped after."""
    return clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _column_help(column: Column) -> str:
    return f"{column.summary} ({column.direction} is better). {column.identity}"


def _title(table: Table) -> str:
    suites = list(dict.fromkeys(section.suite for section in table.sections))
    systems = sum(len(section.rows) for section in table.sections)
    return f"{count(systems, 'run')} on {', '.join(suites)}"


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
