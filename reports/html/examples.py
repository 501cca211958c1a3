"""The edits that can be heard on the page: which tasks are shown, and what is put beside each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bench.audio import Clip
from bench.task import EditTask
from reports import cells
from reports.html.players import Player, Put, Value, choose, highlighted, stage
from reports.html.sources import Sources, edit, troubled
from reports.html.spectrogram import Tick
from reports.load import RunReport
from reports.model import Column, Section


@dataclass(frozen=True)
class Example:
    """One task with everything that can be heard of it, on one time and loudness scale."""

    task: EditTask
    target: tuple[str, str, str]
    players: tuple[Player, ...]
    seconds: float
    ticks: tuple[Tick, ...]


@dataclass(frozen=True)
class Song:
    """The examples of one song."""

    name: str
    examples: tuple[Example, ...]


@dataclass(frozen=True)
class Listening:
    """What can be heard of a section: `shown` of `planned` tasks, with one seed."""

    songs: tuple[Song, ...]
    shown: int
    planned: int
    seed: int


def listen(runs: Sequence[RunReport], section: Section, put: Put, *, limit: int) -> Listening:
    """The examples of a section. `runs` are those of its rows, in order."""
    seed = min(section.seeds)
    plan = [item for item in runs[0].plan if item.seed == seed]
    songs: dict[str, list[str]] = {}
    for item in plan:
        songs.setdefault(item.song, []).append(item.task)
    chosen = set(choose(songs, limit))
    booth = _Booth(runs, section, put, seed)
    shown = [
        Song(song, tuple(booth.example(task) for task in tasks if task in chosen))
        for song, tasks in songs.items()
        if chosen.intersection(tasks)
    ]
    return Listening(tuple(shown), len(chosen), len(plan), seed)


class _Booth:
    """Fetches and stores the clips of one section, one source at a time."""

    def __init__(self, runs: Sequence[RunReport], section: Section, put: Put, seed: int):
        self._runs, self._section, self._put, self._seed = runs, section, put, seed
        self._outcomes = [run.outcomes for run in runs]
        self._sources = Sources([run.directory.suite for run in runs])

    def example(self, task_id: str) -> Example:
        """Everything that can be heard of one task."""
        task = self._runs[0].tasks[task_id]
        given = [*self._sources.given(task), *self._edits(task_id)]
        heard = stage(given, self._put)
        return Example(task, highlighted(task), heard.players, heard.seconds, heard.ticks)

    def _edits(self, task_id: str) -> Iterator[tuple[Player, Clip | None]]:
        """What each run made of a task."""
        for run, row, outcomes in zip(self._runs, self._section.rows, self._outcomes, strict=True):
            outcome = outcomes[task_id, self._seed]
            player = Player(row.label, row.role, row.mark)
            if outcome.audio is None:
                cause = str((outcome.error or {}).get("cause", "")) if outcome.status == "failed" else ""
                yield troubled(player, "Failed" if outcome.status == "failed" else "Not made yet", cause), None
            else:
                yield edit(run, outcome.audio, replace(player, values=self._values(run, task_id)))

    def _values(self, run: RunReport, task_id: str) -> tuple[Value, ...]:
        frame = run.scores
        rows = frame[(frame["task"] == task_id) & (frame["seed"] == self._seed)]
        found = {row["identity"]: row for row in rows.to_dict("records")}
        columns = [column for column in self._section.columns if column.identity in found]
        return tuple(_value(column, found[column.identity]) for column in columns)


def _value(column: Column, row: Mapping[Any, Any]) -> Value:
    value, missing = row["value"], row["missing"]
    if isinstance(missing, str) or not isinstance(value, float):
        return Value(column.heading, column.arrow, cells.NOTHING, str(missing), str(row["why"]))
    text = f"{cells.number(value, column)} {column.unit}".rstrip()
    return Value(column.heading, column.arrow, text)
