"""`timbrebench tasks`: build a suite's task file, and look into one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from bench.cli.output import Output, output
from bench.errors import UsageError

if TYPE_CHECKING:
    from bench.suite import Suite
    from bench.task import EditTask

app = typer.Typer(help="Build and inspect task files.", no_args_is_help=True)

_MANY = {"allow_extra_args": True, "ignore_unknown_options": True}


@app.command("build", context_settings=_MANY)
def build(
    context: typer.Context,
    suite: Annotated[str, typer.Argument(help="name of the suite (`timbrebench list suites`)")],
    out: Annotated[Path, typer.Option(help="task file to write (JSON lines)")],
) -> None:
    """Build a suite: its tasks, excerpts and the hashes of its audio.

    The suite's own options follow, as `--prompts FOLDER`; `timbrebench show suite NAME` lists them. They can
    also come from the environment, as TIMBREBENCH_TASKS_BUILD_PROMPTS.
    """
    execute(output(context), suite, _from_words(context.args), out)


def execute(out: Output, suite: str, options: Mapping[str, str], file: Path) -> None:
    """Build a suite, write its task file and tell what is in it."""
    from bench.cli.selection import build_suite
    from bench.store.atomic import make_folder, write_text

    built = build_suite(suite, options)
    make_folder(file.parent)
    write_text(file, "\n".join(built.lines()) + "\n")
    out.give(_summary(built, file), *_described(built), f"written to {file}")


@app.command("inspect")
def inspect(context: typer.Context, file: Annotated[Path, typer.Argument(help="task file")]) -> None:
    """Say what is in a task file, and verify that its audio is here and is the same."""
    from bench.suite import Suite

    suite = Suite.read(file)
    for source in suite.sources:
        suite.open(source)
    checked = f"the audio of all {len(suite.sources)} sources is here, with the right hashes"
    output(context).give({**_summary(suite, file), "verified": len(suite.sources)}, *_described(suite), checked)


def _summary(suite: Suite, path: Path) -> dict[str, object]:
    return {
        "suite": suite.name,
        "version": suite.version,
        "digest": suite.digest,
        "file": str(path),
        "tasks": len(suite.tasks),
        "available": len(suite.available),
        "absent": suite.absences(),
        "songs": len({task.song for task in suite.tasks}),
        "stems": dict(Counter(task.stem for task in suite.tasks)),
        "flags": dict(sorted(Counter(flag for task in suite.tasks for flag in task.flags).items())),
    }


def _described(suite: Suite) -> list[str | Table]:
    from bench.task import STEMS

    total, there = len(suite.tasks), len(suite.available)
    lines: list[str | Table] = [
        f"{suite.name}: {total:,} tasks planned: {there:,} with audio, {total - there:,} absent; "
        f"digest {suite.digest[:12]}"
    ]
    table = Table(box=None, pad_edge=False)
    table.add_column("audio")
    for heading in ("songs", "tasks", *STEMS):
        table.add_column(heading, justify="right")
    groups: dict[str, list[EditTask]] = {}
    for task in suite.tasks:
        groups.setdefault(task.absent or f"{task.song} (here)", []).append(task)
    for where, tasks in groups.items():
        stems = Counter(task.stem for task in tasks)
        songs = {task.song for task in tasks}
        table.add_row(where, str(len(songs)), f"{len(tasks):,}", *(f"{stems[stem]:,}" for stem in STEMS))
    lines.append(table)
    flags = Counter(flag for task in suite.tasks for flag in task.flags)
    if flags:
        lines.append("flags: " + ", ".join(f"{flag} {count}" for flag, count in sorted(flags.items())))
    return lines


def _from_words(words: list[str]) -> dict[str, str]:
    """`--key value` and `--key=value` of a suite's own options."""
    found: dict[str, str] = {}
    rest = iter(words)
    for word in rest:
        key, separator, value = word.partition("=")
        if not key.startswith("--"):
            raise UsageError(f"unexpected '{word}'", remedy="Suite options are --name VALUE.", code="bad-option")
        if not separator:
            following = next(rest, None)
            if following is None:
                raise UsageError(f"{key} needs a value", remedy=f"Write {key} VALUE.", code="bad-option")
            value = following
        found[key.removeprefix("--").replace("-", "_")] = value
    return found
