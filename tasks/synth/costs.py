"""What all melodic lines have in common: where notes may stand, and what they and the steps between them cost.

A *place* is a degree of the scale in some octave, so that a step is a step in every key; which pitch it is depends on
the chord (`theory.scale_over`). Costs have no unit, only their proportions matter: they were set by the counts that
`docs/synth.md` gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from tasks.synth.notation import read_grid
from tasks.synth.paths import Costs
from tasks.synth.plan import Plan, Span
from tasks.synth.theory import Chord, Key, scale_over

Pitches = npt.NDArray[np.int64]

INTERVAL_COSTS = (0.0, 0.0, 0.0, 0.8, 1.0, 1.5, 6.0, 2.0, 4.0, 4.5, 8.0, 12.0, 3.0)
"""By semitones, 0 to 12: steps are free, thirds are cheap, the tritone and sevenths are not sung."""

BEYOND_OCTAVE = 20.0
STRONG_DISSONANCE = 4.5
LONG_DISSONANCE = 2.5
HELD_DISSONANCE = 2.5
PASSING_DISSONANCE = 0.6
LEAP_AT_DISSONANCE = 4.0
"""A tone outside the chord is reached and left by step."""

ABOVE_ROOT = 5.0
"""A semitone above the root, the one dissonance with the bass that no genre here knows."""

_ANTICIPATION = 0.5
_LONG = 1.0
_MOMENT = 1e-6


@dataclass(frozen=True)
class Slot:
    """Where a note will stand.

    A note that begins within half a beat before a strong beat and is held into it belongs to that beat and its chord.

    Attributes:
        beat, beats: onset and length.
        span: the chord it is heard with.
        strong: whether it is accented.
        later: chords that enter while it is held, for a beat or longer.
    """

    beat: float
    beats: float
    span: Span
    strong: bool
    later: tuple[Chord, ...] = ()


@dataclass(frozen=True)
class Lattice:
    """All places of a scale within a range."""

    key: Key
    low: int
    high: int

    @property
    def size(self) -> int:
        """Number of places; some lie outside the range, whatever the chord."""
        return len(self.letters)

    @property
    def letters(self) -> Pitches:
        """For each place its degree, 0 to 6."""
        octaves = (self.high - self.low) // 12 + 2
        return np.tile(np.arange(7), octaves)

    def pitches(self, chord: Chord) -> Pitches:
        """For each place its pitch while a chord sounds."""
        return _pitches(self, chord)

    def outside(self, pitches: Pitches) -> npt.NDArray[np.bool_]:
        """Which pitches are not in the range."""
        return (pitches < self.low) | (pitches > self.high)


@lru_cache(maxsize=4096)
def _pitches(lattice: Lattice, chord: Chord) -> Pitches:
    tonic = lattice.low - (lattice.low - lattice.key.tonic) % 12
    above = np.array([(tone - lattice.key.tonic) % 12 for tone in scale_over(lattice.key, chord)])
    octave = np.arange(lattice.size) // 7
    return np.asarray(tonic + 12 * octave + above[lattice.letters], np.int64)


def slots(plan: Plan, beat: float, bars: Sequence[str]) -> list[Slot]:
    """The slots of some bars' grids, from a beat on. A bar that begins with holds ties over from the one before."""
    beats = plan.genre.beats
    return [slot_at(plan, beat + strike.beat, strike.beats) for strike in read_grid("".join(bars), beats * len(bars))]


def slot_at(plan: Plan, beat: float, beats: float) -> Slot:
    """The slot of a note."""
    into = next_strong(plan, beat)
    anticipates = 0 < into - beat <= _ANTICIPATION and beat + beats > into
    span = plan.span_at(into if anticipates else beat)
    later = tuple(each.chord for each in plan.spans_until(span.end, beat + beats - _LONG + _MOMENT))
    return Slot(beat, beats, span, anticipates or into == beat, later)


def next_strong(plan: Plan, beat: float) -> float:
    """The first strong beat that is not before a beat."""
    bar, within = divmod(beat, plan.genre.beats)
    following = [strong for strong in (*plan.genre.strong, plan.genre.beats) if strong >= within - 1e-9]
    return bar * plan.genre.beats + following[0]


def foreign(lattice: Lattice, slot: Slot) -> npt.NDArray[np.bool_]:
    """Which places are outside the slot's chord."""
    return ~np.isin(lattice.pitches(slot.span.chord) % 12, slot.span.chord.pitch_classes)


def note_costs(lattice: Lattice, slot: Slot) -> Costs:
    """What each place costs for a slot: fit with the chord, and with its root in the bass."""
    pitches, away = lattice.pitches(slot.span.chord), foreign(lattice, slot)
    dissonance = STRONG_DISSONANCE if slot.strong else LONG_DISSONANCE if slot.beats > _LONG else PASSING_DISSONANCE
    costs = np.where(away, dissonance, 0.0)
    for chord in slot.later:
        costs += np.where(np.isin(pitches % 12, chord.pitch_classes), 0.0, HELD_DISSONANCE)
    costs += np.where((pitches - slot.span.chord.root) % 12 == 1, ABOVE_ROOT if slot.beats > 0.5 else 2.0, 0.0)
    costs[lattice.outside(pitches)] = np.inf
    return costs


def step_costs(lattice: Lattice, before: Slot, after: Slot, repeats: float) -> Costs:
    """What coming from each place to each place costs; `repeats` is the cost of the same pitch again."""
    pitches = lattice.pitches(before.span.chord)[:, None], lattice.pitches(after.span.chord)[None, :]
    size = np.abs(pitches[1] - pitches[0])
    table = np.array((repeats, *INTERVAL_COSTS[1:]))
    costs = np.where(size <= 12, table[np.minimum(size, 12)], BEYOND_OCTAVE)
    dissonant = foreign(lattice, before)[:, None] | foreign(lattice, after)[None, :]
    return np.asarray(costs + np.where(dissonant & (size > 2), LEAP_AT_DISSONANCE, 0.0))


@lru_cache(maxsize=64)
def turn_costs(places: int) -> Costs:
    """What two steps in a row cost: leaps are recovered, and lines do not stand still or go round in circles."""
    place = np.arange(places)
    first = (place[None, :] - place[:, None])[:, :, None]
    second = (place[None, :] - place[:, None])[None, :, :]
    onward = np.sign(first) * np.sign(second) > 0
    leap, leaps_on = np.abs(first) >= 3, np.abs(second) >= 2
    costs = np.where(leap & onward, np.where(leaps_on, 5.0, 1.5), 0.0)
    costs += np.where((np.abs(second) >= 3) & onward & ~leap, np.where(np.abs(first) >= 2, 4.0, 0.8), 0.0)
    costs += np.where(leap & (np.abs(second) >= 3) & ~onward, 1.0, 0.0)
    costs += np.where((first == 0) & (second == 0), 1.0, 0.0)
    costs += np.where((first == -second) & (first != 0), 0.4, 0.0)
    return np.asarray(costs)
