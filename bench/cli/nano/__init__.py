"""`timbrebench nano`: train the embedded models anew, and measure them."""

from __future__ import annotations

import typer

from bench.cli.nano import data, eval, train

app = typer.Typer(help="Train the embedded models anew, and measure them.", no_args_is_help=True)
app.command("data")(data.data)
app.command("train")(train.train)
app.command("encode")(train.encode)
app.command("ship")(train.ship)
app.command("eval")(eval.eval_)
