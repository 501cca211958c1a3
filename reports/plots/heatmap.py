"""Heat maps: how each system does with each instrument, one metric a picture.

A column of the map is a group of a split (`--split target-instrument`), with its number of tasks; colours run from the
worst to the best mean of the map. A cell without a value is hatched, never coloured.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from reports import cells
from reports.axes import sides
from reports.model import Cell, Column, Section, Split
from reports.plots.draw import INK, SOFT, Plot, drawn, text

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SPLITS = ("target-instrument", "source-instrument", "stem")
"""The splits that are drawn."""

MOST_GROUPS = 24
"""The largest groups; a map of more cannot be read."""


@dataclass(frozen=True)
class Heatmap:
    """What is drawn, before it is drawn. `means`: rows of systems, columns of groups, None where there is no value."""

    column: Column
    title: str
    systems: tuple[str, ...]
    groups: tuple[str, ...]
    means: tuple[tuple[float | None, ...], ...]
    left_out: int


def heatmaps(split: Split) -> tuple[Heatmap, ...]:
    """A map for each side of the trade-off (`reports.axes`) that a split has values of."""
    filled = [c for n, c in enumerate(split.columns) if any(row.cells[n].filled for row in split.rows)]
    return tuple(_heatmap(split, column) for column in sides(filled) or ())


def plots(section: Section, number: int) -> Iterator[Plot]:
    """The maps of a section's splits as pictures. `number`: of the section, for the files' names."""
    for split in section.splits:
        if split.by in SPLITS:
            for place, heatmap in enumerate(heatmaps(split), start=1):
                yield drawn(f"heatmap-{number}-{split.by}-{place}", heatmap.title, partial(_figure, heatmap))


def _heatmap(split: Split, column: Column) -> Heatmap:
    place = split.columns.index(column)
    largest = sorted(split.groups, key=lambda group: -group.tasks)[:MOST_GROUPS]
    shown = [group for group in split.groups if group in largest]
    systems = [f"{row.label} {row.mark}".rstrip() for row in shown[0].rows]
    means = (tuple(_mean(group.rows[number].cells[place]) for group in shown) for number in range(len(systems)))
    return Heatmap(
        column=column,
        title=f"{split.title}: {column.heading} {cells.direction(column)}",
        systems=tuple(systems),
        groups=tuple(f"{group.name} ({group.tasks})" for group in shown),
        means=tuple(means),
        left_out=len(split.groups) - len(shown),
    )


def _mean(cell: Cell) -> float | None:
    return None if cell.estimate is None else cell.estimate.mean


def _figure(heatmap: Heatmap) -> Figure:
    import numpy as np
    from matplotlib.figure import Figure

    rows, columns = len(heatmap.systems), len(heatmap.groups)
    figure = Figure(figsize=(2.6 + 0.62 * columns, 1.6 + 0.34 * rows), layout="constrained")
    axes = figure.add_subplot()
    table = np.array([[np.nan if mean is None else mean for mean in line] for line in heatmap.means], np.float64)
    # Viridis falls off evenly in grey too; dark is always worse.
    colours = "viridis" if heatmap.column.direction == "higher" else "viridis_r"
    image = axes.imshow(table, cmap=colours, aspect="auto")
    axes.patch.set(hatch="////", facecolor="white", edgecolor="#d0d5dd")
    _label(axes, heatmap)
    drawn_in = image.to_rgba(table)
    for row, line in enumerate(heatmap.means):
        for place, mean in enumerate(line):
            words = cells.NOTHING if mean is None else cells.number(mean, heatmap.column)
            ink = INK if mean is None else _ink(drawn_in[row, place])
            axes.text(place, row, words, ha="center", va="center", fontsize=7, color=ink)
    left = f"; {heatmap.left_out} smaller groups not shown" if heatmap.left_out else ""
    axes.set_title(text(heatmap.title) + left, loc="left", fontsize=9, color=SOFT, parse_math=False)
    figure.colorbar(image, ax=axes, fraction=0.03, pad=0.02)
    return figure


def _label(axes: Axes, heatmap: Heatmap) -> None:
    axes.set_xticks(range(len(heatmap.groups)), [text(g) for g in heatmap.groups], rotation=40, ha="right")
    axes.set_yticks(range(len(heatmap.systems)), [text(s) for s in heatmap.systems])
    for label in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        label.set(parse_math=False, color=INK)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _ink(colour: npt.NDArray[np.float64]) -> str:
    """Black or white, whichever can be read on a colour (relative luminance, Rec. 709)."""
    red, green, blue = colour[:3]
    return "black" if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.45 else "white"
