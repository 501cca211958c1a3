"""The recording of a track, if it is on this machine: its files, and the excerpt of it that is edited."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.errors import DataError
from bench.task import SourceRef, StemName
from tasks import excerpts
from tasks.excerpts import Cut
from tasks.multitrack import medleydb, musdb18
from tasks.multitrack.song import Song
from tasks.polyevalprompts.prompts import Track

LICENCES = {
    "prompts": "MIT (Ltx-Leif/polyphonia)",
    "musdb18": musdb18.LICENCE,
    "musicdelta": medleydb.LICENCE,
}
MIXTURES = {
    "musdb18": "MUSDB18-HQ's mixture.wav",
    "musicdelta": "MedleyDB's MIX file, which is not the sum of the stems",
}

MUSDB_PATH = "MUSDB_PATH"
"""The environment variable in which the package `musdb`, too, looks for the data set."""

MEDLEYDB_PATH = "MEDLEYDB_PATH"
"""The environment variable in which the package `medleydb`, too, looks for the data set."""


def find_roots(musdb: Path | None, medleydb_folder: Path | None) -> dict[str, Path]:
    """The data sets' folders by the names of their roots: those given, else those that the environment names.

    Raises:
        DataError: if a variable names something that is not the data set's folder. (What was given is looked at when
            songs are looked for.)
    """
    found = {
        "musdb18hq": musdb or _from_environment(MUSDB_PATH, "--musdb", musdb18.songs),
        "medleydb": medleydb_folder or _from_environment(MEDLEYDB_PATH, "--medleydb", medleydb.audio_folder),
    }
    return {root: folder.resolve() for root, folder in found.items() if folder is not None}


def _from_environment(variable: str, option: str, check: Callable[[Path], Any]) -> Path | None:
    if not os.environ.get(variable):
        return None
    folder = Path(os.environ[variable]).expanduser()
    try:
        check(folder)
    except DataError as error:
        error.where = f"{error.where} (from the environment variable {variable})"
        error.remedy = f"{error.remedy} Or correct the variable, unset it, or give {option} FOLDER."
        raise
    return folder


@dataclass(frozen=True)
class Recording:
    """The source of a song, and what is known of it.

    Attributes:
        song: the multitrack.
        cut: its excerpt.
        ref: the source that this is.
    """

    song: Song
    cut: Cut
    ref: SourceRef

    def flags(self, stem: StemName) -> frozenset[str]:
        """The flags that the recording gives to an edit of this stem."""
        absent = frozenset() if stem in self.ref.stems else frozenset({"edited-stem-absent"})
        return absent.union(self.song.flags, self.cut.flags(stem))


def find_recording(
    track: Track,
    roots: Mapping[str, Path],
    *,
    edited: Collection[StemName],
    duration_s: float,
    start_s: float | None = None,
) -> Recording | str:
    """A track's recording, or the reason why it is absent.

    Args:
        track: whose recording.
        roots: folders of `musdb18hq` and `medleydb`, as far as they are known.
        edited: the stems that the excerpt must hold, as in `excerpts.cut`.
        duration_s: of the excerpt.
        start_s: where it begins, if that is pinned.

    Raises:
        DataError: if the track is there but not complete, or the pinned excerpt does not lie inside it.
        AudioError: if a file cannot be used or is shorter than the excerpt.
    """
    in_musdb = track.dataset == "musdb18"
    root, title = ("musdb18hq", "MUSDB18-HQ") if in_musdb else ("medleydb", "MedleyDB")
    if root not in roots:
        return f"{title} audio not given"
    folder = roots[root]
    if not (musdb18.has_song if in_musdb else medleydb.has_song)(folder, track.folder):
        return f"{title} audio not found: {track.folder}"
    song = (musdb18.read_song if in_musdb else medleydb.read_song)(folder, track.folder)
    cut = excerpts.cut(folder, song, edited=edited, duration_s=duration_s, start_s=start_s)
    return Recording(song, cut, excerpts.source_ref(song, cut, id=track.song, root=root))
