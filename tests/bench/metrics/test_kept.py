"""Metrics of what should stay: chroma, pitch, background, level. Known answers, identity, monotony, bad input."""

from __future__ import annotations

import numpy as np
import pytest
from played import TUNE, notes

from bench.audio import Clip
from bench.metric import Missing, SampleMetric
from bench.metrics.background_kept import BackgroundCqt1Pcc, BackgroundOnsetF1
from bench.metrics.chroma import RATE as CHROMA_RATE
from bench.metrics.chroma import ChromaCosine, chroma_cosine, chromagram
from bench.metrics.loudness import Clipping, LoudnessChange, clipped_share
from bench.metrics.pitch import Pitch
from bench.metrics.pitch_accuracy import (
    PitchJaccard,
    RawChromaAccuracy,
    RawPitchAccuracy,
    pitch_jaccard,
    raw_pitch_accuracy,
)
from bench.metrics.waveform import BackgroundSdr, BackgroundSiSdr, aligned, sdr, si_sdr
from bench.task import Source

ALL: tuple[SampleMetric, ...] = (
    ChromaCosine(),
    RawPitchAccuracy(),
    RawChromaAccuracy(),
    PitchJaccard(),
    BackgroundCqt1Pcc(),
    BackgroundOnsetF1(),
    BackgroundSiSdr(),
    BackgroundSdr(),
    LoudnessChange(),
    Clipping(),
)


def noisy(clip: Clip, level: float) -> Clip:
    noise = np.random.default_rng(3).normal(size=clip.samples.shape).astype(np.float32)
    return Clip(clip.samples + np.float32(level) * noise, clip.rate)


@pytest.mark.parametrize("metric", ALL, ids=lambda metric: metric.name)
def test_more_noise_is_never_better(metric: SampleMetric, source: Source, make_case) -> None:
    values = [metric.score(make_case(noisy(source.mixture, level))) for level in (0.0, 0.05, 0.5)]
    numbers = [value for value in values if not isinstance(value, Missing)]
    assert len(numbers) >= 2, values
    assert numbers == sorted(numbers, reverse=metric.direction == "higher")
    assert metric.range[0] <= min(numbers) <= max(numbers) <= metric.range[1]


@pytest.mark.parametrize("metric", ALL, ids=lambda metric: metric.name)
def test_every_bad_edit_has_a_defined_result(metric: SampleMetric, source: Source, make_case) -> None:
    mixture = source.mixture
    silence = Clip.silence(mixture.duration_s, mixture.rate, mixture.channels)
    one_sample = Clip.of(np.array([0.5]), mixture.rate)
    for edit in (silence, one_sample, mixture.window(0.0, 2.0), noisy(silence, 1e-9)):
        value = metric.score(make_case(edit))
        assert isinstance(value, Missing | float)
        assert isinstance(value, Missing) or np.isfinite(value)


@pytest.mark.parametrize("metric", ALL, ids=lambda metric: metric.name)
def test_rate_and_channels_of_the_edit_matter_little(metric: SampleMetric, source: Source, make_case) -> None:
    edit = noisy(source.mixture, 0.02)
    twice = Clip(np.repeat(edit.to_mono().samples, 2, axis=1), edit.rate)
    first, second = (metric.score(make_case(clip)) for clip in (edit.to_mono(), twice))
    assert not isinstance(first, Missing)
    # Loudness adds up channels: two equal ones are 3 LU louder than one, by definition of BS.1770.
    if not isinstance(metric, LoudnessChange):
        assert second == pytest.approx(first, abs=1e-6)


def test_identity(source: Source, make_case) -> None:
    """What the source itself gets where no mask is between it and its reference."""
    same = make_case(source.mixture)
    assert ChromaCosine().score(same) == pytest.approx(1.0)
    assert LoudnessChange().score(same) == 0.0
    assert Clipping().score(same) == 0.0
    solo = Source("solo", "solo", source.stems["other"], {"other": source.stems["other"]})
    alone = make_case(solo.mixture, of=solo)
    assert RawPitchAccuracy().score(alone) == pytest.approx(1.0)
    assert PitchJaccard().score(alone) == pytest.approx(0.0, abs=1e-9)


def test_chroma_hears_pitch_classes_and_not_octaves() -> None:
    scale, octave, tritone = (notes(tuple(p + shift for p in TUNE), rate=CHROMA_RATE) for shift in (0, 12, 6))
    chroma = [chromagram(clip.mono) for clip in (scale, octave, tritone)]
    assert chroma_cosine(chroma[0], chroma[0]) == pytest.approx(1.0)
    assert chroma_cosine(chroma[0], chroma[1]) > 0.9
    assert chroma_cosine(chroma[0], chroma[2]) < 0.4
    assert isinstance(chroma_cosine(np.zeros((12, 3)), np.zeros((12, 3))), Missing)
    assert chroma_cosine(np.eye(12), np.zeros((12, 12))) == 0.0
    with pytest.raises(ValueError, match="12, frames"):
        chroma_cosine(np.zeros((7, 3)), np.zeros((12, 3)))


