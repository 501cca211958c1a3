"""What makes a clip fit for a pair, and what makes it monophonic.

**Silence** (`silent-frames@1`). The silence of a clip is the time in which it does not sound, by the frames of
`tasks.excerpts`: 50 ms each, silent if 40 dB or more below the clip's own loudest frame. The paper's bound is 5 s.

**One note at a time** (`one-note@1`). A clip is monophonic if its notes are known and none is held into the next. If
they are not known, the suite that it is from may say so of the stem; if not, its instrument does: it is monophonic if
that cannot play two notes (`single_line` in `tasks.instruments`), not monophonic if it plays chords or is a section,
and unknown otherwise: a violin may play double stops. What rings on after a note was let go (harp, vibraphone) does not
count: the clip is a single line all the same.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from bench.audio import Clip
from tasks.excerpts.rule import FRAME_S, THRESHOLD_DB, active_frames


def describe(max_silence_s: float) -> dict[str, Any]:
    """The rules and their parameters, as they stand in `Suite.rules`."""
    return {
        "silence": {
            "rule": "silent-frames@1",
            "max_s": max_silence_s,
            "frame_s": FRAME_S,
            "threshold_db": THRESHOLD_DB,
        },
        "monophonic": "one-note@1",
    }


def silence_s(clip: Clip) -> float:
    """For how long a clip does not sound, in seconds; a last frame that the clip cuts short does not count."""
    return float((~active_frames(clip.samples, clip.rate)).sum() * FRAME_S)


def one_note_at_a_time(notes: Sequence[tuple[float, float]]) -> bool:
    """Whether no note is held into another.

    Args:
        notes: onset and end of each, in seconds, in any order.

    >>> one_note_at_a_time([(0.0, 1.0), (1.0, 1.5)]), one_note_at_a_time([(0.0, 1.1), (1.0, 1.5)])
    (True, False)
    """
    ordered = sorted(notes)
    return all(before[1] <= after[0] for before, after in itertools.pairwise(ordered))
