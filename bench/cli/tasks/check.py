"""`timbrebench tasks check`: a task file and its audio, verified."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from bench.cli.output import Output, output
from bench.errors import IncompleteError

if TYPE_CHECKING:
    from bench.cli.tasks.verify import Verified
    from bench.suite import Suite


def check(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="task file")],
    root: Annotated[list[str] | None, typer.Option(help="NAME=FOLDER: where audio lies on this machine")] = None,
    jobs: Annotated[int, typer.Option(min=0, help="files read at once; 0 is one a core")] = 0,
) -> None:
    """Verify a task file, and by their hashes all mixtures, stems, true edits and references.

    Everything that is wrong is listed. The exit code is 0 if nothing is, else 3. Tasks that the file itself lists as
    absent are counted, and are no fault.
    """
    from bench.cli.selection import relocated
    from bench.cli.tasks import views
    from bench.cli.tasks.verify import verify
    from bench.suite import Suite

    out = output(context)
    suite = relocated(Suite.read(file), root or [])
    found = verify(suite, jobs=jobs, track=out.track)
    nothing = not suite.sources
    facts = {
        **views.summary(suite, file),
        "ok": not (found.problems or nothing),
        "verified": {"sources": found.sources, "true_edits": found.true_edits, "references": found.references},
        "meanings": views.meanings(views.flag_counts(suite.tasks)),
        "problems": [problem.as_dict() for problem in found.problems],
    }
    out.give(facts, *views.described(suite, out, flags=False), *_flags(suite, out), *_told(found, nothing))
    if found.problems or nothing:
        raise typer.Exit(IncompleteError.exit_code)


def _flags(suite: Suite, out: Output) -> list[Table | str]:
    from bench.cli.tasks import views
    from reports.escape import clean

    counts = views.flag_counts(suite.tasks)
    if not counts:
        return []
    table = Table(box=None, pad_edge=False)
    table.add_column("flag", no_wrap=True)
    table.add_column("tasks", justify="right")
    table.add_column("meaning")
    told = views.meanings(counts)
    for flag, count in counts.items():
        table.add_row(Text(clean(flag)), f"{count:,}", told[flag] or "")
    return ["", views.fitting(table, out)]


def _told(found: Verified, nothing: bool) -> list[str]:
    """The problems, what to do about each kind of them, and the verdict."""
    from reports.model import count

    lines = [""]
    lines += [f"{each.code}: {each.what}: {each.cause} [{each.where}]" for each in found.problems]
    remedies = {(each.code, each.remedy): None for each in found.problems}
    lines += [f"do ({code}): {remedy}" for code, remedy in remedies]
    numbers = (found.sources, "source"), (found.true_edits, "true edit"), (found.references, "reference")
    audio = ", ".join(count(number, noun) for number, noun in numbers)
    if found.problems:
        lines.append(f"{count(len(found.problems), 'problem')}; right: {audio}")
    elif nothing:
        lines.append("no task has audio: there was nothing to verify")
    else:
        lines.append(f"all right: {audio}")
    return lines
