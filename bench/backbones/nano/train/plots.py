"""The log of a training as a picture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bench.backbones.nano.train.loop import LOG
from bench.errors import DataError

_ASIDE = ("step", "seconds", "rate")
_SMOOTHED = 20


def plot_log(folder: Path) -> tuple[dict[str, Any], Path]:
    """Draw all that a training logged against its steps; the last line of the log, and the picture's path.

    Raises:
        DataError: if there is no log.
    """
    from matplotlib.figure import Figure

    path = folder / LOG
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.is_file() else []
    if not lines:
        raise DataError(
            "this training has logged nothing",
            where=str(path),
            remedy="Train for more steps than there are between two lines of the log.",
            code="nano/no-log",
        )
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.add_subplot(xlabel="step", yscale="log", title=folder.name)
    for name in dict.fromkeys(key for line in lines for key in line if key not in _ASIDE):
        points = [(line["step"], line[name]) for line in lines if isinstance(line.get(name), int | float)]
        steps, values = [step for step, _ in points], _running_mean([value for _, value in points])
        axes.plot(steps, values, label=name, linewidth=1)
    axes.legend(frameon=False, fontsize="small")
    out = folder / "log.png"
    figure.savefig(out, dpi=150)
    return lines[-1], out


def _running_mean(values: list[float]) -> list[float]:
    """Means of the last few values up to each."""
    ends = range(1, len(values) + 1)
    return [sum(values[max(0, end - _SMOOTHED) : end]) / min(end, _SMOOTHED) for end in ends]
