"""Two scored runs, compared: the one function that everything else in this package serves.

In this order: may the runs be compared at all; is anything missing; what do the gate's metrics say. The first that
fails is the verdict, so that missing results never make a run look better, nor unlike things alike.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.errors import IncompleteError
from reports.compare import gate as gates
from reports.compare import words
from reports.compare.align import Alignment
from reports.compare.extremes import breakdowns, worst_and_best
from reports.compare.gate import Effects, GateFile
from reports.compare.identity import check_allowed, metric_difference, run_differences
from reports.compare.measured import Measured, Meter, needed, power
from reports.compare.model import Comparison, FieldDifference, Gate, GateMetric, MetricComparison, RunSide, Verdict
from reports.compare.verdicts import Question, corrected, judge, overall
from reports.load import Estimate, RunReport

_SEVERITY = (
    Verdict.NOT_COMPARABLE,
    Verdict.INCOMPLETE,
    Verdict.REGRESSED,
    Verdict.INCONCLUSIVE,
    Verdict.EQUIVALENT,
    Verdict.IMPROVED,
)
_NO_EFFECTS: Effects = {}


@dataclass(frozen=True)
class Declared:
    """A gate and the path of the file it was read from."""

    file: GateFile
    source: str


def compare(
    base: RunReport,
    new: RunReport,
    gate: Declared | None = None,
    *,
    allowed: Collection[str] = (),
    effects: Effects = _NO_EFFECTS,
) -> Comparison:
    """Compare two runs.

    Args:
        base: what there was.
        new: what shall take its place.
        gate: by which metrics to decide; None for the default gate (`reports.compare.gate.QUESTIONS`).
        allowed: fields in which the runs may differ although such runs are not comparable: ``seeds``, ``backbone``,
            ``suite``, ``plan`` or a field inside one of them. Seeds are then paired by rank.
        effects: smallest effects of interest that the metrics themselves declare, by name.

    Raises:
        UsageError: if the gate does not fit the runs, or `allowed` names no field.
        IncompleteError: if neither run has a value of any metric, or no edit is in both.
        CorruptStoreError: if a run is damaged.
    """
    check_allowed(allowed, base, new)
    file = gate.file if gate else gates.default(base, new)
    resolved = gates.resolve(file, gate.source if gate else None, effects, base, new, allowed)
    differences = run_differences(base, new, allowed)
    shared = {"base": side(base), "new": side(new), "gate": resolved}
    if not all(difference.allowed for difference in differences):
        return _not_comparable(shared, differences)
    alignment = Alignment(base, new)
    if not alignment.pairs:
        raise IncompleteError(
            "no edit is in the plans of both runs",
            where=f"{base.path} and {new.path}",
            remedy="Compare runs of one suite.",
            code="incomplete/no-pairs",
        )
    measured = list(_measured(alignment, resolved, effects))
    return _compared(shared, alignment, resolved, measured, differences)


def side(run: RunReport) -> RunSide:
    """What a comparison says of a run."""
    identity = run.identity
    return RunSide(
        path=str(run.path),
        label=run.label,
        digest=run.digest,
        timbrebench=str(run.directory.identity.get("timbrebench", "unknown")),
        method=identity.method.name,
        version=identity.method.version,
        config=identity.method.config,
        suite=f"{identity.suite.name}@{identity.suite.version}",
        suite_digest=identity.suite.digest,
        backbone=identity.backbone.name if identity.backbone else None,
        seeds=identity.seeds,
        scored=run.scored,
        songs=run.songs,
        expected=run.coverage.expected,
        generated=run.coverage.generated,
        failed=run.coverage.failed,
        pending=run.coverage.pending,
        untrained=run.untrained,
    )


def _not_comparable(shared: Mapping[str, Any], differences: tuple[FieldDifference, ...]) -> Comparison:
    return Comparison(
        **shared,
        verdict=Verdict.NOT_COMPARABLE,
        headline=words.not_comparable(differences),
        differences=differences,
    )


def _compared(
    shared: Mapping[str, Any],
    alignment: Alignment,
    gate: Gate,
    measured: Sequence[Measured],
    differences: tuple[FieldDifference, ...],
) -> Comparison:
    judged = _judged(measured, gate, seeds=len(alignment.base.identity.seeds))
    ranked, metrics = [each for each, _ in judged], tuple(metric for _, metric in judged)
    by_metric = tuple(each.difference for each in measured if each.difference is not None)
    gated = [metric for metric in metrics if metric.gated]
    reasons = (*words.not_made(alignment), *words.lacking(gated))
    verdicts = {metric.verdict for metric in gated} | ({Verdict.INCOMPLETE} if reasons else set())
    verdict = overall(verdicts)
    worst, best = worst_and_best(alignment, ranked)
    return Comparison(
        **shared,
        verdict=verdict,
        headline=words.headline(verdict, gated, reasons, by_metric),
        metrics=metrics,
        breakdowns=tuple(breakdowns(alignment, ranked)),
        worst=worst,
        best=best,
        differences=tuple(sorted((*by_metric, *differences), key=lambda each: each.allowed)),
        incomplete=reasons if verdict == Verdict.INCOMPLETE else (),
        caveats=tuple(words.caveats(alignment, gate, metrics, differences)),
        pairs=len(alignment.pairs),
        songs=len({pair.song for pair in alignment.pairs}),
    )


def _measured(alignment: Alignment, gate: Gate, effects: Effects) -> Iterator[Measured]:
    """The gate's metrics, in its order, then all others that a run has."""
    meter, claimed = Meter(alignment, gate), set()
    for metric in gate.metrics:
        pair = _counterpart(alignment.base, metric.name), _counterpart(alignment.new, metric.name)
        claimed |= {each.identity for each in pair if each}
        yield _one(meter, metric.name, pair, metric.smallest_effect, metric)
    named = {
        e.name: None for run in (alignment.base, alignment.new) for e in run.estimates if e.identity not in claimed
    }
    for name in named:
        both = [next((e for e in run.estimates if e.name == name), None) for run in (alignment.base, alignment.new)]
        yield _one(meter, name, (both[0], both[1]), effects.get(name), None)


