"""The tune: for each section its own, from a motif, over the chords, within the singer's range.

A phrase takes bars of rhythm from its genre and ends on a long note and a breath. Its first bar is a motif, a rhythm
with steps drawn at random, which the third bar says again, as far as the new chords let it. A contour (arch, wave,
fall, rise) draws the line up and down. The notes themselves are the cheapest path through all of that
(`tasks.synth.costs`). When a section comes back its tune comes back, with passing notes here and there.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tasks.synth.costs import Lattice, Slot, foreign, note_costs, slot_at, slots, step_costs, turn_costs
from tasks.synth.notation import Tone
from tasks.synth.paths import Costs, cheapest_path
from tasks.synth.plan import Phrase, Plan, pick

CONTOURS: Mapping[str, Callable[[float], float]] = {
    "arch": lambda t: math.sin(math.pi * min(1.0, 0.15 + 0.85 * t)),
    "late arch": lambda t: math.sin(math.pi * (0.05 + 0.9 * t**1.6)),
    "fall": lambda t: 0.9 - 0.7 * t,
    "rise": lambda t: 0.2 + 0.6 * t,
    "wave": lambda t: 0.5 + 0.4 * math.sin(2 * math.pi * t),
    "valley": lambda t: 0.75 - 0.55 * math.sin(math.pi * t),
}
"""Height in the range, 0 to 1, against time in the phrase, 0 to 1."""

MOTIF_STEPS = (-1, -1, -1, 1, 1, 1, 0, 2, -2, 3, -3, 4)
"""A motif's steps in scale degrees are drawn from these."""

_CONTOUR_COST = 0.22
_MOTIF_COST = 1.4
_CHANCE = 0.5
_LEAP_TO_END = 0.6
_UNSTABLE_END = 8.0
_END_OFF_CHORD = 8.0

CLOSED_ENDS: Mapping[int, float] = {0: 0.0, 2: 1.2, 4: 2.0}
"""What the degrees cost on which a phrase may come to rest: tonic, third, fifth."""

OPEN_ENDS: Mapping[int, float] = {1: 0.0, 4: 0.3, 6: 0.6, 2: 0.6, 0: 1.2, 3: 1.5, 5: 1.5}
"""What the degrees cost on which a question may end; they must belong to its chord."""

_MOTIF_NOTES = 8
_NEW_IDEA = 0.35
_ORNAMENTS = 0.3
_PICKUPS = 0.4


@dataclass(frozen=True)
class _Theme:
    """What a section is made of: three bars of rhythm, and the motif's steps."""

    cells: tuple[str, ...]
    motif: tuple[int, ...]


@dataclass(frozen=True)
class _Asked:
    """What a block of new notes is to be: its phrase, contour and motif, and whether it ends the phrase."""

    phrase: Phrase
    contour: Callable[[float], float]
    motif: list[int | None]
    ends: bool


@dataclass(frozen=True)
class _Line:
    """Slots, the place of each, and the beat where the first bar begins."""

    slots: tuple[Slot, ...]
    places: tuple[int, ...]
    beat: float = 0.0

    def then(self, following: _Line) -> _Line:
        """Both, one after the other."""
        return _Line(self.slots + following.slots, self.places + following.places, self.beat)

    def moved(self, plan: Plan, beat: float) -> _Line:
        """The same places elsewhere, over the chords that are there."""
        row = tuple(slot_at(plan, slot.beat - self.beat + beat, slot.beats) for slot in self.slots)
        return _Line(row, self.places, beat)

    def tones(self, lattice: Lattice, beat: float) -> list[Tone]:
        """Its tones, onsets counted from a beat."""
        return [
            Tone(slot.beat - beat, slot.beats, int(lattice.pitches(slot.span.chord)[place]))
            for slot, place in zip(self.slots, self.places, strict=True)
        ]


def write(plan: Plan, rng: np.random.Generator) -> list[Tone]:
    """The tune of a whole song, in order; no two tones overlap."""
    lattice = Lattice(plan.key, *plan.voice)
    tunes: dict[tuple[str, int], list[Tone]] = {}
    for label in plan.labels:
        tunes.update(_section(plan, lattice, label, rng))
    written: list[Tone] = []
    heard: set[tuple[str, int]] = set()
    for phrase in plan.phrases:
        if not phrase.sung:
            continue
        name = phrase.label, phrase.place
        tones = [replace(tone, beat=phrase.beat + tone.beat) for tone in tunes[name]]
        if name in heard:
            tones = _ornamented(plan, lattice, tones, rng)
        heard.add(name)
        sung = [*_pickup(plan, lattice, written, tones, phrase, rng), *tones]
        written += [replace(tone, force=_force(plan, tone) + phrase.energy) for tone in sung]
    return written


