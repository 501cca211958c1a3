"""From notes on paper to notes as played: swing, and the small deviations of people.

The true edit of a task is made from the performed score: source and target instrument play the same performance.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from bench.task import STEMS, StemName
from tasks.synth import bass, comping, drums, melody
from tasks.synth.genres.genre import Comping
from tasks.synth.notation import Tone
from tasks.synth.plan import Plan
from tasks.synth.scores import Note, Part, Score, separate

TIMING_S: Mapping[StemName, float] = {"vocals": 0.012, "other": 0.008, "bass": 0.006, "drums": 0.005}
"""Standard deviation of onsets, largest for the singer and smallest for the drummer."""

VELOCITY_SPREAD = 5.0
"""Standard deviation of velocities."""

DRUM_RING_S = 2.0


def write_out(plan: Plan, rng: np.random.Generator) -> dict[StemName, list[Tone]]:
    """The written notes of all parts, onsets in beats."""
    tune = melody.write(plan, rng)
    return {
        "vocals": tune,
        "drums": drums.write(plan, rng),
        "bass": bass.write(plan, rng),
        "other": comping.write(plan, tune, rng),
    }


def perform(plan: Plan, seconds: float, rng: np.random.Generator) -> Score:
    """The score of a plan, written and played.

    Args:
        plan: what to play.
        seconds: no note begins later.
        rng: writer and players.
    """
    written = write_out(plan, rng)
    parts: dict[StemName, Part] = {}
    for stem in STEMS:
        tones = sorted(written[stem], key=lambda tone: (tone.beat, tone.pitch))
        notes = [note for note in _played(plan, stem, tones, rng) if note.onset_s < seconds]
        single = stem != "drums" and _one_at_a_time(tones)
        parts[stem] = Part(stem, plan.players[stem], separate(notes, monophonic=single))
    return Score(plan.tempo, plan.key.name, parts)


def swung(plan: Plan, beat: float) -> float:
    """Where a beat lies when the second half of each swing unit comes late."""
    unit = plan.genre.swing_unit
    whole, within = divmod(beat / unit, 1.0)
    late = within * 2 * plan.swing if within < 0.5 else plan.swing + (within - 0.5) * 2 * (1 - plan.swing)
    return (whole + late) * unit


def _played(plan: Plan, stem: StemName, tones: Sequence[Tone], rng: np.random.Generator) -> Iterator[Note]:
    """The notes as played. Deviations are cut at two and a half sigma: nobody stumbles."""
    beat_s = 60 / plan.tempo
    strum = plan.accompaniment.strum_s if stem == "other" and isinstance(plan.accompaniment, Comping) else 0.0
    struck: defaultdict[float, int] = defaultdict(int)
    for tone in tones:
        late, louder = np.clip(rng.standard_normal(2), -2.5, 2.5)
        onset, end = swung(plan, tone.beat) * beat_s, swung(plan, tone.end) * beat_s
        moved = onset + late * TIMING_S[stem] + strum * struck[tone.beat]
        struck[tone.beat] += 1
        yield Note(
            onset_s=max(0.0, float(moved)),
            duration_s=DRUM_RING_S if stem == "drums" else end - onset,
            pitch=tone.pitch,
            velocity=int(np.clip(round(127 * tone.force + louder * VELOCITY_SPREAD), 1, 127)),
        )


def _one_at_a_time(tones: Sequence[Tone]) -> bool:
    return all(a.end <= b.beat + 1e-9 for a, b in itertools.pairwise(tones))
