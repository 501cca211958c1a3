"""Target alignment against preservation: the two things an edit must do, and what can be had of each.

Up and right is always better, whichever way a metric counts. Dashed lines are ceilings, drawn from the controls that
the section has: nothing keeps more than the untouched source (`copy-source`), and no method that edits in a codec's
latents keeps more than the codec's round trip (`codec`). A true edit has the alignment 1 with itself by definition of
`clap-true-edit`, and the distance 0 by that of `true-edit-logmel`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reports import cells
from reports.axes import sides
from reports.load import Estimate
from reports.model import Column, Row, Section
from reports.plots.draw import COLOURS, INK, RAIL, SOFT, Plot, drawn, text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CEILINGS = {"copy-source": "untouched source", "codec": "codec round trip"}
TRUE_EDIT = {"clap-true-edit": 1.0, "true-edit-logmel": 0.0}
_MARKERS = {"method": "o", "baseline": "s", "control": "x"}
_MARKER_CYCLE = ("o", "s", "^", "D", "v", "P", "<", ">")


@dataclass(frozen=True)
class Point:
    """A system in the plane: x is preservation, y is alignment, each with its interval or None."""

    label: str
    role: str
    x: float
    y: float
    x_span: tuple[float, float] | None
    y_span: tuple[float, float] | None


@dataclass(frozen=True)
class Ceiling:
    """The best that can be had on an axis, and who has it."""

    axis: str
    value: float
    label: str


@dataclass(frozen=True)
class Tradeoff:
    """What is drawn, before it is drawn. `alignment`, `preservation`: the columns of y and x."""

    alignment: Column
    preservation: Column
    points: tuple[Point, ...]
    ceilings: tuple[Ceiling, ...]


def tradeoff(section: Section) -> Tradeoff | None:
    """The plane of a section; None if a side was not measured, or fewer than two methods or baselines have both."""
    filled = [c for n, c in enumerate(section.columns) if any(row.cells[n].filled for row in section.rows)]
    found = sides(filled)
    if found is None:
        return None
    alignment, preservation = found
    x, y = section.columns.index(preservation), section.columns.index(alignment)
    points = tuple(p for row in section.rows if (p := _point(row, x, y)) is not None)
    if sum(point.role != "control" for point in points) < 2:
        return None
    return Tradeoff(alignment, preservation, points, tuple(_ceilings(section, alignment, preservation)))


def plot(section: Section, number: int) -> Plot | None:
    """The trade-off of a section as a picture, or None as `tradeoff`. `number`: of the section, for the file's name."""
    plane = tradeoff(section)
    if plane is None:
        return None
    title = (
        f"{section.suite}: target alignment ({plane.alignment.heading}) against preservation "
        f"({plane.preservation.heading}), better is up and right"
    )
    return drawn(f"tradeoff-{number}", title, lambda: _figure(plane, section))


def _point(row: Row, x: int, y: int) -> Point | None:
    across, up = row.cells[x].estimate, row.cells[y].estimate
    if across is None or up is None or across.mean is None or up.mean is None:
        return None
    label = f"{row.label} {row.mark}".rstrip()
    return Point(label, row.role, across.mean, up.mean, _span(across), _span(up))


def _span(estimate: Estimate) -> tuple[float, float] | None:
    return None if estimate.low is None or estimate.high is None else (estimate.low, estimate.high)


def _ceilings(section: Section, alignment: Column, preservation: Column) -> Iterator[Ceiling]:
    place = section.columns.index(preservation)
    for row in section.rows:
        estimate = row.cells[place].estimate
        name = CEILINGS.get(row.method.partition("@")[0])
        if row.role == "control" and name and estimate is not None and estimate.mean is not None:
            yield Ceiling("x", estimate.mean, f"{name}: {cells.number(estimate.mean, preservation)}")
    best = TRUE_EDIT.get(alignment.name.partition(":")[0])
    if best is not None:
        yield Ceiling("y", best, f"true edit: {cells.number(best, alignment)}")


# -- drawing --------------------------------------------------------------------------------------------------


def _figure(plane: Tradeoff, section: Section) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.6), layout="constrained")
    axes = figure.add_subplot()
    systems = 0
    for point in plane.points:
        _draw(axes, point, systems)
        systems += point.role != "control"
    for ceiling in plane.ceilings:
        _draw_ceiling(axes, ceiling)
    _label_axes(axes, plane)
    axes.set_title(text(section.suite), loc="left", fontsize=9, color=SOFT, parse_math=False)
    legend = axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), frameon=False, fontsize=8)
    for entry in legend.get_texts():
        entry.set_parse_math(False)
    return figure


def _draw(axes: Axes, point: Point, number: int) -> None:
    control = point.role == "control"
    style: dict[str, Any] = {
        "fmt": "x" if control else _MARKER_CYCLE[number % len(_MARKER_CYCLE)],
        "color": SOFT if control else COLOURS[number % len(COLOURS)],
        "markersize": 6,
        "markerfacecolor": None if point.role == "method" else "white",
        "elinewidth": 1.1,
        "capsize": 0,
        "zorder": 2 if control else 3,
    }
    # A label that begins with an underscore would be left out of the legend; a word joiner before it is not seen.
    label = text(point.label)
    label = f"\u2060{label}" if label.startswith("_") else label
    axes.errorbar(
        point.x, point.y, xerr=_error(point.x, point.x_span), yerr=_error(point.y, point.y_span), label=label, **style
    )


def _error(mean: float, span: tuple[float, float] | None) -> list[list[float]] | None:
    """Lengths below and above; a bootstrap interval need not hold the mean, and a length cannot be negative."""
    return None if span is None else [[max(mean - span[0], 0.0)], [max(span[1] - mean, 0.0)]]


def _draw_ceiling(axes: Axes, ceiling: Ceiling) -> None:
    line: dict[str, Any] = {"color": RAIL, "linestyle": (0, (5, 3)), "linewidth": 1.2, "zorder": 1}
    words: dict[str, Any] = {"color": SOFT, "fontsize": 7.5, "va": "top", "parse_math": False}
    if ceiling.axis == "x":
        axes.axvline(ceiling.value, **line)
        words |= {"xy": (ceiling.value, 0.99), "xycoords": ("data", "axes fraction"), "ha": "right", "rotation": 90}
    else:
        axes.axhline(ceiling.value, **line)
        words |= {"xy": (0.01, ceiling.value), "xycoords": ("axes fraction", "data"), "ha": "left"}
    axes.annotate(text(ceiling.label), **words)


def _label_axes(axes: Axes, plane: Tradeoff) -> None:
    axes.set_xlabel(_axis("preservation", plane.preservation), parse_math=False)
    axes.set_ylabel(_axis("target alignment", plane.alignment), parse_math=False)
    axes.grid(color=RAIL, linewidth=0.5, alpha=0.6)
    axes.tick_params(colors=INK, length=0)
    axes.margins(0.12)
    if plane.preservation.direction == "lower":
        axes.invert_xaxis()
    if plane.alignment.direction == "lower":
        axes.invert_yaxis()


def _axis(side: str, column: Column) -> str:
    unit = f", {column.unit}" if column.unit else ""
    return f"{side}: {text(column.heading)}{text(unit)} ({column.direction} is better)"
