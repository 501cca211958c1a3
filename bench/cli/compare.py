"""`timbrebench compare`: is the new run worse, better, the same, or can nobody tell?"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli import catalogue
from bench.cli.output import Output, output
from bench.errors import UnknownNameError

if TYPE_CHECKING:
    from reports.compare.compare import Declared
    from reports.load import RunReport


def compare(
    context: typer.Context,
    base: Annotated[Path, typer.Argument(help="scored run directory of what there was")],
    new: Annotated[Path, typer.Argument(help="scored run directory of what shall take its place")],
    gate: Annotated[Path | None, typer.Option(help="YAML file: which metrics decide, and how strictly")] = None,
    allow: Annotated[
        list[str] | None,
        typer.Option(help="a field in which the runs may differ, as seeds or backbone; may be given several times"),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="folder for comparison.json, comparison.md, junit.xml and the page")
    ] = None,
) -> None:
    """Compare two runs, and fail (exit code 1) if the new one is worse. 3: results are missing. 4: not comparable."""
    code = execute(output(context), base, new, gate, allow or [], out)
    raise typer.Exit(code)


def execute(out: Output, base: Path, new: Path, gate: Path | None, allow: list[str], folder: Path | None) -> int:
    """Compare, show, write; returns the exit code."""
    from reports.compare.compare import compare as compared
    from reports.compare.terminal import TerminalComparison
    from reports.compare.write import write
    from reports.load import load

    runs = load(base), load(new)
    found = compared(*runs, declared(gate), allowed=allow, effects=effects(runs))
    files = write(found, *runs, folder) if folder is not None else {}
    told = [f"{kind}: {path}" for kind, path in files.items()]
    out.give(found.as_json(), TerminalComparison(found), *told)
    return found.exit_code


def declared(gate: Path | None) -> Declared | None:
    """The gate of a file, if one is named.

    Raises:
        UsageError: if it cannot be used.
    """
    from reports.compare.compare import Declared
    from reports.compare.gate import read

    return None if gate is None else Declared(read(gate), str(gate))


def effects(runs: Iterable[RunReport]) -> dict[str, float | None]:
    """The smallest effects of interest of the runs' metrics, as the metrics declare them; None for unknown metrics."""
    names = {estimate.name for run in runs for estimate in run.estimates}
    return {name: _smallest(name.partition(":")[0]) for name in sorted(names)}


def _smallest(name: str) -> float | None:
    try:
        return catalogue.metrics().get(name).smallest_effect
    except UnknownNameError:  # of a plug-in that is not installed here
        return None
