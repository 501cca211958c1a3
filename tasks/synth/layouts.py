"""Where the audio lies on disk: the same samples in the layouts of MUSDB18-HQ and of MedleyDB.

::

    <root>/musdb18hq/test/<Artist - Title>/{mixture,drums,bass,other,vocals}.wav
    <root>/medleydb/Audio/<T>/<T>_MIX.wav, <T>_STEMS/<T>_STEM_01.wav …, <T>_METADATA.yaml
    <root>/true_edits/<song>/<edit>.wav and <edit>.stem.wav

The second layout is made of hard links to the files of the first, or copies where the file system has none. Unlike
in MedleyDB itself, MIX is the sum of the STEMS, and there is no RAW folder: a part has one track, which is its stem.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from bench.store.atomic import write_text
from bench.task import StemName
from tasks.synth.mixing import Mix, TrueEdit
from tasks.synth.songs import ARTIST, Edit, Song

STEM_NUMBERS: tuple[StemName, ...] = ("drums", "bass", "other", "vocals")
"""Which stem is S01, S02, … in MedleyDB's layout."""

_COMPONENTS: dict[StemName, str] = {"drums": "", "bass": "bass", "other": "", "vocals": "melody"}


def musdb_file(song: Song, name: str) -> str:
    """Path of a song's `mixture` or stem in MUSDB18-HQ's layout, relative to the root."""
    return str(PurePosixPath("musdb18hq", "test", f"{ARTIST} - {song.title}", f"{name}.wav"))


def true_edit_file(song: Song, edit: Edit, *, stem: bool = False) -> str:
    """Path of an edit's true mixture, or of its true stem, relative to the root."""
    return str(PurePosixPath("true_edits", song.slug, f"{song.edit_name(edit)}{'.stem' if stem else ''}.wav"))


def write_song(root: Path, song: Song, mix: Mix) -> None:
    """Write a song's mixture and stems in both layouts."""
    mix.mixture.write_wav(root / musdb_file(song, "mixture"))
    for stem, clip in mix.stems.items():
        clip.write_wav(root / musdb_file(song, stem))
    track = f"{ARTIST}_{re.sub(r'[^A-Za-z0-9]', '', song.title)}"
    folder = root / "medleydb" / "Audio" / track
    metadata = _metadata(song, track)
    _link(root / musdb_file(song, "mixture"), folder / metadata["mix_filename"])
    for stem, entry in zip(STEM_NUMBERS, metadata["stems"].values(), strict=True):
        _link(root / musdb_file(song, stem), folder / metadata["stem_dir"] / entry["filename"])
    write_text(folder / f"{track}_METADATA.yaml", yaml.safe_dump(metadata, allow_unicode=True))


def write_true_edit(root: Path, song: Song, edit: Edit, true: TrueEdit) -> None:
    """Write an edit's true mixture and true stem."""
    true.mixture.write_wav(root / true_edit_file(song, edit))
    true.stem.write_wav(root / true_edit_file(song, edit, stem=True))


def _metadata(song: Song, track: str) -> dict[str, Any]:
    """What MedleyDB's METADATA.yaml says of a track, under the same keys."""
    stems = {}
    for number, stem in enumerate(STEM_NUMBERS, start=1):
        label = song.score.parts[stem].instrument.label
        stems[f"S{number:02d}"] = {
            "component": _COMPONENTS[stem],
            "filename": f"{track}_STEM_{number:02d}.wav",
            "instrument": label,
            "raw": {"R01": {"filename": f"{track}_RAW_{number:02d}_01.wav", "instrument": label}},
        }
    return {
        "album": "synth",
        "artist": ARTIST,
        "composer": [ARTIST],
        "excerpt": "yes",
        "genre": song.genre,
        "has_bleed": "no",
        "instrumental": "yes",
        "mix_filename": f"{track}_MIX.wav",
        "origin": "timbrebench synth, rendered from a score",
        "producer": [ARTIST],
        "raw_dir": f"{track}_RAW",
        "stem_dir": f"{track}_STEMS",
        "stems": stems,
        "title": song.title,
        "version": "1",
        "website": [],
    }


def _link(existing: Path, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    try:
        os.link(existing, path)
    except OSError:  # another file system, or one without hard links
        shutil.copyfile(existing, path)