STEPS = 100.0 * np.repeat([60.0, 64.0, 62.0, 67.0], 25)


def contour(cents: np.ndarray, voiced: np.ndarray | bool = True) -> Pitch:
    return Pitch(cents, np.broadcast_to(np.asarray(voiced), cents.shape).copy())


def test_known_pitch_accuracies() -> None:
    reference = contour(STEPS)
    assert raw_pitch_accuracy(reference, contour(STEPS + 49)) == 1.0
    assert raw_pitch_accuracy(reference, contour(STEPS + 51)) == 0.0
    assert raw_pitch_accuracy(reference, contour(STEPS + 1200)) == 0.0
    assert raw_pitch_accuracy(reference, contour(STEPS + 1200), chroma=True) == 1.0
    half = np.arange(100) < 50
    assert raw_pitch_accuracy(reference, contour(STEPS, half)) == 0.5
    assert raw_pitch_accuracy(contour(STEPS, half), reference) == 1.0


def test_known_pitch_jaccard_distances() -> None:
    half = np.arange(100) < 50
    assert pitch_jaccard(contour(STEPS), contour(STEPS)) == 0.0
    assert pitch_jaccard(contour(STEPS), contour(STEPS + 100)) == 1.0
    assert pitch_jaccard(contour(STEPS), contour(STEPS, half)) == 0.5
    assert pitch_jaccard(contour(STEPS, half), contour(STEPS, ~half)) == 1.0
    assert pitch_jaccard(contour(STEPS, False), contour(STEPS, False)) == 0.0


def test_known_waveform_ratios() -> None:
    reference, estimate = [3.0, -0.5, 2.0, 7.0], [2.5, 0.0, 2.0, 8.0]
    assert si_sdr(reference, estimate) == pytest.approx(18.40299157, abs=1e-6)
    assert si_sdr(reference, 5 * np.array(estimate)) == pytest.approx(18.40299157, abs=1e-6)
    time = np.arange(16_000) / 16_000
    sine, other = np.sin(2 * np.pi * 100 * time), np.cos(2 * np.pi * 100 * time)
    assert si_sdr(sine, sine + 0.1 * other) == pytest.approx(20.0, abs=1e-6)
    assert si_sdr(sine, sine) == 100.0
    filtered = np.convolve(np.random.default_rng(0).normal(size=4000), [1.0, 0.5, 0.25])
    white = np.random.default_rng(0).normal(size=filtered.size)
    assert sdr(white, np.convolve(white, [1.0, 0.5, 0.25])[: white.size]) > 30 > si_sdr(white, np.roll(white, 1))


@pytest.mark.parametrize(
    ("reference", "estimate", "says"),
    [
        ([1.0, 2.0], [1.0], "one length"),
        ([], [], "one length"),
        ([0.0, 0.0], [1.0, 1.0], "silent"),
        ([1.0, np.nan], [1.0, 1.0], "not finite"),
    ],
)
def test_impossible_signals_are_refused(reference: list[float], estimate: list[float], says: str) -> None:
    for ratio in (si_sdr, sdr):
        with pytest.raises(ValueError, match=says):
            ratio(reference, estimate)


@pytest.mark.parametrize("delay", [-800, -3, 0, 1, 799])
def test_a_delay_is_taken_out(delay: int) -> None:
    white = np.random.default_rng(0).normal(size=16_000).astype(np.float32)
    reference, estimate = aligned(white, np.roll(white, delay), 16_000)
    assert len(reference) == len(estimate) == 16_000 - abs(delay)
    assert np.array_equal(reference, estimate)


def test_clipped_samples_are_counted() -> None:
    assert clipped_share(np.array([[1.0, -1.0], [0.99, 0.0]])) == 50.0
    assert clipped_share(np.zeros((0, 1))) == 0.0


def test_a_louder_copy_differs_by_its_gain(source: Source, make_case) -> None:
    assert LoudnessChange().score(make_case(source.mixture.scaled(0.5))) == pytest.approx(6.02, abs=0.01)


def test_without_a_background_there_is_nothing_to_keep(source: Source, make_case) -> None:
    solo = Source("solo", "solo", source.stems["other"], {"other": source.stems["other"]})
    for metric in (BackgroundCqt1Pcc(), BackgroundOnsetF1(), BackgroundSiSdr()):
        value = metric.score(make_case(solo.mixture, of=solo))
        assert isinstance(value, Missing)
        assert value.code == "no-background"
