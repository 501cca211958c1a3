"""A part of a scored run: some of its tasks, as if no others had been planned.

Means and intervals are computed again from the part's own values, exactly as scoring does it. What has one value
for all edits of a run cannot be taken apart: it is missing in a part, by the code `NOT_SPLIT`.
"""

from __future__ import annotations

import fnmatch
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from bench.errors import CorruptStoreError, UsageError
from bench.stats.bootstrap import cluster_mean
from bench.store.outcomes import Key
from bench.store.rundir import Outcome, PlanItem
from reports.load import Coverage, Estimate, RunReport

if TYPE_CHECKING:
    import pandas as pd

NOT_SPLIT = "not-split"
_WHY_NOT_SPLIT = "one value for all edits of a run, which says nothing about a part of them"
_NOTHING: Mapping[str, Any] = {"mean": None, "low": None, "high": None, "n": 0, "songs": 0}


@dataclass(frozen=True, eq=False)
class Part(RunReport):
    """Some tasks of a run. Made by `part` and `matching`.

    Attributes:
        whole: the run. kept: ids of the tasks. pattern: by which they were chosen, if by one.
    """

    whole: RunReport
    kept: frozenset[str]
    pattern: str

    @property
    def only(self) -> str:
        """See `RunReport.only`."""
        return self.pattern or self.whole.only

    @cached_property
    def plan(self) -> tuple[PlanItem, ...]:
        """The part's share of the plan."""
        return tuple(item for item in self.whole.plan if item.task in self.kept)

    @cached_property
    def outcomes(self) -> Mapping[Key, Outcome]:
        """What has become of the part's edits by now."""
        return {key: outcome for key, outcome in self.whole.outcomes.items() if key[0] in self.kept}

    @cached_property
    def scores(self) -> pd.DataFrame:
        """The part's rows."""
        frame = self.whole.scores
        return frame[frame["task"].isin(self.kept)]

    @cached_property
    def statuses(self) -> Mapping[Key, str]:
        """What had become of the part's edits when they were scored."""
        return {key: status for key, status in self.whole.statuses.items() if key[0] in self.kept}


def part(run: RunReport, tasks: Collection[str], *, pattern: str = "") -> RunReport:
    """A run as if only some of its tasks had been planned; the run itself if these are all.

    Args:
        run: whole, or a part already.
        tasks: their ids; those that the run does not have do not matter.
        pattern: by which they were chosen, for people.

    Raises:
        CorruptStoreError: if the run's scores cannot be read, or lack a metric that its summary has.
    """
    kept = frozenset(tasks)
    plan = [item for item in run.plan if item.task in kept]
    if len(plan) == len(run.plan):
        return run
    status = Counter(run.statuses[item.key] for item in plan)
    made = {key: status[key] for key in ("generated", "failed", "pending")}
    scores = run.scores[run.scores["task"].isin(kept)]
    return Part(
        directory=run.directory,
        identity=run.identity,
        about=run.about,
        coverage=Coverage(expected=len(plan), **made, absent=None, absences=run.coverage.absences),
        songs=len({item.song for item in plan}),
        scored=run.scored,
        estimates=tuple(
            _not_split(estimate, made["generated"]) if estimate.corpus else _estimated(estimate, scores, run)
            for estimate in run.estimates
        ),
        whole=run,
        kept=kept,
        pattern=pattern,
    )


def matching(run: RunReport, pattern: str) -> RunReport:
    """The part of a run whose task ids match a shell pattern, as `timbrebench run --only` takes it.

    Raises:
        UsageError: if no task of the run does.
    """
    tasks = {item.task for item in run.plan}
    kept = {task for task in tasks if fnmatch.fnmatchcase(task, pattern)}
    if not kept:
        raise UsageError(
            f"no task matches '{pattern}'",
            where=str(run.path),
            remedy=f"Task ids look like {min(tasks)}." if tasks else "The run has no tasks.",
            code="no-match",
        )
    return part(run, kept, pattern=pattern)


def _estimated(estimate: Estimate, scores: pd.DataFrame, run: RunReport) -> Estimate:
    """An estimate over those of some scores that are its metric's."""
    rows = scores[scores["identity"] == estimate.identity]
    if rows.empty:
        raise CorruptStoreError(
            f"the table of scores lacks a metric that the summary has: {estimate.identity}",
            where=str(run.path / "scores.parquet"),
            remedy=f"They can be made again: timbrebench score {run.path}",
            code="corrupt/scores",
        )
    there = rows[rows["missing"].isna()]
    found = {**_NOTHING, "missing": dict(Counter(rows["missing"].dropna()))}
    if len(there):
        interval = cluster_mean(there["value"].to_numpy("float64"), there["song"].tolist())
        found |= {"mean": interval.mean, "low": interval.low, "high": interval.high}
        found |= {"n": interval.n, "songs": interval.clusters}
    return estimate.model_copy(update=found)


def _not_split(estimate: Estimate, edits: int) -> Estimate:
    """A corpus value in a part of `edits` edits."""
    why = {"missing": {NOT_SPLIT: edits} if edits else {}, "reasons": {NOT_SPLIT: _WHY_NOT_SPLIT}}
    return estimate.model_copy(update={**_NOTHING, **why})
