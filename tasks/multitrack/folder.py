"""Your own songs: a folder of songs, each a folder with its stems, and a `song.yaml` where names do not say enough.

::

    <root>/Night Train/drums.wav, bass.flac, Lead Violin.wav, mix.wav      or: stems/drums.wav …
                       song.yaml                                           if you like

`docs/multitracks.md` says what may stand in `song.yaml` and what is guessed without it.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from bench.audio import file_info
from bench.errors import DataError, did_you_mean
from bench.task import RelativePath, StemName
from tasks import instruments
from tasks.multitrack.metadata import read_yaml
from tasks.multitrack.naming import heard_in, one_drum_kit
from tasks.multitrack.song import Song, StemFile

SONG_FILE = "song.yaml"

NO_LICENCE = "not stated"

TOLERANCE_S = 0.1
"""How much the files of a song may differ in length; programs that export stems differ by some samples."""

SUFFIXES = frozenset({".wav", ".flac", ".ogg", ".aif", ".aiff", ".mp3"})

_SUM = "sum"
_MIXTURES = ("mixture", "mix")
_MIX_WORDS = ("*mix*", "*master*", "*bounce*")
_STEMS_FOLDER = "stems"


def recognises(root: Path) -> bool:
    """Whether a folder holds at least one folder with audio files in it, or in its `stems`, or with a `song.yaml`."""
    return any(_is_song(folder) for folder in _folders(root))


def songs(root: Path) -> list[str]:
    """Names of the song folders, sorted.

    Raises:
        DataError: if there is none, `root` is itself a song, or a folder has audio where it is not looked for.
    """
    found = [folder for folder in _folders(root) if _is_song(folder)]
    for folder in _folders(root):
        deeper = None if folder in found else next(_audio_below(folder), None)
        if deeper is not None:
            raise DataError(
                f"the audio of song '{folder.name}' is not where it is looked for: {deeper.relative_to(folder)}",
                where=str(folder),
                remedy=f"Put the stems into the song's folder or its folder '{_STEMS_FOLDER}'.",
                code="data/song-nested",
            )
    if not found:
        raise DataError(
            "this is the folder of one song" if _is_song(root) else "there are no songs in this folder",
            where=str(root),
            remedy=f"Give {root.resolve().parent} instead."
            if _is_song(root)
            else "Give a folder that holds a folder for each song, with its stems as audio files.",
            code="data/no-songs",
        )
    return [folder.name for folder in found]


def read_song(root: Path, name: str) -> Song:
    """Read what is said of a song, find its files and check their headers; no samples are read.

    Args:
        root: the folder of songs.
        name: of the song's folder.

    Raises:
        DataError: if `song.yaml` is malformed, names an unknown instrument, or a file outside the song's folder; if
            there are no stems, or it is not clear which file is the mixture; if files differ in rate or length.
        AudioError: if a file is missing or cannot be used.
    """
    folder = root / name
    if not _is_song(folder):
        remedy = did_you_mean(name, songs(root))
        raise DataError(f"there is no song '{name}'", where=str(root), remedy=remedy, code="data/no-song")
    said = _said(folder)
    mixture = _mixture(folder, said)
    files = _listed(folder, said.stems) if said.stems else one_drum_kit(_guessed(folder, mixture))
    paths = [file.path for file in files] + ([mixture] if mixture else [])
    for path in paths:
        _check_path(folder, path)
    _check_alike(folder, paths)
    return Song(
        name,
        said.title or name,
        f"{name}/{mixture}" if mixture else None,
        tuple(StemFile(f"{name}/{file.path}", file.stem, file.instrument, file.single_line) for file in files),
        said.licence or NO_LICENCE,
    )


# -- song.yaml --------------------------------------------------------------------------------------------------------


def _known(name: str) -> str:
    found = instruments.find(name)
    if found is None:
        near = did_you_mean(name, instruments.table())
        hint = near if near.startswith("Did") else "docs/instruments.md has the names."
        raise ValueError(f"no instrument is called {name!r}. {hint}")
    return found.name


class _Stem(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")
    file: RelativePath
    instrument: Annotated[str, AfterValidator(_known)] | None = None
    stem: StemName | None = None
    single_line: bool | None = None


class _SongFile(BaseModel):
    """All that `song.yaml` may say; the paths are below the song's folder."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")
    title: str | None = Field(None, min_length=1)
    licence: str | None = Field(None, min_length=1)
    mixture: RelativePath | None = None
    stems: list[_Stem] | None = Field(None, min_length=1)


def _said(folder: Path) -> _SongFile:
    where = folder / SONG_FILE
    if not where.is_file():
        return _SongFile()
    return read_yaml(
        where, _SongFile, remedy="Correct the file; docs/multitracks.md says what it may hold.", code="data/song-file"
    )


def _listed(folder: Path, stems: Sequence[_Stem]) -> tuple[StemFile, ...]:
    """The stems that `song.yaml` names; what it does not say of them, their names may."""
    files = []
    for entry in stems:
        heard = heard_in(PurePosixPath(entry.file).stem, folder.name)
        named = instruments.get(entry.instrument) if entry.instrument else heard.instrument
        stem = entry.stem or (named.stem if named else heard.stem) or "other"
        line = entry.single_line if entry.single_line is not None else named.single_line if named else None
        files.append(StemFile(entry.file, stem, named.name if named else None, line))
    return tuple(files)


