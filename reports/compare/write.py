"""A comparison on disk: `comparison.json`, `comparison.md`, `junit.xml`, and the page with its audio."""

from __future__ import annotations

from pathlib import Path

from bench.store.atomic import make_folder, write_json, write_text
from reports.compare.model import Comparison
from reports.load import RunReport


def write(comparison: Comparison, base: RunReport, new: RunReport, out: Path) -> dict[str, Path]:
    """Write a comparison into a folder, over an earlier one if there is one.

    Args:
        comparison: of the two runs.
        base: with its audio, for the page.
        new: likewise.
        out: the folder; made if it is not there.

    Returns:
        The files by kind: ``json``, ``markdown``, ``junit``, ``page``.

    Raises:
        UsageError: if the folder cannot be written to.
        IncompleteError: if the disk is full. CorruptStoreError: if a run's audio is damaged.
    """
    from reports.compare.html import write_page  # draws spectrograms: heavy
    from reports.compare.junit import render_junit
    from reports.compare.markdown import render_markdown

    make_folder(out)
    files = {"json": out / "comparison.json", "markdown": out / "comparison.md", "junit": out / "junit.xml"}
    write_json(files["json"], comparison.as_json())
    write_text(files["markdown"], render_markdown(comparison))
    write_text(files["junit"], render_junit(comparison))
    return {**files, "page": write_page(comparison, base, new, out)}
