"""What a figure says of its target, and how it is written."""

from __future__ import annotations

import pytest

from bench.evaluation.figures import Figure, Findings, Target, Value
from bench.stats.bootstrap import Interval


def figure(mean: float, low: float | None, high: float | None, target: Target | None) -> Figure:
    return Figure("codec", "pitch", Interval(mean, low, high, 9, 3), target=target)


@pytest.mark.parametrize(
    ("mean", "low", "high", "target", "verdict"),
    [
        (0.9, 0.87, 0.93, Target(0.85), "held"),
        (0.9, 0.80, 0.95, Target(0.85), "held, uncertain"),
        (0.8, 0.75, 0.90, Target(0.85), "missed, uncertain"),
        (0.8, 0.75, 0.84, Target(0.85), "missed"),
        (0.2, 0.10, 0.24, Target(0.25, "lower"), "held"),
        (0.3, 0.26, 0.40, Target(0.25, "lower"), "missed"),
        (0.9, None, None, Target(0.85), "held, uncertain"),
        (0.9, 0.87, 0.93, None, ""),
    ],
)
def test_a_verdict_goes_by_the_mean_and_doubts_by_the_interval(mean, low, high, target, verdict) -> None:
    assert figure(mean, low, high, target).verdict == verdict


def test_the_interval_is_over_songs_and_not_over_clips() -> None:
    found = Findings("codec")
    found.add("pitch", [Value("a", 0.0), Value("a", 0.0), Value("b", 1.0), Value("b", 1.0)])
    assert (found.figures[0].value.n, found.figures[0].value.clusters) == (4, 2)
    assert (found.figures[0].value.low, found.figures[0].value.high) == (0.0, 1.0)


def test_a_figure_without_a_clip_is_left_out() -> None:
    found = Findings("codec")
    found.add("pitch", [], ceiling=[Value("a", 1.0)])
    assert found.figures == []


def test_a_figure_is_json_with_its_ceiling_and_target() -> None:
    found = Findings("codec")
    found.add("pitch", [Value("a", 0.5)], ceiling=[Value("a", 1.0)], target=Target(0.85), unit="nat")
    written = found.figures[0].as_dict()
    assert written["ceiling"] == {"mean": 1.0, "low": None, "high": None, "n": 1, "songs": 1}
    assert written["target"] == {"bound": 0.85, "better": "higher"}
    assert (written["mean"], written["verdict"], written["unit"]) == (0.5, "missed, uncertain", "nat")
