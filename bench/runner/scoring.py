"""Scoring: from a run's audio to `scores.parquet`, `corpus.json` and `summary.json`.

Runs are scored together, source by source: what a metric computes from a source (its contour, its onsets, its
masks) is computed once for all edits of all runs. A value that a run already has, under the same metric
identity and for the same audio, is kept. Every edit of the plan has a row for every metric: failed and
pending edits are rows with a reason, not gaps.
"""

from __future__ import annotations

import io
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from bench.errors import UsageError
from bench.identity import digest
from bench.metric import Case, CorpusMetric, Features, Metric, Missing, SampleMetric, checked, unmet
from bench.registry import load_object
from bench.stats.bootstrap import cluster_mean
from bench.store.atomic import write_bytes, write_json
from bench.store.rundir import Outcome, PlanItem, RunDirectory
from bench.suite import Suite

SUMMARY_SCHEMA = "timbrebench-summary@1"
CORPUS_SCHEMA = "timbrebench-corpus@1"
COLUMNS = (
    "task", "song", "source", "stem", "seed", "metric", "identity", "direction", "unit",
    "value", "missing", "why", "audio",
)  # fmt: skip

Row = dict[str, Any]
Heard = Callable[[int, int], None]


@dataclass(frozen=True)
class _Edit:
    """One edit to be measured: of which run, and by which metrics."""

    run: int
    path: Path
    item: PlanItem
    audio: str
    metrics: tuple[str, ...]


@dataclass(frozen=True)
class _Unit:
    """All that has to be measured on one source."""

    suite: Suite
    source: str
    edits: tuple[_Edit, ...]


def score(paths: Sequence[Path], metrics: Sequence[str], *, jobs: int = 0, heard: Heard | None = None) -> list[Row]:
    """Score run directories and write their derived files.

    Args:
        paths: run directories.
        metrics: "module:Class" of each metric.
        jobs: processes; 0 for one a core.
        heard: called as (edits measured, edits to measure).

    Returns:
        The summary of each run, as in its `summary.json`.

    Raises:
        LockedError: if a run is still at work. DataError: if a source's audio is gone or changed.
    """
    runs = [RunDirectory.open(path) for path in paths]
    with ExitStack() as locks:
        for path in paths:
            locks.enter_context(RunDirectory.lock(path))
        loaded = load_metrics(metrics)
        samples = {m.identity: target for target, m in loaded.items() if isinstance(m, SampleMetric)}
        outcomes = [run.outcomes() for run in runs]
        known = [_known(run) for run in runs]
        units = _units(runs, outcomes, known, samples)
        fresh = _measure(units, jobs or os.cpu_count() or 1, heard or (lambda done, total: None))
        summaries = []
        for index, run in enumerate(runs):
            values = {**known[index], **fresh.get(index, {})}
            rows = _rows(run, outcomes[index], [m for m in loaded.values() if isinstance(m, SampleMetric)], values)
            corpus = _corpus(run, outcomes[index], [m for m in loaded.values() if isinstance(m, CorpusMetric)])
            summaries.append(_write(run, outcomes[index], rows, corpus, list(loaded.values())))
        return summaries


def load_metrics(targets: Iterable[str]) -> dict[str, Metric]:
    """The metrics of "module:Class" targets, made.

    Raises:
        UsageError: if two have one identity.
    """
    loaded: dict[str, Metric] = {target: load_object(target, kind="metric")() for target in targets}
    twice = [name for name, count in Counter(m.identity for m in loaded.values()).items() if count > 1]
    if twice:
        raise UsageError(
            f"two metrics have the identity {twice[0]}", remedy="Name each metric once.", code="metric-twice"
        )
    return loaded


# -- what is to be measured -----------------------------------------------------------------------------------

ValueKey = tuple[str, int, str, str]  # task, seed, metric identity, audio


