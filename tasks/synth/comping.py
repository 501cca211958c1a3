"""The accompaniment: chords with voice leading, struck or broken as the grid says; or a counter-melody.

A counter-melody (`Counter`) is found as the tune is (`tasks.synth.costs`), and keeps out of its way: it moves where the
tune rests or holds a note, against it rather than with it, and never a semitone beside it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence

import numpy as np

from tasks.synth.costs import Lattice, Slot, note_costs, slots, step_costs, turn_costs
from tasks.synth.genres.genre import Comping, Counter
from tasks.synth.notation import Strike, Tone, read_grid
from tasks.synth.paths import Costs, cheapest_path
from tasks.synth.plan import Phrase, Plan, Span
from tasks.synth.theory import voice_leading

_STRUCK = 0.56
_ACCENT = 0.12
_BROKEN = 0.58
_ON_CHORD = 0.07
_LINE = 0.62

_REPEATS = 1.0
_CHANCE = 0.5
_MIDDLE_COST = 0.06
_CLASH = 9.0
_UNISON = 1.5
_TOGETHER = 0.5
_CROWDED = 1.0
_SAME_AGAIN = 2.0
_WHIM = 3.0


def write(plan: Plan, tune: Sequence[Tone], rng: np.random.Generator) -> list[Tone]:
    """The accompaniment of a whole song.

    Args:
        plan: of the song.
        tune: its melody, which a counter-melody answers.
        rng: makes the choices.
    """
    if isinstance(plan.accompaniment, Counter):
        return [tone for phrase in plan.phrases for tone in _countered(plan, plan.accompaniment, phrase, tune, rng)]
    return list(_comped(plan, plan.accompaniment))


# -- chords ---------------------------------------------------------------------------------------------------------


def _comped(plan: Plan, comping: Comping) -> Iterator[Tone]:
    voicings = dict(zip((span.beat for span in plan.spans), _voicings(plan, comping), strict=True))
    for phrase in plan.phrases:
        grids = plan.pick_for(phrase.label, comping.grids).split("/")
        for number, (onset, _) in enumerate(phrase.bars):
            for strike in read_grid(grids[number % len(grids)], plan.genre.beats):
                span = plan.span_at(onset + strike.beat)
                yield from _struck(comping, strike, onset, span, voicings[span.beat], phrase.energy)


def _struck(
    comping: Comping, strike: Strike, onset: float, span: Span, voices: tuple[int, ...], energy: float
) -> Iterator[Tone]:
    beat = onset + strike.beat
    left = span.end - beat
    beats = left if comping.ring else min(strike.beats, left)
    if strike.sign in "xX":
        force = _STRUCK + (_ACCENT if strike.sign == "X" else 0.0)
        yield from (Tone(beat, beats, pitch, force + energy) for pitch in voices)
    else:
        pitch = voices[int(strike.sign) % len(voices)]
        yield Tone(beat, beats, pitch, _BROKEN + (_ON_CHORD if beat == span.beat else 0.0) + energy)


def _voicings(plan: Plan, comping: Comping) -> list[tuple[int, ...]]:
    chords = [span.chord for span in plan.spans]
    if not comping.power:
        return voice_leading(chords, comping.low, comping.high)
    roots = [comping.low + (chord.root - comping.low) % 12 for chord in chords]
    return [(root, root + chord.interval("5"), root + 12) for root, chord in zip(roots, chords, strict=True)]


# -- a second melody ------------------------------------------------------------------------------------------------


def _countered(
    plan: Plan, counter: Counter, phrase: Phrase, tune: Sequence[Tone], rng: np.random.Generator
) -> list[Tone]:
    """One phrase of the counter-melody."""
    lattice = Lattice(plan.key, counter.low, counter.high)
    row = slots(plan, phrase.beat, list(_answering(plan, counter, phrase, tune, rng)))
    if not row:
        return []
    sung = [_sounding(tune, slot.beat) for slot in row]
    middle = (counter.low + counter.high) / 2
    notes = [
        note_costs(lattice, slot)
        + _MIDDLE_COST * np.abs(lattice.pitches(slot.span.chord) - middle)
        + _against(lattice, slot, tune)
        + _CHANCE * rng.standard_normal(lattice.size)
        for slot in row
    ]
    steps = [
        step_costs(lattice, row[i], row[i + 1], _REPEATS) + _parallel(lattice, sung[i], sung[i + 1])
        for i in range(len(row) - 1)
    ]
    turns = [turn_costs(lattice.size)] * max(0, len(row) - 2)
    path = cheapest_path(np.array(notes), steps, turns)
    return [
        Tone(slot.beat, slot.beats, int(lattice.pitches(slot.span.chord)[place]), _LINE + phrase.energy)
        for slot, place in zip(row, path, strict=True)
    ]


def _answering(
    plan: Plan, counter: Counter, phrase: Phrase, tune: Sequence[Tone], rng: np.random.Generator
) -> Iterator[str]:
    """For each bar the rhythm that comes least often together with the tune, give or take; the first begins at once."""
    onsets = {tone.beat for tone in tune if phrase.beat <= tone.beat < phrase.end}
    last = ""
    for bar, _ in phrase.bars:
        options = [grid for grid in counter.rhythms if bar > 0 or grid.startswith("x")]
        shared = [sum(bar + strike.beat in onsets for strike in read_grid(grid, plan.genre.beats)) for grid in options]
        again = np.array([grid == last for grid in options])
        costs = _CROWDED * np.array(shared) + _SAME_AGAIN * again + _WHIM * rng.random(len(shared))
        last = options[int(np.argmin(costs))]
        yield last


def _sounding(tune: Sequence[Tone], beat: float) -> int | None:
    """The pitch of the tune at a beat, if it sounds there."""
    place = bisect_right(tune, beat + 1e-9, key=lambda tone: tone.beat) - 1
    return tune[place].pitch if place >= 0 and tune[place].end > beat + 1e-9 else None


def _against(lattice: Lattice, slot: Slot, tune: Sequence[Tone]) -> Costs:
    """What each place costs for the tones of the tune that sound with it."""
    pitches = lattice.pitches(slot.span.chord)
    first = bisect_right(tune, slot.beat - 8, key=lambda tone: tone.beat)
    costs = np.zeros(lattice.size)
    for tone in tune[first:]:
        if tone.beat >= slot.beat + slot.beats:
            break
        if tone.end > slot.beat:
            apart = np.abs(pitches - tone.pitch)
            costs += np.where(np.isin(apart, (1, 13)), _CLASH, 0.0) + np.where(apart == 0, _UNISON, 0.0)
    return costs


def _parallel(lattice: Lattice, before: int | None, after: int | None) -> Costs:
    """What moving in the tune's own direction costs."""
    if before is None or after is None or before == after:
        return np.zeros((lattice.size, lattice.size))
    place = np.arange(lattice.size)
    moves = np.sign(place[None, :] - place[:, None])
    return np.asarray(np.where(moves == np.sign(after - before), _TOGETHER, 0.0))
