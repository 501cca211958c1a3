"""A figure of the evaluation: a mean over clips, its interval over songs, what real audio has, what was aimed at."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from bench.stats.bootstrap import Interval, cluster_mean

Direction = Literal["higher", "lower"]
Verdict = Literal["held", "held, uncertain", "missed, uncertain", "missed", ""]


@dataclass(frozen=True)
class Value:
    """What was found in one clip, and the song that it is of."""

    song: str
    value: float


@dataclass(frozen=True)
class Target:
    """What a figure should reach.

    Attributes:
        bound: the worst value that is good enough.
        better: which way is better.
    """

    bound: float
    better: Direction = "higher"

    def met(self, value: float) -> bool:
        """Whether a value is good enough."""
        return value >= self.bound if self.better == "higher" else value <= self.bound

    def __str__(self) -> str:
        return f"{'≥' if self.better == 'higher' else '≤'} {self.bound:g}"


@dataclass(frozen=True)
class Figure:
    """One line of the table.

    Attributes:
        part: of the evaluation: judge, codec, clap, generation.
        name: what was measured.
        value: its mean and 95 % interval over songs.
        ceiling: the same of real audio, or of the best that this road allows; None where that says nothing.
        target: what was aimed at; None if nothing.
        unit: "" for a pure number.
    """

    part: str
    name: str
    value: Interval
    ceiling: Interval | None = None
    target: Target | None = None
    unit: str = ""

    @property
    def verdict(self) -> Verdict:
        """Whether the mean meets the target; *uncertain* if the bound lies within the interval. Empty without one."""
        if self.target is None:
            return ""
        met, low, high = self.target.met(self.value.mean), self.value.low, self.value.high
        if low is None or high is None or low <= self.target.bound <= high:
            return "held, uncertain" if met else "missed, uncertain"
        return "held" if met else "missed"

    def as_dict(self) -> dict[str, Any]:
        """The figure as JSON has it."""
        return {
            "part": self.part,
            "name": self.name,
            "unit": self.unit,
            **_as_dict(self.value),
            "ceiling": None if self.ceiling is None else _as_dict(self.ceiling),
            "target": None if self.target is None else {"bound": self.target.bound, "better": self.target.better},
            "verdict": self.verdict,
        }


@dataclass
class Findings:
    """What a part of the evaluation found: figures for the table, and details for who wants to know why.

    Attributes:
        part: of the evaluation.
        seed: of the intervals.
        figures: in the order of the table.
        details: JSON values by name.
    """

    part: str
    seed: int = 0
    figures: list[Figure] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)

    def add(
        self,
        name: str,
        values: Iterable[Value],
        *,
        ceiling: Iterable[Value] = (),
        target: Target | None = None,
        unit: str = "",
    ) -> None:
        """Add a figure from what was found in each clip; without any clip there is no figure."""
        found, best = list(values), list(ceiling)
        if found:
            over = self._interval(best) if best else None
            self.figures.append(Figure(self.part, name, self._interval(found), over, target, unit))

    def _interval(self, values: list[Value]) -> Interval:
        return cluster_mean([each.value for each in values], [each.song for each in values], seed=self.seed)


def _as_dict(interval: Interval) -> dict[str, Any]:
    return {
        "mean": interval.mean,
        "low": interval.low,
        "high": interval.high,
        "n": interval.n,
        "songs": interval.clusters,
    }