def _known(run: RunDirectory) -> dict[ValueKey, float | Missing]:
    """Values of an earlier scoring. A file that cannot be read counts as none: it is derived."""
    import pandas as pd
    import pyarrow

    path = run.path / "scores.parquet"
    if not path.is_file():
        return {}
    try:
        frame = pd.read_parquet(path, columns=["task", "seed", "identity", "audio", "value", "missing", "why"])
    except (pyarrow.ArrowInvalid, OSError, KeyError, ValueError):
        return {}
    known: dict[ValueKey, float | Missing] = {}
    rows: list[Row] = frame[frame["audio"].notna()].to_dict("records")  # type: ignore[assignment]
    for row in rows:
        absent = isinstance(row["missing"], str)
        value = Missing(row["missing"], row["why"]) if absent else float(row["value"])
        known[row["task"], int(row["seed"]), row["identity"], row["audio"]] = value
    return known


def _units(
    runs: Sequence[RunDirectory],
    outcomes: Sequence[Mapping[tuple[str, int], Outcome]],
    known: Sequence[Mapping[ValueKey, float | Missing]],
    samples: Mapping[str, str],
) -> list[_Unit]:
    by_source: dict[tuple[str, str], list[_Edit]] = {}
    suites: dict[str, Suite] = {}
    for index, run in enumerate(runs):
        suites.setdefault(run.suite.digest, run.suite)
        for item in run.plan:
            audio = outcomes[index][item.key].audio
            if audio is None:
                continue
            todo = tuple(t for identity, t in samples.items() if (*item.key, identity, audio) not in known[index])
            if todo:
                edits = by_source.setdefault((run.suite.digest, item.source), [])
                edits.append(_Edit(index, run.path, item, audio, todo))
    return [_Unit(suites[key[0]], key[1], tuple(edits)) for key, edits in by_source.items()]


# -- measuring ------------------------------------------------------------------------------------------------


def _measure(units: Sequence[_Unit], jobs: int, heard: Heard) -> dict[int, dict[ValueKey, float | Missing]]:
    total = sum(len(unit.edits) for unit in units)
    found: dict[int, dict[ValueKey, float | Missing]] = {}
    done = 0
    heard(0, total)
    for unit, values in _each(units, jobs):
        for run, key, value in values:
            found.setdefault(run, {})[key] = value
        done += len(unit.edits)
        heard(done, total)
    return found


Measured = list[tuple[int, ValueKey, float | Missing]]


def _each(units: Sequence[_Unit], jobs: int) -> Iterator[tuple[_Unit, Measured]]:
    workers = min(jobs, len(units))
    if workers <= 1:
        for unit in units:
            yield unit, _measure_unit(unit)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_as_helper) as pool:
        yield from zip(units, pool.map(_measure_unit, units), strict=True)


def _as_helper() -> None:
    """Set up a scoring process: one thread, as processes share the cores, and Ctrl-C left to the parent."""
    import torch

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)


def _measure_unit(unit: _Unit) -> Measured:
    """Every value of one source's edits. The source is read, and its features computed, once."""
    source = unit.suite.open(unit.source)
    tasks = {task.id: task for task in unit.suite.tasks}
    metrics = load_metrics(sorted({target for edit in unit.edits for target in edit.metrics}))
    features = Features()
    runs = {path: RunDirectory.open(path) for path in {edit.path for edit in unit.edits}}
    values: Measured = []
    for edit in unit.edits:
        task = tasks[edit.item.task]
        case = Case(
            task=task,
            source=source,
            edit=runs[edit.path].read_audio(edit.audio),
            true_edit=unit.suite.true_edit(task),
            reference=unit.suite.target_audio(task),
            features=features,
        )
        for target in edit.metrics:
            metric = metrics[target]
            assert isinstance(metric, SampleMetric)
            value = unmet(metric, case) or checked(metric.score(case))
            values.append((edit.run, (*edit.item.key, metric.identity, edit.audio), value))
    return values


# -- what is written ------------------------------------------------------------------------------------------


