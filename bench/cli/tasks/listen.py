"""`timbrebench tasks listen`: a page on which tasks can be heard."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.cli.output import output
from bench.errors import UsageError


def listen(
    context: typer.Context,
    suite: Annotated[str, typer.Argument(help="task file, or name of a suite")],
    out: Annotated[Path, typer.Option(help="folder for index.html and its audio")],
    only: Annotated[str | None, typer.Option(help="only tasks whose id matches this pattern, as '*/vocals2*'")] = None,
    limit: Annotated[int, typer.Option(min=1, help="most tasks on the page, spread over the songs")] = 24,
    root: Annotated[list[str] | None, typer.Option(help="NAME=FOLDER: where audio lies on this machine")] = None,
) -> None:
    """Write an offline page with mixture, stems, prompts and flags of tasks, and true edits and references if any."""
    from bench.cli.selection import open_suite, pick, with_audio
    from bench.cli.tasks import views
    from reports.listening import write

    out_ = output(context)
    opened = open_suite(suite, root or [], track=out_.track)
    matching = pick(opened, only=only)
    if not matching:
        raise UsageError("the suite has no tasks", remedy="Build another suite.", code="no-match")
    written = write(
        opened,
        with_audio(matching),
        out,
        limit=limit,
        meanings=views.meanings(views.flag_counts(opened.tasks)),
        track=out_.track,
    )
    page = (out / "index.html").resolve()
    lost = f"; {written.problems} clips could not be read, and say why" if written.problems else ""
    out_.give(
        {"page": str(page), "tasks": written.tasks, "of": len(matching), "problems": written.problems},
        f"{written.tasks} of {len(matching):,} tasks on the page{lost}",
        f"page: {page}",
    )
