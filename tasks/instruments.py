"""The vocabulary of instruments: one name for each, whatever data sets, file names and prompts call it.

The table itself is `instruments.toml` beside this file; `docs/instruments.md` says what its columns mean and when its
version changes. An unknown or ambiguous name is answered with None, never with a guess.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from bench.errors import UnknownNameError, did_you_mean
from bench.task import StemName

VERSION = 1
"""Of the table. It changes when a name changes or a word is understood in another way."""

Role = Literal["voice", "lead", "chords", "bass", "drums"]
"""What a part does in a piece."""

UNPITCHED = (35, 81)
"""The range that stands for instruments without pitch: the drum keys of General MIDI."""

_FILE = Path(__file__).with_name("instruments.toml")

_STEM_OF_FAMILY: Mapping[str, StemName] = {"vocal": "vocals", "drums": "drums", "bass": "bass"}

_NOUN: Mapping[StemName, str] = {"vocals": "vocals", "drums": "drums", "bass": "bass"}
"""What a task key leaves out because its stem says it: `drums2jazz` asks for jazz drums."""

_LONGEST_NAME = 8  # words

_JOINTS = re.compile(r"[,;/]|\b(?:and|with|over|on|in|of)\b")


@dataclass(frozen=True)
class Instrument:
    """One instrument, or a general name of several ("bass", "saxophone").

    Attributes:
        name: canonical, `electric-guitar`: what task ids and reports call it.
        label: for people, `electric guitar`.
        family: one of NSynth's eleven, or drums, plucked, synth, ensemble, effects.
        stem: which of the four stems it belongs to, unless the data set knows better (a tuba may play the bass).
        roles: the parts it may take over; empty for what is recognised and never asked for, such as single drums.
        pitched: whether it has a pitch; without one, its range is that of General MIDI's drum keys.
        low, high: lowest and highest sounding pitch of the real instrument, MIDI numbers, both included.
        usual: where its parts mostly lie, [low, high], within its range.
        polyphonic: whether it can play chords.
        single_line: whether a recording of it is one note at a time; None if the name does not tell.
        phrases: how prompts may name it.
        aliases: other names, which `find` understands.
        akin: instruments that would be no change in its place: what a general name usually is, one of a section.
    """

    name: str
    label: str
    family: str
    stem: StemName
    roles: frozenset[Role]
    pitched: bool
    low: int
    high: int
    usual: tuple[int, int]
    polyphonic: bool
    single_line: bool | None
    phrases: tuple[str, ...]
    aliases: tuple[str, ...] = ()
    akin: tuple[str, ...] = ()


@cache
def table() -> Mapping[str, Instrument]:
    """All instruments by name, in the table's order."""
    families: dict[str, dict[str, dict[str, Any]]] = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return MappingProxyType(
        {name: _instrument(family, name, row) for family, rows in families.items() for name, row in rows.items()}
    )


def get(name: str) -> Instrument:
    """The instrument of a canonical name.

    Raises:
        UnknownNameError: if there is none.
    """
    if name not in table():
        raise UnknownNameError(f"no instrument is called '{name}'", remedy=did_you_mean(name, table()))
    return table()[name]


def find(text: str, stem: StemName | None = None) -> Instrument | None:
    """The instrument that a data set, file name or task key means; None if that is not certain.

    Case, accents, separators (or none), a final number and a plural s do not count. A remark in brackets counts only
    if the table knows it.

    Args:
        text: a name and nothing else: "englishhorn", "Clean Electric Guitar", "violin_2", "Violin (solo)".
        stem: of the part that the name describes, where that is known: "jazz" or "synth" are complete names only
            beside "drums" or "bass".

    >>> find("Acoustic Guitar (steel)").name, find("saxphone").name, find("string sections").name
    ('acoustic-guitar', 'saxophone', 'strings')
    >>> find("synth").name, find("synth", stem="bass").name, find("horn")
    ('synthesizer', 'synth-bass', None)
    """
    readings = [text, re.sub(r"\([^()]*\)", " ", text)]
    noun = _NOUN.get(stem) if stem else None
    if noun:
        readings = [f"{_without_number(reading)} {noun}" for reading in readings] + readings
    return next((found for reading in readings if (found := _index().get(_key(reading)))), None)


def find_in(phrase: str) -> Instrument | None:
    """The instrument that a phrase of a prompt names; None if there is none, or several.

    Names are read from left to right, each as long as the table knows it, and the last counts: in English the noun
    comes after what describes it. Commas, "and", "with", "over", "on", "in" and "of" divide a phrase into parts, which
    must not name different instruments; but drums may be named beside single drums, and the first name counts then.

    >>> find_in("a fast expressive violin").name, find_in("a punchy, rhythmic groove bass guitar line").name
    ('violin', 'electric-bass')
    >>> find_in("acoustic drums and syncopated cymbals").name, find_in("a violin and a cello")
    ('drum-kit', None)
    """
    parts = [_last(_words(part)) for part in _JOINTS.split(phrase.lower())]
    found = list(dict.fromkeys(part for part in parts if part))
    if not found or (len(found) > 1 and {each.family for each in found} != {"drums"}):
        return None
    return found[0]


def _last(words: Sequence[str]) -> Instrument | None:
    """The last of the names that the words hold."""
    last, start = None, 0
    while start < len(words):
        ends = range(min(start + _LONGEST_NAME, len(words)), start, -1)
        read = ((end, _index().get(_key(" ".join(words[start:end])))) for end in ends)
        start, found = next(((end, found) for end, found in read if found), (start + 1, None))
        last = found or last
    return last


@cache
def _index() -> Mapping[str, Instrument]:
    return {_key(name): instrument for instrument in table().values() for name in _names(instrument)}


def _names(instrument: Instrument) -> Iterator[str]:
    yield instrument.name
    yield instrument.label
    yield from instrument.aliases


def _key(text: str) -> str:
    """What is compared: letters and digits alone, without a final number and without a plural s."""
    key = "".join(_words(_without_number(text)))
    return key[:-1] if key.endswith("s") and not key.endswith("ss") else key


def _without_number(text: str) -> str:
    end = len(text)
    while end and not text[end - 1].isalpha():
        end -= 1
    return text[:end]


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.findall(r"[a-z0-9]+", plain.replace("'", ""))


def _instrument(family: str, name: str, row: Mapping[str, Any]) -> Instrument:
    low, high = row.get("range", UNPITCHED)
    usual_low, usual_high = row.get("usual", (low, high))
    return Instrument(
        name=name,
        label=name.replace("-", " "),
        family=family,
        stem=_STEM_OF_FAMILY.get(family, "other"),
        roles=frozenset(row.get("roles", ())),
        pitched="range" in row,
        low=low,
        high=high,
        usual=(usual_low, usual_high),
        polyphonic=row.get("chords", family == "drums"),
        single_line=row.get("line", False if family == "drums" else None),
        phrases=tuple(row["phrases"]),
        aliases=tuple(row.get("aliases", ())),
        akin=tuple(row.get("akin", ())),
    )
