"""Players of what the data set has of a task, and of what a run made of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from bench.audio import Clip
from bench.errors import AudioError, CorruptStoreError, DataError
from bench.suite import Suite
from bench.task import STEMS, EditTask, Source
from reports.html.players import Player
from reports.load import RunReport

T = TypeVar("T")
NOT_HERE = "Its audio is not on the machine that made this page."


class Sources:
    """The audio of tasks, from the first suite that still finds it: runs may come from several machines."""

    def __init__(self, suites: Sequence[Suite]):
        self._suites = suites
        self._source: tuple[str, Source | None] = ("", None)

    def given(self, task: EditTask) -> Iterator[tuple[Player, Clip | None]]:
        """The mixture, the stem to be changed, the true edit."""
        source = self._open(task)
        if source is None:
            yield Player("Mixture", "source", problem=NOT_HERE), None
            return
        yield Player("Mixture", "source"), source.mixture
        if task.stem in source.stems:
            yield Player(f"The {task.stem} alone{_origin(source)}", "source"), source.stems[task.stem]
        if task.true_edit is not None:
            true_edit = self._first(lambda suite: suite.true_edit(task))
            yield Player("True edit", "truth", problem="" if true_edit else NOT_HERE), true_edit

    def others(self, task: EditTask) -> Iterator[tuple[Player, Clip]]:
        """The stems that are to stay as they are."""
        source = self._open(task)
        if source is None:
            return
        for stem in STEMS:
            if stem != task.stem and stem in source.stems:
                yield Player(f"The {stem} alone{_origin(source)}", "source"), source.stems[stem]

    def _open(self, task: EditTask) -> Source | None:
        """The source of a task; the last one is kept, since tasks of a source often follow each other."""
        if task.source is None:
            return None
        key = task.source
        if self._source[0] != key:
            self._source = (key, self._first(lambda suite: suite.open(key)))
        return self._source[1]

    def _first(self, read: Callable[[Suite], T]) -> T | None:
        for suite in self._suites:
            try:
                return read(suite)
            except (DataError, AudioError):
                continue
        return None


def edit(run: RunReport, audio: str, player: Player) -> tuple[Player, Clip | None]:
    """What a run made, by its hash; a player with a problem if it cannot be played."""
    try:
        return player, run.directory.read_audio(audio)
    except (AudioError, CorruptStoreError) as error:
        return troubled(player, "Cannot be played", error.cause), None


def troubled(player: Player, what: str, cause: str = "") -> Player:
    """A player with a problem in the place of audio and values."""
    return replace(player, values=(), problem=f"{what}: {cause}" if cause else f"{what}.")


def _origin(source: Source) -> str:
    return "" if source.stem_origin == "true" else ", separated"
