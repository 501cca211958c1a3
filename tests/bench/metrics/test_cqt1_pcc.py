from __future__ import annotations

import numpy as np
import played
import pytest

from bench.audio import Clip
from bench.metric import Features, Missing
from bench.metrics import cqt
from bench.metrics.cqt import Contour, Cqt1Pcc, Cqt1PccSteerMusic, gated_pcc, pcc, top1
from bench.task import Source

TUNE = np.array([10, 10, 14, 14, 17, 17, 10, 10])


def contour(bins: np.ndarray, level_db: np.ndarray | float = 0.0) -> Contour:
    return Contour(bins, np.broadcast_to(np.asarray(level_db, np.float64), bins.shape))


@pytest.mark.parametrize(
    ("hertz", "bin_index"), [(65.41, 0), (110, 18), (220, 42), (440, 66), (880, 90), (1760, 114), (2093, 120)]
)
def test_a_sine_falls_into_its_quarter_tone(hertz: float, bin_index: int) -> None:
    t = np.arange(32_000) / 16_000
    found = top1(np.sin(2 * np.pi * hertz * t).astype(np.float32))
    assert len(found.bins) == 63  # one frame in 512 samples, the first centred on sample 0
    assert np.all(found.bins[16:-16] == bin_index)


def test_ten_seconds_have_the_published_number_of_frames_and_no_word_is_printed(
    capfd: pytest.CaptureFixture[str],
) -> None:
    cqt._cqt.cache_clear()
    assert len(top1(np.zeros(160_000, np.float32)).bins) == 313
    assert capfd.readouterr() == ("", "")


def test_known_answers() -> None:
    assert pcc(TUNE, TUNE) == pytest.approx(1.0, abs=1e-12)
    assert pcc(TUNE, TUNE + 24) == pytest.approx(1.0, abs=1e-12)
    assert pcc(TUNE, TUNE + np.repeat([0, 24], 4)) == pytest.approx(0.45932, abs=5e-6)
    assert pcc(TUNE, -TUNE) == pytest.approx(-1.0, abs=1e-12)


def test_identical_contours_never_exceed_one() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        bins = rng.integers(0, 128, 313)
        assert pcc(bins, bins) == pytest.approx(1.0, abs=1e-12)
        assert pcc(bins, bins) <= 1.0


def test_the_longer_contour_is_cut() -> None:
    assert pcc(TUNE, np.append(TUNE, 127)) == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("flat", [np.full(8, 5), np.zeros(0, np.int64), np.array([3])])
def test_a_contour_that_never_changes_has_no_correlation(flat: np.ndarray) -> None:
    value = pcc(flat, TUNE)
    assert isinstance(value, Missing)
    assert value.code == "constant-contour"


def test_frames_in_which_the_source_is_silent_do_not_count() -> None:
    bins = np.tile(TUNE, 8)
    silent = np.arange(64) % 3 == 0
    noisy = np.where(silent, np.random.default_rng(1).integers(0, 128, 64), bins)
    level = np.where(silent, -60.0, 0.0)
    assert pcc(bins, noisy) < 0.6
    assert gated_pcc(contour(bins, level), contour(noisy, -10.0)) == pytest.approx(1.0, abs=1e-12)


def test_each_frame_that_the_edit_drops_costs_its_share() -> None:
    bins = np.tile(TUNE, 8)
    dropped = np.where(np.arange(64) < 16, -np.inf, 0.0)
    assert gated_pcc(contour(bins), contour(bins, dropped)) == pytest.approx(0.75, abs=1e-12)


def test_dropping_what_does_not_correlate_gains_nothing() -> None:
    rng = np.random.default_rng(2)
    bins, noise = rng.integers(0, 128, 4000), rng.integers(0, 128, 4000)
    half = np.arange(4000) < 2000
    edit = np.where(half, bins, noise)
    kept = gated_pcc(contour(bins), contour(edit))
    dropped = gated_pcc(contour(bins), contour(edit, np.where(half, 0.0, -60.0)))
    assert dropped == pytest.approx(kept, abs=0.03)


def test_silence_does_not_soften_a_negative_correlation() -> None:
    bins = np.tile(TUNE, 8)
    half = np.where(np.arange(64) < 32, 0.0, -60.0)
    assert gated_pcc(contour(bins), contour(-bins, half)) == pytest.approx(-1.0, abs=1e-12)


def test_a_source_of_a_few_frames_is_not_measured() -> None:
    bins = np.tile(TUNE, 8)
    value = gated_pcc(contour(bins, np.where(np.arange(64) < 31, 0.0, -41.0)), contour(bins))
    assert isinstance(value, Missing)
    assert value.code == "too-few-frames"


@pytest.mark.parametrize("metric", [Cqt1Pcc(), Cqt1PccSteerMusic()])
def test_the_source_itself_scores_one_and_silence_nothing(metric, source: Source, make_case) -> None:
    assert metric.score(make_case(source.mixture)) == pytest.approx(1.0, abs=1e-12)
    silence = metric.score(make_case(Clip.silence(4.0, 16_000, 1)))
    assert isinstance(silence, Missing)
    assert silence.code in {"silent-edit", "constant-contour"}


def test_an_edit_at_another_level_or_rate_is_as_good(source: Source, make_case) -> None:
    assert Cqt1Pcc().score(make_case(source.mixture.scaled(0.01))) == pytest.approx(1.0, abs=1e-6)
    assert Cqt1Pcc().score(make_case(source.mixture.resample(16_000))) == pytest.approx(1.0, abs=1e-6)


def test_inaudible_noise_moves_the_published_value_and_not_ours(make_case) -> None:
    silent_half = Clip.of(np.concatenate([played.notes(played.TUNE).mono, np.zeros(4 * 44_100, np.float32)]), 44_100)
    noise = np.random.default_rng(0).normal(0, 1e-5, silent_half.length)
    noisy = Clip.of((silent_half.mono + noise).astype(np.float32), 44_100)
    of = Source("half", "half", silent_half, {"other": silent_half})
    assert Cqt1PccSteerMusic().score(make_case(noisy, of=of)) < 0.8
    assert Cqt1Pcc().score(make_case(noisy, of=of)) > 0.95


def test_as_published_only_the_left_channel_is_heard(source: Source, make_case) -> None:
    left, right = source.stems["other"].mono, source.stems["bass"].mono
    stereo, mono = Clip.of(np.stack([left, right], axis=1), 44_100), Clip.of(left, 44_100)
    assert Cqt1PccSteerMusic().score(make_case(stereo)) == Cqt1PccSteerMusic().score(make_case(mono))
    assert Cqt1Pcc().score(make_case(stereo)) != Cqt1Pcc().score(make_case(mono))


def test_the_source_is_analysed_once_for_all_its_edits(
    source: Source, make_case, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[int] = []
    monkeypatch.setattr(cqt, "top1", lambda samples: heard.append(len(samples)) or top1(samples))
    for gain in (0.5, 0.25, 0.125):
        Cqt1Pcc().score(make_case(source.mixture.scaled(gain)))
    assert len(heard) == 4


def test_features_forget_on_request(source: Source) -> None:
    features = Features()
    first = features.mono(source.mixture, 16_000)
    assert features.mono(source.mixture, 16_000) is first
    features.clear()
    assert features.mono(source.mixture, 16_000) is not first
