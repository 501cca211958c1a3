"""A report on disk: `table.md`, `table.csv`, `index.html` and its `assets/`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from bench.errors import UsageError
from bench.identity import sha256_bytes
from bench.store.atomic import make_folder, write_bytes, write_text, writing
from reports.html.page import render
from reports.load import RunReport
from reports.model import Table
from reports.render import to_csv, to_markdown
from reports.table import build

ASSETS = "assets"

_OURS = re.compile(r"[0-9a-f]{64}\.(?:flac|png)")


def write(runs: Sequence[RunReport], out: Path, *, examples: int = 24) -> Table:
    """Write the report of some runs into a folder, over an earlier one if there is one.

    The page is replaced after its new assets are there and before old ones go, so that it can be opened at any time.
    Assets are named by the hash of their content; only files with such names are ever removed.

    Args:
        runs: as `reports.load.load` gives them.
        out: the folder; made if it is not there.
        examples: most tasks to be heard on the page, for each section of the table.

    Raises:
        UsageError: if there is no run, or the folder cannot be written to.
        IncompleteError: if the disk is full. CorruptStoreError: if a run is damaged.
    """
    if not runs:
        raise UsageError("there is no run to report", remedy="Name at least one scored run directory.", code="no-runs")
    assets = _Assets(out / ASSETS)
    table = build(runs)
    make_folder(assets.folder)
    page = render(runs, table, assets.put, examples=examples)
    write_text(out / "table.md", to_markdown(table))
    write_text(out / "table.csv", to_csv(table))
    write_text(out / "index.html", page)
    assets.remove_others()
    return table


class _Assets:
    """Files of a page, named by their content."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._names: set[str] = set()

    def put(self, content: bytes, suffix: str) -> str:
        """Store a file and return its address relative to the page."""
        name = f"{sha256_bytes(content)}{suffix}"
        if name not in self._names:
            write_bytes(self.folder / name, content)
            self._names.add(name)
        return f"{ASSETS}/{name}"

    def remove_others(self) -> None:
        """Remove what an earlier report left and this one does not use."""
        with writing(self.folder):
            for path in sorted(self.folder.iterdir()):
                if _OURS.fullmatch(path.name) and path.name not in self._names:
                    path.unlink()
