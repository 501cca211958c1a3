"""Measuring: metrics on arrays in helper processes, metrics with networks here, where the device is.

Both go source by source. The source is read once, and what a metric computes from it (a contour, onsets, masks,
vectors) serves all edits of all runs.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from bench.metric import Case, Features, Metric, Missing, NetworkMetric, SampleMetric, checked, unmet
from bench.runner.scoring.load import load_metrics
from bench.runner.scoring.units import Edit, Unit, ValueKey
from bench.store.rundir import RunDirectory

Measured = list[tuple[int, ValueKey, float | Missing]]
"""Index of the run, key, value."""


def in_processes(units: Sequence[Unit], jobs: int) -> Iterator[Measured]:
    """The values of each unit's edits, in order, by up to `jobs` helpers; here, if one is enough."""
    workers = min(jobs, len(units))
    if workers <= 1:
        yield from map(measured, units)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_as_helper) as pool:
        yield from pool.map(measured, units)


def _as_helper() -> None:
    """Set up a scoring process: one thread, as processes share the cores, and Ctrl-C left to the parent."""
    import torch

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)


def measured(unit: Unit) -> Measured:
    """Every value of one source's edits, by metrics that need no network."""
    metrics = load_metrics(sorted({target for edit in unit.edits for target in edit.metrics}))
    return values_of(cases_of(unit, Features()), metrics)


def cases_of(unit: Unit, features: Features) -> list[tuple[Edit, Case]]:
    """The unit's edits with their audio: everything is read here, once."""
    source = unit.suite.open(unit.source)
    tasks = {task.id: task for task in unit.suite.tasks}
    runs = {path: RunDirectory.open(path) for path in {edit.path for edit in unit.edits}}
    named = {edit.item.task: tasks[edit.item.task] for edit in unit.edits}
    beside = {name: (unit.suite.true_edit(task), unit.suite.target_audio(task)) for name, task in named.items()}
    cases = []
    for edit in unit.edits:
        audio, task = runs[edit.path].read_audio(edit.audio), edit.item.task
        cases.append((edit, Case(named[task], source, audio, *beside[task], features, edit.diagnostics)))
    return cases


def values_of(cases: Sequence[tuple[Edit, Case]], metrics: Mapping[str, Metric]) -> Measured:
    """The values of cases by the metrics that each lacks. Networks go through all cases in one batch first."""
    wanted = [(edit, case, metrics[target]) for edit, case in cases for target in edit.metrics]
    prepare([(case, metric) for _, case, metric in wanted if isinstance(metric, NetworkMetric)])
    values: Measured = []
    for edit, case, metric in wanted:
        assert isinstance(metric, SampleMetric)
        value = unmet(metric, case) or checked(metric.score(case))
        values.append((edit.run, (*edit.item.key, metric.identity, edit.audio), value))
    return values


def prepare(wanted: Sequence[tuple[Case, NetworkMetric]]) -> None:
    """Compute what metrics will ask for: one batch for all cases, one pass a clip for all metrics of a network."""
    by_metric: dict[NetworkMetric, list[Case]] = {}
    for case, metric in wanted:
        if unmet(metric, case) is None:
            by_metric.setdefault(metric, []).append(case)
    for metric, cases in by_metric.items():
        metric.prepare(cases)
    for features in {id(case.features): case.features for case, _ in wanted}.values():
        features.embed_planned()
