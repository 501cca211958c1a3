"""`timbrebench report`: tables and a page one can listen to, from scored runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.cli.output import Output, output


def report(
    context: typer.Context,
    runs: Annotated[list[Path], typer.Argument(help="scored run directories", metavar="RUN...")],
    out: Annotated[Path, typer.Option(help="folder for table.md, table.csv and index.html")] = Path("out/site"),
    examples: Annotated[int, typer.Option(min=0, help="tasks with players on the page")] = 24,
) -> None:
    """Write one table (terminal, Markdown, CSV) and one offline page with players and spectrograms."""
    execute(output(context), runs, out, examples)


def execute(out: Output, runs: list[Path], site: Path, examples: int = 24) -> None:
    """Write a report and show its table."""
    from reports.load import load
    from reports.render import terminal
    from reports.write import write

    table = write([load(run) for run in runs], site, examples=examples)
    page = (site / "index.html").resolve()
    out.give(
        {"page": str(page), "markdown": str(site / "table.md"), "csv": str(site / "table.csv")},
        terminal(table),
        f"page: {page}",
    )
