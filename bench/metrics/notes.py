"""DPD and pitch Jaccard distance as Mancusi et al. define them: pitch classes that basic-pitch hears.

basic-pitch gives, about 86 times a second, how likely each of 88 keys sounds. The keys of each of the twelve classes
are folded together (the most likely counts), and the likeliest class of a frame is its class, 0 for A. Then

* DPD is the distance of two sequences of classes along a path of dynamic time warping, over the length of the path;
* the Jaccard distance is 1 − |A ∩ B| / |A ∪ B| of the sets of classes that occur anywhere in the two clips.

The quirks are the published ones. A class is a number and not a place on a circle: from G♯ (11) to A (0) it is 11. A
frame of silence has a class too. Nothing bounds the warping, so timing costs nothing; a melody played backwards has a
Jaccard distance of 0. Path and length are FastDTW's of radius 1 (Salvador and Chan, 2007), with ties resolved as the
Python code of the package `fastdtw` 0.3.4 does, a step before a diagonal. Its compiled code and exact dynamic time
warping (librosa) take the diagonal first; their paths are half as long, and their values up to twice as large.

Here the reference is the source's true stem and the estimate is drawn out of the edit by the true stems' mask. As
published, clips of a single instrument go through a port of basic-pitch at 24 kHz as if that were its 22.05 kHz; here
they are resampled to what it expects.

Not to be confused with `dpd-pesto-cents` and `pitch-jaccard`, which are other metrics.

Source: Mancusi et al., ICASSP 2025 ("Latent Diffusion Bridges for Unsupervised Musical Audio Timbre Transfer"),
sony/diffusion-timbre-transfer, `pitch_tracking_utils.py` (MIT); basic-pitch: Bittner et al., ICASSP 2022.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.audio import Clip
from bench.metric import Case, Features, Missing, Needs, SampleMetric, length_mismatch
from bench.metrics.optional import Package
from bench.metrics.part import RATE, described, edited_part

PACKAGE = Package(
    "basic-pitch",
    ("basic_pitch", "onnxruntime"),
    "uv pip install --no-deps basic-pitch==0.4.0 && uv pip install onnxruntime",
)
BASIC_PITCH_RATE = 22_050
KEYS, CLASSES = 88, 12
OVERLAP_FRAMES = 30
RADIUS = 1

Classes = npt.NDArray[np.int64]
Steps = list[tuple[int, int]]
"""Pairs of indices, from the first to the last."""


def pitch_classes(posteriors: npt.ArrayLike) -> Classes:
    """The likeliest pitch class of each frame, 0 to 11 from A, (frames,).

    Args:
        posteriors: of the 88 keys from A0, (frames, 88).

    Raises:
        ValueError: for another shape.
    """
    likely = np.asarray(posteriors, np.float64)
    if likely.ndim != 2 or likely.shape[1] != KEYS:
        raise ValueError(f"posteriors of shape {likely.shape}; (frames, {KEYS}) are needed")
    folded = np.stack([likely[:, first::CLASSES].max(axis=1) for first in range(CLASSES)], axis=1)
    return np.asarray(folded.argmax(axis=1), np.int64)


def class_distance(reference: npt.ArrayLike, estimated: npt.ArrayLike) -> float:
    """DPD of two sequences of classes (frames,): mean difference along the path of FastDTW.

    Source: Mancusi et al., 2025.

    >>> class_distance([11] * 4, [0] * 4), class_distance([0, 2, 4, 5], [1, 3, 5, 6])
    (11.0, 0.8)

    Raises:
        ValueError: for a sequence that is empty or has more than one dimension.
    """
    first, second = (_sequence(classes) for classes in (reference, estimated))
    path = fast_dtw(first.tolist(), second.tolist(), RADIUS)
    return float(np.mean([abs(first[i] - second[j]) for i, j in path]))


def class_jaccard(reference: npt.ArrayLike, estimated: npt.ArrayLike) -> float:
    """Jaccard distance of the sets of classes in two sequences (frames,), in [0, 1]; errors as `class_distance`.

    >>> class_jaccard([0, 2, 4, 5], [5, 4, 2, 0]), class_jaccard([0, 2], [0, 3])
    (0.0, 0.6666666666666667)
    """
    first, second = (set(_sequence(classes).tolist()) for classes in (reference, estimated))
    return 1 - len(first & second) / len(first | second)


def fast_dtw(first: Sequence[float], second: Sequence[float], radius: int) -> Steps:
    """The path of FastDTW between two sequences of at least one value.

    The sequences are halved until one has fewer than radius + 2 values; each path is refined within `radius` cells of
    itself on the next finer grid.
    """
    everywhere = [range(len(second))] * len(first)
    if min(len(first), len(second)) < radius + 2:
        return _cheapest_path(first, second, everywhere)
    coarse = fast_dtw(_halved(first), _halved(second), radius)
    return _cheapest_path(first, second, _around(coarse, len(first), len(second), radius))


def _cheapest_path(first: Sequence[float], second: Sequence[float], rows: Sequence[range]) -> Steps:
    """Dynamic time warping over the cells of `rows`; of equal predecessors a step along `first` wins, then `second`."""
    best: dict[tuple[int, int], tuple[float, tuple[int, int]]] = {(-1, -1): (0.0, (-1, -1))}
    never = (np.inf, (-1, -1))
    for i, row in enumerate(rows):
        for j in row:
            cost, before = min(
                ((best.get(cell, never)[0], cell) for cell in ((i - 1, j), (i, j - 1), (i - 1, j - 1))),
                key=lambda found: found[0],
            )
            best[i, j] = (cost + abs(first[i] - second[j]), before)
    return [*_back(best, (len(first) - 1, len(second) - 1))][::-1]


def _back(
    best: dict[tuple[int, int], tuple[float, tuple[int, int]]], cell: tuple[int, int]
) -> Iterator[tuple[int, int]]:
    while cell != (-1, -1):
        yield cell
        cell = best[cell][1]


def _halved(values: Sequence[float]) -> list[float]:
    return [(values[index] + values[index + 1]) / 2 for index in range(0, len(values) - 1, 2)]


def _around(path: Steps, rows: int, columns: int, radius: int) -> list[range]:
    """The cells near a path of the next coarser grid, by row."""
    low, high = [columns] * rows, [0] * rows
    for i, j in path:
        for row in range(max(0, 2 * (i - radius)), min(rows, 2 * (i + radius) + 2)):
            low[row] = min(low[row], max(0, 2 * (j - radius)))
            high[row] = max(high[row], min(columns, 2 * (j + radius) + 2))
    return [range(start, end) for start, end in zip(low, high, strict=True)]


def _sequence(classes: npt.ArrayLike) -> Classes:
    found = np.asarray(classes, np.int64)
    if found.ndim != 1 or not found.size:
        raise ValueError(f"a sequence of shape {found.shape}; (frames,) with at least one frame is needed")
    return found


def posteriors_of(clip: Clip) -> npt.NDArray[np.float32]:
    """How likely each key sounds, (frames, 88), by basic-pitch; the clip is mono at 22.05 kHz.

    Windows, overlap and what is cut from their ends are those of `basic_pitch.inference.run_inference`.
    """
    model, inference, constants = _basic_pitch()
    overlap = OVERLAP_FRAMES * constants.FFT_HOP
    padded = np.concatenate([np.zeros(overlap // 2, np.float32), clip.mono])
    windows = inference.window_audio_file(padded, constants.AUDIO_N_SAMPLES - overlap)
    found = np.concatenate([model.predict(window[None])["note"] for window, _ in windows])
    return np.asarray(inference.unwrap_output(found, clip.length, OVERLAP_FRAMES), np.float32)


@cache
def _basic_pitch() -> tuple[Any, Any, Any]:
    """The model with the weights of the package's wheel, loaded once a process, and two of the package's modules."""
    logging.disable(logging.WARNING)  # it warns of every back end that is not installed
    try:
        package, inference, constants = (
            import_module(f"basic_pitch{name}") for name in ("", ".inference", ".constants")
        )
    finally:
        logging.disable(logging.NOTSET)
    weights = package.build_icassp_2022_model_path(package.FilenameSuffix.onnx)
    return inference.Model(weights), inference, constants


class DpdMancusi2025(SampleMetric):
    """DPD as published by Mancusi et al., in semitones."""

    name = "dpd@mancusi2025"
    version = 1
    direction = "lower"
    unit = "semitones"
    range = (0.0, 11.0)
    needs = frozenset({Needs.SOURCE, Needs.STEMS})
    summary = "distance of pitch classes, warped without bound, by basic-pitch"
    source = "Mancusi et al., ICASSP 2025, sony/diffusion-timbre-transfer"
    package = PACKAGE
    distance = staticmethod(class_distance)

    @property
    def parameters(self) -> str:
        """What hears the classes, in what, and the path."""
        return f"{self.heard}, FastDTW radius {RADIUS}, steps before diagonals, path mean"

    @property
    def heard(self) -> str:
        """What hears the classes, and in what."""
        return (
            f"{PACKAGE.described} (ONNX), {BASIC_PITCH_RATE} Hz mono soxr HQ, likeliest class a frame, "
            f"reference: true stem at {RATE} Hz, estimate: {described()}"
        )

    def score(self, case: Case) -> float | Missing:
        """The distance."""
        if lost := length_mismatch(case.edit, case.source.mixture) or PACKAGE.missing():
            return lost
        if case.edit.peak == 0.0:
            return Missing("silent-edit", "the edit is silent")
        stem = case.features.mono(case.source.stems[case.task.stem], RATE)
        if stem.peak == 0.0:
            return Missing("silent-stem", f"the source's {case.task.stem} stem is silent")
        reference, estimated = (_classes_of(case.features, clip) for clip in (stem, edited_part(case)))
        if not len(reference) or not len(estimated):
            return Missing("too-short", "the edit is shorter than a frame of basic-pitch")
        return self.distance(reference, estimated)


class PitchJaccardMancusi2025(DpdMancusi2025):
    """Jaccard distance of the sets of pitch classes, as published by Mancusi et al."""

    name = "pitch-jaccard@mancusi2025"
    unit = ""
    range = (0.0, 1.0)
    summary = "pitch classes that only one of stem and edited part has, by basic-pitch"
    distance = staticmethod(class_jaccard)

    @property
    def parameters(self) -> str:
        """What hears the classes, in what, and what is compared."""
        return f"{self.heard}, sets of classes of the whole clips"


def _classes_of(features: Features, clip: Clip) -> Classes:
    mono = features.mono(clip, BASIC_PITCH_RATE)
    return features.get(mono, "basic-pitch classes", lambda whole: pitch_classes(posteriors_of(whole)))
