"""How music is written down here: tones, and step grids as short strings.

A grid divides a bar into equal steps, one sign a step: ``-`` holds, ``.`` rests, any other sign strikes. What a sign
means is its reader's business: a chord, one of its voices, a degree for the bass, a loud or soft stroke of a drum.

>>> read_grid("R--5", 4)
[Strike(beat=0.0, beats=3.0, sign='R'), Strike(beat=3.0, beats=1.0, sign='5')]
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Tone:
    """A written note: onset and length in beats, MIDI pitch (60 = C4), and loudness from 0 to 1."""

    beat: float
    beats: float
    pitch: int
    force: float = 0.7

    @property
    def end(self) -> float:
        """Where it ends, in beats."""
        return self.beat + self.beats


@dataclass(frozen=True)
class Strike:
    """One struck step of a grid: onset and length in beats, and its sign."""

    beat: float
    beats: float
    sign: str


def read_grid(text: str, beats: float) -> list[Strike]:
    """The strikes of one bar of a grid. A hold before any strike, or after a rest, is a rest."""
    step = beats / len(text)
    return [Strike(found.start() * step, len(found[0]) * step, found[1]) for found in re.finditer(r"([^-.])(-*)", text)]
