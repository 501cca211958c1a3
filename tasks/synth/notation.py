"""How the music is written down: melodies, chord symbols and step grids, each a short string.

* A melody is bars separated by ``|``, each a row of ``pitch:beats``; ``r`` is a rest: ``"r:1 F#4:.5 A4:.5 B4:2"``.
* Chords are bars of chord symbols that share the bar evenly; ``Bm7~G`` offers G instead of Bm7, for variations.
* A grid divides a bar into equal steps, one sign a step: ``-`` holds, ``.`` rests, any other sign strikes.

>>> [(tone.beat, tone.beats, tone.pitch) for tone in read_melody("r:1 F#4:.5 A4:1.5 | B4:3", 3)[0]]
[(1.0, 0.5, 66), (1.5, 1.5, 69)]
>>> read_chord("F#m7b5").intervals
(0, 3, 6, 10)
>>> read_grid("R--5", 4)
[Strike(beat=0.0, beats=3.0, sign='R'), Strike(beat=3.0, beats=1.0, sign='5')]
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from bench.errors import DataError

_LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_ACCIDENTALS = {"": 0, "#": 1, "b": -1}
_NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")

_QUALITIES = {
    "": (0, 4, 7),
    "m": (0, 3, 7),
    "7": (0, 4, 7, 10),
    "m7": (0, 3, 7, 10),
    "maj7": (0, 4, 7, 11),
    "6": (0, 4, 7, 9),
    "m6": (0, 3, 7, 9),
    "m7b5": (0, 3, 6, 10),
    "sus4": (0, 5, 7),
}


@dataclass(frozen=True)
class Tone:
    """A written note: onset and length in beats, MIDI pitch, and loudness from 0 to 1."""

    beat: float
    beats: float
    pitch: int
    force: float = 0.7


@dataclass(frozen=True)
class Strike:
    """One struck step of a grid: onset and length in beats, and its sign."""

    beat: float
    beats: float
    sign: str


@dataclass(frozen=True)
class Chord:
    """A chord: pitch class of its root (0 = C), and the intervals above it in semitones."""

    root: int
    intervals: tuple[int, ...]

    @property
    def pitch_classes(self) -> tuple[int, ...]:
        """All its pitch classes, root first."""
        return tuple((self.root + step) % 12 for step in self.intervals)

    def transposed(self, semitones: int) -> Chord:
        """The chord in another key."""
        return Chord((self.root + semitones) % 12, self.intervals)

    def degree(self, sign: str) -> int:
        """Semitones above the root of the third ``3``, fifth ``5``, seventh ``7``, octave ``8`` or root ``R``.

        A triad has no seventh: its octave stands for it.
        """
        place = {"R": 0, "3": 1, "5": 2, "7": 3}.get(sign, len(self.intervals))
        return self.intervals[place] if place < len(self.intervals) else 12


def read_pitch(text: str) -> int:
    """MIDI number of ``F#4``; C4 = 60.

    Raises:
        DataError: if it is not a letter, an accidental and an octave.
    """
    match = re.fullmatch(r"([A-G])(#|b|)(-?\d)", text)
    if match is None:
        raise _unreadable("pitch", text)
    letter, accidental, octave = match.groups()
    return 12 * (int(octave) + 1) + _LETTERS[letter] + _ACCIDENTALS[accidental]


def read_chord(text: str) -> Chord:
    """The chord of a symbol like ``Bbmaj7``.

    Raises:
        DataError: for a root or quality that is not known.
    """
    match = re.fullmatch(r"([A-G])(#|b|)(.*)", text)
    if match is None or match[3] not in _QUALITIES:
        raise _unreadable("chord", text)
    return Chord((_LETTERS[match[1]] + _ACCIDENTALS[match[2]]) % 12, _QUALITIES[match[3]])


def read_melody(text: str, beats_per_bar: int) -> list[list[Tone]]:
    """The tones of each bar; onsets count from the bar's start.

    Raises:
        DataError: if a token cannot be read, or a bar is not full.
    """
    bars = []
    for written in text.split("|"):
        beat = 0.0
        tones = []
        for token in written.split():
            name, _, length = token.partition(":")
            if not re.fullmatch(r"\d*\.?\d+", length):
                raise _unreadable("melody token", token)
            if name != "r":
                tones.append(Tone(beat, float(length), read_pitch(name)))
            beat += float(length)
        if abs(beat - beats_per_bar) > 1e-9:
            raise _unreadable(f"bar of {beat:g} beats where {beats_per_bar} are due", written.strip())
        bars.append(tones)
    return bars


def read_chords(text: str) -> list[list[tuple[Chord, ...]]]:
    """For each bar its chords in order, each with what may be played instead: (as written, substitute, …)."""
    return [
        [tuple(read_chord(name) for name in symbol.split("~")) for symbol in bar.split()] for bar in text.split("|")
    ]


def read_grid(text: str, beats: float) -> list[Strike]:
    """The strikes of one bar of a grid. A hold before any strike, or after a rest, is a rest."""
    step = beats / len(text)
    strikes = []
    for match in re.finditer(r"([^-.])(-*)", text):
        strikes.append(Strike(match.start() * step, len(match[0]) * step, match[1]))
    return strikes


def key_name(text: str, semitones: int) -> str:
    """The name of a key after transposition.

    >>> key_name("E minor", 3)
    'G minor'
    """
    tonic, mode = text.split()
    return f"{_NAMES[(read_chord(tonic).root + semitones) % 12]} {mode}"


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
        classes = sorted(chord.pitch_classes)
        ladder = [octave + tone for octave in range(0, 128, 12) for tone in classes]
        stacks = [tuple(ladder[i : i + voices]) for i in range(len(ladder) - voices + 1)]
        fitting = [stack for stack in stacks if low <= stack[0] and stack[-1] <= high]
        before = voiced[-1] if voiced else (middle,) * voices
        voiced.append(min(fitting, key=lambda stack: (_motion(before, stack), abs(sum(stack) / voices - middle))))
    return voiced


def _motion(before: Sequence[float], after: Sequence[float]) -> float:
    return sum(abs(a - b) for a, b in itertools.zip_longest(before, after, fillvalue=0))


def _unreadable(what: str, text: str) -> DataError:
    return DataError(
        f"cannot read the {what} {text!r}",
        remedy="The notation is described in `tasks/synth/notation.py`.",
        code="synth/notation",
    )
