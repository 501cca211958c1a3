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

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.audio import Clip, Samples, file_info
from bench.errors import AudioError, DataError
from bench.task import Excerpt, StemName, audio_digest, read_stems

GRID_S = 0.5
FRAME_S = 0.05
THRESHOLD_DB = -40.0

Activity = npt.NDArray[np.bool_]


def describe(duration_s: float) -> dict[str, Any]:
    """The rule and its parameters, as they stand in `Suite.rules`."""
    return {
        "rule": "least-active-share@1",
        "duration_s": duration_s,
        "grid_s": GRID_S,
        "frame_s": FRAME_S,
        "threshold_db": THRESHOLD_DB,
    }


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
    squares = np.einsum("ij,ij->i", samples[: edges[-1]], samples[: edges[-1]], dtype=np.float64)
    power = np.add.reduceat(squares, edges[:-1]) / np.diff(edges)
    return np.asarray((power > power.max() * 10 ** (THRESHOLD_DB / 10)) & (power > 0))


def window_frames(activity: Activity, start_s: float, duration_s: float) -> Activity:
    """The frames of a stem that lie wholly in a window which begins on the grid."""
    first = round(start_s / FRAME_S)
    return activity[first : first + _frames(duration_s)]


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
    """Whole frames in a window. The small number keeps 10 s / 0.05 s from being 199.99… frames."""
    return max(1, int(duration_s / FRAME_S + 1e-6))


def _active_counts(activity: Activity, windows: int, duration_s: float) -> npt.NDArray[np.int64]:
    """Active frames in each window of the grid. Frames after a stem's end are not active."""
    per_step = round(GRID_S / FRAME_S)
    needed = (windows - 1) * per_step + _frames(duration_s)
    padded = np.pad(activity[:needed], (0, max(0, needed - len(activity))))
    before = np.concatenate([[0], np.cumsum(padded)])
    first = np.arange(windows) * per_step
    return np.asarray(before[first + _frames(duration_s)] - before[first], np.int64)


@dataclass(frozen=True)
class Cut:
    """The excerpt of a song, and which of its edited stems are silent in it."""

    excerpt: Excerpt
    silent: frozenset[StemName]


def cut(
    root: Path,
    mixture: str,
    stems: Mapping[StemName, Sequence[str]],
    *,
    edited: Collection[StemName],
    duration_s: float,
) -> Cut:
    """Choose a song's excerpt by the rule and hash the audio in it.

    Files of edited stems are read whole, of everything else only the window.

    Args:
        root: folder to which the paths are relative.
        mixture: path of the mixture.
        stems: paths of each stem's files, which are summed.
        edited: the stems that tasks of this song edit; those that the song does not have are passed over.
        duration_s: of the window.

    Raises:
        AudioError: if a file cannot be used, or the song is shorter than the window.
        DataError: if the files have different sampling rates.
    """
    rate, length = _common_shape(root, [mixture, *(path for paths in stems.values() for path in paths)])
    activity = {
        stem: active_frames(Clip.sum([Clip.read(root / path) for path in stems[stem]]).samples, rate)
        for stem in sorted(edited)
        if stem in stems
    }
    try:
        start = choose_start(list(activity.values()), rate=rate, length=length, duration_s=duration_s)
    except AudioError as error:
        error.where = str(root / mixture)
        raise
    sha256 = audio_digest(*read_stems(root, mixture, stems, start, duration_s))
    silent = (stem for stem, active in activity.items() if not window_frames(active, start, duration_s).any())
    return Cut(Excerpt(start_s=start, duration_s=duration_s, sha256=sha256), frozenset(silent))


def _common_shape(root: Path, paths: Sequence[str]) -> tuple[int, int]:
    """Rate of a song's files, and the length of the shortest, in samples."""
    headers = {path: file_info(root / path) for path in paths}
    rates = sorted({info.rate for info in headers.values()})
    if len(rates) > 1:
        raise DataError(
            f"the files of one song have the sampling rates {rates} Hz",
            where=str(root / paths[0]),
            remedy="Resample the song's files to one rate.",
            code="data/rates-differ",
        )
    return rates[0], min(info.frames for info in headers.values())
