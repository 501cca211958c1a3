"""The edits that can be heard on the page: which tasks are shown, and what is put beside each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from bench.audio import Clip
from bench.errors import AudioError, CorruptStoreError, DataError
from bench.suite import Suite
from bench.task import EditTask, Source
from reports import cells
from reports.html.spectrogram import Tick, pictures
from reports.load import RunReport
from reports.model import Column, Section

T = TypeVar("T")
_NOT_HERE = "Its audio is not on the machine that made this page."
Put = Callable[[bytes, str], str]
"""Stores an asset (content, suffix) and returns its address relative to the page."""


@dataclass(frozen=True)
class Value:
    """One metric of one edit, as text; `missing` (the code) and `why` are set where there is no number."""

    heading: str
    arrow: str
    text: str
    missing: str = ""
    why: str = ""


@dataclass(frozen=True)
class Player:
    """One clip on the page, or what happened instead.

    Attributes:
        kind: ``source``, ``truth``, ``method``, ``baseline`` or ``control``, for its looks.
        audio, image: addresses of assets; empty where there is `problem`.
        lufs: integrated loudness, None where it is not defined.
    """

    title: str
    kind: str
    mark: str = ""
    audio: str = ""
    image: str = ""
    lufs: float | None = None
    values: tuple[Value, ...] = ()
    problem: str = ""


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


def choose(songs: Mapping[str, Sequence[str]], limit: int) -> list[str]:
    """At most `limit` tasks, as many of each song as can be, spread evenly over the tasks of a song.

    >>> choose({"a": ["a1", "a2", "a3"], "b": ["b1"]}, 3)
    ['a1', 'a3', 'b1']
    """
    quota = dict.fromkeys(songs, 0)
    while sum(quota.values()) < limit:
        open_songs = [song for song in songs if quota[song] < len(songs[song])]
        if not open_songs:
            break
        for song in open_songs[: limit - sum(quota.values())]:
            quota[song] += 1
    return [task for song, tasks in songs.items() for task in _spread(tasks, quota[song])]


def _spread(tasks: Sequence[str], number: int) -> Iterator[str]:
    """`number` of the tasks, first and last among them where there are two or more."""
    for place in range(number):
        yield tasks[round(place * (len(tasks) - 1) / max(number - 1, 1))]


def listen(runs: Sequence[RunReport], section: Section, put: Put, *, limit: int) -> Listening:
    """The examples of a section. `runs` are those of its rows, in order."""
    seed = min(section.seeds)
    plan = [item for item in runs[0].directory.plan if item.seed == seed]
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
        self._outcomes = [run.directory.outcomes() for run in runs]
        self._suites = [run.directory.suite for run in runs]
        self._source: tuple[str, Source | None] = ("", None)

    def example(self, task_id: str) -> Example:
        """Everything that can be heard of one task."""
        task = self._tasks.get(task_id)
        if task is None:
            raise CorruptStoreError(
                f"the plan has a task that the run's suite does not have: {task_id}",
                where=str(self._runs[0].path),
                remedy="Restore the run directory from a copy.",
                code="corrupt/plan",
            )
        given = [*self._given(task), *self._edits(task_id)]
        heard = [clip for _, clip in given if clip is not None]
        drawn = pictures(heard) if heard else None
        images = iter(drawn.png if drawn else ())
        players = []
        for player, clip in given:
            if clip is None:
                players.append(player)
                continue
            audio = self._put(clip.encode(subtype="PCM_16"), ".flac")
            image = self._put(next(images), ".png")
            players.append(
                Player(player.title, player.kind, player.mark, audio, image, clip.loudness_lufs, player.values)
            )
        seconds, ticks = (drawn.seconds, drawn.ticks) if drawn else (0.0, ())
        return Example(task, _highlighted(task), tuple(players), seconds, ticks)

    @cached_property
    def _tasks(self) -> Mapping[str, EditTask]:
        return {task.id: task for task in self._suites[0].tasks}

    def _given(self, task: EditTask) -> Iterator[tuple[Player, Clip | None]]:
        """What the data set has: the mixture, the stem to be changed, the true edit."""
        source = self._open(task)
        if source is None:
            yield (
                Player("Mixture", "source", problem=_NOT_HERE),
                None,
            )
            return
        yield Player("Mixture", "source"), source.mixture
        if task.stem in source.stems:
            origin = "" if source.stem_origin == "true" else ", separated"
            yield Player(f"The {task.stem} alone{origin}", "source"), source.stems[task.stem]
        if task.true_edit is not None:
            true_edit = self._first(lambda suite: suite.true_edit(task))
            yield Player("True edit", "truth", problem="" if true_edit else _NOT_HERE), true_edit

    def _edits(self, task_id: str) -> Iterator[tuple[Player, Clip | None]]:
        """What each run made of a task."""
        for run, row, outcomes in zip(self._runs, self._section.rows, self._outcomes, strict=True):
            outcome = outcomes[task_id, self._seed]
            player = Player(row.label, row.role, row.mark)
            if outcome.audio is None:
                cause = str((outcome.error or {}).get("cause", "")) if outcome.status == "failed" else ""
                yield _troubled(player, "Failed" if outcome.status == "failed" else "Not made yet", cause), None
                continue
            try:
                clip = run.directory.read_audio(outcome.audio)
            except (AudioError, CorruptStoreError) as error:
                yield _troubled(player, "Cannot be played", error.cause), None
                continue
            yield Player(row.label, row.role, row.mark, values=self._values(run, task_id)), clip

    def _values(self, run: RunReport, task_id: str) -> tuple[Value, ...]:
        frame = run.scores
        rows = frame[(frame["task"] == task_id) & (frame["seed"] == self._seed)]
        found = {row["identity"]: row for row in rows.to_dict("records")}
        columns = [column for column in self._section.columns if column.identity in found]
        return tuple(_value(column, found[column.identity]) for column in columns)

    def _open(self, task: EditTask) -> Source | None:
        """The source of a task; the last one is kept, since the tasks of a source follow each other."""
        if task.source is None:
            return None
        key = task.source
        if self._source[0] != key:
            self._source = (key, self._first(lambda suite: suite.open(key)))
        return self._source[1]

    def _first(self, read: Callable[[Suite], T]) -> T | None:
        """What the first suite that still finds its audio gives: runs may come from several machines."""
        for suite in self._suites:
            try:
                return read(suite)
            except (DataError, AudioError):
                continue
        return None


def _troubled(player: Player, what: str, cause: str) -> Player:
    return Player(player.title, player.kind, player.mark, problem=f"{what}: {cause}" if cause else f"{what}.")


def _value(column: Column, row: Mapping[Any, Any]) -> Value:
    value, missing = row["value"], row["missing"]
    if isinstance(missing, str) or not isinstance(value, float):
        return Value(column.heading, column.arrow, cells.NOTHING, str(missing), str(row["why"]))
    text = f"{cells.number(value, column)} {column.unit}".rstrip()
    return Value(column.heading, column.arrow, text)


def _highlighted(task: EditTask) -> tuple[str, str, str]:
    """The target prompt before, in and after the target phrase."""
    prompt = task.target_prompt
    start, end = task.target_span or (len(prompt), len(prompt))
    return prompt[:start], prompt[start:end], prompt[end:]
