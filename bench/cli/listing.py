"""`timbrebench list`: what there is, by kind. Imports nothing of it."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from bench.cli import catalogue
from bench.cli.output import output
from bench.errors import UnknownNameError, did_you_mean

KINDS = ("methods", "suites", "metrics", "backbones")


def list_(
    context: typer.Context,
    kind: Annotated[str | None, typer.Argument(help="methods, suites, metrics or backbones; all if not given")] = None,
) -> None:
    """List methods, suites, metrics and backbones, plug-ins included."""
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