# -- what is guessed --------------------------------------------------------------------------------------------------


def _mixture(folder: Path, said: _SongFile) -> str | None:
    """Path of the mixture below the song's folder; None if it is the sum of the stems."""
    if said.mixture is not None:
        return None if said.mixture == _SUM else said.mixture
    found = [path.name for path in _audio_in(folder) if path.stem.lower() in _MIXTURES]
    listed = {stem.file for stem in said.stems or ()}
    found = [name for name in found if name not in listed]
    if len(found) > 1:
        raise _unclear(folder, f"both {found[0]} and {found[1]} may be the mixture")
    return found[0] if found else None


def _guessed(folder: Path, mixture: str | None) -> list[StemFile]:
    """The stems, each by its file's name."""
    direct = [path for path in _audio_in(folder) if path.name != mixture]
    below = [path for path in _audio_in(folder / _STEMS_FOLDER) if f"{_STEMS_FOLDER}/{path.name}" != mixture]
    if direct and below:
        raise _unclear(folder, f"there are stems both beside and in its folder '{_STEMS_FOLDER}'")
    if not direct and not below:
        raise DataError(
            "the song has no stems",
            where=str(folder),
            remedy=f"Put them into the folder as audio files ({', '.join(sorted(SUFFIXES))}), or remove it.",
            code="data/no-stems",
        )
    files = []
    for path in direct or below:
        heard = heard_in(path.stem, folder.name)
        if heard.stem is None and _may_be_the_mixture(path.stem, folder.name):
            raise _unclear(folder, f"{path.name} may be the mixture or a stem")
        named = heard.instrument
        files.append(
            StemFile(
                path.relative_to(folder).as_posix(),
                heard.stem or "other",
                named.name if named else None,
                named.single_line if named else None,
            )
        )
    return files


def _may_be_the_mixture(name: str, song: str) -> bool:
    """Whether a name that names no instrument says that the file is the song: taken for a stem, it would double it."""
    return name.casefold() == song.casefold() or any(fnmatch.fnmatch(name.lower(), words) for words in _MIX_WORDS)


def _unclear(folder: Path, what: str) -> DataError:
    return DataError(
        f"it is not clear what the files of the song are: {what}",
        where=str(folder),
        remedy=f"Name the mixture 'mix' or 'mixture', or write a {SONG_FILE} that says what each file is.",
        code="data/song-unclear",
    )


# -- files ------------------------------------------------------------------------------------------------------------


def _folders(root: Path) -> list[Path]:
    """The visible folders in a folder, sorted by name; none if it cannot be read."""
    try:
        return sorted(entry for entry in root.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    except OSError:
        return []


def _audio_in(folder: Path) -> list[Path]:
    """The audio files in a folder, sorted by name."""
    try:
        return sorted(path for path in folder.iterdir() if _is_audio(path))
    except OSError:
        return []


def _audio_below(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if _is_audio(path))


def _is_audio(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()


def _is_song(folder: Path) -> bool:
    return bool((folder / SONG_FILE).is_file() or _audio_in(folder) or _audio_in(folder / _STEMS_FOLDER))


def _check_path(folder: Path, path: str) -> None:
    """Refuse paths that a tasks file cannot hold, and files that lie outside the song's folder."""
    written = f"{folder.name}/{path}"
    try:
        TypeAdapter(RelativePath).validate_python(written)
        written.encode()
    except (ValidationError, UnicodeEncodeError) as error:
        raise DataError(
            f"the name {written!r} cannot be written in a tasks file",
            where=str(folder.parent),
            remedy="Rename it: no backslash, no drive letter, and UTF-8.",
            code="data/song-name",
        ) from error
    try:
        inside = (folder / path).resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError):  # a link to itself
        inside = False
    if not inside:
        raise DataError(
            f"the file {path} is a link that leads out of the song's folder",
            where=str(folder),
            remedy="Put the file itself there.",
            code="data/song-outside",
        )


def _check_alike(folder: Path, paths: Sequence[str]) -> None:
    """Files of one song are read once, have one rate, and one length to within the tolerance."""
    twice = next((path for k, path in enumerate(paths) if path in paths[:k]), None)
    if twice is not None:
        raise _unclear(folder, f"{twice} is named twice")
    headers = {path: file_info(folder / path) for path in paths}
    rates = {info.rate: path for path, info in headers.items()}
    shortest, longest = (pick(paths, key=lambda path: headers[path].duration_s) for pick in (min, max))
    if len(rates) > 1:
        (first, one), (second, other), *_ = rates.items()
        cause, remedy = f"{one} has {first} Hz and {other} {second} Hz", "Export them again with one rate."
    elif headers[longest].duration_s - headers[shortest].duration_s > TOLERANCE_S:
        lengths = f"{headers[shortest].duration_s:.3f} s and {longest} {headers[longest].duration_s:.3f} s"
        cause, remedy = f"{shortest} has {lengths}", "Export them all from the song's start to its end."
    else:
        return
    raise DataError(
        f"the files of the song are not of one recording: {cause}",
        where=str(folder),
        remedy=remedy,
        code="data/song-uneven",
    )
