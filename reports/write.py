"""A report on disk: `table.md`, `.tex`, `.csv` and `.json`, plots, `index.html` and its `assets/`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.errors import UsageError
from bench.store.atomic import make_folder, write_bytes, write_json, write_text, writing
from reports.assets import FOLDER, Assets
from reports.html.page import render
from reports.latex import to_latex
from reports.load import RunReport
from reports.model import Table
from reports.plots import heatmap, tradeoff
from reports.plots.draw import Plot
from reports.render import to_csv, to_json, to_markdown
from reports.sheet import sheet_csv
from reports.table import build

_OURS = re.compile(r"(?:tradeoff|heatmap|ablation|grid)-[0-9]+[a-z0-9-]*\.(?:svg|png|csv)")
"""Files that only some reports have, so that an earlier report may have left them."""


def write(
    runs: Sequence[RunReport],
    out: Path,
    *,
    examples: int = 24,
    splits: Sequence[str] = (),
    published: Sequence[str] = (),
    figures: bool = True,
) -> Table:
    """Write the report of some runs into a folder, over an earlier one if there is one.

    The page is replaced after its new assets are there and before old ones go, so that it can be opened at any time.
    Assets are named by the hash of their content; only files with names of ours are ever removed.

    Args:
        runs: as `reports.load.load` gives them.
        out: the folder; made if it is not there.
        examples: most tasks to be heard on the page, for each section of the table.
        splits: by what to split each section, see `reports.groups.SPLITS`.
        published: tables of papers to stand below each section, see `reports.published.names`.
        figures: whether to draw plots: the trade-off, and heat maps of splits by instrument or stem.

    Raises:
        UsageError: if there is no run, nothing to split by, or the folder cannot be written to.
        UnknownNameError: if there is no such published table.
        IncompleteError: if the disk is full. CorruptStoreError: if a run is damaged.
    """
    if not runs:
        raise UsageError("there is no run to report", remedy="Name at least one scored run directory.", code="no-runs")
    assets = Assets(out / FOLDER)
    table = build(runs, splits, published)
    make_folder(assets.folder)
    plots = [list(_plots(table, number)) if figures else [] for number in range(len(table.sections))]
    page = render(runs, table, assets.put, examples=examples, plots=plots)
    extras = {**_sheets(table), **{name: data for drawn in plots for plot in drawn for name, data in _files(plot)}}
    for name, content in extras.items():
        write_bytes(out / name, content)
    write_text(out / "table.md", to_markdown(table))
    write_text(out / "table.tex", to_latex(table))
    write_text(out / "table.csv", to_csv(table))
    write_json(out / "table.json", to_json(table))
    write_text(out / "index.html", page)
    assets.remove_others()
    _remove_others(out, set(extras))
    return table


def _plots(table: Table, number: int) -> Iterator[Plot]:
    """The plots of a section by its number, from 0."""
    section = table.sections[number]
    plane = tradeoff.plot(section, number + 1)
    if plane is not None:
        yield plane
    yield from heatmap.plots(section, number + 1)


def _files(plot: Plot) -> Iterator[tuple[str, bytes]]:
    yield f"{plot.name}.svg", plot.svg
    yield f"{plot.name}.png", plot.png


def _sheets(table: Table) -> dict[str, bytes]:
    """Ablations and grids as CSV, by the file's name."""
    return {
        f"{sheet.kind}-{number}-{place}.csv": sheet_csv(sheet).encode()
        for number, section in enumerate(table.sections, start=1)
        for place, sheet in enumerate(section.sheets, start=1)
    }


def _remove_others(out: Path, kept: set[str]) -> None:
    """Remove plots and sheets of an earlier report that this one does not have."""
    with writing(out):
        for path in sorted(out.iterdir()):
            if path.is_file() and _OURS.fullmatch(path.name) and path.name not in kept:
                path.unlink()
