"""`timbrebench report`: tables and a page one can listen to, from scored runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from bench.cli.output import Output, output


def report(
    context: typer.Context,
    runs: Annotated[list[Path], typer.Argument(help="scored run directories", metavar="RUN...")],
    out: Annotated[Path, typer.Option(help="folder for tables, plots and index.html")] = Path("out/site"),
    examples: Annotated[int, typer.Option(min=0, help="tasks with players on the page")] = 24,
    split: Annotated[
        list[str] | None,
        typer.Option(
            help="also a table by stem, song, source-instrument, target-instrument, monophonic, flag, or with and "
            "without one flag:NAME; may be given several times"
        ),
    ] = None,
    only: Annotated[str | None, typer.Option(help="only tasks whose id matches this pattern, as '*/vocals2*'")] = None,
    published: Annotated[
        list[str] | None,
        typer.Option(
            help="numbers of a paper below the table, apart and in no rank: polyphonia-musicdelta, "
            "polyphonia-musdb18hq, mi-inpainting; may be given several times"
        ),
    ] = None,
    figures: Annotated[bool, typer.Option(help="draw the trade-off, and heat maps of splits by instrument")] = True,
) -> None:
    """Write one table (terminal, Markdown, LaTeX, CSV, JSON), plots, and one offline page with players."""
    execute(output(context), runs, out, examples, split or [], only, published or [], figures=figures)


def execute(
    out: Output,
    runs: list[Path],
    site: Path,
    examples: int = 24,
    splits: Sequence[str] = (),
    only: str | None = None,
    published: Sequence[str] = (),
    *,
    figures: bool = True,
) -> None:
    """Write a report and show its table."""
    from reports.load import load
    from reports.parts import matching
    from reports.render import records, terminal
    from reports.write import write

    loaded = [load(run) for run in runs]
    chosen = loaded if only is None else [matching(run, only) for run in loaded]
    table = write(chosen, site, examples=examples, splits=splits, published=published, figures=figures)
    page = (site / "index.html").resolve()
    kinds = {"markdown": "md", "latex": "tex", "csv": "csv", "json": "json"}
    files = {"page": str(page), **{kind: str(site / f"table.{ending}") for kind, ending in kinds.items()}}
    out.give({**files, "rows": list(records(table))}, terminal(table), f"page: {page}")