# -- a section ------------------------------------------------------------------------------------------------------


def _section(plan: Plan, lattice: Lattice, label: str, rng: np.random.Generator) -> dict[tuple[str, int], list[Tone]]:
    """The tunes of a section's phrases, onsets from the phrase's start. Blocks of one name share their tune."""
    phrases = {phrase.place: phrase for phrase in reversed(plan.phrases) if phrase.label == label}
    theme = _Theme(
        cells=tuple(pick(rng, plan.genre.singing.rhythms) for _ in range(3)),
        motif=tuple(int(step) for step in rng.choice(MOTIF_STEPS, size=_MOTIF_NOTES)),
    )
    blocks: dict[str, _Line] = {}
    tunes: dict[tuple[str, int], list[Tone]] = {}
    for place, phrase in sorted(phrases.items()):
        contour = CONTOURS[pick(rng, tuple(CONTOURS))]
        line = _Line((), ())
        bar = 0
        for name, bars in phrase.progression.blocks:
            onset = phrase.beat + bar * phrase.beats_per_bar
            ends = bar + len(bars) == len(phrase.progression.bars)
            if name in blocks and not ends:
                line = line.then(blocks[name].moved(plan, onset))
            else:
                rhythm = _rhythm(plan, theme, range(bar, bar + len(bars)), ends=ends, rng=rng)
                row = slots(plan, onset, [cell for cell, _ in rhythm])
                asked = _Asked(phrase, contour, _motif_steps(theme, rhythm, onset, row, phrase.beats_per_bar), ends)
                blocks[name] = _Line(tuple(row), _places(plan, lattice, line, row, asked, rng), onset)
                line = line.then(blocks[name])
            bar += len(bars)
        tunes[label, place] = line.tones(lattice, phrase.beat)
    return tunes


def _rhythm(plan: Plan, theme: _Theme, bars: range, *, ends: bool, rng: np.random.Generator) -> list[tuple[str, bool]]:
    """For each bar of a phrase its grid, and whether it says the motif."""
    first, second, third = theme.cells
    rhythm = [(first, True) if bar % 2 == 0 else (second, False) for bar in bars]
    if bars.start > 0 and rng.random() < _NEW_IDEA:
        rhythm[0] = third, False
    if ends:
        rhythm[-1] = pick(rng, plan.genre.singing.endings), False
    return rhythm


