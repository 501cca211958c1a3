"""Phrases: longer files beside NSynth's notes, each one instrument alone playing one line, with its notes.

::

    <folder>/phrases/<name>.wav
             phrases.json   {name: {"instrument": …, "notes": […], "licence": …}}

A note is [onset_s, duration_s, pitch, velocity]. NSynth has no phrases; `synth-notes` writes them, and anyone may.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from bench.errors import DataError
from bench.store import strict_json
from tasks import instruments

PHRASES, PHRASE_LIST = "phrases", "phrases.json"

_MAX_BYTES = 1 << 28
_NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"

_Seconds = Annotated[float, Field(ge=0, le=3600)]
_PhraseNote = tuple[_Seconds, _Seconds, Annotated[int, Field(ge=0, le=127)], Annotated[int, Field(ge=1, le=127)]]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")
    instrument: str
    notes: tuple[_PhraseNote, ...] = Field(min_length=1)
    licence: str = "not told"


_ENTRIES = TypeAdapter(dict[Annotated[str, Field(pattern=_NAME)], _Entry])


@dataclass(frozen=True)
class Phrase:
    """One phrase.

    Attributes:
        name: of the file, without suffix.
        path: relative to the folder that was read, with forward slashes.
        instrument: its name in `tasks.instruments`.
        notes: onset and end of each note, in seconds.
        licence: of the audio, as its maker tells it.
    """

    name: str
    path: str
    instrument: str
    notes: tuple[tuple[float, float], ...]
    licence: str


def has_phrases(folder: Path) -> bool:
    """Whether a folder has a list of phrases."""
    return (folder / PHRASE_LIST).is_file()


def read_phrases(folder: Path) -> tuple[Phrase, ...]:
    """The phrases of a folder, sorted by name. No audio is opened.

    Raises:
        DataError: if the list is malformed, names an unknown instrument, or a phrase has no audio.
    """
    path = folder / PHRASE_LIST
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
        if len(data) > _MAX_BYTES:
            raise ValueError(f"it is larger than {_MAX_BYTES} bytes")
        entries = _ENTRIES.validate_python(strict_json.parse_object(data))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise _unusable(path, f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    except OSError as error:
        raise _unusable(path, f"it cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise _unusable(path, str(error)) from error
    return tuple(_phrase(folder, name, entries[name]) for name in sorted(entries))


def _phrase(folder: Path, name: str, entry: _Entry) -> Phrase:
    path = f"{PHRASES}/{name}.wav"
    if entry.instrument not in instruments.table():
        raise _unusable(folder / PHRASE_LIST, f"{name}: no instrument is called {entry.instrument!r}")
    if not (folder / path).is_file():
        raise _unusable(folder / PHRASE_LIST, f"{name}: there is no {path}")
    notes = tuple((onset, onset + duration) for onset, duration, _, _ in entry.notes)
    return Phrase(name, path, entry.instrument, notes, entry.licence)


def _unusable(path: Path, cause: str) -> DataError:
    return DataError(
        f"the list of phrases cannot be used: {cause}",
        where=str(path),
        remedy="Write the folder again; `docs/pairs.md` has the form of the list.",
        code="nsynth/phrases",
    )
