"""Sounds with known notes and known onsets, and a task about them, for the tests of the metrics."""

from __future__ import annotations

import numpy as np

from bench.audio import Clip
from bench.task import EditTask, StemName

RATE = 44_100
SECONDS = 4.0
TUNE = (60, 64, 67, 65, 62, 69, 71, 72)


def notes(pitches: tuple[float, ...], *, rate: int = RATE, seconds: float = SECONDS) -> Clip:
    """A mono line of equally long plucked notes (MIDI numbers; ten decaying harmonics each)."""
    length = round(seconds * rate / len(pitches))
    t = np.arange(length) / rate
    played = []
    for pitch in pitches:
        f0 = 440 * 2 ** ((pitch - 69) / 12)
        tone = sum(np.sin(2 * np.pi * f0 * k * t) * np.exp(-t * k) / k for k in range(1, 11) if f0 * k < rate / 2)
        played.append(tone * np.minimum(1, np.minimum(t, t[::-1]) / 0.005))
    return Clip.of((0.1 * np.concatenate(played)).astype(np.float32), rate)


def hits(times: tuple[float, ...], *, rate: int = RATE, seconds: float = SECONDS, seed: int = 3) -> Clip:
    """A mono line of short noise bursts that start at the given seconds."""
    rng = np.random.default_rng(seed)
    samples = np.zeros(round(seconds * rate))
    burst = rng.normal(0, 0.2, rate // 10) * np.exp(-np.arange(rate // 10) / (0.015 * rate))
    for time in times:
        start = round(time * rate)
        samples[start : start + len(burst)] += burst[: len(samples) - start]
    return Clip.of(samples.astype(np.float32), rate)


def a_task(song: str, stem: StemName, *, monophonic: bool | None = True) -> EditTask:
    """An edit of one stem of a song."""
    return EditTask(
        id=f"suite/{song}/a2b",
        suite="suite",
        song=song,
        source=song,
        stem=stem,
        source_prompt="a piece with a piano",
        target_prompt="a piece with a violin",
        monophonic=monophonic,
    )
