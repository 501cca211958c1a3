"""Where the audio lies on disk.

::

    <root>/musdb18hq/test/<Artist - Title>/{mixture,drums,bass,other,vocals}.wav
    <root>/true_edits/<song>/<edit>.wav       the edited stem, with its new sound
    <root>/true_edits/<song>/hashes.json      of a song's excerpts as they were rendered, written last
    <root>/medleydb/Audio/<T>/<T>_MIX.wav, <T>_STEMS/<T>_STEM_01.wav …, <T>_METADATA.yaml

The first is MUSDB18-HQ's layout. The last is MedleyDB's; it is written only into a folder that the user names, and made
of hard links to the files of the first, or copies where the file system has none. Unlike in MedleyDB itself,
MIX is the sum of the STEMS, and there is no RAW folder: a part has one track, which is its stem. The true mixture of an
edit is not stored: it is the sum of the stem in `true_edits` and the three other stems, to the last bit.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from bench.store.atomic import write_text
from bench.task import STEMS, StemName
from tasks.generator import Edit
from tasks.instruments import get
from tasks.synth.songs import Song

ARTIST = "Timbrebench"
HASHES = "hashes.json"

STEM_NUMBERS: tuple[StemName, ...] = ("drums", "bass", "other", "vocals")
"""Which stem is S01, S02, … in MedleyDB's layout."""

MEDLEYDB_NAMES: Mapping[str, str] = {
    "vocals": "vocalists",
    "strings": "string section",
    "pizzicato-strings": "string section",
    "brass": "brass section",
    "steel-drums": "steel drum",
    "music-box": "bells",
    "dulcimer": "hammered dulcimer",
    "nylon-guitar": "acoustic guitar",
    "electric-guitar": "clean electric guitar",
    "distorted-guitar": "distorted electric guitar",
    "clavinet": "electric piano",
    "electronic-organ": "electronic organ",
    "synth-lead": "synthesizer",
    "synth-pad": "synthesizer",
    "synth-strings": "synthesizer",
    "synth-brass": "synthesizer",
    "synth-bass": "synthesizer",
    "fretless-bass": "electric bass",
    "slap-bass": "electric bass",
    "drum-kit": "drum set",
    "electronic-drums": "drum machine",
}
"""Instruments that MedleyDB's taxonomy calls otherwise, or knows only by a wider name."""

_COMPONENTS: dict[StemName, str] = {"drums": "", "bass": "bass", "other": "", "vocals": "melody"}


def stems_folder(song: Song) -> str:
    """The folder of a song's mixture and stems, relative to the root."""
    return str(PurePosixPath("musdb18hq", "test", f"{ARTIST} - {song.title} ({song.number})"))


def stem_file(song: Song, name: str) -> str:
    """Path of a song's `mixture` or stem, relative to the root."""
    return str(PurePosixPath(stems_folder(song), f"{name}.wav"))


def edits_folder(song: Song) -> str:
    """The folder of a song's true edits, relative to the root."""
    return str(PurePosixPath("true_edits", song.name))


def edit_file(song: Song, edit: Edit) -> str:
    """Path of the edited stem with its new sound, relative to the root."""
    return str(PurePosixPath(edits_folder(song), f"{song.edit_name(edit)}.wav"))


def files(song: Song) -> list[str]:
    """All files with a song's audio, relative to the root."""
    return [*(stem_file(song, name) for name in ("mixture", *STEMS)), *(edit_file(song, edit) for edit in song.edits)]


def add_medleydb(song: Song, root: Path) -> None:
    """Make MedleyDB's layout of a song that is below a root already."""
    track = f"{ARTIST}_{re.sub('[^A-Za-z0-9]', '', song.title)}_{song.number.replace('-', '_')}"
    folder = root / "medleydb" / "Audio" / track
    metadata = _metadata(song, track)
    _link(root / stem_file(song, "mixture"), folder / metadata["mix_filename"])
    for stem, entry in zip(STEM_NUMBERS, metadata["stems"].values(), strict=True):
        _link(root / stem_file(song, stem), folder / metadata["stem_dir"] / entry["filename"])
    write_text(folder / f"{track}_METADATA.yaml", yaml.safe_dump(metadata, allow_unicode=True))


def gather(root: Path, tree: Mapping[str, str]) -> None:
    """Make one tree of songs that lie in folders beside the root: of relative links, as all may be moved together.

    Args:
        root: the empty folder for the tree.
        tree: for each folder of the tree the name of the folder beside the root in which it is to be found.
    """
    for part, origin in tree.items():
        path = root / part
        path.parent.mkdir(parents=True, exist_ok=True)
        target = PurePosixPath(*[".."] * len(PurePosixPath(part).parts), origin, part)
        try:
            path.symlink_to(target, target_is_directory=True)
        except OSError:  # a file system without symbolic links
            shutil.copytree(root.parent / origin / part, path, copy_function=_link)


def _metadata(song: Song, track: str) -> dict[str, Any]:
    """What MedleyDB's METADATA.yaml says of a track, under the same keys."""
    stems = {}
    for number, stem in enumerate(STEM_NUMBERS, start=1):
        instrument = song.score.parts[stem].sound.instrument
        name = MEDLEYDB_NAMES.get(instrument, get(instrument).label)
        stems[f"S{number:02d}"] = {
            "component": _COMPONENTS[stem],
            "filename": f"{track}_STEM_{number:02d}.wav",
            "instrument": name,
            "raw": {"R01": {"filename": f"{track}_RAW_{number:02d}_01.wav", "instrument": name}},
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


def _link(existing: str | Path, path: str | Path) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).unlink(missing_ok=True)
    try:
        os.link(existing, path)
    except OSError:  # another file system, or one without hard links
        shutil.copyfile(existing, path)
