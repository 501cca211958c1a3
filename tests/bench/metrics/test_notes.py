"""Mancusi's DPD and Jaccard distance: known answers, paths, quirks; basic-pitch itself where it is installed."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from played import TUNE, notes

from bench.audio import Clip
from bench.errors import ModelError
from bench.metric import Missing
from bench.metrics import notes as metric_notes
from bench.metrics import optional
from bench.metrics.notes import (
    DpdMancusi2025,
    PitchJaccardMancusi2025,
    class_distance,
    class_jaccard,
    fast_dtw,
    pitch_classes,
    posteriors_of,
)
from bench.task import Source

BOTH = (DpdMancusi2025(), PitchJaccardMancusi2025())


def test_known_distances() -> None:
    assert class_distance([3, 5, 7], [3, 5, 7]) == 0.0
    assert class_distance([11] * 4, [0] * 4) == 11.0
    assert class_distance([0, 2, 4, 5], [1, 3, 5, 6]) == pytest.approx(0.8)  # 4 along a path of 5
    assert class_distance([0, 0, 4, 4], [0, 4, 4, 4]) == 0.0  # timing costs nothing
    assert class_distance([7], [4, 4, 4]) == 3.0


def test_known_jaccard_distances() -> None:
    assert class_jaccard([0, 2, 4, 5], [0, 2, 4, 5]) == 0.0
    assert class_jaccard([0, 2, 4, 5], [5, 4, 2, 0]) == 0.0  # a melody backwards
    assert class_jaccard([0, 0, 2], [2, 3]) == pytest.approx(2 / 3)
    assert class_jaccard([0], [1]) == 1.0


def test_paths_are_those_of_the_package() -> None:
    """Of fastdtw 0.3.4 (Python code), radius 1, on the same sequences."""
    assert fast_dtw([0, 2, 4, 5], [1, 3, 5, 6], 1) == [(0, 0), (1, 1), (2, 2), (3, 2), (3, 3)]
    assert fast_dtw([0, 0, 4, 4], [0, 4, 4, 4], 1) == [(0, 0), (1, 0), (2, 1), (2, 2), (2, 3), (3, 3)]
    rng = np.random.default_rng(7)
    first, second = (np.repeat(rng.integers(0, 12, 9), 5).tolist() for _ in range(2))
    path = fast_dtw(first, second[:31], 1)
    assert (path[0], path[-1], len(path)) == ((0, 0), (44, 30), 51)
    assert sum(abs(first[i] - second[j]) for i, j in path) == 137


@pytest.mark.parametrize("lengths", [(1, 1), (1, 9), (2, 3), (3, 2), (5, 64), (63, 64), (100, 37)])
def test_a_path_goes_from_end_to_end_without_a_gap(lengths: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    path = fast_dtw(*(rng.integers(0, 12, length).tolist() for length in lengths), 1)
    assert (path[0], path[-1]) == ((0, 0), (lengths[0] - 1, lengths[1] - 1))
    assert set(map(tuple, np.diff(path, axis=0).tolist())) <= {(0, 1), (1, 0), (1, 1)}


def test_the_likeliest_key_decides_and_octaves_fall_together() -> None:
    posteriors = np.zeros((4, 88))
    posteriors[0, 39] = 0.9  # C4
    posteriors[1, 51] = 0.9  # C5
    posteriors[2, [0, 12, 24, 37]] = (0.3, 0.3, 0.3, 0.5)  # three weak A against one stronger A♯
    assert pitch_classes(posteriors).tolist() == [3, 3, 1, 0]


@pytest.mark.parametrize("shape", [(4, 12), (88,), (2, 4, 88)])
def test_other_shapes_are_no_posteriors(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="posteriors of shape"):
        pitch_classes(np.zeros(shape))


@pytest.mark.parametrize("bad", [[], [[1, 2]]])
def test_other_shapes_are_no_sequence(bad: list[object]) -> None:
    for function in (class_distance, class_jaccard):
        with pytest.raises(ValueError, match="a sequence of shape"):
            function([1, 2], bad)


def strongest_key(clip: Clip) -> np.ndarray:
    """In the place of basic-pitch: the strongest partial of each tenth of a second."""
    frames = clip.mono[: clip.length // 2205 * 2205].reshape(-1, 2205)
    spectrum = np.abs(np.fft.rfft(frames * np.hanning(2205), 1 << 15))
    hertz = np.fft.rfftfreq(1 << 15, 1 / clip.rate)[spectrum.argmax(axis=1)]
    keys = np.round(12 * np.log2(np.maximum(hertz, 27.5) / 27.5)).astype(int)
    return np.eye(88)[np.clip(keys, 0, 87)]


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> None:
    """basic-pitch as if it were installed."""
    monkeypatch.setattr(optional, "find_spec", lambda name: object())
    monkeypatch.setattr(optional, "version", lambda name: "0.4.0")
    monkeypatch.setattr(metric_notes, "posteriors_of", strongest_key)


def test_a_transposed_part_is_heard_and_an_octave_is_not(heard: None, make_case) -> None:
    stem = notes(TUNE)
    solo = Source("solo", "solo", stem, {"other": stem})
    edits = {shift: notes(tuple(pitch + shift for pitch in TUNE)) for shift in (0, 1, 12)}
    values = {shift: [metric.score(make_case(edit, of=solo)) for metric in BOTH] for shift, edit in edits.items()}
    assert values[0] == [0.0, 0.0]
    assert values[12] == [0.0, 0.0]
    assert 0.5 < values[1][0] < 3
    assert values[1][1] > 0.5


def test_what_cannot_be_compared(heard: None, source: Source, make_case) -> None:
    silence = Clip.silence(4.0, 44_100)
    quiet = Source("quiet", "quiet", source.mixture, {**source.stems, "other": silence})
    for metric in BOTH:
        codes = [
            metric.score(case).code
            for case in (
                make_case(source.mixture.window(0.0, 2.0)),
                make_case(silence),
                make_case(source.mixture, of=quiet),
            )
        ]
        assert codes == ["length-mismatch", "silent-edit", "silent-stem"]


def test_without_the_package_values_are_missing(source, make_case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(optional, "find_spec", lambda name: None)
    for metric in BOTH:
        value = metric.score(make_case(source.mixture))
        assert isinstance(value, Missing)
        assert value.code == "not-installed"
        assert "basic-pitch not installed" in metric.identity
    with pytest.raises(ModelError, match="onnxruntime"):
        BOTH[0].package.require()


@pytest.mark.skipif(
    find_spec("basic_pitch") is None or find_spec("onnxruntime") is None, reason="basic-pitch is not installed"
)
def test_basic_pitch_hears_what_its_own_function_hears(tmp_path: Path) -> None:
    import basic_pitch.inference as package

    tune = notes(TUNE, rate=22_050)
    tune.write_wav(tmp_path / "tune.wav", subtype="FLOAT")
    model, *_ = metric_notes._basic_pitch()
    found = posteriors_of(tune)
    assert np.array_equal(found, package.run_inference(tmp_path / "tune.wav", model)["note"])
    middles = [round((index + 0.5) * len(found) / len(TUNE)) for index in range(len(TUNE))]
    assert pitch_classes(found)[middles].tolist() == [(pitch - 69) % 12 for pitch in TUNE]
