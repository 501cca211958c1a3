from __future__ import annotations

from played import TUNE, notes

from bench.audio import Clip
from bench.metric import Missing
from bench.metrics.true_edit import TrueEditLogMel
from bench.task import Source

METRIC = TrueEditLogMel()


def test_the_true_edit_is_at_zero_and_the_source_is_not(source: Source, make_case) -> None:
    truth = Clip.sum([source.background("other"), notes(tuple(p + 12 for p in TUNE))])
    half_way = Clip.sum([source.background("other"), notes(tuple(p + 12 for p in TUNE)).scaled(0.5)])
    assert METRIC.score(make_case(truth, true_edit=truth)) == 0.0
    near = METRIC.score(make_case(half_way, true_edit=truth))
    far = METRIC.score(make_case(source.mixture, true_edit=truth))
    nothing = METRIC.score(make_case(Clip.silence(4.0, 16_000, 1), true_edit=truth))
    assert 0 < near < far < nothing


def test_a_task_without_a_usable_true_edit_is_missing(source: Source, make_case) -> None:
    silence = Clip.silence(4.0, 44_100, 1)
    codes = [METRIC.score(make_case(source.mixture, true_edit=truth)) for truth in (None, silence)]
    assert [code.code for code in codes if isinstance(code, Missing)] == ["no-true-edit", "silent-true-edit"]
