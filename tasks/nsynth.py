"""NSynth (Engel et al., ICML 2017; CC BY 4.0) and folders laid out like it: labelled notes, read without TensorFlow.

::

    <root>/nsynth-{train,valid,test}/audio/<note_str>.wav
                                     examples.json

A note's name, `<family>_<source>_<number>-<pitch>-<velocity>`, says all that is needed to find it; `examples.json` adds
the qualities. A folder without that file is read by its names alone. No audio is opened here.

**The label sets differ.** Train has all eleven families, valid and test have no `synth_lead`: whoever numbers the
families that a folder happens to have gives `vocal` two numbers. Hence `FAMILIES` is fixed, with the published numbers,
and `labels` asks which families are meant. Train shares no instrument with valid or test (`read_splits` checks it);
valid and test, as published, may share instruments with each other, so a fold over their notes is by instrument.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import compress
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from bench.errors import DataError, UsageError
from bench.store import strict_json

Family = Literal[
    "bass", "brass", "flute", "guitar", "keyboard", "mallet", "organ", "reed", "string", "synth_lead", "vocal"
]
Origin = Literal["acoustic", "electronic", "synthetic"]

FAMILIES: tuple[Family, ...] = get_args(Family)
"""The published families; a family's place is its `instrument_family`."""

ORIGINS: tuple[Origin, ...] = get_args(Origin)
"""The published `instrument_source`s, by number: recorded acoustic or electronic instruments, or synthesisers."""

QUALITIES = (
    "bright",
    "dark",
    "distortion",
    "fast_decay",
    "long_release",
    "multiphonic",
    "nonlinear_env",
    "percussive",
    "reverb",
    "tempo-synced",
)
"""The published qualities, in the order of an entry's `qualities`."""

SPLITS = ("train", "valid", "test")
RATE = 16_000
SECONDS = 4.0
HELD_S = 3.0
VELOCITIES = (25, 50, 75, 100, 127)

AUDIO, EXAMPLES = "audio", "examples.json"

# The published file of train has 289,205 entries and nearly 200 MB. Read whole, as every JSON here is, it costs
# 4 s and 0.8 GB; the limit keeps a wrong file from costing more than about 1 GB.
_MAX_EXAMPLES_BYTES = 1 << 28

_NAME = re.compile(rf"(({'|'.join(FAMILIES)})_({'|'.join(ORIGINS)})_[0-9]{{3,}})-([0-9]{{3}})-([0-9]{{3}})")
_SUFFIX = ".wav"


@dataclass(frozen=True, slots=True)
class Note:
    """One recorded note.

    Attributes:
        path: relative to the folder that was read, with forward slashes.
        note_str: its name, `flute_acoustic_002-077-100`.
        instrument: `flute_acoustic_002`; NSynth's 1,006 instruments are what splits and folds keep apart.
        family: one of `FAMILIES`. source: one of `ORIGINS`.
        pitch: MIDI number, 0-127. velocity: 1-127; NSynth has `VELOCITIES`.
        qualities: some of `QUALITIES`; None where they are not told.
    """

    path: str
    note_str: str
    instrument: str
    family: Family
    source: Origin
    pitch: int
    velocity: int
    qualities: tuple[str, ...] | None = None


def from_name(note_str: str, qualities: tuple[str, ...] | None = None) -> Note:
    """What a note's name says, with its qualities if they are known.

    Raises:
        DataError: if it is not a name of this form.

    >>> note = from_name("synth_lead_synthetic_011-060-127")
    >>> note.family, note.instrument, note.pitch
    ('synth_lead', 'synth_lead_synthetic_011', 60)
    """
    match = _NAME.fullmatch(note_str)
    if match is None or int(match[4]) > 127 or not 1 <= int(match[5]) <= 127:
        raise _unusable(
            note_str,
            f"{note_str!r} is not <family>_<source>_<number>-<pitch>-<velocity>",
            "Families and sources are listed in `tasks/nsynth.py`; pitch is 000-127, velocity 001-127.",
            "nsynth/name",
        )
    instrument, family, source, pitch, velocity = match.groups()
    path = f"{AUDIO}/{note_str}{_SUFFIX}"
    # Interned: 300,000 notes have a thousand instruments and eleven families.
    family, source = FAMILIES[FAMILIES.index(family)], ORIGINS[ORIGINS.index(source)]
    return Note(path, note_str, sys.intern(instrument), family, source, int(pitch), int(velocity), qualities)


