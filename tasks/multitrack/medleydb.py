"""MedleyDB's multitracks (Bittner et al., ISMIR 2014), MusicDelta among them, read from their published layout.

::

    <root>/Audio/<T>/<T>_METADATA.yaml
                     <T>_MIX.wav
                     <T>_STEMS/<T>_STEM_01.wav …

The mixture is always the MIX file. It is not the sum of the stems: see `SourceRef.stem_sum_sdr_db` and `docs/data.md`.
MedleyDB's own package is not on PyPI and does not run with PyYAML 6, and mirdata does not read the stems, hence this
reader.
"""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from bench.errors import DataError
from bench.task import StemName
from tasks import instruments
from tasks.multitrack.metadata import read_yaml
from tasks.multitrack.song import Song, StemFile

LICENCE = "CC BY-NC-SA 4.0"

SEPARATOR_SEEN = frozenset(
    f"MusicDelta_{title}"
    for title in (
        "80sRock", "Beatles", "Britpop", "Country1", "Country2", "Disco", "Gospel", "Grunge", "Hendrix", "Punk",
        "Reggae", "Rock", "Rockabilly",
    )
)  # fmt: skip
"""The 13 of the 35 MusicDelta tracks that are in MUSDB18's training set, which nearly every public separator has seen.

33 other tracks of MedleyDB are in it under the artists' own names.
"""

_REMEDY = "Complete the track from MedleyDB, or remove its folder so that its tasks count as absent."


def stem_class(instrument: str, component: str) -> StemName:
    """The one of our four stems that a MedleyDB stem belongs to, by its instrument and component ('', melody, bass).

    The table of instruments says where an instrument belongs; the component makes a bass of what would be other. What
    the table does not know ("Main System") is other.

    >>> (
    ...     stem_class("male singer", "melody"),
    ...     stem_class("timpani", ""),
    ...     stem_class("tuba", "bass"),
    ...     stem_class("tuba", ""),
    ... )
    ('vocals', 'drums', 'bass', 'other')
    """
    known = instruments.find(instrument)
    stem = known.stem if known else "other"
    return "bass" if stem == "other" and component == "bass" else stem


def audio_folder(root: Path) -> Path:
    """`<root>/Audio`.

    Raises:
        DataError: if there is no such folder.
    """
    folder = root / "Audio"
    if not folder.is_dir():
        raise DataError(
            "this is not a MedleyDB folder: it has no folder 'Audio'",
            where=str(root),
            remedy="Give the folder that holds Audio/<track>/<track>_METADATA.yaml.",
            code="data/no-medleydb",
        )
    return folder


def recognises(root: Path) -> bool:
    """Whether a folder holds tracks in this layout."""
    return any(_metadata_file(folder).is_file() for folder in _track_folders(root / "Audio"))


def songs(root: Path) -> list[str]:
    """Names of the tracks, sorted. A folder that is not complete is among them: `read_song` says what it lacks.

    Raises:
        DataError: if there is no folder `Audio`, or no track in it.
    """
    folder = audio_folder(root)
    if not recognises(root):
        raise DataError(
            "this is not a MedleyDB folder: no folder in its 'Audio' holds the metadata of a track",
            where=str(folder),
            remedy="Give the folder that holds Audio/<track>/<track>_METADATA.yaml.",
            code="data/no-medleydb",
        )
    return sorted(track.name for track in _track_folders(folder))


def has_song(root: Path, track: str) -> bool:
    """Whether the track's folder is there. What is in it is for `read_song` to say."""
    return (audio_folder(root) / track).is_dir()


def read_song(root: Path, track: str) -> Song:
    """Read a track's metadata and check that the audio files it names are there.

    Args:
        root: the folder that holds `Audio/`.
        track: for example `MusicDelta_Reggae`.

    Raises:
        DataError: if the metadata or a file is missing, or the metadata are not MedleyDB's.
    """
    where = _metadata_file(audio_folder(root) / track)
    if not where.is_file():
        raise _incomplete("the metadata are not there", where)
    metadata = read_yaml(where, _Metadata, remedy=_REMEDY, code="data/medleydb-metadata")
    files = tuple(
        _stem_file(f"Audio/{track}/{metadata.stem_dir}/{stem.filename}", stem)
        for _, stem in sorted(metadata.stems.items())
    )
    mixture = f"Audio/{track}/{metadata.mix_filename}"
    missing = [path for path in (mixture, *(file.path for file in files)) if not (root / path).is_file()]
    if missing:
        raise _incomplete(
            f"{len(missing)} of the audio files that the metadata name are not there, first {missing[0]}", where
        )
    flags = ("separator-seen",) if track in SEPARATOR_SEEN else ()
    return Song(track, track, mixture, files, LICENCE, flags)


# -- metadata -------------------------------------------------------------------------------------------------------


def _plain_name(value: str) -> str:
    if value in {"", ".", ".."} or PurePath(value).name != value or "\\" in value:
        raise ValueError("not the plain name of a file or folder")
    return value


_Name = Annotated[str, AfterValidator(_plain_name)]


class _Stem(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True)
    filename: _Name
    instrument: str = Field(min_length=1)
    component: str = ""


class _Metadata(BaseModel):
    """What we use of METADATA.yaml. It has more fields (artist, genre, raw recordings), which are left alone."""

    model_config = ConfigDict(frozen=True, strict=True)
    mix_filename: _Name
    stem_dir: _Name
    stems: dict[str, _Stem] = Field(min_length=1)


def _metadata_file(folder: Path) -> Path:
    return folder / f"{folder.name}_METADATA.yaml"


def _track_folders(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return [path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")]


def _stem_file(path: str, stem: _Stem) -> StemFile:
    known = instruments.find(stem.instrument)
    return StemFile(
        path,
        stem_class(stem.instrument, stem.component),
        instrument=known.name if known else None,
        single_line=known.single_line if known else None,
    )


def _incomplete(cause: str, where: Path) -> DataError:
    return DataError(cause, where=str(where), remedy=_REMEDY, code="data/medleydb-incomplete")