def _counterpart(run: RunReport, name: str) -> Estimate | None:
    """A run's metric of a name, else its one with another embedder: which is another metric, and must not be missed."""
    return gates.find(run, name) or gates.find(run, gates.base_name(name))


def _one(
    meter: Meter,
    name: str,
    pair: tuple[Estimate | None, Estimate | None],
    smallest: float | None,
    declared: GateMetric | None,
) -> Measured:
    base, new = pair
    if base is None or new is None:
        return _not_scored(meter, name, pair, smallest, declared)
    difference = metric_difference(name, base, new, gated=declared is not None)
    if difference is not None:
        stopped = Verdict.NOT_COMPARABLE, f"it is another metric in the new run: {difference.base} / {difference.new}"
        numbers = {"n": 0, "songs": 0, "new_identity": new.identity}
        return Measured(base, smallest, declared, stopped, numbers=numbers, difference=difference)
    return meter.measure(base, new, smallest, declared)


def _not_scored(
    meter: Meter,
    name: str,
    pair: tuple[Estimate | None, Estimate | None],
    smallest: float | None,
    declared: GateMetric | None,
) -> Measured:
    lacking = [which for which, estimate in zip(("base", "new"), pair, strict=True) if estimate is None]
    direction = (declared.direction if declared else None) or "higher"
    shown = pair[0] or pair[1] or Estimate(name=name, identity="", direction=direction, mean=None, n=0, songs=0)
    reason = f"{' and '.join(lacking)} {'was' if len(lacking) == 1 else 'were'} not scored with it"
    return Measured(shown, smallest, declared, (Verdict.INCOMPLETE, reason), numbers={"n": 0, "songs": 0})


def _judged(measured: Sequence[Measured], gate: Gate, *, seeds: int) -> list[tuple[Measured, MetricComparison]]:
    """The metrics with their verdicts, the gate's first, and the worst first in both parts."""
    tested = [each for each in measured if each.gated and each.stopped is None and each.test is not None]
    p_holm = dict(zip(map(id, tested), corrected(list(map(_question, tested)), tests=len(gate.metrics)), strict=True))
    found = [(each, _metric(each, p_holm.get(id(each)), gate, seeds=seeds)) for each in measured]
    return sorted(found, key=lambda pair: _severity(*pair))


def _question(measured: Measured) -> Question:
    assert measured.test is not None
    return Question(measured.test, measured.shown.direction == "higher", measured.smallest)


def _severity(measured: Measured, metric: MetricComparison) -> tuple[bool, int, float]:
    error = measured.test.error if measured.test else None
    gain = metric.gain or 0.0
    return not metric.gated, _SEVERITY.index(metric.verdict), gain / error if error else gain


def _metric(measured: Measured, p_holm: float | None, gate: Gate, *, seeds: int) -> MetricComparison:
    shown, test = measured.shown, measured.test
    tests = len(gate.metrics) if measured.gated else 1
    about = {
        "name": shown.name, "identity": shown.identity, "unit": shown.unit, "direction": shown.direction,
        "summary": shown.summary, "corpus": shown.corpus, "gated": measured.gated, "smallest_effect": measured.smallest,
    }  # fmt: skip
    numbers = dict(measured.numbers)
    if test is not None:
        numbers |= {"difference": test.mean, "low": test.low, "high": test.high, "p": test.p, "p_method": test.method}
        numbers |= {"p_holm": p_holm, "mde": power(measured, gate.alpha, tests)}
    if measured.stopped is not None or test is None:
        verdict, reason = measured.stopped or (Verdict.INCOMPLETE, "it has no value")
        return MetricComparison(**about, **numbers, verdict=verdict, reason=reason)
    p = p_holm if p_holm is not None else test.p if test.p is not None else 1.0
    verdict = judge(_question(measured), p, alpha=gate.alpha)
    if verdict != Verdict.INCONCLUSIVE:
        return MetricComparison(**about, **numbers, verdict=verdict)
    wanted = needed(measured, seeds)
    reason = words.undecided(test, p, measured.smallest, gate.alpha)
    return MetricComparison(**about, **numbers, verdict=verdict, reason=reason, needed=wanted)
