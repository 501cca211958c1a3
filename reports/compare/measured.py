"""One metric of two runs: its difference, tested, or why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bench.stats.bootstrap import cluster_mean
from bench.stats.clusters import cluster_sums
from bench.stats.paired import MeanTest, effective_n, jackknife_test, paired_test
from bench.stats.power import clusters_to_decide, detectable, seeds_to_decide
from reports.compare.align import Alignment, Values
from reports.compare.model import FieldDifference, Gate, GateMetric, MissingCounts, Needed, Verdict
from reports.compare.sets import SetValue, set_values
from reports.load import Estimate


@dataclass(frozen=True, eq=False)
class Measured:
    """A metric before its verdict, which depends on the other metrics of the gate.

    Attributes:
        shown: what is said of the metric itself. smallest: effect of interest. declared: by the gate, if it is.
        stopped: NOT_COMPARABLE or INCOMPLETE, and why; None if there is a test.
        test: of the difference. values: pair by pair, if the metric has pairs. numbers: more fields of the result.
        difference: of the identities, if they differ.
    """

    shown: Estimate
    smallest: float | None
    declared: GateMetric | None
    stopped: tuple[Verdict, str] | None = None
    test: MeanTest | None = None
    values: Values | None = None
    numbers: Mapping[str, Any] = field(default_factory=dict)
    difference: FieldDifference | None = None

    @property
    def gated(self) -> bool:
        """Whether the gate decides by it."""
        return self.declared is not None


class Meter:
    """Measures metrics of two aligned runs for a gate."""

    def __init__(self, alignment: Alignment, gate: Gate):
        self.alignment, self.gate = alignment, gate
        self._sets = [set_values(run) for run in (alignment.base, alignment.new)]

    def measure(self, base: Estimate, new: Estimate, smallest: float | None, declared: GateMetric | None) -> Measured:
        """One metric that both runs have, under one identity."""
        measured = self._set if base.corpus else self._sample
        return measured(base, new, smallest, declared)

    def level(self, declared: GateMetric | None) -> tuple[float, int]:
        """Alpha of a metric's own test, and over how many tests it is shared."""
        return self.gate.alpha, len(self.gate.metrics) if declared else 1

    def _sample(self, base: Estimate, new: Estimate, smallest: float | None, declared: GateMetric | None) -> Measured:
        values = self.alignment.values(base, new)
        stopped = incomplete(values.missing, len(values.pairs))
        if not values.pairs:
            numbers: dict[str, Any] = {"n": 0, "songs": 0, "missing": values.missing}
            return Measured(base, smallest, declared, stopped, None, values, numbers)
        sample = cluster_sums(values.differences, values.songs)
        alpha, tests = self.level(declared)
        test = paired_test(sample.sums, sample.counts, alpha=alpha, tests=tests, seed=self.gate.seed)
        spread = cluster_mean(values.differences, values.songs, seed=self.gate.seed)
        numbers = {
            "n": sample.n,
            "songs": test.clusters,
            "base_mean": float(np.mean(values.base)),
            "new_mean": float(np.mean(values.new)),
            "bootstrap_low": spread.low,
            "bootstrap_high": spread.high,
            "missing": values.missing,
        }
        if test.error is not None:
            n_eff = effective_n(test.error, sample.squares, sample.mean, sample.n)
            numbers |= {"n_eff": n_eff, "design_effect": sample.n / n_eff}
        return Measured(base, smallest, declared, stopped, test, values, numbers)

    def _set(self, base: Estimate, new: Estimate, smallest: float | None, declared: GateMetric | None) -> Measured:
        pair = [values.get(base.identity) for values in self._sets]
        numbers: dict[str, Any] = {
            "n": min(base.n, new.n),
            "songs": max((len(each.songs) for each in pair if each), default=0),
            "base_mean": base.mean,
            "new_mean": new.mean,
            "missing": _set_missing(base, new),
        }
        stopped = _set_stopped(base, new, pair[0], pair[1])
        if stopped is not None or not pair[0] or not pair[1]:
            return Measured(base, smallest, declared, stopped, None, None, numbers)
        left_out = np.subtract(pair[1].values, pair[0].values).tolist()
        test = jackknife_test(pair[1].value - pair[0].value, left_out)
        return Measured(base, smallest, declared, None, test, None, numbers)


