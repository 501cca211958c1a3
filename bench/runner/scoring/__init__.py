"""Scoring: from a run's audio to `scores.parquet`, `corpus.json` and `summary.json`.

Runs are scored together, source by source. A value that a run already has, under the same metric identity and for the
same audio, is kept, also if the scoring that made it was interrupted; so are the values of metrics not named this time.
Every edit of the plan has a row for every metric: failed and pending edits are rows with a reason, not gaps.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from bench.metric import CorpusMetric, Features, Metric, NetworkMetric, SampleMetric
from bench.runner.scoring import files, measure
from bench.runner.scoring.corpus import Collector
from bench.runner.scoring.files import CORPUS_SCHEMA, SUMMARY_SCHEMA, Row
from bench.runner.scoring.load import load_metrics
from bench.runner.scoring.measure import Measured
from bench.runner.scoring.units import PARTIAL, Unit, Values, as_event, known_values, units
from bench.store.journal import Journal
from bench.store.rundir import RunDirectory

__all__ = ["CORPUS_SCHEMA", "SUMMARY_SCHEMA", "load_metrics", "score"]

Heard = Callable[[int, int], None]


def score(
    paths: Sequence[Path],
    metrics: Sequence[str],
    *,
    jobs: int = 0,
    device: str = "cpu",
    heard: Heard | None = None,
) -> list[Row]:
    """Score run directories and write their derived files.

    Args:
        paths: run directories.
        metrics: "module:Class" of each metric, with "|module:Network" for each network that it is made with.
        jobs: processes; 0 for one a core.
        device: of the networks.
        heard: called as (edits measured, edits to measure); an edit counts once for each of the two kinds of metric.

    Returns:
        The summary of each run, as in its `summary.json`.

    Raises:
        LockedError: if a run is still at work. DataError: if a source's audio is gone or changed.
        ModelError: if a network's checkpoint is not here.
    """
    runs = [RunDirectory.open(path) for path in paths]
    with ExitStack() as locks:
        for path in paths:
            locks.enter_context(RunDirectory.lock(path))
        loaded = load_metrics(metrics, device)
        job = _Job(runs, loaded, heard or (lambda done, total: None))
        return job.run(jobs or os.cpu_count() or 1)


class _Job:
    """One call of `score`."""

    def __init__(self, runs: Sequence[RunDirectory], loaded: Mapping[str, Metric], heard: Heard):
        self.runs, self.loaded, self.heard = runs, loaded, heard
        self.outcomes = [run.outcomes() for run in runs]
        self.values: list[Values] = [known_values(run) for run in runs]
        pairs = zip(runs, self.outcomes, strict=True)
        self.corpus = [files.known_corpus(run, outcomes) for run, outcomes in pairs]
        sets = [metric for metric in loaded.values() if isinstance(metric, CorpusMetric)]
        self.collector = Collector([m for m in sets if any(m.identity not in known for known in self.corpus)])
        self.done = self.total = 0

    def run(self, jobs: int) -> list[Row]:
        """Measure what is missing, then write."""
        samples = {target: m for target, m in self.loaded.items() if isinstance(m, SampleMetric)}
        networks = {m.identity: target for target, m in samples.items() if isinstance(m, NetworkMetric)}
        arrays = {m.identity: target for target, m in samples.items() if m.identity not in networks}
        by_arrays = units(self.runs, self.outcomes, self.values, arrays)
        by_networks = units(self.runs, self.outcomes, self.values, networks, every=bool(self.collector.metrics))
        self.total = sum(len(unit.edits) for unit in (*by_arrays, *by_networks))
        self.heard(0, self.total)
        with ExitStack() as stack:
            self.journals = [stack.enter_context(Journal(run.path / PARTIAL)) for run in self.runs]
            self._take(by_arrays, measure.in_processes(by_arrays, jobs))
            self._take(by_networks, map(self._by_networks, by_networks))
        return [self._written(index) for index in range(len(self.runs))]

    def _take(self, of: Iterable[Unit], found: Iterable[Measured]) -> None:
        """Note the values of units as they come, first on disk."""
        for unit, values in zip(of, found, strict=True):
            by_run: dict[int, Values] = {}
            for run, key, value in values:
                by_run.setdefault(run, {})[key] = value
            for run, fresh in by_run.items():
                self.journals[run].append(as_event(fresh))
                self.values[run].update(fresh)
            self.done += len(unit.edits)
            self.heard(self.done, self.total)

    def _by_networks(self, unit: Unit) -> Measured:
        """The values of one source's edits by metrics with networks, and its share of the sets."""
        cases = measure.cases_of(unit, Features())
        self.collector.plan(cases)
        values = measure.values_of(cases, self.loaded)
        self.collector.add(cases)
        return values

    def _written(self, index: int) -> Row:
        run, outcomes, values = self.runs[index], self.outcomes[index], self.values[index]
        metrics = list(self.loaded.values())
        named = {metric.name for metric in metrics}
        columns = files.kept_columns(run, outcomes, metrics, values)
        columns += [files.described(metric) for metric in metrics if isinstance(metric, SampleMetric)]
        now = {"inputs": files.inputs(outcomes)}
        fresh = {m.identity: self.collector.row(index, m) | now for m in self.collector.metrics}
        wanted = {m.identity for m in metrics if isinstance(m, CorpusMetric)}
        known = {key: row for key, row in self.corpus[index].items() if key in wanted or row["name"] not in named}
        return files.write(run, outcomes, columns, values, list({**known, **fresh}.values()))
