"""`timbrebench score`: measure what runs made."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from bench.cli import catalogue
from bench.cli.output import Output, output
from bench.errors import IncompleteError


def score(
    context: typer.Context,
    runs: Annotated[list[Path], typer.Argument(help="run directories", metavar="RUN...")],
    metrics: Annotated[str, typer.Option(help="default, all, or names with commas between")] = "default",
    jobs: Annotated[int, typer.Option(min=0, help="processes; 0 is one a core")] = 0,
) -> None:
    """Score runs. Values that are there already, for the same audio and metric identity, are kept."""
    execute(output(context), runs, metrics, jobs)


def execute(out: Output, runs: list[Path], metrics: str = "default", jobs: int = 0) -> None:
    """Score runs and tell what came out.

    Raises:
        IncompleteError: if no run has a single value.
    """
    targets = metric_targets(metrics)
    from bench.runner.scoring import score as score_runs

    columns = (TextColumn("scoring"), BarColumn(bar_width=28), MofNCompleteColumn(), TimeRemainingColumn(compact=True))
    shown = out.progress.is_terminal and not (out.quiet or out.json)
    with Progress(*columns, console=out.progress, transient=True, disable=not shown) as progress:
        bar = progress.add_task("scoring", total=None)
        summaries = score_runs(
            runs, targets, jobs=jobs, heard=lambda done, total: progress.update(bar, completed=done, total=total)
        )
    out.give(summaries, *(_told(path, summary) for path, summary in zip(runs, summaries, strict=True)))
    if not any(metric["n"] for summary in summaries for metric in summary["metrics"]):
        raise IncompleteError(
            "no metric has a value", where=", ".join(map(str, runs)), remedy="Run the method first: timbrebench run …"
        )


def metric_targets(metrics: str) -> list[str]:
    """The "module:Class" of each metric in a list of names, "default" or "all"."""
    registry = catalogue.metrics()
    if metrics == "default":
        names = list(catalogue.DEFAULT_METRICS)
    elif metrics == "all":
        names = [entry.name for entry in registry.entries()]
    else:
        names = [name.strip() for name in metrics.split(",") if name.strip()]
    return [registry.entry(name).target for name in dict.fromkeys(names)]


def _told(path: Path, summary: dict[str, Any]) -> str:
    plan = summary["plan"]
    missing = sum(sum(metric["missing"].values()) for metric in summary["metrics"])
    lost = f", {missing} values missing (with reasons)" if missing else ""
    scored = f"{plan['generated']} of {plan['expected']} edits scored"
    return f"{summary['label']}: {scored}, {len(summary['metrics'])} metrics{lost} -> {path}"
