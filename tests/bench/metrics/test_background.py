from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from bench.audio import Clip
from bench.metric import Missing, unmet
from bench.metrics.background import BackgroundLogMel, background_weights
from bench.task import Source

METRIC = BackgroundLogMel()


def cells(*values: float) -> tuple[np.ndarray, ...]:
    return tuple(np.array([values]) for _ in range(3))


def test_weights_follow_equation_nine() -> None:
    weights = background_weights(cells(0.0, 1.0, 3.0, 1.0), cells(1.0, 1.0, 1.0, 0.0), cells(1.0, 2.0, 4.0, 1.0))
    for weight in weights:
        assert weight[0] == pytest.approx([1.0, 1 - math.sqrt(0.5), 1 - math.sqrt(0.75), 0.0])


def test_what_cannot_be_heard_weighs_nothing() -> None:
    weights = background_weights(cells(0.0, 0.0), cells(1e-9, 1e-7), cells(1.0, 1.0))
    assert weights[0][0] == pytest.approx([0.0, 1.0])


def test_the_source_itself_is_at_zero(source: Source, make_case) -> None:
    assert METRIC.score(make_case(source.mixture)) == 0.0


def test_losing_the_background_costs_more_than_losing_the_target(source: Source, make_case) -> None:
    without = {name: METRIC.score(make_case(source.background(name))) for name in ("other", "drums", "bass")}
    assert 0 < without["other"] < 0.5 * without["drums"]
    assert without["other"] < 0.5 * without["bass"]


def test_a_change_of_level_is_a_change(source: Source, make_case) -> None:
    assert METRIC.score(make_case(source.mixture.scaled(0.5))) == pytest.approx(6.02, abs=0.1)


def test_silence_is_worse_than_noise(source: Source, make_case) -> None:
    rng = np.random.default_rng(0)
    noise = Clip.of(rng.normal(0, 0.05, source.mixture.samples.shape).astype(np.float32), 44_100)
    silence = METRIC.score(make_case(Clip.silence(4.0, 16_000, 1)))
    assert silence > METRIC.score(make_case(noise)) > METRIC.score(make_case(source.mixture.scaled(0.9))) > 0


def test_where_there_is_no_background_there_is_no_value(source: Source, make_case) -> None:
    silence = Clip.silence(4.0, 44_100, 1)
    alone = Source("solo", "solo", source.stems["other"], {"other": source.stems["other"]})
    muted = Source("void", "void", silence, {"other": source.stems["other"], "bass": source.stems["bass"]})
    values = [METRIC.score(make_case(source.mixture, of=of)) for of in (alone, muted)]
    assert [value.code for value in values if isinstance(value, Missing)] == ["no-background", "silent-source"]


def test_separated_stems_are_not_true_stems(source: Source, make_case) -> None:
    case = make_case(source.mixture, of=replace(source, stem_origin="separated"))
    reason = unmet(METRIC, case)
    assert reason is not None
    assert reason.code == "separated-stems"
    assert unmet(METRIC, make_case(source.mixture)) is None
