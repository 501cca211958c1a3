"""What scoring leaves in a run directory: `scores.parquet`, `corpus.json`, `summary.json`. All can be made again."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bench.identity import digest
from bench.metric import Metric, Missing
from bench.runner.scoring.units import PARTIAL, SCORES, Values
from bench.stats.bootstrap import cluster_mean
from bench.store.atomic import write_bytes, write_json
from bench.store.rundir import Outcome, RunDirectory

SUMMARY_SCHEMA = "timbrebench-summary@1"
CORPUS_SCHEMA = "timbrebench-corpus@1"
COLUMNS = (
    "task", "song", "source", "stem", "seed", "metric", "identity", "direction", "unit",
    "value", "missing", "why", "audio",
)  # fmt: skip

Row = dict[str, Any]
Outcomes = Mapping[tuple[str, int], Outcome]


def described(metric: Metric) -> Row:
    """What tables say of a metric."""
    return {
        "name": metric.name,
        "identity": metric.identity,
        "direction": metric.direction,
        "unit": metric.unit,
        "summary": metric.summary,
    }


def kept_columns(run: RunDirectory, outcomes: Outcomes, metrics: Sequence[Metric], values: Values) -> list[Row]:
    """Metrics of an earlier scoring that are not named now, and of which every edit that was made has a value."""
    names = {metric.name for metric in metrics}
    made = [(*key, outcome.audio) for key, outcome in outcomes.items() if outcome.audio is not None]
    return [
        {key: entry[key] for key in ("name", "identity", "direction", "unit", "summary")}
        for entry in _entries(run, "summary.json")
        if entry["name"] not in names
        and all((task, seed, entry["identity"], audio) in values for task, seed, audio in made)
    ]


def known_corpus(run: RunDirectory, outcomes: Outcomes) -> dict[str, Row]:
    """Values on whole sets by identity, as far as they rest on the audio that the run has now.

    Those without values for left out songs are of an earlier version, and count as none.
    """
    now = inputs(outcomes)
    known = [entry for entry in _entries(run, "corpus.json") if entry.get("inputs") == now and "left_out" in entry]
    return {entry["identity"]: entry for entry in known}


def inputs(outcomes: Outcomes) -> str:
    """Hash of the edits that a run has: what a value on its set rests on."""
    return digest(sorted([*key, outcome.audio] for key, outcome in outcomes.items() if outcome.audio is not None))


def rows_of(run: RunDirectory, outcomes: Outcomes, columns: Sequence[Row], values: Values) -> list[Row]:
    """A row for every edit of the plan and every metric; what failed or was not run is a row with its reason."""
    stems = {task.id: task.stem for task in run.suite.tasks}
    rows = []
    for item in run.plan:
        outcome = outcomes[item.key]
        for column in columns:
            value: float | Missing
            if outcome.audio is not None:
                value = values[(*item.key, column["identity"], outcome.audio)]
            else:
                cause = (outcome.error or {}).get("cause", "it was not run yet")
                value = Missing(outcome.status, str(cause))
            lost = value if isinstance(value, Missing) else None
            cells = (
                item.task, item.song, item.source, stems[item.task], item.seed,
                column["name"], column["identity"], column["direction"], column["unit"],
                None if lost else value, lost and lost.code, lost and lost.why, outcome.audio,
            )  # fmt: skip
            rows.append(dict(zip(COLUMNS, cells, strict=True)))
    return rows


def write(run: RunDirectory, outcomes: Outcomes, columns: Sequence[Row], values: Values, corpus: Sequence[Row]) -> Row:
    """Write the three files, and take away what an interrupted scoring left.

    Returns:
        The summary.
    """
    import pandas as pd

    rows = rows_of(run, outcomes, columns, values)
    frame = pd.DataFrame(rows, columns=list(COLUMNS)).astype({"value": "float64"})
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False)
    write_bytes(run.path / SCORES, buffer.getvalue())
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
        "metrics": [summarised(column, rows) for column in columns],
    }
    write_json(run.path / "summary.json", summary)
    (run.path / PARTIAL).unlink(missing_ok=True)
    return summary


def summarised(column: Row, rows: Sequence[Row]) -> Row:
    """A metric's mean over a run, with its interval over songs and the missing values by reason."""
    mine = [row for row in rows if row["identity"] == column["identity"]]
    there = [row for row in mine if row["missing"] is None]
    missing = Counter(row["missing"] for row in mine if row["missing"] is not None)
    found = {**column, "mean": None, "low": None, "high": None, "n": 0, "songs": 0, "missing": dict(missing)}
    if there:
        interval = cluster_mean([row["value"] for row in there], [row["song"] for row in there])
        found |= {"mean": interval.mean, "low": interval.low, "high": interval.high}
        found |= {"n": interval.n, "songs": interval.clusters}
    return found


def _entries(run: RunDirectory, file: str) -> list[Row]:
    """The metrics in a derived file; one that cannot be read has none."""
    try:
        entries: list[Row] = json.loads((run.path / file).read_bytes())["metrics"]
        return [entry for entry in entries if {"name", "identity", "direction", "unit", "summary"} <= entry.keys()]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []
