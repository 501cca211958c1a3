"""Slakh2100 (Manilow et al., WASPAA 2019) and its variants, read from their published layout.

::

    <root>/[train|validation|test|omitted/]TrackXXXXX/metadata.yaml
                                                      mix.flac
                                                      stems/S00.flac, S01.flac …

All mono; FLAC at 44.1 kHz, in BabySlakh WAV at 16 kHz. The mixture is the mix file, which was made by adding the stems
up; `SourceRef.stem_sum_sdr_db` says how near it is.

We had no copy of the audio. The layout is that of the data set's README (github.com/ethman/slakh-utils), checked
against BabySlakh's Track00001 as mirdata's tests have it, and it shows two traps:

* `audio_rendered` is false for stems whose audio is there. So a file that is there is used, and one that is not is an
  error only if the metadata say that it was rendered: there is more MIDI than audio.
* What sounds is not the MIDI program but a patch drawn from its class: the program "Harmonica" is played by a
  transistor organ, a vibraphone may be a xylophone. So the patch (`plugin_name`) tells the instrument, and the program
  only where the patch does not. Patches: github.com/ethman/slakh-generation, `classes_strict.json`.
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
from tasks.multitrack.metadata import read_yaml
from tasks.multitrack.naming import heard_in
from tasks.multitrack.song import Song, StemFile

LICENCE = "CC BY 4.0"

SPLITS = ("train", "validation", "test", "omitted")

OMITTED = "slakh-omitted"
"""Flag of the tracks in `omitted`, whose MIDI is that of another track."""

ERRATA: Mapping[str, str] = {"Track01500": "erratum-single-tone"}
"""Flags of tracks whose audio is known to be wrong (slakh-utils, issue 21: two stems are one long tone)."""

_METADATA = "metadata.yaml"
_SUFFIXES = (".flac", ".wav")
_REMEDY = "Unpack the track again, or remove its folder."

# What the patches are in `tasks.instruments`; the first pattern that fits counts. Patches that are not here say it with
# their names ("marimba_essential"), except `solo_strings`, for which only the program does.
_PATCHES: tuple[tuple[str, str], ...] = (
    (r"harpsichord", "harpsichord"),
    (r"clavinet", "clavinet"),
    (r"scarbee_(a_200|pianet|mark)|wurly|^e_piano", "electric-piano"),
    (r"^the_|alicias|piano|concert_grand|august", "piano"),
    (r"organ_kh", "pipe-organ"),
    (r"organ|transistor|fever|house_cat|musicology|outta_space", "electronic-organ"),
    (r"lead|_saw|hard_n_dirty", "synth-lead"),
    (r"pacific|ahoy|ambibella|april_pan|arctic|belle_de_jour|cerulean|chrystal|cave|daft|dawn|drifting", "synth-pad"),
    (r"nylon", "nylon-guitar"),
    (r"agml2", "acoustic-guitar"),
    (r"jazz_guitar|funk_guitar", "electric-guitar"),
    (r"guitar", "distorted-guitar"),
    (r"upright", "double-bass"),
    (r"bass_trombone", "trombone"),
    (r"(scarbee|classic|funk|pop)_.*bass", "electric-bass"),
    (r"^scarbee", "electric-bass"),
    (r"choir", "choir"),
    (r"glockenspiel", "glockenspiel"),
    (r"marimba", "marimba"),
    (r"vibraphone", "vibraphone"),
    (r"^hybrid_keys", "mallets"),
    (r"string_ensemble|session_strings", "strings"),
    (r"viola_ensemble", "viola-section"),
    (r"horns_pro", "horn-section"),
    (r"^horn_", "french-horn"),
    (r"brass_quartet", "brass"),
    (r"^muted?_trumpet", "muted-trumpet"),
)


def recognises(root: Path) -> bool:
    """Whether a folder holds tracks of Slakh2100, or its splits."""
    return next(_track_folders(root), None) is not None


def songs(root: Path) -> list[str]:
    """Paths of the tracks below the root, `test/Track01876`, or `Track01876` if the root is a split; sorted.

    Raises:
        DataError: if there is none.
    """
    names = sorted(folder.relative_to(root).as_posix() for folder in _track_folders(root))
    if not names:
        raise DataError(
            "this is not Slakh2100's folder: it has no tracks with a metadata.yaml",
            where=str(root),
            remedy="Give the folder that holds test/TrackXXXXX/metadata.yaml, or a split's.",
            code="data/no-slakh",
        )
    return names


def read_song(root: Path, name: str) -> Song:
    """Read a track's metadata and check the headers of its files; no samples are read.

    Stem classes: drums by `is_drum`, bass by `inst_class`; the rest by the instrument, so that sampled choirs are
    vocals and timpani drums; unknown instruments are other. No stem is said to be a single line: a MIDI track may have
    a trumpet play chords.

    Args:
        root: Slakh2100's folder, or a split's.
        name: as in `songs`.

    Raises:
        DataError: if the track or a file is missing, or the metadata are malformed.
        AudioError: if a file cannot be used.
    """
    folder = root / name
    where = folder / _METADATA
    if not where.is_file():
        remedy = did_you_mean(name, songs(root))
        raise DataError(f"there is no track '{name}'", where=str(root), remedy=remedy, code="data/slakh-no-track")
    metadata = read_yaml(where, _Metadata, remedy=_REMEDY, code="data/slakh-metadata")
    found = {label: _audio(folder / "stems", label) for label in metadata.stems}
    mixture = _audio(folder, "mix")
    missing = [f"stems/{label}" for label, file in found.items() if not file and metadata.stems[label].audio_rendered]
    if mixture is None or missing or not any(found.values()):
        what = missing[0] if missing else "mix" if mixture is None else "stems"
        raise DataError(
            f"the track is not complete: '{what}' is not there, neither as .flac nor as .wav",
            where=str(folder),
            remedy=_REMEDY,
            code="data/slakh-incomplete",
        )
    files = tuple(
        _stem_file(f"{name}/stems/{file.name}", metadata.stems[label]) for label, file in sorted(found.items()) if file
    )
    for path in (mixture, *(root / file.path for file in files)):
        file_info(path)
    flags = [ERRATA[folder.name]] if folder.name in ERRATA else []
    flags += [OMITTED] if folder.parent.name == "omitted" else []
    return Song(folder.name, folder.name, f"{name}/{mixture.name}", files, LICENCE, tuple(flags))


def _track_folders(root: Path) -> Iterator[Path]:
    for place in (root, *(root / split for split in SPLITS)):
        yield from (path.parent for path in place.glob(f"Track[0-9]*/{_METADATA}") if path.is_file())


def _audio(folder: Path, name: str) -> Path | None:
    """A file by its name without the ending, if it is there."""
    return next((path for suffix in _SUFFIXES if (path := folder / f"{name}{suffix}").is_file()), None)


def _stem_file(path: str, stem: _Stem) -> StemFile:
    named = _instrument(stem)
    kind: StemName = "other" if named is None else named.stem
    kind = "drums" if stem.is_drum else "bass" if stem.inst_class == "Bass" else kind
    chords = named is not None and named.single_line is False
    return StemFile(path, kind, instrument=named.name if named else None, single_line=False if chords else None)


def _instrument(stem: _Stem) -> Instrument | None:
    """What sounds: by the patch, else by the MIDI program."""
    if stem.is_drum:
        return instruments.get("drum-kit")
    patch = stem.plugin_name.lower().removesuffix(".nkm")
    if patch != "solo_strings":
        for pattern, name in _PATCHES:
            if re.search(pattern, patch):
                return instruments.get(name)
        if (heard := heard_in(patch).instrument) is not None:
            return heard
    return instruments.find(stem.midi_program_name)


# -- metadata.yaml ----------------------------------------------------------------------------------------------------


class _Stem(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True)
    inst_class: str
    is_drum: bool
    audio_rendered: bool = False
    midi_program_name: str = ""
    plugin_name: str = ""


class _Metadata(BaseModel):
    """What we use of metadata.yaml. Not `audio_dir`, which is wrong in one track (slakh-utils, issue 25)."""

    model_config = ConfigDict(frozen=True, strict=True)
    stems: dict[Annotated[str, StringConstraints(pattern=r"^S\d+$", max_length=8)], _Stem] = Field(min_length=1)
