"""Which ten seconds of a song are edited, when the data set does not say (PolyEvalPrompts does not).

The rule, `least-active-share@1`. A window of `duration_s` is laid at 0.0, 0.5, 1.0 … s, as long as it fits into
the song. For each window and each edited stem, the *active share* is the fraction of frames in which the stem
sounds. The window whose least active share over the edited stems is largest is taken; of several, the earliest.

A *frame* is 50 ms; frames do not overlap, and frame k begins at sample round(k · 0.05 · rate) of the song, so a
window always begins with a frame. A last frame that the song cuts short does not count. A frame is *active* if its
power (the mean over samples of the sum of squares over channels) is less than 40 dB below that of the same stem's
loudest frame in the whole song, so the level of a stem does not matter. A stem that is digital silence from end to end
is active nowhere and has no say in the choice, which it would otherwise make arbitrary. A stem is *silent in a
window* if no frame of the window is active.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from bench.audio import Samples
from bench.errors import AudioError

RULE = "least-active-share@1"
GRID_S = 0.5
FRAME_S = 0.05
THRESHOLD_DB = -40.0

_EPSILON = 1e-6  # of a frame: keeps 10 s / 0.05 s from being 199.99… frames
_BLOCK = 100  # frames squared at a time, so that no array in float64 is as long as the song

Activity = npt.NDArray[np.bool_]


def active_frames(samples: Samples, rate: int) -> Activity:
    """In which frames a stem sounds.

    Args:
        samples: the stem over the whole song, shape (samples, channels).
        rate: in Hz.

    Returns:
        One truth value for each whole frame, shape (frames,).
    """
    count = int(samples.shape[0] / rate / FRAME_S) + 1
    edges = np.array([round(k * FRAME_S * rate) for k in range(count + 1)])
    edges = edges[edges <= samples.shape[0]]
    if len(edges) < 2:
        return np.zeros(0, np.bool_)
    parts = [edges[k : k + _BLOCK + 1] for k in range(0, len(edges) - 1, _BLOCK)]
    power = np.concatenate([_power(samples, part) for part in parts])
    return np.asarray((power > power.max() * 10 ** (THRESHOLD_DB / 10)) & (power > 0))


def _power(samples: Samples, edges: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Power of the frames between edges: the mean over samples of the sum of squares over channels."""
    block = samples[edges[0] : edges[-1]].astype(np.float64)  # einsum converts, too, but takes more than twice as long
    squares = np.einsum("ij,ij->i", block, block)
    return np.asarray(np.add.reduceat(squares, edges[:-1] - edges[0]) / np.diff(edges))


def window_frames(activity: Activity, start_s: float, duration_s: float) -> Activity:
    """The frames of a stem that lie wholly in a window; one that is pinned may begin inside a frame."""
    first = math.ceil(start_s / FRAME_S - _EPSILON)
    end = math.floor((start_s + duration_s) / FRAME_S + _EPSILON)
    return activity[first : max(first + 1, end)]


def choose_start(stems: Sequence[Activity], *, rate: int, length: int, duration_s: float) -> float:
    """The start of the excerpt, in seconds, by the rule at the top of this file.

    Args:
        stems: `active_frames` of each edited stem. None at all is fine: all windows are equal then, the first is taken.
        rate: of the song, in Hz.
        length: of the song, in samples.
        duration_s: of the window.

    Raises:
        AudioError: if the song is shorter than the window.
    """
    window = round(duration_s * rate)
    if not 0 < window <= length:
        raise AudioError(
            f"a song of {length / rate:.3f} s has no excerpt of {duration_s:g} s",
            remedy="Choose a duration above 0 s that fits into every song.",
            code="audio/too-short",
        )
    steps = int((length - window) / rate / GRID_S) + 2
    starts = [k * GRID_S for k in range(steps) if round(k * GRID_S * rate) + window <= length]
    counts = [_active_counts(activity, len(starts), duration_s) for activity in stems if activity.any()]
    if not counts:
        return 0.0
    return starts[int(np.argmax(np.min(counts, axis=0)))]  # argmax takes the first of equals: the earliest


def _frames(duration_s: float) -> int:
    """Whole frames in a window that begins with a frame."""
    return max(1, int(duration_s / FRAME_S + _EPSILON))


def _active_counts(activity: Activity, windows: int, duration_s: float) -> npt.NDArray[np.int64]:
    """Active frames in each window of the grid. Frames after a stem's end are not active."""
    per_step = round(GRID_S / FRAME_S)
    needed = (windows - 1) * per_step + _frames(duration_s)
    padded = np.pad(activity[:needed], (0, max(0, needed - len(activity))))
    before = np.concatenate([[0], np.cumsum(padded)])
    first = np.arange(windows) * per_step
    return np.asarray(before[first + _frames(duration_s)] - before[first], np.int64)
