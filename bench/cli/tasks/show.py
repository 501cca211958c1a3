"""`timbrebench tasks show`: one task, whole."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from bench.cli.output import Output, output
from bench.errors import UnknownNameError

if TYPE_CHECKING:
    from bench.cli.tasks.views import Span
    from bench.suite import Suite
    from bench.task import AudioRef, EditTask, SourceRef

_WORD = re.compile(r"\w+|[^\w\s]")


def show(
    context: typer.Context,
    suite: Annotated[str, typer.Argument(help="task file, or name of a suite")],
    task: Annotated[str, typer.Argument(help="id of a task, or the end of one, as reggae/guitar2violin")],
    root: Annotated[list[str] | None, typer.Option(help="NAME=FOLDER: where audio lies on this machine")] = None,
) -> None:
    """Show one task: its prompts with the words that change, its audio, hashes, licence, and what its flags mean."""
    from bench.cli.selection import open_suite
    from bench.cli.tasks import views

    out = output(context)
    opened = open_suite(suite, root or [], track=out.track)
    found = find_task(opened, task)
    source = opened.sources[found.source] if found.source is not None else None
    facts = {
        "task": found.model_dump(mode="json"),
        "source": source.model_dump(mode="json") if source else None,
        "audio": views.audio_state(opened, found),
        "folder": str(opened.roots[source.root]) if source and source.root in opened.roots else None,
        "flags": views.meanings(found.flags),
    }
    rows = _prompts(found, source, out) | _audio(opened, found, source) | _flags(found)
    out.give(facts, found.id, views.fitting(views.facts(rows), out))


def find_task(suite: Suite, text: str) -> EditTask:
    """The task of an id, or of the end of one if only one task's id ends so.

    Raises:
        UnknownNameError: with the nearest ids, if there are any near ones.
    """
    ids = {task.id: task for task in suite.tasks}
    if text in ids:
        return ids[text]
    ending = [name for name in ids if name.endswith(f"/{text}")]
    if len(ending) == 1:
        return ids[ending[0]]
    if ending:
        cause, near = f"{len(ending)} tasks end in '{text}'", ending[:3]
    else:
        parts = text.count("/") + 1
        ends = {"/".join(name.split("/")[-parts:]): name for name in ids}
        close = difflib.get_close_matches(text, ends, n=3, cutoff=0.5)
        cause, near = f"there is no task '{text}'", [ends[end] for end in close]
    remedy = f"Did you mean {' or '.join(near)}?" if near else "`timbrebench tasks list` shows all tasks of a suite."
    raise UnknownNameError(cause, where=suite.name, remedy=remedy, code="unknown-task")


def changed_words(text: str, other: str) -> list[Span]:
    """Where a text has words that another one does not have in that place, case ignored.

    >>> changed_words("Rock with a loud guitar.", "Rock with a violin.")
    [(12, 23)]
    """
    mine, theirs = ([found.group().lower() for found in _WORD.finditer(each)] for each in (text, other))
    places = [found.span() for found in _WORD.finditer(text)]
    steps = difflib.SequenceMatcher(None, mine, theirs, autojunk=False).get_opcodes()
    return [(places[a][0], places[b - 1][1]) for step, a, b, _, _ in steps if step != "equal" and b > a]


def _prompts(task: EditTask, source: SourceRef | None, out: Output) -> dict[str, Text | str]:
    from bench.cli.tasks.views import marked

    span = [task.target_span] if task.target_span else []
    before = changed_words(task.source_prompt, task.target_prompt)
    rows: dict[str, Text | str] = {
        "song": task.song,
        "edited stem": _edited(task),
        "source prompt": marked(task.source_prompt, before, out, "bold cyan"),
        "target prompt": marked(task.target_prompt, span, out),
    }
    if not task.target_phrase:
        rows["target phrase"] = "none: the data do not name one"
    elif not span:
        rows["target phrase"] = f"{task.target_phrase} (not in the target prompt)"
    phrases = [f"{stem}: {phrase}" for stem, phrase in task.stem_phrases.items()]
    players = source.instruments if source else {}
    playing = [f"{stem}: {', '.join(names)}" for stem, names in players.items()]
    return rows | _lines("phrases", phrases) | _lines("instruments", playing)


def _edited(task: EditTask) -> str:
    known = {None: "not known whether a single line", True: "a single line", False: "not a single line"}
    change = f": {task.source_instrument or '?'} becomes {task.target_instrument or '?'}"
    named = change if task.source_instrument or task.target_instrument else ""
    return f"{task.stem}{named} ({known[task.monophonic]})"


def _audio(suite: Suite, task: EditTask, source: SourceRef | None) -> dict[str, Text | str]:
    from bench.cli.tasks.views import audio_state

    rows: dict[str, Text | str] = {"audio": audio_state(suite, task)}
    if source is not None:
        excerpt = source.excerpt
        end = excerpt.start_s + excerpt.duration_s
        sdr = source.stem_sum_sdr_db
        rows["excerpt"] = f"{excerpt.start_s:g} s to {end:g} s; sha256 of mixture and stems {excerpt.sha256}"
        rows["mixture"] = f"{source.root}: {source.mixture or 'the sum of the stems'}"
        if sdr is not None:
            rows["mixture"] += f" (the sum of the stems has an SDR of {sdr:g} dB against it)"
        stems = [f"{stem}: {' + '.join(paths)}" for stem, paths in source.stems.items()]
        rows |= _lines(f"stems, {source.stem_origin}", stems)
    rows |= _lines("true edit", _beside(task.true_edit)) | _lines("target audio", _beside(task.target_audio))
    roots = dict.fromkeys(ref.root for ref in (source, task.true_edit, task.target_audio) if ref is not None)
    rows |= _lines("folders", [f"{name}: {suite.roots.get(name, 'not known')}" for name in roots])
    return rows | ({"licence": source.licence} if source else {})


def _beside(ref: AudioRef | None) -> list[str]:
    if ref is None:
        return []
    return [
        f"{ref.root}: {' + '.join(ref.paths)}",
        f"{ref.start_s:g} s to {ref.start_s + ref.duration_s:g} s; sha256 {ref.sha256}",
    ]


def _flags(task: EditTask) -> dict[str, Text | str]:
    from bench.cli.tasks.views import meanings

    return _lines("flags", [f"{flag}: {told}" if told else flag for flag, told in meanings(task.flags).items()])


def _lines(name: str, lines: Sequence[str]) -> dict[str, Text | str]:
    """A row of several lines; none if there are no lines."""
    from reports.escape import clean

    return {name: Text("\n".join(map(clean, lines)))} if lines else {}
