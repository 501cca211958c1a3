"""What the stages learn from: excerpts of songs in whole and in part, as they are and with other instruments.

Levels are those of the pipeline: a clip is brought to a peak of 0.5 before it is encoded, whatever it was mixed at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.backbones.audioldm2.model import PEAK
from bench.backbones.nano.train.takes import Take, TakenSong, Waveform
from bench.task import STEMS


@dataclass(frozen=True)
class Drawn:
    """Some takes of a song, which sound together."""

    song: TakenSong
    takes: tuple[Take, ...]

    def waveform(self) -> Waveform:
        """The whole clip at a peak of 0.5, (samples,); silence stays silence."""
        return at_peak(self.song.sum(self.takes))


def at_peak(waveform: Waveform, peak: float = PEAK) -> Waveform:
    """The same, scaled to a peak."""
    highest = float(np.abs(waveform).max())
    return waveform * np.float32(peak / highest) if highest > 1e-4 else waveform


def draw_mix(song: TakenSong, rng: np.random.Generator, *, stems: int | None = None) -> Drawn:
    """A mixture of the song: of each stem a random take, of all stems or of `stems` random ones."""
    kept = list(STEMS) if stems is None else [STEMS[i] for i in sorted(rng.permutation(len(STEMS))[:stems])]
    return Drawn(song, tuple(_choice(song.of_stem[stem], rng) for stem in kept))


def draw_any(songs: Sequence[TakenSong], rng: np.random.Generator, *, solo: float, full: float) -> Drawn:
    """A random song: one take with probability `solo`, all four stems with probability `full`, else two or three."""
    song, draw = songs[int(rng.integers(len(songs)))], float(rng.random())
    if draw < solo:
        return Drawn(song, (_choice(song.takes, rng),))
    return draw_mix(song, rng, stems=None if draw < solo + full else int(rng.integers(2, 4)))


def _choice(takes: Sequence[Take], rng: np.random.Generator) -> Take:
    return takes[int(rng.integers(len(takes)))]
