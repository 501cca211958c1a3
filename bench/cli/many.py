"""Several methods on one suite: run one after the other, then scored together and put into one table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bench.cli import report, run, score
from bench.cli.output import Output
from bench.errors import BenchError, IncompleteError

if TYPE_CHECKING:
    from bench.method import Method
    from bench.runner.spec import RunSpec


def execute(out: Output, work: Sequence[tuple[RunSpec, Method.Config]], site: Path, metrics: str = "default") -> None:
    """Run every spec, score what there is, and write one report. A method that fails does not stop the others.

    Raises:
        IncompleteError: at the end, if a method failed or left edits out; it names them all.
    """
    failures: list[str] = []
    there: list[Path] = []
    for number, (spec, config) in enumerate(work, start=1):
        name = spec.label or spec.method_class().name
        out.say(f"[{number} of {len(work)}] {name}")
        try:
            run.execute(out, spec, config)
        except BenchError as error:
            failures.append(f"{name}: {error.cause}")
            out.say(f"{name}: {error.cause} ({error.remedy})")
        if (spec.out / "run.json").is_file():
            there.append(spec.out)
    if there:
        score.execute(out, there, metrics)
        report.execute(out, there, site)
    if failures:
        raise IncompleteError(
            f"{len(failures)} of {len(work)} methods did not finish",
            where="; ".join(failures),
            remedy="The same command tries again what is missing.",
            code="methods-incomplete",
        )
