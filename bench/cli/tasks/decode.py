"""`timbrebench tasks decode`: MUSDB18's compressed form as WAV files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.cli.output import output


def decode(
    context: typer.Context,
    root: Annotated[Path, typer.Argument(help="MUSDB18's folder, the one that holds test/<Artist - Title>.stem.mp4")],
    out: Annotated[Path, typer.Option(help="new folder for the WAV files; the same command goes on where it stopped")],
) -> None:
    """Decode MUSDB18's .stem.mp4 files to WAV files in MUSDB18-HQ's layout. Needs ffmpeg.

    They are not MUSDB18-HQ, which is better audio: tasks on them are flagged aac-stems.
    """
    from tasks.multitrack.musdb18 import decode_stems

    output_ = output(context)
    names = decode_stems(root, out, output_.track)
    folder = out.resolve()
    output_.give(
        {"folder": str(folder), "tracks": names},
        f"{len(names)} tracks in {folder}: give it as --musdb FOLDER",
    )
