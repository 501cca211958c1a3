"""`timbrebench tasks fetch`: what can be downloaded of a suite's data."""

from __future__ import annotations

from typing import Annotated

import typer

from bench.cli.output import output


def fetch(
    context: typer.Context,
    suite: Annotated[str, typer.Argument(help="name of the suite")],
    from_: Annotated[
        str | None, typer.Option("--from", help="folder, archive or URL; default: where the data are published")
    ] = None,
) -> None:
    """Download what a suite needs and may be passed on, verified, into the cache.

    Audio that has to be asked for, or bought, is not fetched: `timbrebench doctor` says where to get it.
    """
    from bench.cli.selection import find_builder

    out = output(context)
    builder, _ = find_builder(suite)
    folder = builder.fetch(from_, out.track)
    following = f"timbrebench tasks build {suite} --out tasks.jsonl"
    out.give(
        {"suite": builder.name, "folder": str(folder), "next": following},
        f"{builder.name}: fetched and verified, in {folder}",
        f"next: {following}",
    )
