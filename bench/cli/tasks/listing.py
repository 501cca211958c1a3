"""`timbrebench tasks list`: the suites that can be built, or the tasks of one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer
from rich.table import Table
from rich.text import Text

from bench.cli import catalogue
from bench.cli.output import Output, output
from bench.errors import UnknownNameError, UsageError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.suite import Suite, SuiteBuilder


def list_(
    context: typer.Context,
    suite: Annotated[str | None, typer.Argument(help="task file, or name of a suite; none: all suites")] = None,
    only: Annotated[str | None, typer.Option(help="only tasks whose id matches this pattern, as '*/vocals2*'")] = None,
    stem: Annotated[str | None, typer.Option(help="only edits of vocals, drums, bass or other")] = None,
    flag: Annotated[str | None, typer.Option(help="only tasks with this flag")] = None,
    absent: Annotated[bool, typer.Option("--absent", help="only tasks whose audio is not here")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="only the first N of them")] = None,
    root: Annotated[list[str] | None, typer.Option(help="NAME=FOLDER: where audio lies on this machine")] = None,
) -> None:
    """List the suites that can be built and the data they need, or the tasks of one."""
    out = output(context)
    if suite is None:
        if only or stem or flag or absent or limit or root:
            raise UsageError("of which suite?", remedy="Name a task file or a suite first.", code="which-tasks")
        _suites(out)
    else:
        from bench.cli.selection import open_suite

        _tasks(out, open_suite(suite, root or [], track=out.track), only, stem, flag, absent, limit)


def _suites(out: Output) -> None:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True, style="cyan")
    table.add_column()
    found: list[dict[str, Any]] = []
    for entry in catalogue.suites().entries():
        table.add_row(entry.name, Text(entry.summary))
        try:
            data = list(_data_options(catalogue.suites().get(entry.name)))
        except UsageError as error:  # a plug-in that cannot be imported must not hide the others
            table.add_row("", Text(error.cause, style="red"))
            found.append({"name": entry.name, "summary": entry.summary, "error": error.cause})
            continue
        found.append({"name": entry.name, "summary": entry.summary, "needs": data})
        for option in data:
            must = "needs" if option["required"] else "takes"
            table.add_row("", Text(f"{must} {option['name']}: {option['description']}", style="dim"))
    from bench.cli.tasks.views import fitting

    out.give(
        found,
        fitting(table, out),
        "\ntimbrebench tasks build NAME --out FILE; `timbrebench show suite NAME` has all options",
    )


def _data_options(builder: type[SuiteBuilder]) -> Iterator[dict[str, Any]]:
    """The options of a suite that say where data are."""
    for name, field in builder.Options.model_fields.items():
        if field.is_required() or Path in (field.annotation, *get_args(field.annotation)):
            option = "--" + name.replace("_", "-")
            yield {"name": option, "required": field.is_required(), "description": field.description or ""}


def _tasks(
    out: Output, suite: Suite, only: str | None, stem: str | None, flag: str | None, absent: bool, limit: int | None
) -> None:
    from bench.cli.selection import pick
    from bench.cli.tasks import views
    from reports.escape import clean

    known = views.flag_counts(suite.tasks)
    if flag is not None and flag not in known and not views.meanings([flag])[flag]:
        raise UnknownNameError(f"no task has the flag '{flag}'", remedy=did_you_mean(flag, known), code="unknown-flag")
    found = [(task, views.audio_state(suite, task)) for task in pick(suite, only=only, stem=stem, flag=flag)]
    chosen = [(task, audio) for task, audio in found if not absent or audio != "here"]
    table = Table(box=None, pad_edge=False)
    for heading in ("task", "stem", "target phrase", "audio", "flags"):
        table.add_column(heading, overflow="fold", style="cyan" if heading == "task" else None)
    for task, audio in chosen[:limit]:
        cells = (task.id, task.stem, task.target_phrase or "—", audio, ", ".join(task.flags))
        table.add_row(*(Text(clean(cell)) for cell in cells))
    rows = [
        {"id": task.id, "stem": task.stem, "phrase": task.target_phrase, "audio": audio, "flags": list(task.flags)}
        for task, audio in chosen[:limit]
    ]
    shown = f"{len(rows):,} of {len(suite.tasks):,} tasks"
    out.give(rows, *([views.fitting(table, out)] if rows else []), shown)
