from __future__ import annotations

import numpy as np
import pytest
from played import TUNE, notes

from bench.audio import Clip
from bench.errors import ModelError
from bench.metric import Missing, unmet
from bench.metrics import pitch as pitch_module
from bench.metrics.part import masked
from bench.metrics.pitch import Pitch, pitch
from bench.metrics.pitch_distance import DpdPestoCents, compare, dpd
from bench.task import Source

METRIC = DpdPestoCents()
TIMES = np.arange(400) * 0.01
STEPS = 100.0 * np.repeat([60, 64, 62, 67], 100)


def test_known_answers() -> None:
    assert dpd(STEPS, STEPS, TIMES) == 0.0
    assert dpd(STEPS, STEPS + 100, TIMES) == pytest.approx(100.0, abs=1e-9)
    assert dpd(STEPS + 1200, STEPS, TIMES) == pytest.approx(1200.0, abs=1e-9)


def test_a_few_late_frames_are_forgiven_and_more_are_not() -> None:
    late = [np.concatenate([np.full(n, STEPS[0]), STEPS[:-n]]) for n in (5, 10, 40)]
    assert dpd(STEPS, late[0], TIMES) == 0.0
    assert dpd(STEPS, late[1], TIMES) == 0.0
    assert dpd(STEPS, late[2], TIMES) > 50


def test_the_band_is_in_time_and_not_in_frames() -> None:
    """With a long gap between them, the two halves may not be matched to each other."""
    reference, estimated = np.array([6000.0, 6000.0, 7200.0, 7200.0]), np.array([6000.0, 7200.0, 7200.0, 7200.0])
    assert dpd(reference, estimated, np.array([0.0, 0.01, 0.02, 0.03])) == 0.0
    assert dpd(reference, estimated, np.array([0.0, 0.01, 1.0, 1.01])) == pytest.approx(300.0)


def test_the_mask_of_a_stem_alone_lets_all_pass(source: Source) -> None:
    stem = source.stems["other"].resample(16_000).mono
    assert masked(source.mixture.resample(16_000).mono, stem, np.zeros_like(stem)) == pytest.approx(
        source.mixture.resample(16_000).mono, abs=1e-5
    )


def test_the_mask_takes_the_background_out(source: Source) -> None:
    mixture, stem, rest = (
        clip.resample(16_000).mono for clip in (source.mixture, source.stems["other"], source.background("other"))
    )
    error = masked(mixture, stem, rest) - stem
    assert np.mean(error**2) < 0.1 * np.mean(rest**2)


def test_pesto_hears_a_scale_at_any_level(capfd: pytest.CaptureFixture[str]) -> None:
    pitch_module._pesto.cache_clear()
    for gain in (1.0, 0.02):
        found = pitch(notes((60, 64, 67, 72), rate=16_000).scaled(gain))
        middle = [100 * k + 50 for k in range(4)]
        assert found.voiced[middle].all()
        assert found.cents[middle] == pytest.approx([6000, 6400, 6700, 7200], abs=20)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("voiced", "heard", "code"),
    [
        (49, 400, "too-few-voiced-frames"),
        (400, 99, "edit-unvoiced"),
        (60, 49, "edit-unvoiced"),
        (400, 0, "edit-unvoiced"),
    ],
)
def test_too_few_voiced_frames_are_missing(voiced: int, heard: int, code: str) -> None:
    value = compare(Pitch(STEPS, np.arange(400) < voiced), Pitch(STEPS, np.arange(400) < heard))
    assert isinstance(value, Missing)
    assert value.code == code
    assert compare(Pitch(STEPS, np.arange(400) < 400), Pitch(STEPS, np.arange(400) < 100)) == 0.0


def test_a_solo_is_measured_to_a_few_cents(source: Source, make_case) -> None:
    solo = Source("solo", "solo", source.stems["other"], {"other": source.stems["other"]})
    assert METRIC.score(make_case(solo.mixture, of=solo)) == pytest.approx(0.0, abs=1.0)
    assert METRIC.score(make_case(notes(tuple(p + 1 for p in TUNE)), of=solo)) == pytest.approx(100.0, abs=15.0)


def test_in_a_mix_a_wrong_pitch_is_further_away_than_the_right_one(source: Source, make_case) -> None:
    wrong = Clip.sum([source.background("other"), notes(tuple(p + 2 for p in TUNE))])
    assert METRIC.score(make_case(source.mixture)) < 60 < METRIC.score(make_case(wrong))


def test_silence_and_polyphony_are_missing(source: Source, make_case) -> None:
    value = METRIC.score(make_case(Clip.silence(4.0, 16_000, 1)))
    assert isinstance(value, Missing)
    assert value.code == "silent-edit"
    for monophonic in (False, None):
        reason = unmet(METRIC, make_case(source.mixture, monophonic=monophonic))
        assert reason is not None
        assert reason.code == "not-monophonic"


def test_other_weights_than_the_known_ones_are_not_unpickled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pitch_module, "WEIGHTS_SHA256", "0" * 64)
    with pytest.raises(ModelError, match="weights of pesto") as caught:
        pitch_module._pesto.__wrapped__()
    assert caught.value.code == "model/pesto-weights"
