"""Keys, chords and scales: the small part of music theory that the writer rests on.

A chord is written as a numeral over its key, as in pop and jazz: degrees of the major scale with accidentals, capital
for major and small for minor, then a quality, then perhaps the chord whose dominant it is: ``ii7``, ``bVI``, ``V7/ii``.

>>> key = Key(9, "minor")
>>> key.name, chord_in(key, "V7").pitch_classes
('A minor', (4, 8, 11, 2))
>>> scale_over(key, chord_in(key, "V7"))  # the leading note G# stands for G
(9, 11, 0, 2, 4, 5, 8)
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")

MODES: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {
        "major": (0, 2, 4, 5, 7, 9, 11),
        "mixolydian": (0, 2, 4, 5, 7, 9, 10),
        "dorian": (0, 2, 3, 5, 7, 9, 10),
        "minor": (0, 2, 3, 5, 7, 8, 10),
    }
)
"""Semitones above the tonic of the seven degrees of each mode."""

_NUMERALS = ("I", "II", "III", "IV", "V", "VI", "VII")
_ACCIDENTALS = {"": 0, "#": 1, "b": -1}

# Each tone of a quality: semitones above the root, and steps of the scale above it (2 = a third, of whatever size).
_THIRD = {True: (4, 2), False: (3, 2)}
_QUALITIES: Mapping[str, tuple[tuple[int, int], ...]] = {
    "": ((7, 4),),
    "7": ((7, 4), (10, 6)),
    "maj7": ((7, 4), (11, 6)),
    "6": ((7, 4), (9, 5)),
    "ø7": ((6, 4), (10, 6)),
    "o": ((6, 4),),
    "o7": ((6, 4), (9, 6)),
}
_SUSPENDED: Mapping[str, tuple[tuple[int, int], ...]] = {
    "sus4": ((5, 3), (7, 4)),
    "sus2": ((2, 1), (7, 4)),
    "7sus4": ((5, 3), (7, 4), (10, 6)),
}


@dataclass(frozen=True)
class Key:
    """A tonic (pitch class, 0 = C) and a mode."""

    tonic: int
    mode: str

    @property
    def scale(self) -> tuple[int, ...]:
        """Pitch classes of its seven degrees."""
        return tuple((self.tonic + step) % 12 for step in MODES[self.mode])

    @property
    def name(self) -> str:
        """`A minor`."""
        return f"{NAMES[self.tonic]} {self.mode}"


@dataclass(frozen=True)
class Chord:
    """A chord: for each tone, root first, its pitch class and its degree of the scale (0 = tonic … 6)."""

    tones: tuple[tuple[int, int], ...]

    @property
    def root(self) -> int:
        """Pitch class of the root."""
        return self.tones[0][0]

    @property
    def pitch_classes(self) -> tuple[int, ...]:
        """All its pitch classes, root first."""
        return tuple(tone for tone, _ in self.tones)

    @property
    def intervals(self) -> tuple[int, ...]:
        """Semitones of its tones above the root."""
        return tuple((tone - self.root) % 12 for tone in self.pitch_classes)

    def interval(self, sign: str) -> int:
        """Semitones above the root of the third ``3``, fifth ``5``, seventh ``7``, octave ``8`` or root ``R``.

        A triad has no seventh: its octave stands for it.
        """
        place = {"R": 0, "3": 1, "5": 2, "7": 3}.get(sign, len(self.tones))
        return self.intervals[place] if place < len(self.tones) else 12


@lru_cache(maxsize=4096)
def chord_in(key: Key, numeral: str) -> Chord:
    """The chord of a numeral in a key.

    Raises:
        ValueError: if it cannot be read.
    """
    written, _, applied = numeral.partition("/")
    match = re.fullmatch(r"([b#]?)([IViv]+)(.*)", written)
    qualities = {**_QUALITIES, **_SUSPENDED}
    if match is None or match[2].upper() not in _NUMERALS or match[3] not in qualities:
        raise ValueError(f"{numeral!r} is no chord")
    degree = _NUMERALS.index(match[2].upper())
    root = MODES["major"][degree] + _ACCIDENTALS[match[1]]
    if applied:
        goal, goal_degree = chord_in(key, applied).tones[0]
        root, degree = root + goal - key.tonic, degree + goal_degree
    third = () if match[3] in _SUSPENDED else (_THIRD[match[2].isupper()],)
    steps = ((0, 0), *third, *qualities[match[3]])
    return Chord(tuple(((key.tonic + root + semitones) % 12, (degree + up) % 7) for semitones, up in steps))


@lru_cache(maxsize=4096)
def scale_over(key: Key, chord: Chord) -> tuple[int, ...]:
    """Pitch classes of the seven degrees while a chord sounds: the key's, inflected where the chord has another."""
    inflected = {degree: tone for tone, degree in chord.tones}
    return tuple(inflected.get(degree, tone) for degree, tone in enumerate(key.scale))


def voice_leading(chords: Sequence[Chord], low: int, high: int, voices: int = 4) -> list[tuple[int, ...]]:
    """A close voicing of each chord, chosen so that the voices move as little as possible.

    A chord with fewer tones than voices doubles its lowest ones an octave up. The first chord lies in the middle
    of the range.

    Args:
        chords: the progression.
        low: lowest pitch allowed, a MIDI number.
        high: highest pitch allowed; from two octaves above `low` on, every chord has a voicing.
        voices: number of voices.

    Returns:
        For each chord its pitches, ascending.
    """
    middle = (low + high) / 2
    voiced: list[tuple[int, ...]] = []
    for chord in chords:
        before = voiced[-1] if voiced else (middle,) * voices
        fitting = _voicings(chord, low, high, voices)
        voiced.append(min(fitting, key=lambda stack: (_motion(before, stack), abs(sum(stack) / voices - middle))))
    return voiced


@lru_cache(maxsize=4096)
def _voicings(chord: Chord, low: int, high: int, voices: int) -> tuple[tuple[int, ...], ...]:
    classes = sorted(set(chord.pitch_classes))
    ladder = [octave + tone for octave in range(0, 128, 12) for tone in classes]
    stacks = [tuple(ladder[i : i + voices]) for i in range(len(ladder) - voices + 1)]
    return tuple(stack for stack in stacks if low <= stack[0] and stack[-1] <= high)


def _motion(before: Sequence[float], after: Sequence[float]) -> float:
    return sum(abs(a - b) for a, b in itertools.zip_longest(before, after, fillvalue=0))
