"""DPD: how far, in cents, is the edited part's pitch from what was played?

Pitch is followed by PESTO in the source's true stem and in the edit, and the mean |difference| along a narrow
time-warping path is reported. It is meant for a stem that is a single melodic line: on chords PESTO picks a voice
at random.

The edit is a mixture, so its part is drawn out first by the Wiener mask of the source's *true* stems,

    W = |S_tgt|² / (|S_tgt|² + |S_con|²),

applied to the edit's complex STFT (`bench/metrics/part.py`). What leaks through it from other instruments pulls the
value up (the untouched source does not score 0, see the copy-source control), and what is left at the old pitches pulls
a missing part's value down.

Conventions: contours are in cents (100 x MIDI note number) at 10 ms, with PESTO's confidence in [0, 1]. Frames count
if it is at least 0.5 in both. Both signals are brought to -23 LUFS before, since the confidence depends on the level.

Source: "DPD using PESTO", unit cents, in the mutual-information inpainting paper (arXiv 2601.01294), which gives no
formula; this one is ours. It is *not* the DPD of Mancusi et al. 2025 (pitch classes from basic-pitch, in semitones),
and the two do not belong in one column. PESTO: Riou et al., ISMIR 2023.
"""

from __future__ import annotations

import numpy as np

from bench.metric import Case, Missing, Needs, SampleMetric
from bench.metrics.compiled import ready
from bench.metrics.pitch import STEP_S, Floats, Pitch, contours_of, described

BAND_S = 0.1
MIN_FRAMES = 50
MIN_SHARE = 0.25


def dpd(reference_cents: Floats, estimated_cents: Floats, times_s: Floats, band_s: float = BAND_S) -> float:
    """Mean |difference| in cents along the cheapest path of dynamic time warping.

    Args:
        reference_cents: pitch, (frames,), at least one.
        estimated_cents: pitch in the same frames, (frames,).
        times_s: time of each frame in seconds, ascending. Frames may be missing between them.
        band_s: frames further apart than this are never matched (Sakoe-Chiba band, in time).

    Raises:
        ValueError: for arrays of other shapes, values that are not finite, or times that do not ascend.

    Source: named by arXiv 2601.01294 without a formula; this one is ours.

    >>> import numpy as np
    >>> tune, times = np.array([6000.0, 6200.0, 6400.0]), np.array([0.0, 1.0, 2.0])
    >>> dpd(tune, tune, times), dpd(tune, tune + 100, times)
    (0.0, 100.0)
    """
    from librosa.sequence import dtw

    _validate(reference_cents, estimated_cents, times_s)
    ready()
    cost = np.abs(reference_cents[:, None] - estimated_cents[None, :])
    too_far = np.abs(times_s[:, None] - times_s[None, :]) > band_s + STEP_S / 10
    _, path = dtw(C=np.where(too_far, np.inf, cost))
    return float(cost[path[:, 0], path[:, 1]].mean())


def _validate(*arrays: Floats) -> None:
    shapes = [np.shape(array) for array in arrays]
    if len(set(shapes)) != 1 or len(shapes[0]) != 1 or not shapes[0][0]:
        raise ValueError(f"contours and times of the shapes {shapes}; three of one shape (frames,) are needed")
    if not all(np.isfinite(array).all() for array in arrays):
        raise ValueError("a contour or its times have values that are not finite")
    if not (np.diff(arrays[-1]) > 0).all():
        raise ValueError("the times of the frames do not ascend")


def compare(reference: Pitch, estimated: Pitch) -> float | Missing:
    """`dpd` over the frames that are voiced in both contours, if there are enough of them."""
    expected = int(reference.voiced.sum())
    if expected < MIN_FRAMES:
        return Missing("too-few-voiced-frames", f"the source's stem has {expected} voiced frames, {MIN_FRAMES} needed")
    frames = min(len(reference.voiced), len(estimated.voiced))
    common = np.flatnonzero(reference.voiced[:frames] & estimated.voiced[:frames])
    needed = max(MIN_FRAMES, round(MIN_SHARE * expected))
    if len(common) < needed:
        return Missing("edit-unvoiced", f"{len(common)} of {expected} voiced frames are voiced in the edit too")
    return dpd(reference.cents[common], estimated.cents[common], common * STEP_S)


class DpdPestoCents(SampleMetric):
    """Pitch distance between the source's stem and the same part in the edit."""

    name = "dpd-pesto-cents"
    version = 1
    direction = "lower"
    unit = "cents"
    range = (0.0, float("inf"))
    needs = frozenset({Needs.SOURCE, Needs.STEMS, Needs.MONOPHONIC})
    summary = "pitch distance of the edited part to the source's stem, warped by at most 100 ms"
    source = "the MI-inpainting paper (arXiv 2601.01294) names it; the formula is ours"
    smallest_effect = 5.0

    @property
    def parameters(self) -> str:
        """The pitch follower, what it is given, and the path."""
        return (
            f"{described()}, frames voiced in both, at least {MIN_FRAMES} and {MIN_SHARE:g} of the reference's, "
            f"DTW band {1000 * BAND_S:g} ms, path mean"
        )

    def score(self, case: Case) -> float | Missing:
        """The distance in cents."""
        contours = contours_of(case)
        return contours if isinstance(contours, Missing) else compare(*contours)
