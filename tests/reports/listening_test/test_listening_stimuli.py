"""Stimuli: one loudness, no clipping, two channels, and an anchor as BS.1534 wants it."""

from __future__ import annotations

import numpy as np
import pytest

from bench.audio import Clip
from reports.listening_test.stimuli import MOST_GAIN_DB, PEAK_DB, low_anchor, matched, prepared

RATE = 48_000


def noise(gain: float, seconds: float = 2.0, seed: int = 0, channels: int = 2) -> Clip:
    return Clip.of(gain * np.random.default_rng(seed).uniform(-1, 1, (round(seconds * RATE), channels)), RATE)


def test_all_clips_of_a_task_have_one_loudness_in_their_files() -> None:
    clips = {"loud": noise(0.9, seed=1), "soft": noise(0.01, seed=2), "dull": low_anchor(noise(0.5, seed=3))}
    found, level = matched(clips, -23.0)
    assert level == -23.0
    assert all(each.exact for each in found.values())
    for each in found.values():
        written = np.frombuffer(each.clip.encode(container="WAV", subtype="PCM_16")[44:], "<i2")
        again = Clip.of(written.reshape(-1, 2) / 2**15, RATE)
        assert again.loudness_lufs == pytest.approx(-23.0, abs=0.1)


def test_a_peak_lowers_all_clips_alike_and_none_is_limited() -> None:
    click = noise(0.01)
    click.samples[1000] = 0.99
    found, level = matched({"click": click, "plain": noise(0.3)}, -23.0)
    assert level < -24.0
    assert 20 * np.log10(found["click"].clip.peak) == pytest.approx(PEAK_DB, abs=1e-4)
    assert found["plain"].clip.loudness_lufs == pytest.approx(level, abs=0.1)
    shape = found["click"].clip.samples / click.samples
    assert shape == pytest.approx(np.full_like(shape, shape[0, 0]), rel=1e-4)


def test_silence_stays_silence_and_next_to_nothing_is_raised_so_far_and_no_further() -> None:
    found, level = matched({"none": Clip.silence(2.0, RATE, 2), "hiss": noise(0.0008), "plain": noise(0.2)}, -23.0)
    assert level == -23.0
    assert (found["none"].clip.peak, found["none"].exact) == (0.0, False)
    assert (found["hiss"].gain_db, found["hiss"].exact) == (MOST_GAIN_DB, False)
    assert found["plain"].exact


def test_clips_get_two_channels_one_rate_and_one_length() -> None:
    short = Clip.of(np.sin(np.arange(8_000) / 5), 16_000)
    made = prepared(short, RATE, 1.0)
    assert (made.rate, made.length, made.channels) == (RATE, RATE, 2)
    assert np.array_equal(made.samples[:, 0], made.samples[:, 1])
    assert made.samples[30_000:].max() == 0.0
    assert prepared(noise(0.1), RATE, 1.0).length == RATE


@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_the_anchor_is_the_filter_of_the_recommendation(rate: int) -> None:
    impulse = np.zeros((8_192, 1))
    impulse[4_096] = 1.0
    response = np.abs(np.fft.rfft(low_anchor(Clip.of(impulse, rate)).samples[:, 0]))
    hertz = np.fft.rfftfreq(8_192, 1 / rate)
    db = 20 * np.log10(np.maximum(response, 1e-9))
    assert np.abs(db[hertz <= 3_500]).max() < 0.1
    assert db[hertz >= 4_000].max() < -25
    assert db[hertz >= 4_500].max() < -50