# -- folders --------------------------------------------------------------------------------------------------------


def recognises(folder: Path) -> bool:
    """Whether a folder is one split: it has `audio/`."""
    return (folder / AUDIO).is_dir()


def splits(root: Path) -> dict[str, Path]:
    """The folders `nsynth-train`, `nsynth-valid` and `nsynth-test` that a folder has, by split.

    Raises:
        DataError: if it has none.
    """
    found = {split: root / f"nsynth-{split}" for split in SPLITS if recognises(root / f"nsynth-{split}")}
    if not found:
        raise DataError(
            "this is not NSynth: no folder 'nsynth-train', 'nsynth-valid' or 'nsynth-test' with 'audio' in it",
            where=str(root),
            remedy="Unpack NSynth's json/wav archives, and give the folder that holds nsynth-train and the others.",
            code="nsynth/no-splits",
        )
    return found


def read_notes(folder: Path) -> tuple[Note, ...]:
    """The notes of one split, sorted by name: those of `examples.json`, else those whose names stand in `audio/`.

    Audio that `examples.json` does not list is left out, so a shortened list is a way to choose notes.

    Args:
        folder: the one that holds `audio/`.

    Raises:
        DataError: if there is no `audio/` or no note in it, a name or an entry is malformed, an entry contradicts its
            name, or the audio of a note is missing. The message names file and note.
    """
    names = _audio_names(folder)
    examples = folder / EXAMPLES
    if not examples.is_file():
        return tuple(_named(folder, name) for name in sorted(names))
    entries = _read_examples(examples)
    missing = sorted(entries.keys() - names)
    if missing:
        raise _unusable(
            str(folder / AUDIO / f"{missing[0]}{_SUFFIX}"),
            f"{len(missing)} of {len(entries)} notes of {EXAMPLES} have no audio, first {missing[0]}",
            f"Unpack the archive again; without {EXAMPLES}, the notes that are there are read by their names.",
            "nsynth/no-audio",
        )
    return tuple(_checked(name, entries[name], examples) for name in sorted(entries))


def read_splits(root: Path) -> dict[str, tuple[Note, ...]]:
    """The notes of every split that is there.

    Raises:
        DataError: as `splits` and `read_notes`; or if an instrument of train is in another split as well, so that a
            classifier could be right by having heard it.
    """
    read = {split: read_notes(folder) for split, folder in splits(root).items()}
    known = {note.instrument for note in read.get("train", ())}
    for split, notes in read.items():
        shared = sorted(known & {note.instrument for note in notes}) if split != "train" else []
        if shared:
            raise DataError(
                f"{len(shared)} instruments are in train and in {split}, first {shared[0]}",
                where=str(root),
                remedy="Keep every instrument in one split, as NSynth does.",
                code="nsynth/shared-instruments",
            )
    return read


# -- labels ---------------------------------------------------------------------------------------------------------


def present(notes: Iterable[Note]) -> tuple[Family, ...]:
    """The families that some notes have, in the published order."""
    found = {note.family for note in notes}
    return tuple(family for family in FAMILIES if family in found)


def absent(notes: Iterable[Note]) -> tuple[Family, ...]:
    """The families that some notes lack, in the published order: `synth_lead` for NSynth's valid and test."""
    found = set(present(notes))
    return tuple(family for family in FAMILIES if family not in found)


def labels(notes: Sequence[Note], *, families: Sequence[Family]) -> npt.NDArray[np.int64]:
    """Class numbers for a classifier or an estimate of mutual information: each note's place in `families`.

    There is no default, because the families of the notes at hand are not those of another split. Give `FAMILIES` for
    the published numbers; or `present(valid)`, and take from train only the notes of these.

    Returns:
        Shape (notes,).

    Raises:
        UsageError: if a family is given twice, or a note is of a family that is not given.
    """
    numbers = {family: number for number, family in enumerate(families)}
    outside = sorted({note.family for note in notes} - numbers.keys())
    if len(numbers) < len(families) or outside:
        raise UsageError(
            f"notes of the families {outside} have no class" if outside else "a family is given twice",
            where=f"families {list(families)}",
            remedy="Give every family of the notes once, or leave out the notes of the others.",
            code="nsynth/families",
        )
    return np.array([numbers[note.family] for note in notes], np.int64)


# -- names and entries ----------------------------------------------------------------------------------------------


