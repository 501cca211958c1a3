from __future__ import annotations

import numpy as np
import pytest
from played import hits

from bench.audio import Clip
from bench.metric import Missing
from bench.metrics.onset import OnsetF1, OnsetF1At100Ms, onset_f1, onsets
from bench.task import Source

BEATS = (0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5)


@pytest.mark.parametrize(
    ("reference", "estimated", "expected"),
    [
        ([0, 1, 2], [0.04, 1.06, 2, 3], 0.5714285714),
        ([1.0], [1.05], 1.0),
        ([1.0], [1.0501], 0.0),
        ([1.0], [0.99, 1.01], 2 / 3),
        ([1.0, 2.0], [], 0.0),
        ([], [1.0], 0.0),
    ],
)
def test_known_answers(reference: list[float], estimated: list[float], expected: float) -> None:
    value = onset_f1(np.array(reference, float), np.array(estimated, float))
    assert value == pytest.approx(expected, abs=1e-10)


def test_no_onset_on_either_side_is_no_success(recwarn: pytest.WarningsRecorder) -> None:
    value = onset_f1(np.zeros(0), np.zeros(0))
    assert isinstance(value, Missing)
    assert value.code == "no-onsets"
    assert not recwarn.list


def test_the_detector_finds_clicks_where_they_are() -> None:
    found = onsets(hits(BEATS).resample(22_050).mono)
    assert found == pytest.approx(BEATS, abs=0.025)


@pytest.mark.parametrize(
    ("delay", "at_50_ms", "at_100_ms"), [(0.0, 1.0, 1.0), (0.025, 1.0, 1.0), (0.075, 0.0, 1.0), (0.2, 0.0, 0.0)]
)
def test_a_late_edit_is_forgiven_up_to_the_window(delay: float, at_50_ms: float, at_100_ms: float, make_case) -> None:
    played = hits(BEATS)
    case = make_case(hits(tuple(t + delay for t in BEATS)), of=Source("beat", "beat", played, {"drums": played}))
    assert OnsetF1().score(case) == at_50_ms
    assert OnsetF1At100Ms().score(case) == at_100_ms


def test_silence_is_the_floor_or_nothing(source: Source, make_case) -> None:
    silence = Clip.silence(4.0, 44_100, 1)
    assert OnsetF1().score(make_case(silence)) == 0.0
    both = OnsetF1().score(make_case(silence, of=Source("void", "void", silence, {"drums": silence})))
    assert isinstance(both, Missing)


def test_the_window_is_part_of_the_identity() -> None:
    assert "window 50 ms" in OnsetF1().identity
    assert "window 100 ms" in OnsetF1At100Ms().identity
