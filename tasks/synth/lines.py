"""Monophonic lines for one instrument alone: phrases of two bars, mostly by step, that come to rest on a chord tone.

A line is drawn by a generator from the instrument's range and nothing else: key, mode, tempo, rhythm and contour. It is
no music to be remembered, but what a player would improvise to show the instrument: it stays where the instrument
sounds well, turns round at the ends of its compass, follows a leap by steps the other way, and breathes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from tasks.synth.scores import Note, separate

MODES = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
}
TEMPI = (84, 132)
COMPASS = 19
"""An octave and a fifth: no line is wider, however wide the instrument."""

_BEATS = 4
# Bars of four beats. No note is longer than two: what is struck or plucked has died away by then.
_OPENINGS = (
    (1, 1, 1, 1),
    (1.5, 0.5, 1, 1),
    (0.5, 0.5, 1, 2),
    (2, 1, 1),
    (1, 0.5, 0.5, 1, 1),
    (0.5, 0.5, 0.5, 0.5, 1, 1),
)
_CLOSINGS = ((1, 1, 2), (0.5, 0.5, 1, 2), (1.5, 0.5, 2), (2, 2))
# Steps of the scale from note to note. A leap turns the line round.
_STEPS = (-2, -1, 1, 2, 3, 4)
_CHANCES = (0.18, 0.32, 0.32, 0.1, 0.05, 0.03)
_REST = 0.4  # how often a phrase ends a beat early, to breathe
_TIMING_S = 0.008
_LEGATO = 0.95  # of a note's length
_SHORTEST_S = 0.05  # what the end leaves of a last note, if it is to be played


def write_phrase(low: int, high: int, seconds: float, rng: np.random.Generator) -> tuple[Note, ...]:
    """A line that begins at 0 s and goes on until `seconds`; no note is held into the next.

    Args:
        low: the instrument's lowest pitch, a MIDI number.
        high: its highest. The line keeps to at most `COMPASS` semitones around the middle.
        seconds: how long. The last note is cut there.
        rng: of everything else.
    """
    scale = _scale(low, high, rng)
    beat_s = 60.0 / rng.uniform(*TEMPI)
    direction = 1 if rng.random() < 0.5 else -1
    place = len(scale) // 2
    notes: list[Note] = []
    for beat, beats, closes in _rhythm(seconds / beat_s, rng):
        step = int(rng.choice(_STEPS, p=_CHANCES)) * direction
        place = _turned(place + step, len(scale))
        direction = -direction if abs(step) > 2 or place in (0, len(scale) - 1) else direction
        if closes:
            place = _nearest_chord_tone(place, len(scale))
        onset = max(0.0, beat * beat_s + rng.normal(0.0, _TIMING_S))
        accent = 12 if beat % _BEATS == 0 else 4 if beat % 2 == 0 else 0
        velocity = int(np.clip(80 + accent + rng.normal(0.0, 5.0), 40, 120))
        end = min(onset + beats * beat_s * _LEGATO, seconds)
        if end - onset > _SHORTEST_S:
            notes.append(Note(onset, end - onset, scale[place], velocity))
    return separate(notes, monophonic=True)


def _scale(low: int, high: int, rng: np.random.Generator) -> Sequence[int]:
    """The pitches of a key, from tonic upwards, within the middle of the range."""
    intervals = tuple(MODES.values())[int(rng.integers(len(MODES)))]
    middle = (low + high) / 2
    bottom, top = max(low, round(middle - COMPASS / 2)), min(high, round(middle + COMPASS / 2))
    tonic = bottom + int(rng.integers(max(1, min(12, top - bottom - 11))))
    return [pitch for pitch in range(tonic, top + 1) if (pitch - tonic) % 12 in intervals]


def _rhythm(beats: float, rng: np.random.Generator) -> Iterator[tuple[float, float, bool]]:
    """Onset and length in beats of each note, and whether it ends a phrase: bars in turn open and close one."""
    bar = 0
    while bar * _BEATS < beats:
        closing = bar % 2 == 1
        pattern = (_CLOSINGS if closing else _OPENINGS)[int(rng.integers(len(_CLOSINGS if closing else _OPENINGS)))]
        rests = closing and rng.random() < _REST
        onset = float(bar * _BEATS)
        for number, length in enumerate(pattern, start=1):
            last = closing and number == len(pattern)
            yield onset, float(length) - (1.0 if last and rests else 0.0), last
            onset += length
        bar += 1


def _turned(place: int, count: int) -> int:
    """A place beyond the ends of the scale, reflected."""
    while not 0 <= place < count:
        place = -place if place < 0 else 2 * (count - 1) - place
    return place


def _nearest_chord_tone(place: int, count: int) -> int:
    """The nearest root, third or fifth of the key; the scale begins with its root, and has seven steps an octave."""
    return min((each for each in range(count) if each % 7 in (0, 2, 4)), key=lambda each: abs(each - place))
