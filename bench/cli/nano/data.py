"""`timbrebench nano data`: render the songs that nano is trained on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.cli.output import output

SONGS, EDITS, SECONDS = 720, 15, 10.0
SEED = 771_001
"""Of the songs that the shipped weights were trained on. No other command uses it: their tunes are met nowhere else."""


def data(
    context: typer.Context,
    workplace: Annotated[Path, typer.Option(help="folder that all stages of training work in")],
    songs: Annotated[int, typer.Option(min=1, help="how many; about 6 MB and one core-second each")] = SONGS,
    seed: Annotated[int, typer.Option(min=0, help="of the songs")] = SEED,
    workers: Annotated[int | None, typer.Option(min=1, help="processes  [default: one a core]")] = None,
) -> None:
    """Render songs: every stem by every instrument that its edits ask for. Songs that are there are left."""
    from bench.backbones.nano.ship import write_words
    from bench.backbones.nano.train.captions import vocabulary
    from bench.backbones.nano.train.stages import TAKES
    from bench.store.atomic import make_folder
    from tasks.synth.processes import in_order, usable_cores
    from tasks.synth.takes import TakesOrder, record_takes, spoken

    said, folder = output(context), workplace / TAKES
    make_folder(folder)
    words = vocabulary(spoken())
    write_words(words, workplace)
    orders = [TakesOrder(seed, number, EDITS, SECONDS, folder) for number in range(songs)]
    listed = list(said.track(in_order(record_takes, orders, workers=workers or usable_cores()), "songs", songs))
    facts = {"songs": len(listed), "seed": seed, "words": len(words), "folder": str(folder)}
    said.give(facts, f"{len(listed)} songs in {folder}, {len(words)} words in {workplace / 'words.txt'}")
