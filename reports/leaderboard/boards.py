"""From entries to boards: who stands beside whom, on which tasks, with which intervals and ranks.

Entries of one suite and one set of tasks stand on one board, whatever their seeds: the values of a task are averaged
over them. A board has a view of all its tasks, one of each data set where the suite has several, and one without the
songs that public separators were trained on. Ranks are within a division and a column; a column is a metric *identity*,
so that only values of one measurement are ever compared. What has one value for a whole run (FAD, KAD) has an interval
but no rank: its songs cannot be compared one by one.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.errors import UsageError, did_you_mean
from bench.identity import digest
from reports.leaderboard.model import DIVISIONS, Board, DivisionTable, Entry, Line, Place, View
from reports.leaderboard.ranks import Floats, Ints, RankSet, drawn_songs, mean_intervals, rank_sets
from reports.load import Estimate
from reports.model import Cell, Column
from reports.rows import NOT_MADE
from reports.table import measured_columns

if TYPE_CHECKING:
    import pandas as pd

LEAK = "separator-seen"
"""Flag of tasks whose song is in the training set of public separators."""


def build_boards(entries: Sequence[Entry], primary: str | None = None) -> tuple[Board, ...]:
    """The boards of some entries, of which those that are not current are left out.

    Args:
        entries: of any suites.
        primary: name of the metric by which rows stand at first; by default the first with ranks.

    Raises:
        UsageError: if no board has the primary metric.
    """
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        if entry.current:
            tasks = sorted({item.task for item in entry.run.plan})
            groups.setdefault(digest([entry.suite.digest, tasks]), []).append(entry)
    ranked = sorted(groups.values(), key=lambda group: -sum(not entry.control for entry in group))
    if primary is not None:
        known = {each.name for group in ranked for entry in group for each in entry.run.estimates}
        if primary not in known:
            raise UsageError(
                f"no entry has the metric '{primary}'", where="--primary", remedy=did_you_mean(primary, known)
            )
    return tuple(_board(group, number, primary) for number, group in enumerate(ranked, start=1))


def _board(entries: Sequence[Entry], number: int, primary: str | None) -> Board:
    runs = [entry.run for entry in entries]
    columns = measured_columns(runs)
    suite = runs[0].identity.suite
    tables = [_Scores(entry) for entry in entries]
    views = tuple(
        _view(entries, tables, columns, subset, _file(number, place, subset.name), primary)
        for place, subset in enumerate(_subsets(entries[0]))
    )
    backbones = (run.identity.backbone for run in runs)
    caveats = tuple(dict.fromkeys(backbone.caveat for backbone in backbones if backbone and backbone.caveat))
    return Board(f"{suite.name}@{suite.version}", suite.digest, views, caveats)


def _file(board: int, view: int, name: str) -> str:
    """The page of a view. Names of data sets go into it as far as they are harmless."""
    if board == 1 and view == 0:
        return "index.html"
    return f"board{board}-{view}-{re.sub(r'[^a-z0-9]+', '-', name.lower()).strip('-')[:40] or 'view'}.html"


# -- which tasks ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Subset:
    """Some tasks of a board, by id, and the song of each."""

    name: str
    explained: str
    songs: Mapping[str, str]
    whole: bool = False


def _subsets(entry: Entry) -> Iterator[_Subset]:
    tasks = entry.run.tasks
    songs = {name: task.song for name, task in tasks.items()}
    yield _Subset("All tasks", "every task of the suite", songs, whole=True)
    roots: dict[str, dict[str, str]] = {}
    for name, task in tasks.items():
        if task.source is not None:
            roots.setdefault(entry.suite.sources[task.source].root, {})[name] = task.song
    if len(roots) > 1:
        for root, mine in sorted(roots.items()):
            yield _Subset(root, f"the tasks on recordings of {root}", mine)
    clean = {name: task.song for name, task in tasks.items() if LEAK not in task.flags}
    if 0 < len(clean) < len(tasks):
        yield _Subset("Leak-free", "without the songs that public separators were trained on", clean)


# -- what was measured ------------------------------------------------------------------------------------------------


class _Scores:
    """An entry's values by metric identity and task."""

    def __init__(self, entry: Entry):
        frame = entry.run.scores
        there = frame[frame["missing"].isna()]
        grouped = there.groupby(["identity", "task"], sort=False)["value"]
        self._sums, self._counts = (found.unstack(0) for found in (grouped.sum(), grouped.count()))
        self._lost: pd.DataFrame = frame[frame["missing"].notna()]
        self._statuses = entry.run.statuses

    def of(self, identity: str, tasks: Sequence[str]) -> tuple[Floats, Floats]:
        """Sum and number of the values of each task, (tasks,)."""
        if identity not in self._sums.columns:
            return np.zeros(len(tasks)), np.zeros(len(tasks))
        found = (table[identity].reindex(list(tasks)).fillna(0.0) for table in (self._sums, self._counts))
        sums, counts = (series.to_numpy("float64") for series in found)
        return sums, counts

    def lost(self, tasks: Mapping[str, str]) -> Mapping[str, Counter[str]]:
        """Number of missing values by code, for each identity."""
        found: dict[str, Counter[str]] = {}
        mine = self._lost[self._lost["task"].isin(list(tasks))]
        for identity, code in zip(mine["identity"], mine["missing"], strict=True):
            found.setdefault(str(identity), Counter())[str(code)] += 1
        return found

    def made(self, tasks: Mapping[str, str]) -> tuple[int, int]:
        """Edits made, and planned."""
        mine = [status for (task, _), status in self._statuses.items() if task in tasks]
        return sum(status == "generated" for status in mine), len(mine)


