"""`timbrebench list`: what there is, by kind. Imports nothing of it, except with `--long`."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated, Any

import typer
from rich.table import Table

from bench.cli import catalogue
from bench.cli.output import output
from bench.errors import UnknownNameError, did_you_mean

COUNTS = ("rows/source", "rows/task", "backward")
KINDS = ("methods", "suites", "metrics", "embedders", "backbones")


def list_(
    context: typer.Context,
    kind: Annotated[
        str | None, typer.Argument(help="methods, suites, metrics, embedders or backbones; all if not given")
    ] = None,
    long: Annotated[bool, typer.Option("--long", help="methods with needs, cost and status (imports them)")] = False,
) -> None:
    """List methods, suites, metrics, embedders and backbones, plug-ins included."""
    if long:
        output(context).give(*_methods())
        return
    if kind is not None and kind not in KINDS:
        raise UnknownNameError(f"there is no kind '{kind}'", remedy=did_you_mean(kind, KINDS))
    found = {name: getattr(catalogue, name)().entries() for name in ([kind] if kind else KINDS)}
    tables = []
    for name, entries in found.items():
        table = Table(title=name, title_justify="left", title_style="bold", box=None, pad_edge=False, show_header=False)
        table.add_column("name", no_wrap=True, style="cyan")
        table.add_column("summary")
        for entry in entries:
            table.add_row(entry.name, entry.summary)
        tables += [table, ""]
    rows = {
        name: [{"name": e.name, "summary": e.summary, "target": e.target, "origin": e.origin} for e in entries]
        for name, entries in found.items()
    }
    output(context).give(rows, *tables[:-1])


def _methods() -> tuple[list[dict[str, Any]], Table]:
    """All methods with what they need, what they cost at their defaults, and how they stand to what is published."""
    from bench.errors import BenchError
    from bench.method import Context, Cost, Method
    from bench.suite import Suite

    table = Table(box=None, pad_edge=False)
    for heading in ("method", "role", "needs", "rows/source", "rows/task", "backward", "status"):
        table.add_column(heading, no_wrap=heading == "method", justify="right" if heading in COUNTS else "left")
    rows = []
    for entry in catalogue.methods().entries():
        kind: type[Method] = catalogue.methods().get(entry.name)
        cost: Cost | None = None
        with suppress(BenchError, ValueError):  # one with knobs without a default has no cost until they are given
            cost = kind(kind.Config(), Context("cpu", Suite("none", 1, {}, {}, ()))).cost()
        status = kind.status or ("control" if kind.role == "control" else "as published")
        row = {
            "name": entry.name,
            "role": kind.role,
            "needs": sorted(kind.needs),
            "rows_per_source": cost and cost.prepare,
            "rows_per_task": cost and cost.edit,
            "backward_rows_per_task": cost and cost.backward,
            "status": status,
            "presets": sorted(kind.presets),
        }
        rows.append(row)
        numbers = [f"{cost.prepare:,}", f"{cost.edit:,}", f"{cost.backward or ''}"] if cost else [""] * len(COUNTS)
        table.add_row(entry.name, kind.role, ", ".join(sorted(kind.needs)), *numbers, status)
    return rows, table
