"""Pairs of edits to be heard: what both runs made, the true edit, the source and its stems, on one axis."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bench.audio import Clip
from bench.task import EditTask
from reports.compare import figures
from reports.compare.model import Comparison, PairDelta, ValueDelta
from reports.html.players import Player, Put, Stage, Value, highlighted, stage
from reports.html.sources import Sources, edit, troubled
from reports.load import RunReport


@dataclass(frozen=True)
class Example:
    """One pair with everything that can be heard of it."""

    pair: PairDelta
    task: EditTask
    target: tuple[str, str, str]
    stage: Stage


class Booth:
    """Fetches and stores the clips of a comparison, one pair at a time."""

    def __init__(self, comparison: Comparison, base: RunReport, new: RunReport, put: Put):
        self._base, self._new, self._put = base, new, put
        self._labels = comparison.base.label, comparison.new.label
        self._sources = Sources([base.directory.suite, new.directory.suite])
        self._decimals = {metric.name: figures.decimals(metric) for metric in comparison.metrics}

    def example(self, pair: PairDelta) -> Example:
        """Everything that can be heard of one pair."""
        task = self._base.tasks[pair.task]
        (base, _), (new, _) = edits = tuple(self._edits(pair))
        # What is compared stands side by side, the true edit next to it, what it was made of last.
        given = sorted(self._sources.given(task), key=lambda each: each[0].kind != "truth")
        shown = [*edits, *given, *self._sources.others(task)]
        return Example(pair, task, highlighted(task), stage(shown, self._put, (base, new)))

    def _edits(self, pair: PairDelta) -> Iterator[tuple[Player, Clip | None]]:
        """What the two runs made of it."""
        base = Player(f"Base: {self._labels[0]}", "base", values=tuple(self._value(each) for each in pair.values))
        new = Player(
            f"New: {self._labels[1]}", "new", values=tuple(self._value(each, new=True) for each in pair.values)
        )
        for run, audio, player in ((self._base, pair.base_audio, base), (self._new, pair.new_audio, new)):
            yield (troubled(player, "Not made"), None) if audio is None else edit(run, audio, player)

    def _value(self, of: ValueDelta, *, new: bool = False) -> Value:
        """A value of the base run; of the new run with the difference behind it."""
        measured = of.new if new else of.base
        places = self._decimals.get(of.metric)
        text = figures.value(measured) if places is None else figures.number(measured, places)
        if new and of.difference is not None:
            text += f" ({figures.value(of.difference) if places is None else figures.signed(of.difference, places)})"
        return Value(of.metric, figures.arrow(of.direction), f"{text} {of.unit}".rstrip())
