"""How plots are drawn: the same file for the same table, and no name in it read as a formula.

matplotlib writes the date and random ids into SVG files, takes `$…$` for mathematics and looks for system settings; all
of that is turned off here. Text stays text in SVG, so that it can be searched and read aloud.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reports.escape import clean

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DPI = 160
INK, SOFT, RAIL = "#1d2230", "#667085", "#d0d5dd"
COLOURS = ("#3b5bdb", "#c2410c", "#0f766e", "#a21caf", "#b45309", "#4d7c0f", "#be123c", "#0369a1")
"""Of systems, in their order; legible on white, told apart by marker too."""

_STYLE: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9.0,
    "svg.fonttype": "none",
    "svg.hashsalt": "timbrebench",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": SOFT,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
}
_LONGEST = 40


@dataclass(frozen=True)
class Plot:
    """A plot. `name`: for its files. `title`: in words, for who cannot see it too."""

    name: str
    title: str
    svg: bytes
    png: bytes


def drawn(name: str, title: str, draw: Callable[[], Figure]) -> Plot:
    """A plot from what draws it.

    Args:
        name: for its files.
        title: in words.
        draw: makes the figure; called once, under this project's settings and no others.
    """
    from matplotlib import rc_context, rcParamsDefault

    plain = {key: value for key, value in rcParamsDefault.items() if "backend" not in key}
    with rc_context({**plain, **_STYLE}), warnings.catch_warnings():
        # Names in scripts that the font lacks are no reason for a warning: SVG keeps them as text.
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        figure = draw()
        return Plot(name, title, _saved(figure, "svg"), _saved(figure, "png"))


def text(name: str) -> str:
    """A name as one line of plain text, cut if it is very long."""
    line = clean(name)
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


def _saved(figure: Figure, kind: str) -> bytes:
    buffer = io.BytesIO()
    metadata = {"Date": None, "Creator": None} if kind == "svg" else {"Software": None}
    figure.savefig(buffer, format=kind, dpi=DPI, metadata=metadata)
    return buffer.getvalue()
