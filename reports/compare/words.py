"""What a comparison says in words: headline, reasons, caveats. The same in every medium; nothing here is escaped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from bench.stats.paired import MeanTest
from reports.compare.align import Alignment
from reports.compare.figures import change, counted, decimals, decisive
from reports.compare.model import FieldDifference, Gate, MetricComparison, Verdict
from reports.notes import FEW_SONGS

_SHOWN = 3


def headline(
    verdict: Verdict, gated: Sequence[MetricComparison], reasons: Sequence[str], differences: Sequence[FieldDifference]
) -> str:
    """The verdict in one sentence.

    Args:
        verdict: of the gate.
        gated: its metrics, worst first.
        reasons: why results are missing, if they are.
        differences: of the identities of its metrics.
    """
    if verdict == Verdict.NOT_COMPARABLE:
        forbidding = [each for each in differences if not each.allowed]
        return not_comparable(forbidding) if forbidding else _first_reason(verdict, gated)
    if verdict == Verdict.INCOMPLETE:
        more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
        return f"INCOMPLETE: {reasons[0]}{more}"
    if verdict == Verdict.EQUIVALENT:
        names = _joined([metric.name for metric in gated])
        return f"EQUIVALENT: no difference that matters in {names}"
    if verdict == Verdict.INCONCLUSIVE:
        open_ = [metric for metric in gated if metric.verdict == verdict]
        return f"INCONCLUSIVE: {len(open_)} of {counted(len(gated), 'gate metric')} undecided; {_decisive(open_)}"
    moved = [metric for metric in gated if metric.verdict == verdict]
    told = _joined([_moved(metric) for metric in moved])
    rest = Counter(metric.verdict for metric in gated if metric.verdict != verdict)
    others = ", ".join(f"{number} {name}" for name, number in sorted(rest.items()))
    return (
        f"{verdict}: {'worse' if verdict == Verdict.REGRESSED else 'better'} in {told}{f'; {others}' if others else ''}"
    )


def not_comparable(differences: Sequence[FieldDifference]) -> str:
    """The fields that forbid a comparison, in one sentence."""
    found = [f"{each.field} ({each.base} / {each.new})" for each in differences if not each.allowed]
    return f"NOT_COMPARABLE: the runs differ in {_joined(found)}"


def undecided(test: MeanTest, p: float, smallest: float | None, alpha: float) -> str:
    """Why a metric is INCONCLUSIVE."""
    if test.p is None:
        return "there is no interval with so few songs"
    if p <= alpha:
        return "a difference is there, but it may be smaller than the smallest effect of interest, or larger"
    if smallest is None:
        return "no difference was found, and no smallest effect is known by which the runs could be equivalent"
    return "no difference was found, and one that matters is not ruled out"


def not_made(alignment: Alignment) -> Iterator[str]:
    """What of the plans was never made."""
    for name, run in (("base", alignment.base), ("new", alignment.new)):
        for number, what in ((run.coverage.failed, "failed"), (run.coverage.pending, "were not run")):
            if number:
                yield f"{name}: {number:,} of {run.coverage.expected:,} edits {what}"


def lacking(gated: Sequence[MetricComparison]) -> Iterator[str]:
    """What the gate's metrics lack."""
    for metric in gated:
        if metric.verdict == Verdict.INCOMPLETE:
            yield f"{metric.name}: {metric.reason}"


def caveats(
    alignment: Alignment, gate: Gate, metrics: Sequence[MetricComparison], differences: Sequence[FieldDifference]
) -> Iterator[str]:
    """What must be said beside the numbers."""
    base, new = alignment.base, alignment.new
    if base.untrained or new.untrained:
        yield "The backbone's weights are untrained: the numbers show that the road works, and nothing of a method."
    if base.digest == new.digest:
        yield "Both runs have one identity: a run is compared with itself, or with its repetition."
    for each in differences:
        if each.field.partition(".")[0] in {"seeds", "suite", "plan", "backbone"}:
            yield f"Compared although {each.field} differs ({each.base} / {each.new})."
    yield from _few(len({pair.song for pair in alignment.pairs}), metrics)
    if gate.source is None:
        yield f"No gate file: decided by the default gate, {_joined([metric.name for metric in gate.metrics])}."
    yield from _calibrated(gate)


def _few(songs: int, metrics: Sequence[MetricComparison]) -> Iterator[str]:
    if songs == 1:
        yield "Only 1 song: nothing can be told apart."
        return
    by_t = [metric.name for metric in metrics if metric.gated and not metric.corpus and metric.p_method == "t"]
    if by_t:
        yield (
            f"{counted(songs, 'song')}: too few for sign flips, so p of {_joined(by_t)} is by t test, which takes "
            "the songs' means for normal."
        )
    if songs < FEW_SONGS:
        yield f"Only {songs} songs: the bootstrap's intervals are too narrow; verdicts rest on t intervals."


def _calibrated(gate: Gate) -> Iterator[str]:
    if gate.calibration is None:
        yield "How often this gate raises a false alarm was not measured: timbrebench calibrate does that."
    elif gate.calibration_stale:
        yield f"The calibration does not speak for this comparison: {gate.calibration_stale}."
    elif not gate.calibration.trusted:
        yield f"This gate raises false alarms more often than its alpha of {gate.alpha:g}."


def _decisive(undecided_metrics: Sequence[MetricComparison]) -> str:
    """What would decide all that are open."""
    wanted = [metric.needed for metric in undecided_metrics]
    songs = [each.songs for each in wanted if each is not None and each.songs is not None]
    if songs and len(songs) == len(wanted):
        return f"about {max(songs):,} songs would decide"
    return "; ".join(f"{metric.name}: {decisive(metric)}" for metric in undecided_metrics)


def _moved(metric: MetricComparison) -> str:
    """``dpd +12.1 [+4.0, +20.2] cents``."""
    return f"{metric.name} {change(metric, decimals(metric))} {metric.unit}".rstrip()


def _first_reason(verdict: Verdict, gated: Sequence[MetricComparison]) -> str:
    found = next(metric for metric in gated if metric.verdict == verdict)
    return f"{verdict}: {found.name}: {found.reason}"


def _joined(parts: Sequence[str]) -> str:
    shown = list(parts[:_SHOWN])
    return ", ".join(shown) + (f" and {len(parts) - _SHOWN} more" if len(parts) > _SHOWN else "")