def _audio_names(folder: Path) -> set[str]:
    """Names of the audio files, without suffix. One listing of the folder: a look at each of 300,000 would be slow."""
    try:
        with os.scandir(folder / AUDIO) as files:
            names = {
                file.name.removesuffix(_SUFFIX)
                for file in files
                if file.name.endswith(_SUFFIX) and not file.name.startswith(".")
            }
    except OSError as error:
        raise _unusable(
            str(folder / AUDIO),
            f"the folder of the notes cannot be listed ({error.strerror})",
            "Give the folder that holds audio/, for example nsynth-valid.",
            "nsynth/no-audio",
        ) from error
    if not names:
        raise _unusable(
            str(folder / AUDIO), f"the folder has no {_SUFFIX} file", "Unpack the archive again.", "nsynth/no-audio"
        )
    return names


def _named(folder: Path, name: str) -> Note:
    try:
        return from_name(name)
    except DataError as error:
        error.where = str(folder / AUDIO / f"{name}{_SUFFIX}")
        raise


def _read_examples(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_EXAMPLES_BYTES + 1)
        if len(data) > _MAX_EXAMPLES_BYTES:
            raise ValueError(f"it is larger than {_MAX_EXAMPLES_BYTES} bytes")
        entries = strict_json.parse_object(data)
    except OSError as error:
        raise _bad_examples(str(path), f"it cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise _bad_examples(str(path), str(error)) from error
    if not entries:
        raise _bad_examples(str(path), "it lists no notes")
    return entries


def _checked(name: str, entry: Any, examples: Path) -> Note:
    """The note of an entry whose fields say what its name says."""
    try:
        if not isinstance(entry, dict):
            raise ValueError(f"the entry is not an object but {type(entry).__name__}")
        note = from_name(name, _qualities(entry))
        told = _told_by_name(note)
        if not told.items() <= entry.items():
            _explain(told, entry)
        return note
    except DataError as error:
        error.where = f"{examples}, note {name}"
        raise
    except ValueError as error:
        raise _bad_examples(f"{examples}, note {name}", str(error)) from error


# Numbers and repetitions, which other makers of such folders leave out. If they are there, they must be right.
_OPTIONAL = frozenset({"note_str", "instrument_family", "instrument_source"})


def _told_by_name(note: Note) -> dict[str, str | int]:
    return {
        "note_str": note.note_str,
        "instrument_str": note.instrument,
        "instrument_family_str": note.family,
        "instrument_family": FAMILIES.index(note.family),
        "instrument_source_str": note.source,
        "instrument_source": ORIGINS.index(note.source),
        "pitch": note.pitch,
        "velocity": note.velocity,
    }


def _explain(told: Mapping[str, str | int], entry: Mapping[str, Any]) -> None:
    """Say which field contradicts the name, if it is not only that optional ones are left out."""
    for field, expected in told.items():
        if field not in entry and field not in _OPTIONAL:
            raise ValueError(f"the entry has no {field}")
        if entry.get(field, expected) != expected:
            raise ValueError(f"the entry says {field} {entry[field]!r}, its name {expected!r}")


def _qualities(entry: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The qualities by name, from `qualities` (ten zeros and ones); `qualities_str` must agree if it is there."""
    if "qualities" not in entry:
        return None
    bits = entry["qualities"]
    if not isinstance(bits, list) or not len(bits) == bits.count(0) + bits.count(1) == len(QUALITIES):
        raise ValueError(f"qualities are {bits!r}, not {len(QUALITIES)} zeros and ones")
    named = _of_bits(tuple(bits))
    told = entry.get("qualities_str", list(named))
    if not isinstance(told, list) or (told != list(named) and sorted(map(str, told)) != sorted(named)):
        raise ValueError(f"qualities_str are {told!r}, but qualities say {list(named)}")
    return named


@cache  # so that 300,000 notes share the few hundred combinations that there are
def _of_bits(bits: tuple[int, ...]) -> tuple[str, ...]:
    return tuple(compress(QUALITIES, bits))


def _bad_examples(where: str, cause: str) -> DataError:
    return _unusable(
        where,
        f"NSynth's list of notes cannot be used: {cause}",
        f"Unpack the archive again; without {EXAMPLES}, the notes are read by their names.",
        "nsynth/examples",
    )


def _unusable(where: str, cause: str, remedy: str, code: str) -> DataError:
    return DataError(cause, where=where, remedy=remedy, code=code)
