"""The figures of the two analyses, as in the paper: channels by mutual information, and accuracy by noise level."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bench.errors import UsageError
from bench.store.atomic import write_bytes
from methods.mi_inpainting.probe import Curve
from methods.mi_inpainting.ranking import Ranking

FORMATS = (".png", ".svg")


def plot_ranking(ranking: Ranking, path: Path) -> None:
    """Channels by falling I_c with intervals (paper, Fig. 1), and the share of the sum in the first of them (Fig. 2).

    Raises:
        UsageError: for another ending than .png or .svg, or a place that cannot be written to.
    """

    def draw(figure: Any) -> None:
        left, right = figure.subplots(1, 2)
        channels = [ranking.channels[number] for number in ranking.order]
        places, values = np.arange(len(channels)), np.array([each.mi for each in channels])
        spread = [[each.mi - each.low for each in channels], [each.high - each.mi for each in channels]]
        left.bar(places, values, color="#4c72b0", label="nearest neighbours")
        left.errorbar(places, values, yerr=np.maximum(0, spread), fmt="none", ecolor="black", capsize=2, linewidth=1)
        left.plot(places, [each.histogram for each in channels], "x", color="#c44e52", label="histogram")
        left.set(xlabel="latent channel", ylabel="I(channel; family) in nats", title=_title(ranking))
        if len(channels) <= 32:
            left.set_xticks(places, [str(each.channel) for each in channels])
        left.legend(frameon=False)
        shares = np.append(0.0, np.cumsum(values) / max(values.sum(), 1e-12))
        right.plot(np.arange(len(shares)) / len(channels), shares, marker="o", markersize=3, color="#4c72b0")
        right.plot([0, 1], [0, 1], linestyle=":", color="grey")
        right.set(xlabel="k, share of channels taken", ylabel="share of the sum of I", xlim=(0, 1), ylim=(0, 1.02))

    _write(path, draw, width=9.0)


def plot_noise_level(curves: list[Curve], chance: float, title: str, path: Path) -> None:
    """Accuracy against σ, one line a set of instruments, with intervals and chance.

    Raises:
        UsageError: as `plot_ranking`.
    """

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        for curve, colour in zip(curves, ("#4c72b0", "#c44e52"), strict=False):
            sigmas = np.array([point.sigma for point in curve.points])
            axes.plot(sigmas, [point.accuracy for point in curve.points], marker="o", color=colour, label=curve.name)
            ends = [(point.low, point.high) for point in curve.points]
            if all(low is not None for low, _ in ends):
                axes.fill_between(sigmas, *np.array(ends, float).T, color=colour, alpha=0.2, linewidth=0)
        axes.axhline(chance, linestyle=":", color="grey", label="chance")
        axes.set_xscale("symlog", linthresh=0.01)  # with a place for σ = 0
        axes.set_xlim(left=0)
        axes.set(xlabel="σ", ylabel="accuracy", ylim=(0, 1.02), title=title)
        axes.legend(
            frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=3
        )  # below: curves are everywhere

    _write(path, draw, width=6.0)


def _title(ranking: Ranking) -> str:
    return f"{ranking.backbone.get('model') or ranking.backbone.get('name')}, {ranking.data.get('name', '')}"


def _write(path: Path, draw: Callable[[Any], None], *, width: float) -> None:
    # The object interface, without pyplot: no display, and no state that outlives the figure.
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    if path.suffix not in FORMATS:
        raise UsageError(
            f"a figure cannot be written as '{path.suffix}'", where=str(path), remedy="End it in .png or .svg."
        )
    buffer = io.BytesIO()
    with rc_context({"svg.hashsalt": "timbrebench"}):  # the same bytes for the same figure
        figure = Figure(figsize=(width, 4.0), dpi=150, layout="constrained")
        draw(figure)
        metadata = {"Date": None} if path.suffix == ".svg" else {"Software": None}
        figure.savefig(buffer, format=path.suffix[1:], metadata=metadata)
    write_bytes(path, buffer.getvalue())
