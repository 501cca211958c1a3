"""The bass: patterns of chord degrees, or a line that walks.

Roots lie within the octave or so that the genre gives, each as near as may be to the one before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from tasks.synth.costs import Pitches
from tasks.synth.notation import Tone, read_grid
from tasks.synth.paths import Costs, cheapest_path
from tasks.synth.plan import Phrase, Plan, Span
from tasks.synth.theory import scale_over

_FORCE = 0.7
_ON_CHORD = 0.08
"""What a note gains where its chord enters."""

_WALK_STEP_COSTS = (2.5, 0.0, 0.0, 0.4, 0.4, 0.7, 3.0, 0.9, 2.0, 2.0, 4.0, 5.0, 1.5)
_BEYOND_OCTAVE = 12.0
_CHROMATIC = 2.2
_IN_SCALE = 0.8
_CHANCE = 0.45
_LEAD_COSTS = {1: 0.0, 2: 0.3, 5: 0.9, 7: 0.9}
"""How a walking bass likes to reach a new root: by a half step, a step, or from the fifth."""


def write(plan: Plan, rng: np.random.Generator) -> list[Tone]:
    """The bass of a whole song, in order; no two tones overlap."""
    if not plan.bass.grids:
        return _walk(plan, rng)
    roots = dict(zip((span.beat for span in plan.spans), _roots(plan), strict=True))
    return [tone for phrase in plan.phrases for tone in _pattern(plan, phrase, roots)]


def _roots(plan: Plan) -> list[int]:
    """The pitch of each chord's root: of the octaves in range the one nearest to the root before."""
    low, high = plan.bass.low, plan.bass.high
    roots: list[int] = []
    for span in plan.spans:
        lowest = low + (span.chord.root - low) % 12
        before = roots[-1] if roots else (low + high) / 2
        roots.append(min(range(lowest, high + 1, 12), key=lambda pitch: (abs(pitch - before), pitch)))
    return roots


# -- patterns -------------------------------------------------------------------------------------------------------


def _pattern(plan: Plan, phrase: Phrase, roots: dict[float, int]) -> Iterator[Tone]:
    grids = plan.pick_for(phrase.label, plan.bass.grids).split("/")
    for number, (onset, spans) in enumerate(phrase.bars):
        for strike in read_grid(grids[number % len(grids)], plan.genre.beats):
            beat = onset + strike.beat
            span = plan.span_at(beat)
            following = plan.span_at(spans[-1].end)
            # A chord that enters within the bar is met on its root, whatever the pattern has there.
            sign = "R" if beat == span.beat else strike.sign
            pitch = _pitch(plan, span, roots[span.beat], sign, roots[following.beat])
            force = _FORCE + (_ON_CHORD if beat == span.beat else 0.0) + phrase.energy
            yield Tone(beat, min(strike.beats, span.end - beat) * plan.bass.short, pitch, force)


def _pitch(plan: Plan, span: Span, root: int, sign: str, goal: int) -> int:
    if sign == "a":
        return goal - 1 if goal - 1 >= plan.bass.low and goal >= root else goal + 1
    if sign == "L":
        fifth = root + span.chord.interval("5") - 12
        return fifth if fifth >= plan.bass.low else fifth + 12
    return root + span.chord.interval(sign)


# -- walking --------------------------------------------------------------------------------------------------------


def _walk(plan: Plan, rng: np.random.Generator) -> list[Tone]:
    """A new tone on each beat: chords are met on their roots, and reached by half steps where that can be."""
    tones: list[Tone] = []
    for phrase in plan.phrases:
        beats = [phrase.beat + i for i in range(round(phrase.end - phrase.beat))]
        before = [tones[-1].pitch] if tones else []
        for beat, pitch in zip(beats, _path(plan, beats, before, rng), strict=True):
            accent = _ON_CHORD if plan.span_at(beat).beat == beat else 0.0
            tones.append(Tone(beat, plan.bass.short, pitch, _FORCE + accent + phrase.energy))
    return tones


def _path(plan: Plan, beats: Sequence[float], before: Sequence[int], rng: np.random.Generator) -> list[int]:
    pitches = np.arange(plan.bass.low, plan.bass.high + 1)
    notes = [np.where(pitches == pitch, 0.0, np.inf) for pitch in before]
    spans = [plan.span_at(beat) for beat in beats]
    starts = [
        span.beat == beat and (i == 0 or span.chord != spans[i - 1].chord)
        for i, (span, beat) in enumerate(zip(spans, beats, strict=True))
    ]
    for span, new in zip(spans, starts, strict=True):
        notes.append(_walked(plan, span, pitches, new=new) + _CHANCE * rng.standard_normal(len(pitches)))
    size = np.abs(pitches[None, :] - pitches[:, None])
    plain = np.where(size <= 12, np.array(_WALK_STEP_COSTS)[np.minimum(size, 12)], _BEYOND_OCTAVE)
    leading = np.vectorize(lambda step: _LEAD_COSTS.get(int(step), 2.0))(size)
    arrivals = [False] * len(before) + starts
    steps: list[Costs] = [leading if new else plain for new in arrivals[1:]]
    turns = [_turns(pitches)] * max(0, len(notes) - 2)
    return [int(pitches[place]) for place in cheapest_path(np.array(notes), steps, turns)[len(before) :]]


def _walked(plan: Plan, span: Span, pitches: Pitches, *, new: bool) -> Costs:
    if new:
        return np.where(pitches % 12 == span.chord.root, 0.0, 30.0)
    scale = np.isin(pitches % 12, scale_over(plan.key, span.chord))
    chord = np.isin(pitches % 12, span.chord.pitch_classes)
    return np.asarray(np.where(chord, 0.0, np.where(scale, _IN_SCALE, _CHROMATIC)))


def _turns(pitches: Pitches) -> Costs:
    """A walking line goes on in its direction more than it turns, and does not go back and forth."""
    first = (pitches[None, :] - pitches[:, None])[:, :, None]
    second = (pitches[None, :] - pitches[:, None])[None, :, :]
    costs = np.where(first == -second, 1.0, 0.0) + np.where(np.sign(first) * np.sign(second) < 0, 0.25, 0.0)
    return np.asarray(costs + np.where((np.abs(first) > 4) & (np.abs(second) > 4), 1.5, 0.0))