def _motif_steps(
    theme: _Theme, rhythm: Sequence[tuple[str, bool]], onset: float, row: Sequence[Slot], beats: int
) -> list[int | None]:
    """For each slot the motif's step towards it, or None where it is free."""
    steps: list[int | None] = []
    within, bar = 0, -1
    for slot in row:
        number = int((slot.beat - onset) // beats)
        within, bar = (within + 1 if number == bar else 0), number
        bound = rhythm[number][1] and 0 < within <= _MOTIF_NOTES
        steps.append(theme.motif[within - 1] if bound else None)
    return steps


def _places(
    plan: Plan, lattice: Lattice, line: _Line, row: Sequence[Slot], asked: _Asked, rng: np.random.Generator
) -> tuple[int, ...]:
    """The places of new slots after a line: the cheapest path on from its last two notes."""
    known = list(zip(line.slots[-2:], line.places[-2:], strict=True))
    notes = [_only(lattice, place) for _, place in known]
    notes += [_note(plan, lattice, slot, asked, rng) for slot in row]
    if asked.ends:
        notes[-1] = notes[-1] + _ending(lattice, row[-1], closed=asked.phrase.progression.closed)
    whole = [slot for slot, _ in known] + list(row)
    motif = [None] * len(known) + asked.motif
    steps = [
        step_costs(lattice, before, after, plan.genre.singing.repeats) + _motif_costs(lattice, step)
        for before, after, step in zip(whole, whole[1:], motif[1:], strict=False)
    ]
    if asked.ends and steps:
        steps[-1] = steps[-1] + _LEAP_TO_END * (np.abs(_distances(lattice)) > 1)
    turns = [turn_costs(lattice.size)] * max(0, len(whole) - 2)
    return tuple(cheapest_path(np.array(notes), steps, turns)[len(known) :])


def _note(plan: Plan, lattice: Lattice, slot: Slot, asked: _Asked, rng: np.random.Generator) -> Costs:
    pitches = lattice.pitches(slot.span.chord)
    time = (slot.beat - asked.phrase.beat) / (asked.phrase.end - asked.phrase.beat)
    height = lattice.low + asked.contour(time) * (lattice.high - lattice.low)
    shy = plan.genre.singing.shy
    costs = note_costs(lattice, slot) + _CONTOUR_COST * np.abs(pitches - height)
    costs += np.array([shy.get(int(letter), 0.0) for letter in lattice.letters])
    return np.asarray(costs + _CHANCE * rng.standard_normal(lattice.size))


def _ending(lattice: Lattice, slot: Slot, *, closed: bool) -> Costs:
    ends = CLOSED_ENDS if closed else OPEN_ENDS
    costs = np.array([ends.get(int(letter), _UNSTABLE_END) for letter in lattice.letters])
    return np.asarray(costs + _END_OFF_CHORD * foreign(lattice, slot))


def _motif_costs(lattice: Lattice, step: int | None) -> Costs:
    if step is None:
        return np.zeros((lattice.size, lattice.size))
    return np.asarray(_MOTIF_COST * np.minimum(np.abs(_distances(lattice) - step), 3))


def _distances(lattice: Lattice) -> Costs:
    place = np.arange(lattice.size)
    return np.asarray(place[None, :] - place[:, None], np.float64)


def _only(lattice: Lattice, place: int) -> Costs:
    costs = np.full(lattice.size, np.inf)
    costs[place] = 0.0
    return costs


# -- a section that comes back --------------------------------------------------------------------------------------


def _ornamented(plan: Plan, lattice: Lattice, tones: Sequence[Tone], rng: np.random.Generator) -> list[Tone]:
    """Now and then a passing note between two notes a third apart."""
    varied: list[Tone] = []
    for tone, following in itertools.zip_longest(tones, tones[1:]):
        joined = following is not None and following.beat == tone.end and tone.beats >= 1
        if joined and abs(following.pitch - tone.pitch) in (3, 4) and rng.random() < _ORNAMENTS:
            pitches = lattice.pitches(plan.span_at(tone.beat).chord)
            low, high = sorted((tone.pitch, following.pitch))
            between = [int(pitch) for pitch in pitches if low < pitch < high]
            if between:
                half = tone.beats / 2
                varied += [replace(tone, beats=half), Tone(tone.beat + half, half, between[0])]
                continue
        varied.append(tone)
    return varied


def _pickup(
    plan: Plan,
    lattice: Lattice,
    before: Sequence[Tone],
    tones: Sequence[Tone],
    phrase: Phrase,
    rng: np.random.Generator,
) -> list[Tone]:
    """Now and then a note or two that lead into a phrase by step, where the rest before it has room for a breath."""
    silence = phrase.beat - (before[-1].end if before else 0.0)
    if not tones or tones[0].beat > phrase.beat or silence < 2 or rng.random() > _PICKUPS:
        return []
    count, side = int(rng.integers(1, 3)), int(rng.choice((-1, 1)))
    pitches = lattice.pitches(plan.span_at(phrase.beat - 0.5).chord)
    line = [int(pitch) for pitch in pitches if plan.voice[0] <= pitch <= plan.voice[1]]
    way = [pitch for pitch in line if (pitch - tones[0].pitch) * side > 0]
    steps = sorted(way, key=lambda pitch: abs(pitch - tones[0].pitch))[:count]
    return [Tone(phrase.beat - 0.5 * (i + 1), 0.5, pitch) for i, pitch in reversed(list(enumerate(steps)))]


def _force(plan: Plan, tone: Tone) -> float:
    """Louder where it climbs, and on strong beats."""
    low, high = plan.voice
    accent = 0.05 if tone.beat % plan.genre.beats in plan.genre.strong else 0.0
    return 0.66 + 0.12 * (tone.pitch - low) / (high - low) + accent
