"""The edits of two runs side by side, and what metrics say of both.

Every planned (task, seed) is a pair, and stays one: a pair without a difference is counted with the reason. It is no
fault of a run where a metric has nothing to measure in the *task* (no true edit, no single line), and so is missing for
one reason on both sides; anything else that is missing makes a comparison incomplete.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from reports.compare.identity import seed_pairs
from reports.compare.model import MissingCounts
from reports.load import Estimate, RunReport

_NOT_MADE = frozenset({"failed", "pending"})
_NO_ROW = "no-row"

Cell = tuple[float | None, str | None]
"""A value, or the code by which it is missing."""


@dataclass(frozen=True)
class Pair:
    """One edit in both runs."""

    task: str
    seed: int
    new_seed: int
    song: str
    stem: str


@dataclass(frozen=True, eq=False)
class Values:
    """A metric's values over some pairs.

    Attributes:
        pairs: those with a value on both sides. base, new: the values, (n,).
        missing: the others, counted.
        cells: of every pair by its place in the alignment, base and new.
    """

    pairs: tuple[Pair, ...]
    base: npt.NDArray[np.float64]
    new: npt.NDArray[np.float64]
    missing: MissingCounts
    cells: Sequence[tuple[Cell, Cell]] = field(repr=False)

    @property
    def differences(self) -> npt.NDArray[np.float64]:
        """New minus base, (n,)."""
        return self.new - self.base

    @property
    def songs(self) -> list[str]:
        """Of each pair."""
        return [pair.song for pair in self.pairs]


class Alignment:
    """Two runs, pair by pair, in the order of the base run's plan.

    Attributes:
        base, new: the runs. pairs: of (task, seed) that both have in their plans.
    """

    def __init__(self, base: RunReport, new: RunReport):
        self.base, self.new = base, new
        beside = dict(seed_pairs(base, new))
        there = {item.key for item in new.plan}
        stems = {name: task.stem for name, task in base.tasks.items()}
        self.pairs = tuple(
            Pair(item.task, item.seed, beside[item.seed], item.song, stems[item.task])
            for item in base.plan
            if item.seed in beside and (item.task, beside[item.seed]) in there
        )

    def values(self, base: Estimate, new: Estimate) -> Values:
        """What two estimates of one metric rest on, pair by pair."""
        ours, theirs = _cells(self.base, base.identity), _cells(self.new, new.identity)
        absent: Cell = (None, _NO_ROW)
        cells = [
            (ours.get((pair.task, pair.seed), absent), theirs.get((pair.task, pair.new_seed), absent))
            for pair in self.pairs
        ]
        full = [
            (pair, old[0], now[0])
            for pair, (old, now) in zip(self.pairs, cells, strict=True)
            if old[0] is not None and now[0] is not None
        ]
        pairs = tuple(pair for pair, _, _ in full)
        old_values, new_values = (np.array([row[side] for row in full], np.float64) for side in (1, 2))
        return Values(pairs, old_values, new_values, _missing(cells), cells)


def _cells(run: RunReport, identity: str) -> Mapping[tuple[str, int], Cell]:
    frame = run.scores
    rows = frame.loc[frame["identity"] == identity, ["task", "seed", "value", "missing"]]
    return {
        (task, int(seed)): _cell(value, missing)
        for task, seed, value, missing in rows.itertuples(index=False, name=None)
    }


def _cell(value: object, missing: object) -> Cell:
    if isinstance(missing, str):
        return None, missing
    return (value, None) if isinstance(value, float) and math.isfinite(value) else (None, "non-finite")


def _missing(cells: Sequence[tuple[Cell, Cell]]) -> MissingCounts:
    base: Counter[str] = Counter()
    new: Counter[str] = Counter()
    neither: Counter[str] = Counter()
    for (_, old), (_, now) in cells:
        if old is not None and old == now and old not in _NOT_MADE:
            neither[old] += 1
            continue
        if old is not None:
            base[old] += 1
        if now is not None:
            new[now] += 1
    return MissingCounts(base=dict(base), new=dict(new), neither=dict(neither))
