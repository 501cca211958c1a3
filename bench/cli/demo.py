"""`timbrebench demo`: the whole road on the embedded default, in one command.

It is the four verbs in a row (`tasks build`, `run`, `score`, `report`) on the `synth` suite and the `nano`
backbone, with short excerpts and few steps; each command is printed as one would type it. Interrupted, it goes
on where it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from bench.cli import catalogue, report, run, score
from bench.cli.output import output
from bench.cli.tasks import build

SONGS, EDITS, SECONDS = "8", "2", "5"  # rather more songs than longer ones: songs are what intervals count
METRICS = "ci"

# method → whether it has diffusion steps to cut short
ENTRIES = {
    "polyphonia": True,
    "sdedit": True,
    "copy-source": False,
    "codec": False,
    "true-edit": False,
    "random-clip": False,
    "silence": False,
}


def demo(
    context: typer.Context,
    out: Annotated[Path, typer.Option(help="folder for the runs and the page")] = Path("out/demo"),
    steps: Annotated[int, typer.Option(min=2, help="diffusion steps; the published methods use 100 and 200")] = 20,
    device: Annotated[str, typer.Option(help="as in `run`")] = "auto",
) -> None:
    """Run the whole road on the embedded default: tasks, runs, scores, a table and a page to listen to."""
    from bench.runner.run import resolve_devices
    from bench.runner.spec import RunSpec, needs_backbone, parse_config
    from bench.suite import Suite

    out_ = output(context)
    file = out / "tasks.jsonl"
    out_.say(f"$ timbrebench tasks build synth:{SONGS} --edits {EDITS} --duration-s {SECONDS} --out {file}")
    build.execute(out_, f"synth:{SONGS}", {"edits": EDITS, "duration_s": SECONDS}, file)
    suite, devices = Suite.read(file), resolve_devices(device)
    runs: list[Path] = []
    for name, stepped in ENTRIES.items():
        method = catalogue.methods().get(name)
        settings = [f"steps={steps}"] if stepped else []
        folder = out / name
        out_.say(f"$ timbrebench run --tasks {file} --method {name}{_words(settings)} --out {folder}")
        spec = RunSpec(
            method=catalogue.methods().entry(name).target,
            suite=suite,
            out=folder,
            backbone=catalogue.backbones().entry("nano").target if needs_backbone(method) else None,
            devices=devices,
        )
        run.execute(out_, spec, parse_config(method, settings))
        runs.append(folder)
    out_.say(f"$ timbrebench score {' '.join(map(str, runs))} --metrics {METRICS}")
    score.execute(out_, runs, METRICS)
    site = out / "site"
    out_.say(f"$ timbrebench report {' '.join(map(str, runs))} --out {site}")
    report.execute(out_, runs, site)


def _words(settings: Sequence[str]) -> str:
    return "".join(f" --set {setting}" for setting in settings)
