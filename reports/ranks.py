"""Rank sets of the runs of a section: which ranks the data leave open, metric by metric.

Methods and baselines are ranked, controls and published numbers never. What has one value for a whole run (FAD, KAD)
and what is derived from other runs (ASB, AMB) has no rank. The statistics are those of `reports.leaderboard.ranks`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from reports.leaderboard.ranks import RankSet, drawn_songs, rank_sets
from reports.load import RunReport
from reports.model import Column

if TYPE_CHECKING:
    import pandas as pd

Ranks = Mapping[str, RankSet]
"""By identity of the column."""

RULE = (
    "Ranks, in the files and on the page: those that paired comparisons with all methods and baselines here do not "
    "exclude, by bootstrap over songs at 95 % for each run and column. A run with values for fewer edits than another "
    "never counts as better than it. Controls are not ranked, nor is a column with one value for a run."
)


def ranks(runs: Sequence[RunReport], columns: Sequence[Column]) -> list[Ranks]:
    """What is known of the ranks of some runs, one mapping a run, in order; empty for controls.

    Args:
        runs: of one suite, one plan and one set of seeds.
        columns: of their table.

    Raises:
        CorruptStoreError: if scores cannot be read.
    """
    import numpy as np

    found: list[dict[str, RankSet]] = [{} for _ in runs]
    rivals = [number for number, run in enumerate(runs) if run.about.role != "control"]
    if len(rivals) < 2:
        return list(found)
    plan = sorted(runs[0].plan, key=lambda item: (item.song, item.task, item.seed))
    names, songs = np.unique([item.song for item in plan], return_inverse=True)
    draws = drawn_songs(len(names))
    measured = [_by_identity(runs[number]) for number in rivals]
    for column in columns:
        values = np.full((len(rivals), len(plan)), np.nan)
        for place, mine in enumerate(measured):
            if column.identity in mine:
                values[place] = mine[column.identity].reindex([item.key for item in plan]).to_numpy("float64")
        if np.isfinite(values).any(axis=1).sum() < 2:
            continue
        sets = rank_sets(values, songs.astype(np.int64), draws, higher=column.direction == "higher")
        for number, ranked in zip(rivals, sets, strict=True):
            if ranked is not None:
                found[number][column.identity] = ranked
    return list(found)


def _by_identity(run: RunReport) -> dict[str, pd.Series[float]]:
    """A run's values by metric identity, each by (task, seed)."""
    there = run.scores[run.scores["missing"].isna()]
    return {str(identity): rows.set_index(["task", "seed"])["value"] for identity, rows in there.groupby("identity")}
