"""`timbrebench tasks`: build a suite's task file, look into one, verify it, listen to it."""

from __future__ import annotations

import typer

from bench.cli.tasks import build, check, decode, fetch, listen, listing, show

app = typer.Typer(help="Build, read, verify and listen to task files.", no_args_is_help=True)
app.command("fetch")(fetch.fetch)
app.command("decode")(decode.decode)
app.command("build", context_settings=build.EXTRA)(build.build)
app.command("list")(listing.list_)
app.command("show")(show.show)
app.command("check")(check.check)
app.command("listen")(listen.listen)
