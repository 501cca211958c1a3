"""MoisesDB (Pereira et al., ISMIR 2023; 240 songs), read from its published layout.

::

    <root>/moisesdb_v0.1/<uuid>/data.json
                                <stemName>/<track id>.wav

`data.json` has `song`, `artist` and `stems`, a list of {stemName, tracks: [{id, extension, trackType, has_bleed}]}.
There is no mixture: it is the sum of the tracks.

We had no copy of the data set. The layout and the names are those that its own package reads (github.com/moises-ai/
moises-db: track.py, dataset.py, the taxonomy in defaults.py), with what others found in the data: one `stemName` may
stand in the list twice, types are written with underscores, and in 50 songs the tracks differ in length, by up to 15 s
(issue 3 of that repository). Its package cuts or pads such tracks; here an excerpt lies within the shortest, so that
nothing has to be made up.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from bench.audio import file_info
from bench.errors import DataError, did_you_mean
from bench.task import StemName
from tasks import instruments
from tasks.instruments import Instrument
from tasks.multitrack.metadata import read_json
from tasks.multitrack.naming import one_drum_kit
from tasks.multitrack.song import Song, StemFile

LICENCE = "CC BY-NC-SA 4.0"

HAS_BLEED = "has-bleed"
"""Flag of songs of which the data set says that a track has bleed of others."""

_METADATA = "data.json"
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_REMEDY = "Unpack the song again, or remove its folder."

_STEMS: Mapping[str, StemName] = {"vocals": "vocals", "drums": "drums", "bass": "bass"}


def recognises(root: Path) -> bool:
    """Whether a folder holds songs of MoisesDB, or the folder that does."""
    return next(_song_folders(root), None) is not None


def songs(root: Path) -> list[str]:
    """Paths of the songs below the root, `moisesdb_v0.1/<uuid>`, sorted.

    Raises:
        DataError: if there is none.
    """
    names = sorted(folder.relative_to(root).as_posix() for folder in _song_folders(root))
    if not names:
        raise DataError(
            "this is not MoisesDB's folder: it has no songs with a data.json",
            where=str(root),
            remedy="Give the folder that holds moisesdb_v0.1/<uuid>/data.json.",
            code="data/no-moisesdb",
        )
    return names


def read_song(root: Path, name: str) -> Song:
    """Read what a song's `data.json` says and check the headers of its tracks; no samples are read.

    Stem classes: the data set's own vocals, drums and bass; unpitched percussion is drums, too, as in MedleyDB here
    (the data set's package counts it as other); all else is other.

    Args:
        root: MoisesDB's folder.
        name: as in `songs`.

    Raises:
        DataError: if the song or a file is missing, or `data.json` is malformed.
        AudioError: if a file cannot be used.
    """
    folder = root / name
    where = folder / _METADATA
    if not where.is_file():
        remedy = did_you_mean(name, songs(root))
        raise DataError(f"there is no song '{name}'", where=str(root), remedy=remedy, code="data/moisesdb-no-song")
    data = read_json(where, _Data, remedy=_REMEDY, code="data/moisesdb-metadata")
    files = one_drum_kit(_stem_file(name, stem.stemName, track) for stem in data.stems for track in stem.tracks)
    missing = [file.path for file in files if not (root / file.path).is_file()]
    if missing or not files:
        what = (
            f"{len(missing)} of {len(files)} tracks are not there, first {missing[0]}" if files else "it has no track"
        )
        raise DataError(
            f"the song is not complete: {what}", where=str(where), remedy=_REMEDY, code="data/moisesdb-incomplete"
        )
    for file in files:
        file_info(root / file.path)
    bleeds = any(track.has_bleed for stem in data.stems for track in stem.tracks)
    title = " - ".join(part for part in (data.artist, data.song) if part)
    return Song(folder.name, title or folder.name, None, files, LICENCE, (HAS_BLEED,) if bleeds else ())


def _song_folders(root: Path) -> Iterator[Path]:
    """The folders of songs, in the root or one level below it."""
    for pattern in (f"*/{_METADATA}", f"*/*/{_METADATA}"):
        yield from (path.parent for path in root.glob(pattern) if path.is_file() and _UUID.fullmatch(path.parent.name))


def _stem_file(song: str, stem: str, track: _Track) -> StemFile:
    named = _instrument(track.trackType)
    percussion = stem == "percussion" and named is not None and named.stem == "drums"
    return StemFile(
        f"{song}/{stem}/{track.id}.{track.extension}",
        "drums" if percussion else _STEMS.get(stem, "other"),
        instrument=named.name if named else None,
        single_line=named.single_line if named else None,
    )


def _instrument(track_type: str) -> Instrument | None:
    """What a track's type says: `bass_guitar`, `violin_(solo)`.

    "Flutes (piccolo, bamboo flute, panpipes …)" may be none of the flute proper, so it says nothing.
    """
    return None if track_type.startswith("flutes") else instruments.find(track_type)


# -- data.json --------------------------------------------------------------------------------------------------------

# Parts of paths: nothing that leads elsewhere.
_Name = Annotated[str, StringConstraints(pattern=r"^\w[\w -]*$", max_length=100)]


class _Track(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True)
    id: _Name
    extension: _Name
    trackType: str  # noqa: N815  # the data set's name
    has_bleed: bool | None = None


class _Stem(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True)
    stemName: _Name  # noqa: N815
    tracks: list[_Track]


class _Data(BaseModel):
    """What we use of `data.json`."""

    model_config = ConfigDict(frozen=True, strict=True)
    song: str = Field("", max_length=1000)
    artist: str = Field("", max_length=1000)
    stems: list[_Stem] = Field(min_length=1)