# -- a view -----------------------------------------------------------------------------------------------------------


def _view(
    entries: Sequence[Entry],
    tables: Sequence[_Scores],
    columns: Sequence[Column],
    subset: _Subset,
    file: str,
    primary: str | None,
) -> View:
    names = sorted(set(subset.songs.values()))
    song_of = np.array([names.index(song) for song in subset.songs.values()], np.int64)
    sample = _Sample(entries, tables, subset, song_of, drawn_songs(len(names)))
    shown = [column for column in columns if subset.whole or not _corpus(entries, column)]
    grid = [sample.places(column) for column in shown]
    lines = [
        Line(entry, tuple(column[number] for column in grid), *tables[number].made(subset.songs))
        for number, entry in enumerate(entries)
    ]
    place = _primary(shown, grid, primary)
    ordered = sorted(lines, key=lambda line: _order(line, place, shown))
    divisions = (
        DivisionTable(
            division,
            tuple(line for line in ordered if line.entry.division == division and not line.entry.unranked),
            tuple(line for line in ordered if line.entry.division == division and line.entry.unranked),
        )
        for division in DIVISIONS
    )
    return View(
        name=subset.name,
        file=file,
        explained=subset.explained,
        tasks=len(subset.songs),
        songs=len(names),
        columns=tuple(shown),
        primary=place,
        divisions=tuple(each for each in divisions if each.ranked or each.unranked),
        controls=tuple(line for line in lines if line.entry.control),
    )


def _corpus(entries: Sequence[Entry], column: Column) -> bool:
    """Whether a column has one value for a whole run."""
    estimates = (_estimate(entry, column) for entry in entries)
    return any(estimate.corpus for estimate in estimates if estimate is not None)


def _estimate(entry: Entry, column: Column) -> Estimate | None:
    return next((each for each in entry.run.estimates if each.identity == column.identity), None)


def _primary(columns: Sequence[Column], grid: Sequence[Sequence[Place]], name: str | None) -> int:
    """The place of the column by which rows stand: the one asked for, else the first that ranks anybody, else 0."""
    for place, column in enumerate(columns):
        if column.name == name:
            return place
    return next((place for place, places in enumerate(grid) if any(each.rank for each in places)), 0)


def _order(line: Line, place: int, columns: Sequence[Column]) -> tuple[float, str, str]:
    value = line.places[place].value if columns else None
    if value is None:
        return math.inf, line.entry.name, line.entry.id
    return (-value if columns[place].direction == "higher" else value), line.entry.name, line.entry.id


class _Sample:
    """The values of a view's tasks, for all entries."""

    def __init__(
        self, entries: Sequence[Entry], tables: Sequence[_Scores], subset: _Subset, song_of: Ints, draws: Floats
    ):
        self._entries, self._tables, self._subset = entries, tables, subset
        self._song_of, self._draws = song_of, draws
        self._tasks = list(subset.songs)
        self._member = np.eye(draws.shape[1])[song_of]
        self._lost = [table.lost(subset.songs) for table in tables]

    def places(self, column: Column) -> list[Place]:
        """What each entry got in a column."""
        estimates = [_estimate(entry, column) for entry in self._entries]
        if any(estimate.corpus for estimate in estimates if estimate is not None):
            return [Place(_cell(estimate, None)) for estimate in estimates]
        pairs = [table.of(column.identity, self._tasks) for table in self._tables]
        sums, counts = (np.stack([pair[side] for pair in pairs]) for side in (0, 1))
        if not self._subset.whole:
            estimates = self._estimated(estimates, sums, counts)
        ranks = self._ranks(sums, counts, column)
        return [Place(_cell(e, rank), rank) for e, rank in zip(estimates, ranks, strict=True)]

    def _estimated(self, wholes: Sequence[Estimate | None], sums: Floats, counts: Floats) -> list[Estimate | None]:
        """The estimates over the view's tasks, of which `wholes` are those over all."""
        by_song, numbers = sums @ self._member, counts @ self._member
        ends = mean_intervals(by_song, numbers, self._draws)
        found: list[Estimate | None] = []
        for number, whole in enumerate(wholes):
            if whole is None:
                found.append(None)
                continue
            n, songs = int(counts[number].sum()), int((numbers[number] > 0).sum())
            mean = float(sums[number].sum() / n) if n else None
            low, high = (float(end) if np.isfinite(end) else None for end in ends[number])
            missing = dict(self._lost[number].get(whole.identity, {}))
            update = {"mean": mean, "low": low, "high": high, "n": n, "songs": songs, "missing": missing}
            found.append(whole.model_copy(update=update))
        return found

    def _ranks(self, sums: Floats, counts: Floats, column: Column) -> list[RankSet | None]:
        """Rank sets, within each division."""
        with np.errstate(invalid="ignore"):
            values = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
        found: list[RankSet | None] = [None] * len(self._entries)
        for division in DIVISIONS:
            rivals = [n for n, each in enumerate(self._entries) if each.division == division and not each.unranked]
            if rivals:
                sets = rank_sets(values[rivals], self._song_of, self._draws, higher=column.direction == "higher")
                for number, rank in zip(rivals, sets, strict=True):
                    found[number] = rank
        return found


def _cell(estimate: Estimate | None, rank: RankSet | None) -> Cell:
    if estimate is None:
        return Cell(None)
    missing = tuple((code, n) for code, n in sorted(estimate.missing.items()) if n and code not in NOT_MADE)
    return Cell(estimate, best=rank is not None and rank.separated, missing=missing)
