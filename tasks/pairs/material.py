"""What pairs are made of: clips that were heard and found fit, and a count of those that were not."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.audio import Clip
from tasks.pairs.recordings import Recording
from tasks.pairs.rules import silence_s

ROOT = "pairs"
"""Of the clips that were made or rendered, and of phrases."""

SILENT = "with too much silence"
SHORT = "too short"
UNKNOWN = "whose instrument is not told"
DRUMS = "of drums"


@dataclass(frozen=True)
class Wanted:
    """What is asked of the material.

    Attributes:
        pairs: how many will be made of it.
        duration_s: length of the clips. max_silence_s: how much of it may be silent.
        seed: of every choice.
    """

    pairs: int
    duration_s: float
    max_silence_s: float
    seed: int

    def clips_of_each(self, instruments: int) -> int:
        """How many clips of each instrument suffice for each to be used once: two a round (`tasks.pairs.pairing`)."""
        return 2 * math.ceil(self.pairs / max(1, instruments))

    def is_silent(self, clip: Clip) -> bool:
        """Whether a clip has more silence than it may."""
        return silence_s(clip) > self.max_silence_s + 1e-9


@dataclass(frozen=True)
class Material:
    """Clips that may be paired.

    Attributes:
        recordings: the clips, in a fixed order.
        roots: the folder of each root that they are in.
        rules: how they came about, for `Suite.rules`.
        refused: how many clips could not be used, by reason; told where what is left does not suffice.
    """

    recordings: tuple[Recording, ...]
    roots: Mapping[str, Path]
    rules: Mapping[str, Any]
    refused: Counter[str] = field(default_factory=Counter)
