"""Which seconds of a song are edited: chosen by a rule, or pinned by the user, and cut with one reading of the song.

No data set of this task says which seconds of a song its authors took. `rule` finds them; `pins` reads another choice
from a file; `cutting` reads the audio and returns what a suite must know of it.
"""

from __future__ import annotations

from typing import Any

from tasks.excerpts.cutting import MIXTURE_NOT_SUM_DB, Cut, cut, source_ref
from tasks.excerpts.pins import NO_PINS, Pins, read_pins
from tasks.excerpts.rule import FRAME_S, GRID_S, RULE, THRESHOLD_DB, active_frames, choose_start, window_frames

__all__ = [
    "MIXTURE_NOT_SUM_DB",
    "NO_PINS",
    "Cut",
    "Pins",
    "active_frames",
    "choose_start",
    "cut",
    "describe",
    "read_pins",
    "source_ref",
    "window_frames",
]


def describe(duration_s: float, pins: Pins = NO_PINS) -> dict[str, Any]:
    """The rule, its parameters and the pins, as they stand in `Suite.rules`."""
    rule = {
        "rule": RULE,
        "duration_s": duration_s,
        "grid_s": GRID_S,
        "frame_s": FRAME_S,
        "threshold_db": THRESHOLD_DB,
    }
    return rule | ({"pinned": {"songs": len(pins), "sha256": pins.digest}} if pins else {})
