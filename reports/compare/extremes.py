"""The edits that lost most and won most, and the groups of tasks by how much they did."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from bench.stats.clusters import cluster_sums
from bench.stats.paired import t_test
from reports.compare.align import Alignment, Pair, Values
from reports.compare.measured import Measured
from reports.compare.model import Breakdown, GroupDelta, PairDelta, ValueDelta
from reports.groups import Grouping, group

MOST = 10
SPLITS = ("stem", "source-instrument", "target-instrument", "flag")


def breakdowns(alignment: Alignment, metrics: Sequence[Measured]) -> Iterator[Breakdown]:
    """The gate's sample metrics, each taken apart by all that tells its tasks apart."""
    groupings = [group(alignment.base.tasks.values(), by) for by in SPLITS]
    for metric in metrics:
        if metric.gated and metric.values is not None and metric.stopped is None:
            for grouping in groupings:
                if len(grouping.groups) > 1:
                    yield _breakdown(metric, metric.values, grouping)


def worst_and_best(
    alignment: Alignment, metrics: Sequence[Measured]
) -> tuple[tuple[PairDelta, ...], tuple[PairDelta, ...]]:
    """The pairs that lost most and those that won most, by the metrics of the gate (by all, if none has pairs)."""
    sampled = [metric for metric in metrics if metric.values is not None and metric.values.pairs]
    ranking = [metric for metric in sampled if metric.gated] or sampled
    gains = _gains(alignment, ranking)
    if not gains.size:
        return (), ()
    measured = ~np.isnan(gains).all(axis=1)
    total = np.full(len(gains), 0.0)
    total[measured] = np.nanmean(gains[measured], axis=1)
    order = sorted(range(len(gains)), key=lambda place: (total[place], alignment.pairs[place].task))
    shown = sorted(sampled, key=lambda metric: not metric.gated)

    def told(place: int) -> PairDelta:
        leading = int(np.nanargmax(gains[place] * np.sign(total[place])))
        return _pair(alignment, shown, place, float(total[place]), ranking[leading].shown.name)

    worst = tuple(told(place) for place in order[:MOST] if total[place] < 0)
    return worst, tuple(told(place) for place in order[::-1][:MOST] if total[place] > 0)


def _breakdown(metric: Measured, values: Values, grouping: Grouping) -> Breakdown:
    found = []
    for part in grouping.groups:
        places = [place for place, pair in enumerate(values.pairs) if pair.task in part.tasks]
        if places:
            found.append(_group(part.name, values, places))
    sign = 1.0 if metric.shown.direction == "higher" else -1.0
    return Breakdown(
        by=grouping.by,
        title=grouping.title,
        metric=metric.shown.name,
        unit=metric.shown.unit,
        direction=metric.shown.direction,
        groups=tuple(sorted(found, key=lambda each: (sign * each.difference, each.name))),
    )


def _group(name: str, values: Values, places: Sequence[int]) -> GroupDelta:
    base, new = values.base[list(places)], values.new[list(places)]
    sample = cluster_sums(new - base, [values.pairs[place].song for place in places])
    test = t_test(sample.sums, sample.counts)
    return GroupDelta(
        name=name, n=sample.n, songs=test.clusters, base_mean=float(base.mean()), new_mean=float(new.mean()),
        difference=test.mean, low=test.low, high=test.high,
    )  # fmt: skip


def _gains(alignment: Alignment, metrics: Sequence[Measured]) -> npt.NDArray[np.float64]:
    """The gain of every pair in each metric, in units of the metric's spread; NaN where there is none: (pairs, m)."""
    columns = []
    for metric in metrics:
        assert metric.values is not None
        column = np.array([_difference(*cells) for cells in metric.values.cells], np.float64)
        spread = float(np.sqrt(np.mean(np.square(metric.values.differences))))
        sign = 1.0 if metric.shown.direction == "higher" else -1.0
        columns.append(sign * column / (spread or 1.0))
    return np.stack(columns, axis=1) if columns and alignment.pairs else np.empty((0, 0))


def _difference(base: tuple[float | None, str | None], new: tuple[float | None, str | None]) -> float:
    return np.nan if base[0] is None or new[0] is None else new[0] - base[0]


def _pair(alignment: Alignment, metrics: Sequence[Measured], place: int, gain: float, leading: str) -> PairDelta:
    pair = alignment.pairs[place]
    values = [_value(metric, place) for metric in metrics]
    return PairDelta(
        task=pair.task, song=pair.song, stem=pair.stem, seed=pair.seed, new_seed=pair.new_seed, gain=gain,
        metric=leading, values=tuple(values), **_audio(alignment, pair),
    )  # fmt: skip


def _audio(alignment: Alignment, pair: Pair) -> dict[str, str | None]:
    base, new = alignment.base.outcomes, alignment.new.outcomes
    return {
        "base_audio": base[pair.task, pair.seed].audio,
        "new_audio": new[pair.task, pair.new_seed].audio,
    }


def _value(metric: Measured, place: int) -> ValueDelta:
    assert metric.values is not None
    (old, _), (now, _) = metric.values.cells[place]
    shown = metric.shown
    return ValueDelta(
        metric=shown.name,
        unit=shown.unit,
        direction=shown.direction,
        base=old,
        new=now,
        difference=None if old is None or now is None else now - old,
    )
