"""`timbrebench cache`: what is kept between runs, and how to be rid of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.output import output

if TYPE_CHECKING:
    from bench.store.cache import Cache, CacheEntry

app = typer.Typer(help="The cache of rendered audio and computed features.", no_args_is_help=True)


@app.command("info")
def info(context: typer.Context) -> None:
    """Say where the cache is and how much it holds."""
    from bench.store.cache import Cache

    cache = Cache()
    entries, checkpoints = _sorted(cache)
    size, weights = (sum(entry.size for entry in found) for found in (entries, checkpoints))
    output(context).give(
        {
            "folder": str(cache.folder),
            "entries": len(entries),
            "bytes": size,
            "checkpoints": len(checkpoints),
            "checkpoint_bytes": weights,
        },
        f"{cache.folder}: {_told(entries)}",
        *([f"{cache.checkpoints}: {_told(checkpoints, 'checkpoints')}"] if checkpoints else []),
    )


@app.command("clear")
def clear(
    context: typer.Context,
    yes: Annotated[bool, typer.Option("--yes", help="really delete; else only say what")] = False,
    checkpoints: Annotated[
        bool, typer.Option("--checkpoints", help="also weights that were downloaded, or put there by hand")
    ] = False,
) -> None:
    """Delete the cache. Nothing in it is needed: it is all computed again."""
    from bench.store.cache import Cache

    cache = Cache()
    entries, weights = _sorted(cache)
    doomed = entries + (weights if checkpoints else [])
    size = sum(entry.size for entry in doomed)
    if yes:
        cache.clear(checkpoints=checkpoints)
    verb = "deleted" if yes else "would delete (add --yes)"
    kept = "" if checkpoints or not weights else f"; {_told(weights, 'checkpoints')} stay (--checkpoints)"
    output(context).give(
        {"folder": str(cache.folder), "entries": len(doomed), "bytes": size, "deleted": yes},
        f"{verb}: {_told(doomed)} in {cache.folder}{kept}",
    )


def _sorted(cache: Cache) -> tuple[list[CacheEntry], list[CacheEntry]]:
    """What is computed again, and checkpoints."""
    entries = cache.entries()
    weights = [entry for entry in entries if entry.kind == "checkpoint"]
    return [entry for entry in entries if entry.kind != "checkpoint"], weights


def _told(entries: Sequence[CacheEntry], what: str = "entries") -> str:
    return f"{len(entries)} {what}, {sum(entry.size for entry in entries) / 1e6:,.1f} MB"