def power(measured: Measured, alpha: float, tests: int) -> float | None:
    """The minimum detectable effect at the level of Holm's first step."""
    test = measured.test
    if test is None or test.error is None:
        return None
    return detectable(test.error, test.clusters - 1, alpha=alpha / tests, margin=measured.smallest or 0.0)


def needed(measured: Measured, seeds: int) -> Needed:
    """What would decide an inconclusive metric. `seeds`: that the runs have."""
    test, margin = measured.test, measured.smallest
    if test is None or test.error is None:
        return Needed(songs=None, seeds=None, why="a single song says nothing about others: at least two are needed")
    if margin is None:
        return Needed(songs=None, seeds=None, why="no smallest effect is known for it: the gate can name one")
    songs = clusters_to_decide(test.error, int(measured.numbers["songs"]), margin)
    more = None
    if measured.values is not None and seeds > 1:
        more = seeds_to_decide(test.error, test.clusters, seed_noise(measured.values), seeds, margin)
    return Needed(songs=songs, seeds=more, why="" if songs or more else "more than 100,000 songs would be needed")


def seed_noise(values: Values) -> float:
    """The part of the mean difference's variance that comes from seeds: of a task's differences around their mean."""
    tasks: dict[str, list[float]] = {}
    for pair, difference in zip(values.pairs, values.differences.tolist(), strict=True):
        tasks.setdefault(pair.task, []).append(difference)
    several = [found for found in tasks.values() if len(found) > 1]
    freedom = sum(len(found) - 1 for found in several)
    if not freedom:
        return 0.0
    within = sum(float(np.square(np.subtract(found, np.mean(found))).sum()) for found in several)
    return within / freedom / len(values.pairs)


def incomplete(missing: MissingCounts, there: int) -> tuple[Verdict, str] | None:
    """INCOMPLETE, and why, if one of the runs lacks a value, or there is none at all."""
    sides = (("base", missing.base), ("new", missing.new))
    told = [f"{name} lacks {_listed(counts)}" for name, counts in sides if counts]
    if told:
        return Verdict.INCOMPLETE, "; ".join(told)
    if not there:
        return Verdict.INCOMPLETE, f"no pair has a value ({_listed(missing.neither) or 'nothing was planned'})"
    return None


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number:,} ({code})" for code, number in sorted(counts.items()))


def _set_missing(base: Estimate, new: Estimate) -> MissingCounts:
    if base.mean is None and new.mean is None and set(base.missing) == set(new.missing):
        return MissingCounts(neither=base.missing)
    return MissingCounts(base=base.missing, new=new.missing)


def _set_stopped(
    base: Estimate, new: Estimate, ours: SetValue | None, theirs: SetValue | None
) -> tuple[Verdict, str] | None:
    """Why two values on whole sets cannot be tested against each other, if they cannot."""
    lost = [
        f"{name} has no value ({', '.join(each.missing) or 'unknown'})"
        for name, each in (("base", base), ("new", new))
        if each.mean is None
    ]
    if lost:
        return Verdict.INCOMPLETE, "; ".join(lost)
    sizes = [(each.n, each.reference_n) for each in (base, new)]
    if sizes[0] != sizes[1]:
        shown = " and ".join(f"{n:,} against {reference or 0:,}" for n, reference in sizes)
        return Verdict.NOT_COMPARABLE, f"the sets have {shown} clips, and the value depends on their number"
    if ours is None or theirs is None:
        return (
            Verdict.INCOMPLETE,
            "an earlier version scored it, without what a comparison needs: score both runs again",
        )
    if ours.groups != theirs.groups:
        return Verdict.NOT_COMPARABLE, "the sets are of different songs"
    return None
