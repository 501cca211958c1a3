"""The drums: a groove for each section, a fill where it ends, a cymbal where the next begins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from tasks.synth.genres.genre import Groove
from tasks.synth.notation import Tone, read_grid
from tasks.synth.plan import Phrase, Plan, pick

KEYS: Mapping[str, int] = {
    "kick": 36, "rim": 37, "snare": 38, "clap": 39, "low-tom": 43, "mid-tom": 47, "high-tom": 50,
    "hat": 42, "pedal": 44, "open": 46, "crash": 49, "ride": 51, "tambourine": 54, "cowbell": 56,
    "conga": 63, "low-conga": 64, "timbale": 65, "low-timbale": 66, "shaker": 70, "clave": 75, "triangle": 81,
}  # fmt: skip
"""General MIDI keys of the drums used. All kits used have samples for all of them."""

LEVELS: Mapping[str, float] = {
    "kick": 0.66, "snare": 0.72, "clap": 0.8, "low-tom": 0.62, "mid-tom": 0.62, "high-tom": 0.62, "crash": 0.74,
    "tambourine": 0.75, "cowbell": 0.55, "conga": 0.5, "low-conga": 0.48, "timbale": 0.5, "low-timbale": 0.5,
    "clave": 0.55,
}  # fmt: skip
"""How hard each is hit at most. The rest, hats, ride, rim and shaker, as hard as can be: their samples are softer by
10 to 20 dB."""

STROKES: Mapping[str, float] = {"X": 1.0, "x": 0.86, "o": 0.58}

FILLS: Mapping[str, Groove] = {
    "toms": {
        "kick": "x...x...x.......", "snare": "....X...xx......", "hat": "x.x.x.x.........",
        "high-tom": "..........xx....", "mid-tom": "............xx..", "low-tom": "..............XX",
    },
    "late toms": {
        "kick": "x.......x.......", "snare": "....X...........", "hat": "x.x.x.x.x.x.....",
        "high-tom": "............x...", "mid-tom": ".............x..", "low-tom": "..............xX",
    },
    "snare roll": {"kick": "x...x...x...x...", "snare": "....X...ooxoxxXX", "hat": "x.x.x.x........."},
    "snare pickup": {"kick": "x.......x.......", "snare": "....X.......x.xX", "hat": "x.x.x.x.x.x....."},
    "stops": {"kick": "x.......X.......", "snare": "....X.....X.X.X.", "crash": "........x......."},
    "sixteenths": {
        "kick": "x..x..x.x.......", "snare": "....X..ox.x.oxXx", "hat": "x.x.x.x.........",
        "low-tom": ".............x..",
    },
    "claps": {
        "kick": "X...X...X.......", "clap": "....x.......x.xx", "hat": "x.x.x.x.x.x.x.x.", "snare": "..............oX",
    },
    "rim fill": {"kick": "x..xx..x", "rim": "X..X..XX", "hat": "xoxoxo.."},
    "rim roll": {"kick": "........X.......", "rim": "........x.xxx.xX", "hat": "x.xox.xo........"},
    "soft toms": {
        "kick": "x..x....", "rim": "..x.....", "high-tom": "....o...", "mid-tom": ".....o..", "low-tom": "......ox",
    },
    "swing": {"ride": "x.xx....", "snare": "....oxxX", "kick": "o...o..x", "high-tom": ".....x.."},
    "tambourine": {"kick": "x...x...", "tambourine": "..o.oxxx"},
    "timbales": {"kick": "x..x....", "timbale": "....x.xx", "low-timbale": ".....x..", "cowbell": "x.x....."},
    "waltz": {"kick": "o.....", "snare": "..ooxx", "hat": "x....."},
    "waltz toms": {"kick": "o.....", "high-tom": "..x...", "mid-tom": "...xx.", "low-tom": ".....x"},
    "six toms": {"kick": "x.....", "snare": "...X..", "hat": "xxx...", "high-tom": "....x.", "low-tom": ".....x"},
    "six snare": {"kick": "x.....", "snare": "...Xxx", "hat": "xxx..."},
}  # fmt: skip
"""Grooves for the last bar of a section, by the names that genres give."""

_RING_BEATS = 4.0
_CRASH_FORCE = 0.62
_GHOSTS = 0.12
_GHOST_FORCE = 0.3
_SMALL_FILLS = 0.35
_HATS = ("hat", "ride", "shaker", "open")


def write(plan: Plan, rng: np.random.Generator) -> list[Tone]:
    """The drums of a whole song."""
    return [tone for phrase in plan.phrases for tone in _phrase(plan, phrase, rng)]


def _phrase(plan: Plan, phrase: Phrase, rng: np.random.Generator) -> Iterator[Tone]:
    groove = plan.pick_for(phrase.label, plan.grooves)
    bars = [onset for onset, _ in phrase.bars]
    if phrase.place == 0 and phrase.sung and phrase.beat > 0:
        yield Tone(phrase.beat, _RING_BEATS, KEYS["crash"], _CRASH_FORCE)
    for number, onset in enumerate(bars):
        last = number == len(bars) - 1
        fills = last and (phrase.ends_section or rng.random() < _SMALL_FILLS)
        played = FILLS[pick(rng, plan.genre.fills)] if fills else groove
        yield from _bar(plan, played, number, onset, phrase.energy)
        if not fills:
            yield from _ghosts(plan, played, onset, rng)


def _bar(plan: Plan, groove: Groove, number: int, onset: float, energy: float) -> Iterator[Tone]:
    for drum, rows in groove.items():
        grids = rows.split("/")
        for strike in read_grid(grids[number % len(grids)], plan.genre.beats):
            force = LEVELS.get(drum, 1.0) * STROKES[strike.sign] * _pulse(plan, drum, strike.beat)
            yield Tone(onset + strike.beat, _RING_BEATS, KEYS[drum], min(1.0, force + energy))


def _pulse(plan: Plan, drum: str, beat: float) -> float:
    """Hats breathe with the beat: softer between beats than on them."""
    return 1.0 if drum not in _HATS or beat == int(beat) else 0.9


def _ghosts(plan: Plan, groove: Groove, onset: float, rng: np.random.Generator) -> Iterator[Tone]:
    """Now and then a soft snare or kick that the groove does not have."""
    for drum in ("snare", "kick"):
        if drum in groove and rng.random() < _GHOSTS:
            beat = pick(rng, (plan.genre.beats - 0.5, 1.5, 2.5))
            taken = {strike.beat for strike in read_grid(groove[drum].split("/")[0], plan.genre.beats)}
            if beat not in taken:
                yield Tone(onset + beat, _RING_BEATS, KEYS[drum], _GHOST_FORCE)