def _rows(
    run: RunDirectory,
    outcomes: Mapping[tuple[str, int], Outcome],
    metrics: Sequence[SampleMetric],
    values: Mapping[ValueKey, float | Missing],
) -> list[Row]:
    stems = {task.id: task.stem for task in run.suite.tasks}
    rows = []
    for item in run.plan:
        outcome = outcomes[item.key]
        for metric in metrics:
            value: float | Missing
            if outcome.audio is not None:
                value = values[(*item.key, metric.identity, outcome.audio)]
            else:
                cause = (outcome.error or {}).get("cause", "it was not run yet")
                value = Missing(outcome.status, str(cause))
            absent = isinstance(value, Missing)
            cells = (
                item.task, item.song, item.source, stems[item.task], item.seed,
                metric.name, metric.identity, metric.direction, metric.unit,
                None if absent else value,
                value.code if isinstance(value, Missing) else None,
                value.why if isinstance(value, Missing) else None,
                outcome.audio,
            )  # fmt: skip
            rows.append(dict(zip(COLUMNS, cells, strict=True)))
    return rows


def _corpus(
    run: RunDirectory, outcomes: Mapping[tuple[str, int], Outcome], metrics: Sequence[CorpusMetric]
) -> list[Row]:
    if not metrics:
        return []
    tasks = {task.id: task for task in run.suite.tasks}
    cases = []
    for item in run.plan:
        audio = outcomes[item.key].audio
        if audio is not None:
            task = tasks[item.task]
            cases.append(Case(task, run.suite.open(item.source), run.read_audio(audio), run.suite.true_edit(task)))
    found = []
    for metric in metrics:
        value = checked(metric.score(cases))
        missing = {"code": value.code, "why": value.why} if isinstance(value, Missing) else None
        number = None if isinstance(value, Missing) else value
        found.append({**_described(metric), "value": number, "n": len(cases), "missing": missing})
    return found


def _write(
    run: RunDirectory,
    outcomes: Mapping[tuple[str, int], Outcome],
    rows: Sequence[Row],
    corpus: Sequence[Row],
    metrics: Sequence[Metric],
) -> Row:
    import pandas as pd

    frame = pd.DataFrame(list(rows), columns=list(COLUMNS)).astype({"value": "float64"})
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False)
    write_bytes(run.path / "scores.parquet", buffer.getvalue())
    write_json(run.path / "corpus.json", {"schema": CORPUS_SCHEMA, "metrics": list(corpus)})
    status = Counter(outcome.status for outcome in outcomes.values())
    absences = run.about.get("absences", {})
    summary = {
        "schema": SUMMARY_SCHEMA,
        "run": digest(run.identity),
        "label": run.about["label"],
        "scored": datetime.now(UTC).isoformat(timespec="seconds"),
        "plan": {
            "expected": len(run.plan),
            "generated": status["generated"],
            "failed": status["failed"],
            "pending": status["pending"],
            "absent": sum(absences.values()),
            "absences": absences,
        },
        "songs": len({item.song for item in run.plan}),
        "metrics": [_summarised(m, rows) for m in metrics if isinstance(m, SampleMetric)],
    }
    write_json(run.path / "summary.json", summary)
    return summary


def _described(metric: Metric) -> Row:
    return {
        "name": metric.name,
        "identity": metric.identity,
        "direction": metric.direction,
        "unit": metric.unit,
        "summary": metric.summary,
    }


def _summarised(metric: SampleMetric, rows: Sequence[Row]) -> Row:
    mine = [row for row in rows if row["identity"] == metric.identity]
    there = [row for row in mine if row["missing"] is None]
    missing = Counter(row["missing"] for row in mine if row["missing"] is not None)
    found = {
        **_described(metric),
        "mean": None,
        "low": None,
        "high": None,
        "n": 0,
        "songs": 0,
        "missing": dict(missing),
    }
    if there:
        interval = cluster_mean([row["value"] for row in there], [row["song"] for row in there])
        found |= {"mean": interval.mean, "low": interval.low, "high": interval.high}
        found |= {"n": interval.n, "songs": interval.clusters}
    return found
