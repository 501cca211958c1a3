"""`timbrebench cache`: what is kept between runs, and how to be rid of it."""

from __future__ import annotations

from typing import Annotated

import typer

from bench.cli.output import output

app = typer.Typer(help="The cache of rendered audio and computed features.", no_args_is_help=True)


@app.command("info")
def info(context: typer.Context) -> None:
    """Say where the cache is and how much it holds."""
    from bench.store.cache import Cache

    cache = Cache()
    entries = cache.entries()
    size = cache.size()
    output(context).give(
        {"folder": str(cache.folder), "entries": len(entries), "bytes": size},
        f"{cache.folder}: {len(entries)} entries, {size / 1e6:,.1f} MB",
    )


@app.command("clear")
def clear(
    context: typer.Context,
    yes: Annotated[bool, typer.Option("--yes", help="really delete; else only say what")] = False,
) -> None:
    """Delete the cache. Nothing in it is needed: it is all computed again."""
    from bench.store.cache import Cache

    cache = Cache()
    entries, size = len(cache.entries()), cache.size()
    if yes:
        cache.clear()
    verb = "deleted" if yes else "would delete (add --yes)"
    output(context).give(
        {"folder": str(cache.folder), "entries": entries, "bytes": size, "deleted": yes},
        f"{verb}: {entries} entries, {size / 1e6:,.1f} MB in {cache.folder}",
    )
