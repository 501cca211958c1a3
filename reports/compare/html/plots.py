"""A difference as a picture: its interval against zero and against the smallest difference that matters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reports.compare.model import Breakdown, GroupDelta, MetricComparison

_MIDDLE = 50.0
_REACH = 46.0
"""From the middle to the end of the axis, in percent of the picture."""


@dataclass(frozen=True)
class Plot:
    """Positions in percent of the width; zero is in the middle.

    Attributes:
        at, low, high: the difference and its interval; the ends are None where there are too few songs for one.
        worse: start and width of the part where the difference would be worse by no less than matters; None if nobody
            knows how much that is.
    """

    at: float
    low: float | None
    high: float | None
    worse: tuple[float, float] | None


def of_metric(metric: MetricComparison) -> Plot | None:
    """The picture of a metric, which fills its axis; None where there is no difference."""
    if metric.difference is None:
        return None
    return _plot((metric.difference, metric.low, metric.high), metric, [metric.difference, metric.low, metric.high])


def of_group(group: GroupDelta, breakdown: Breakdown, metric: MetricComparison) -> Plot:
    """The picture of a group, on one axis with the others of its breakdown."""
    shared = [end for each in breakdown.groups for end in (each.difference, each.low, each.high)]
    return _plot((group.difference, group.low, group.high), metric, shared)


def _plot(
    values: tuple[float, float | None, float | None], metric: MetricComparison, shared: Sequence[float | None]
) -> Plot:
    smallest = metric.smallest_effect
    furthest = max((abs(value) for value in [*shared, smallest] if value is not None), default=0.0) or 1.0

    def place(value: float) -> float:
        return round(_MIDDLE + _REACH * value / furthest, 2)

    difference, low, high = values
    worse = None
    if smallest is not None:
        edge = place(smallest if metric.direction == "lower" else -smallest)
        worse = (edge, round(100 - edge, 2)) if metric.direction == "lower" else (0.0, edge)
    return Plot(place(difference), None if low is None else place(low), None if high is None else place(high), worse)
