"""`timbrebench nano train`, `encode` and `ship`: from rendered songs to the weights of the package."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.cli.output import output

Workplace = Annotated[Path, typer.Option(help="folder that `nano data` rendered songs to")]


def train(
    context: typer.Context,
    stage: Annotated[str, typer.Argument(help="vae, clap, clap-audio, text, unet or judge")],
    workplace: Workplace,
    steps: Annotated[int | None, typer.Option(min=1, help="in all  [default: the stage's own]")] = None,
    processes: Annotated[int, typer.Option(min=1, help="that train together, a batch each")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="of first weights and of all draws")] = 0,
) -> None:
    """Train a stage, or go on where it was stopped; a plot of the losses stands beside the log.

    In order: vae, then `nano ship vae` and `nano encode`; clap, and clap-audio for as long as wanted; text; unet.
    """
    from bench.backbones.nano.ship import read_words
    from bench.backbones.nano.train import parallel
    from bench.backbones.nano.train.plots import plot_log

    said = output(context)
    said.say(f"training {stage} in {workplace / stage}; stop it whenever you like, the same command goes on")
    parallel.train(stage, workplace, read_words(workplace), processes=processes, steps=steps, seed=seed)
    last, figure = plot_log(workplace / stage)
    said.give({**last, "figure": str(figure)}, f"step {last['step']}, loss {last['loss']}", f"-> {figure}")


def encode(context: typer.Context, workplace: Workplace) -> None:
    """Encode all songs with the workplace's codec, for the U-Net. Songs that are there are left."""
    from bench.backbones.nano.train import stages

    said = output(context)
    stages.encode(workplace, folder=workplace / stages.MADE, track=said.track)
    said.give({"folder": str(workplace / stages.LATENTS)}, f"-> {workplace / stages.LATENTS}")


def ship(
    context: typer.Context,
    stage: Annotated[str, typer.Argument(help="vae, clap, unet or judge")],
    workplace: Workplace,
    out: Annotated[Path | None, typer.Option(help="folder for the weights  [default: `made` in the workplace]")] = None,
) -> None:
    """Write a stage's averaged weights as the package has them: `--backbone nano` reads them with `--model FOLDER`."""
    from bench.backbones.nano.ship import read_words
    from bench.backbones.nano.train import stages

    folder = out or workplace / stages.MADE
    facts = stages.write(stage, workplace, folder, read_words(workplace))
    output(context).give({"folder": str(folder), **facts}, *(f"{k}: {v}" for k, v in facts.items()), f"-> {folder}")
