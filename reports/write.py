"""A report on disk: `table.md`, `table.csv`, `index.html` and its `assets/`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.errors import UsageError
from bench.store.atomic import make_folder, write_text
from reports.assets import FOLDER, Assets
from reports.html.page import render
from reports.load import RunReport
from reports.model import Table
from reports.render import to_csv, to_markdown
from reports.table import build


def write(runs: Sequence[RunReport], out: Path, *, examples: int = 24, splits: Sequence[str] = ()) -> Table:
    """Write the report of some runs into a folder, over an earlier one if there is one.

    The page is replaced after its new assets are there and before old ones go, so that it can be opened at any time.
    Assets are named by the hash of their content; only files with such names are ever removed.

    Args:
        runs: as `reports.load.load` gives them.
        out: the folder; made if it is not there.
        examples: most tasks to be heard on the page, for each section of the table.
        splits: by what to split each section, see `reports.groups.SPLITS`.

    Raises:
        UsageError: if there is no run, nothing to split by, or the folder cannot be written to.
        IncompleteError: if the disk is full. CorruptStoreError: if a run is damaged.
    """
    if not runs:
        raise UsageError("there is no run to report", remedy="Name at least one scored run directory.", code="no-runs")
    assets = Assets(out / FOLDER)
    table = build(runs, splits)
    make_folder(assets.folder)
    page = render(runs, table, assets.put, examples=examples)
    write_text(out / "table.md", to_markdown(table))
    write_text(out / "table.csv", to_csv(table))
    write_text(out / "index.html", page)
    assets.remove_others()
    return table
