"""From results to `results.json`, `results.md` and `results.csv`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.store.atomic import make_folder, write_json, write_text
from reports.listening_test import design as designs
from reports.listening_test.analyse import Analysis, analyse
from reports.listening_test.render import to_csv, to_json, to_markdown
from reports.listening_test.results import read


def ingest(
    files: Sequence[Path], test: Path, out: Path, *, baseline: str | None = None, listener: str | None = None
) -> Analysis:
    """Read results, analyse them, write the tables.

    Args:
        files: CSV, see `reports.listening_test.results`.
        test: folder that `export` made.
        out: folder for the tables.
        baseline: label of the system that the others are compared with; None for the first.
        listener: column of the files that says who answered.

    Raises:
        UsageError, DataError: if a file or the design cannot be used. UnknownNameError: for an unknown baseline.
        IncompleteError: if no answer is left.
    """
    design = designs.read(test)
    analysis = analyse(read(files, design, listener), design, baseline)
    make_folder(out)
    write_json(out / "results.json", to_json(analysis))
    write_text(out / "results.md", to_markdown(analysis))
    write_text(out / "results.csv", to_csv(analysis))
    return analysis
