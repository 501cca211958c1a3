"""Rank sets: the ranks that an entry may have, as far as the songs can tell.

Two entries are compared task by task, on the tasks that both have values for, with songs as clusters. For each entry
the differences to all its rivals get intervals that hold together: the bootstrap over songs draws the largest of their
standardised deviations at once, with standard errors that leave each song out in turn. Whoever's interval excludes zero
is better or worse for certain; the rank set is what that leaves. It holds the true rank with the stated probability,
for each entry by itself (a *marginal* confidence set), however many rivals there are.

Two corrections. The bootstrap's spread is too small by (k - 1) / k for k songs, and with few songs its quantile is one
of a normal variable where one of Student's t is due. And an entry with values for fewer tasks than a rival is never
better for certain: what it failed to make might have been its worst.

Source: Mogstad, Romano, Shaikh and Wilhelm, "Inference for ranks with applications to mobility across neighbourhoods
and academic achievement across countries", Review of Economic Studies 91 (2024), section 3; t as in
`bench.stats.paired`.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
from scipy.stats import norm
from scipy.stats import t as student

from bench.identity import derive_seed

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

RESAMPLES = 4_000
LEVEL = 0.95


@dataclass(frozen=True)
class RankSet:
    """Ranks from `best` to `worst`, of `among` entries."""

    best: int
    worst: int
    among: int

    @property
    def separated(self) -> bool:
        """Whether the entry is better than every other for certain."""
        return self.worst == 1 and self.among > 1

    def __str__(self) -> str:
        return str(self.best) if self.best == self.worst else f"{self.best}–{self.worst}"


def drawn_songs(songs: int, *, seed: int = 0, resamples: int = RESAMPLES) -> Floats:
    """How often each song is drawn in each resample, (resamples, songs)."""
    rng = np.random.default_rng(derive_seed(seed, "leaderboard"))
    return rng.multinomial(songs, np.full(songs, 1 / songs), size=resamples).astype(np.float64)


def rank_sets(
    values: Floats, songs: Ints, draws: Floats, *, higher: bool, level: float = LEVEL
) -> list[RankSet | None]:
    """The rank set of each entry; None for one without values.

    Args:
        values: of each task, NaN where there is none, (entries, tasks).
        songs: the number of each task's song, from 0 on, (tasks,).
        draws: from `drawn_songs`, (resamples, songs).
        higher: whether higher values are better.
        level: with which each rank set holds the true rank.

    >>> values = np.array([[5.0, 6.0, 5.5, 6.5], [1.0, 2.1, 1.4, 2.5], [1.0, 2.0, 1.5, 2.6]])
    >>> [str(each) for each in rank_sets(values, np.arange(4), drawn_songs(4), higher=True)]
    ['1', '2–3', '2–3']
    """
    there = np.isfinite(values)
    rivals = [int(number) for number in np.flatnonzero(there.any(axis=1))]
    found: list[RankSet | None] = [None] * len(values)
    pairs = list(combinations(rivals, 2))
    signed = values if higher else -values
    tests = _Differences.of(signed, songs, pairs, draws) if pairs else None
    measured = there.sum(axis=1)
    for number in rivals:
        above = below = 0
        if tests is not None:
            for rival, sign in tests.certain(number, level):
                # Fewer values can make nobody better: see the module's words.
                above += sign < 0 and measured[rival] >= measured[number]
                below += sign > 0 and measured[number] >= measured[rival]
        found[number] = RankSet(1 + int(above), len(rivals) - int(below), len(rivals))
    return found


@dataclass(frozen=True)
class _Differences:
    """The mean difference of each pair of entries, first minus second.

    Attributes:
        pairs: numbers of the entries, (p,). means, errors: of the differences, (p,); error is NaN for fewer than two
            songs. songs: that both have, (p,). deviations: |draw - mean| / error, (resamples, p).
    """

    pairs: list[tuple[int, int]]
    means: Floats
    errors: Floats
    songs: Ints
    deviations: Floats

    @classmethod
    def of(cls, values: Floats, songs: Ints, pairs: list[tuple[int, int]], draws: Floats) -> _Differences:
        first, second = (values[[pair[side] for pair in pairs]] for side in (0, 1))
        both = np.isfinite(first) & np.isfinite(second)
        member = np.eye(draws.shape[1])[songs]  # (tasks, songs)
        sums = np.where(both, first - second, 0.0) @ member
        counts = both.astype(np.float64) @ member
        means = _ratio(sums.sum(axis=1), counts.sum(axis=1))
        errors = _jackknife(sums, counts)
        drawn = _ratio(draws @ sums.T, draws @ counts.T)
        with np.errstate(invalid="ignore", divide="ignore"):
            deviations = np.abs(drawn - means) / errors
        return cls(pairs, means, errors, (counts > 0).sum(axis=1), np.nan_to_num(deviations, posinf=0.0))

    def certain(self, number: int, level: float) -> list[tuple[int, int]]:
        """Rivals from which an entry differs for certain, and whether it is better (1) or worse (-1)."""
        mine = [place for place, pair in enumerate(self.pairs) if number in pair and np.isfinite(self.errors[place])]
        if not mine:
            return []
        reach = float(np.quantile(self.deviations[:, mine].max(axis=1), level))
        found = []
        for place in mine:
            k, mean = int(self.songs[place]), float(self.means[place])
            if abs(mean) > _widened(reach, k) * self.errors[place]:
                first, second = self.pairs[place]
                sign = 1 if (mean > 0) == (number == first) else -1
                found.append((second if number == first else first, sign))
        return found


def _widened(reach: float, songs: int) -> float:
    """A bootstrap quantile of the largest standardised deviation, as one of t: see the module's words."""
    normal = reach * np.sqrt(songs / (songs - 1))
    return float(student.isf(norm.sf(normal), songs - 1))


def _jackknife(sums: Floats, counts: Floats) -> Floats:
    """The standard error of each row's mean, leaving out each song that it has in turn, (p,)."""
    there = counts > 0
    songs = there.sum(axis=1)
    left = _ratio(sums.sum(axis=1, keepdims=True) - sums, counts.sum(axis=1, keepdims=True) - counts)
    left = np.where(there, left, 0.0)
    few = songs < 2
    safe = np.where(few, 2, songs)
    centre = left.sum(axis=1) / safe
    squares = np.where(there, np.square(left - centre[:, None]), 0.0).sum(axis=1)
    return np.where(few, np.nan, np.sqrt((safe - 1) / safe * squares))


def _ratio(numerator: Floats, denominator: Floats) -> Floats:
    """A division that is NaN where nothing was counted."""
    return np.divide(numerator, denominator, out=np.full_like(numerator, np.nan), where=denominator > 0)


def mean_intervals(sums: Floats, counts: Floats, draws: Floats, *, level: float = LEVEL) -> Floats:
    """Ends of the percentile interval of each row's mean, as `bench.stats.bootstrap.cluster_mean` has it, (entries, 2).

    NaN for an entry with fewer than two songs.

    Args:
        sums: of the values of each song, (entries, songs).
        counts: their numbers, (entries, songs).
        draws: from `drawn_songs`.
        level: coverage wanted.
    """
    drawn = _ratio(draws @ sums.T, draws @ counts.T)
    enough = (counts > 0).sum(axis=1) >= 2
    ends = np.full((len(sums), 2), np.nan)
    for number in np.flatnonzero(enough):
        mine = drawn[:, number]
        ends[number] = np.quantile(mine[np.isfinite(mine)], [(1 - level) / 2, (1 + level) / 2])
    return ends
