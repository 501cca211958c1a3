"""`timbrebench calibrate`: how often does a gate raise a false alarm?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.compare import declared, effects
from bench.cli.output import Output, output

if TYPE_CHECKING:
    from collections import Counter

    from reports.calibrate import Calibrated
    from reports.compare.model import Calibration, Verdict


def calibrate(
    context: typer.Context,
    runs: Annotated[
        list[Path], typer.Argument(help="scored runs of one method, equal but for their seeds", metavar="RUN RUN...")
    ],
    gate: Annotated[Path, typer.Option(help="gate file to write the result into; made if it is not there")],
    comparisons: Annotated[int, typer.Option(min=200, help="comparisons to simulate")] = 1_000,
    seed: Annotated[int, typer.Option(min=0, help="of the simulation")] = 0,
) -> None:
    """Measure a gate's false-alarm rate on runs of one code (A/A). Exit code 1 if it is above the gate's alpha."""
    raise typer.Exit(execute(output(context), runs, gate, comparisons, seed))


def execute(out: Output, runs: list[Path], gate: Path, comparisons: int, seed: int) -> int:
    """Calibrate, write, tell; returns the exit code."""
    from reports.calibrate import calibrate as calibrated
    from reports.compare.gate import default, write_calibration
    from reports.load import load

    loaded = [load(run) for run in runs]
    known = declared(gate) if gate.exists() else None
    found = calibrated(loaded, known, effects(loaded), comparisons=comparisons, seed=seed)
    write_calibration(gate, found.calibration, known.file if known else default(*loaded[:2]))
    facts = {"gate": str(gate), "calibration": found.calibration.model_dump(mode="json")}
    verdicts = {"pairs": _counts(found.pairs), "simulated": _counts(found.simulated)}
    out.give({**facts, "verdicts": verdicts}, *_told(found), f"written into {gate}")
    return 0 if found.calibration.trusted else 1


def _told(found: Calibrated) -> list[str]:
    calibration = found.calibration
    lines = [
        f"{calibration.method} on {calibration.suite}: {calibration.runs} runs, {calibration.songs} songs",
        f"false alarms: {_share(calibration)} of {calibration.comparisons:,} simulated comparisons "
        f"({calibration.regressed:,} REGRESSED, {calibration.alarms - calibration.regressed:,} IMPROVED)",
        f"whole runs:   {calibration.pair_alarms} of {calibration.pairs} comparisons",
    ]
    if not calibration.trusted:
        lines.append(
            f"This gate raises false alarms more often than its alpha of {calibration.alpha:g}: do not use it."
        )
    return lines


def _share(calibration: Calibration) -> str:
    return f"{calibration.rate:.1%}, 95 % interval [{calibration.low:.1%}, {calibration.high:.1%}],"


def _counts(verdicts: Counter[Verdict]) -> dict[str, int]:
    return {str(verdict): number for verdict, number in sorted(verdicts.items())}
