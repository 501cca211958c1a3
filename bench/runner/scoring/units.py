"""What has to be measured, source by source, and what is known already."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.errors import CorruptStoreError
from bench.metric import Missing
from bench.store.journal import read_events
from bench.store.rundir import Outcome, PlanItem, RunDirectory
from bench.suite import Suite

SCORES = "scores.parquet"
PARTIAL = "scoring.jsonl"
"""Values of a scoring that has not come to its end: with them it goes on where it stopped."""

ValueKey = tuple[str, int, str, str]
"""Task, seed, metric identity, audio."""

Values = dict[ValueKey, float | Missing]


@dataclass(frozen=True)
class Edit:
    """One edit: of which run, the metrics to be asked ("module:Class"), and what was measured while it was made."""

    run: int
    path: Path
    item: PlanItem
    audio: str
    metrics: tuple[str, ...]
    diagnostics: Mapping[str, Any]


@dataclass(frozen=True)
class Unit:
    """The edits of one source, of all runs: what is computed from the source serves them all."""

    suite: Suite
    source: str
    edits: tuple[Edit, ...]


def units(
    runs: Sequence[RunDirectory],
    outcomes: Sequence[Mapping[tuple[str, int], Outcome]],
    known: Sequence[Values],
    wanted: Mapping[str, str],
    *,
    every: bool = False,
) -> list[Unit]:
    """The edits that lack a value, by source.

    Args:
        runs: run directories.
        outcomes: of each.
        known: values that each has.
        wanted: the target of each metric, by its identity.
        every: also the edits that lack nothing, for what is measured on whole sets.
    """
    by_source: dict[tuple[str, str], list[Edit]] = {}
    suites: dict[str, Suite] = {}
    for index, run in enumerate(runs):
        suites.setdefault(run.suite.digest, run.suite)
        for item in run.plan:
            audio, event = outcomes[index][item.key].audio, outcomes[index][item.key].event
            if audio is None:
                continue
            todo = tuple(t for identity, t in wanted.items() if (*item.key, identity, audio) not in known[index])
            if todo or every:
                edits = by_source.setdefault((run.suite.digest, item.source), [])
                edits.append(Edit(index, run.path, item, audio, todo, (event or {}).get("diagnostics", {})))
    return [Unit(suites[key[0]], key[1], tuple(edits)) for key, edits in by_source.items()]


def known_values(run: RunDirectory) -> Values:
    """Values of earlier scorings, finished or not. Files that cannot be read count as none: they are derived."""
    known = _finished(run.path / SCORES)
    try:
        events = read_events(run.path / PARTIAL) if (run.path / PARTIAL).is_file() else []
    except CorruptStoreError:
        events = []
    for event in events:
        for task, seed, identity, audio, value, missing, why in event["values"]:
            known[task, seed, identity, audio] = Missing(missing, why) if value is None else value
    return known


def as_event(values: Values) -> dict[str, Any]:
    """Values as one line of `scoring.jsonl`."""
    return {
        "values": [
            [*key, None, value.code, value.why] if isinstance(value, Missing) else [*key, value, None, None]
            for key, value in values.items()
        ]
    }


def _finished(path: Path) -> Values:
    """The values in `scores.parquet` that are of some audio. Rows with neither number nor reason count as none."""
    import pandas as pd
    import pyarrow

    if not path.is_file():
        return {}
    try:
        frame = pd.read_parquet(path, columns=["task", "seed", "identity", "audio", "value", "missing", "why"])
    except (pyarrow.ArrowInvalid, OSError, KeyError, ValueError):
        return {}
    rows: list[dict[str, Any]] = frame[frame["audio"].notna()].to_dict("records")  # type: ignore[assignment]
    known: Values = {}
    for row in rows:
        absent = isinstance(row["missing"], str)
        value = Missing(row["missing"], row["why"]) if absent else float(row["value"])
        if isinstance(value, Missing) or math.isfinite(value):
            known[row["task"], int(row["seed"]), row["identity"], row["audio"]] = value
    return known
