"""Clips made of single notes, for material in NSynth's layout: a note is 4 s long, a clip 10 s.

The rule (`joined-notes@1`). The notes of an instrument between E1 and E6 (`PITCHES`) are shuffled by the seed and dealt
out, each once, so no note is heard in two clips. Each takes a length of `LENGTHS_S` drawn by the seed, the last what is
left. A note begins at its attack, where the one before is cut and fades out under it for `FADE_S`; the clip's end fades
out as long. So one note sounds at a time, but for that moment. Notes are mixed down to mono and keep their levels, but
a clip with a peak over `PEAK` is turned down to it. Samples are rounded to 16 bits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.audio import Clip, Samples
from bench.errors import DataError
from bench.identity import derive_seed
from tasks.nsynth import Note

PITCHES = (28, 88)
"""E1 to E6, what basses to flutes play. NSynth goes on to 0 and 127, where little is left of an instrument."""

LENGTHS_S = (0.5, 1.0, 1.5, 2.0)
FADE_S = 0.03
PEAK = 0.99

_FULL_SCALE = 32768.0

Plan = tuple[tuple[Note, float], ...]
"""The notes of a clip in order, and how long each lasts until the next, in seconds."""


def describe() -> dict[str, Any]:
    """The rule and its parameters, as they stand in `Suite.rules`."""
    return {
        "rule": "joined-notes@1",
        "pitches": list(PITCHES),
        "lengths_s": list(LENGTHS_S),
        "fade_s": FADE_S,
        "peak": PEAK,
    }


def plans(notes: Sequence[Note], duration_s: float, *, seed: int) -> Iterator[Plan]:
    """The clips that the notes of one instrument suffice for.

    Args:
        notes: of one instrument, in any order.
        duration_s: of each clip.
        seed: of the order of notes and of their lengths; with the instrument's name it decides all.
    """
    usable = sorted((note for note in notes if PITCHES[0] <= note.pitch <= PITCHES[1]), key=lambda n: n.note_str)
    if not usable:
        return
    rng = np.random.default_rng(derive_seed(seed, "pairs", "joined", usable[0].instrument))
    waiting = [usable[i] for i in rng.permutation(len(usable))]
    while True:
        lengths = _lengths(duration_s, rng)
        if len(lengths) > len(waiting):
            return
        yield tuple(zip(waiting, lengths, strict=False))
        waiting = waiting[len(lengths) :]


def join(folder: Path, plan: Plan) -> Clip:
    """A clip, by the rule above: mono, of 16-bit samples.

    Args:
        folder: the one with the notes' `audio/`.
        plan: the notes and their lengths.

    Raises:
        AudioError: if the audio of a note cannot be used.
        DataError: if the notes have different rates.
    """
    read = [Clip.read(folder / note.path).to_mono() for note, _ in plan]
    rate = read[0].rate
    for (note, _), clip in zip(plan, read, strict=True):
        if clip.rate != rate:
            raise DataError(
                f"the notes of an instrument have different rates ({clip.rate} Hz; {plan[0][0].note_str}: {rate} Hz)",
                where=str(folder / note.path),
                remedy="Resample the notes to one rate.",
                code="data/rates-differ",
            )
    starts = [round(start * rate) for start in np.cumsum([0.0, *(length for _, length in plan)])]
    fade = round(FADE_S * rate)
    samples = np.zeros(starts[-1] + fade, np.float32)
    for clip, start, end in zip(read, starts[:-1], starts[1:], strict=True):
        samples[start : end + fade] += _cut(clip, end - start, fade)
    whole = samples[: starts[-1]]
    whole[-fade:] *= _fade_out(fade)
    peak = float(np.abs(whole).max())
    gain = PEAK / peak if peak > PEAK else 1.0
    return Clip.of(np.rint(whole * np.float32(gain * _FULL_SCALE)) / np.float32(_FULL_SCALE), rate)


def _lengths(duration_s: float, rng: np.random.Generator) -> list[float]:
    """Lengths that add up to the duration; the last is what is left once that is no more than the longest."""
    lengths: list[float] = []
    left = duration_s
    while left > max(LENGTHS_S):
        length = float(rng.choice(LENGTHS_S))
        lengths.append(length)
        left -= length
    return [*lengths, left]


def _cut(clip: Clip, length: int, fade: int) -> Samples:
    """A note's first samples, with what sounds on after them fading out; shape (length + fade,)."""
    samples = clip.fit(length + fade).samples[:, 0].copy()
    samples[length:] *= _fade_out(fade)
    return samples


def _fade_out(samples: int) -> Samples:
    return np.linspace(1.0, 0.0, samples, dtype=np.float32)
