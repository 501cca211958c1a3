"""How suites and tasks are shown: counts, prompts with the words that matter, tables that survive a pipe."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from reports.escape import clean

if TYPE_CHECKING:
    from bench.cli.output import Output
    from bench.suite import Suite
    from bench.task import EditTask, SourceRef

Span = tuple[int, int]
HIGHLIGHT = "bold magenta"

_AS_WIDE_AS_NEEDED = 10_000


def summary(suite: Suite, file: Path | None) -> dict[str, object]:
    """What is in a suite, for programs."""
    return {
        "suite": suite.name,
        "version": suite.version,
        "digest": suite.digest,
        "file": None if file is None else str(file),
        "tasks": len(suite.tasks),
        "available": len(suite.available),
        "absent": suite.absences(),
        "songs": len({task.song for task in suite.tasks}),
        "stems": dict(Counter(task.stem for task in suite.tasks)),
        "flags": flag_counts(suite.tasks),
    }


def described(suite: Suite, out: Output, *, flags: bool = True) -> list[str | Table]:
    """What is in a suite, for people: songs, tasks and stems by where their audio is, and how many have which flag."""
    from bench.task import STEMS

    total, there = len(suite.tasks), len(suite.available)
    table = Table(box=None, pad_edge=False)
    table.add_column("audio")
    for heading in ("songs", "tasks", *STEMS):
        table.add_column(heading, justify="right")
    groups: dict[str, list[EditTask]] = {}
    for task in suite.tasks:
        groups.setdefault(task.absent or f"{task.song} (here)", []).append(task)
    for where, tasks in groups.items():
        stems = Counter(task.stem for task in tasks)
        numbers = (len({task.song for task in tasks}), len(tasks), *(stems[stem] for stem in STEMS))
        table.add_row(Text(clean(where)), *(f"{number:,}" for number in numbers))
    told = f"{there:,} with audio, {total - there:,} absent; digest {suite.digest[:12]}"
    lines: list[str | Table] = [f"{suite.name}: {total:,} tasks planned: {told}", fitting(table, out)]
    counts = flag_counts(suite.tasks)
    if flags and counts:
        lines.append("flags: " + ", ".join(f"{flag} {count}" for flag, count in counts.items()))
    return lines


def flag_counts(tasks: Iterable[EditTask]) -> dict[str, int]:
    """How many tasks have each flag, by name."""
    return dict(sorted(Counter(flag for task in tasks for flag in task.flags).items()))


def meanings(flags: Iterable[str]) -> dict[str, str | None]:
    """What flags mean, in a line each; None for flags of suites that others ship."""
    from tasks.flags import MEANINGS

    return {flag: MEANINGS.get(flag) for flag in flags}


def audio_state(suite: Suite, task: EditTask) -> str:
    """`here`, or why a task's audio is not: as the task file says, or because a file is missing. Nothing is read."""
    if task.source is None:
        return task.absent or ""
    source = suite.sources[task.source]
    if source.root not in suite.roots:
        return f"the folder of '{source.root}' audio is not known"
    missing = [path for path in files(source) if not (suite.roots[source.root] / path).is_file()]
    return f"{missing[0]} is not there" if missing else "here"


def files(source: SourceRef) -> list[str]:
    """Paths of a source's mixture, if it has a file, and of its stems."""
    stems = [path for paths in source.stems.values() for path in paths]
    return stems if source.mixture is None else [source.mixture, *stems]


def marked(text: str, spans: Sequence[Span], out: Output, style: str = HIGHLIGHT) -> Text:
    """Text with some of it highlighted: in colour on a terminal, in [brackets] elsewhere. Harmless to terminals.

    Args:
        text: any.
        spans: [start, end) in characters; in order, not overlapping.
        out: where it will be shown.
        style: of the highlighted parts.
    """
    coloured = out.result.is_terminal and not out.result.no_color
    shown, at = Text(), 0
    for start, end in spans:
        shown.append(clean(text[at:start]))
        words = clean(text[start:end])
        shown.append(words if coloured else f"[{words}]", style=style)
        at = end
    return shown.append(clean(text[at:]))


def fitting(table: Table, out: Output) -> Table | str:
    """A table that wraps on a terminal, and in a pipe has one line a row, for `grep` and its like."""
    if out.result.is_terminal:
        return table
    page = io.StringIO()
    Console(file=page, width=_AS_WIDE_AS_NEEDED, color_system=None).print(table)
    return "\n".join(line.rstrip() for line in page.getvalue().splitlines())


def facts(rows: Mapping[str, Text | str]) -> Table:
    """Names and values in two columns."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="cyan", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows.items():
        table.add_row(name, value if isinstance(value, Text) else Text(clean(value)))
    return table
