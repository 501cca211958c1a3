"""`timbrebench score`: measure what runs made."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated, Any

import typer

from bench.cli import metric_sets
from bench.cli.output import Output, output
from bench.cli.tracking import counted
from bench.errors import IncompleteError


def score(
    context: typer.Context,
    runs: Annotated[list[Path], typer.Argument(help="run directories", metavar="RUN...")],
    metrics: Annotated[
        str, typer.Option(help="default, ci, paper, polyphonia, mi-inpainting, all, or names with commas between")
    ] = "default",
    jobs: Annotated[int, typer.Option(min=0, help="processes; 0 is one a core")] = 0,
    device: Annotated[str, typer.Option(help="of the embedders: auto, cpu, cuda, cuda:1, mps")] = "auto",
    trust_checkpoint: Annotated[
        str | None, typer.Option(help="sha256 of a checkpoint that may be unpickled", metavar="SHA256")
    ] = None,
) -> None:
    """Score runs. Values that are there already, for the same audio and metric identity, are kept."""
    if trust_checkpoint:
        os.environ["TIMBREBENCH_TRUST_CHECKPOINT"] = trust_checkpoint
    execute(output(context), runs, metrics, jobs, device)


def execute(out: Output, runs: list[Path], metrics: str = "default", jobs: int = 0, device: str = "auto") -> None:
    """Score runs and tell what came out.

    Raises:
        IncompleteError: if no run has a single value.
    """
    wanted = metric_sets.targets(metrics)
    runs = list({run.resolve(): run for run in runs}.values())  # `out/* out/mine` is each run once
    from bench import checkpoints
    from bench.runner.run import resolve_devices
    from bench.runner.scoring import score as score_runs

    embeds = any("|" in target for target in wanted)
    on = resolve_devices(device)[0] if embeds else "cpu"
    with checkpoints.progress(out.track), counted(out.track, "edits measured") as heard:
        summaries = score_runs(runs, wanted, jobs=jobs, device=on, heard=heard)
    sets = [json.loads((run / "corpus.json").read_bytes())["metrics"] for run in runs]
    out.give(summaries, *(map(_told, runs, summaries, sets)))
    samples = (metric["n"] for summary in summaries for metric in summary["metrics"])
    if not (any(samples) or any(row["value"] is not None for rows in sets for row in rows)):
        raise IncompleteError(
            "no metric has a value", where=", ".join(map(str, runs)), remedy="Run the method first: timbrebench run …"
        )


def _told(path: Path, summary: dict[str, Any], sets: list[dict[str, Any]]) -> str:
    plan, samples = summary["plan"], summary["metrics"]
    missing = sum(sum(metric["missing"].values()) for metric in samples) + sum(row["value"] is None for row in sets)
    lost = f", {missing} values missing (with reasons)" if missing else ""
    scored = f"{plan['generated']} of {plan['expected']} edits scored"
    return f"{summary['label']}: {scored}, {len(samples) + len(sets)} metrics{lost} -> {path}"
