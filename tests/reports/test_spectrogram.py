from __future__ import annotations

import io

import numpy as np
import pytest
from matplotlib.image import imread

from bench.audio import Clip
from reports.html.spectrogram import BANDS, RANGE_DB, pictures


def sine(hz: float, *, gain: float = 0.5, rate: int = 16_000, seconds: float = 1.0) -> Clip:
    return Clip.of(gain * np.sin(2 * np.pi * hz * np.arange(round(rate * seconds)) / rate), rate)


def brightness(png: bytes) -> np.ndarray:
    """Sum of the colours: grows with the level in the colour map that is used."""
    return imread(io.BytesIO(png))[..., :3].sum(axis=2)


@pytest.mark.parametrize(("label", "hz"), [("500", 500), ("1k", 1000), ("4k", 4000)])
def test_a_sine_lies_at_its_tick(label, hz) -> None:
    drawn = pictures([sine(hz)])
    (tick,) = [tick for tick in drawn.ticks if tick.label == label]
    row = int(brightness(drawn.png[0]).mean(axis=1).argmax())
    assert row == pytest.approx(tick.top / 100 * BANDS, abs=1.5)


def test_levels_are_comparable_between_the_clips_of_one_call() -> None:
    loud, soft = (brightness(png).max() for png in pictures([sine(1000), sine(1000, gain=0.05)]).png)
    (alone,) = (brightness(png).max() for png in pictures([sine(1000, gain=0.05)]).png)
    assert soft < loud == alone


def test_what_lies_below_the_range_is_black() -> None:
    gain = 0.5 * 10 ** (-(RANGE_DB + 5) / 20)
    _, soft = pictures([sine(1000), sine(1000, gain=gain)]).png
    assert np.ptp(brightness(soft)) == 0


def test_clips_of_other_rates_and_lengths_share_both_axes() -> None:
    drawn = pictures([sine(1000, rate=44_100, seconds=2.0), sine(1000, rate=16_000, seconds=1.0)])
    long, short = (brightness(png) for png in drawn.png)
    assert long.shape == short.shape and long.shape[0] == BANDS
    assert drawn.seconds == pytest.approx(2.0)
    assert abs(int(long.mean(axis=1).argmax()) - int(short.mean(axis=1).argmax())) <= 1
    half = short.shape[1] // 2
    assert short[:, half + 20 :].max() == short.min()


@pytest.mark.parametrize(
    "clip", [Clip.silence(1.0, 16_000, 2), Clip.silence(1 / 16_000, 16_000), sine(100, seconds=0.01)]
)
def test_silence_and_very_short_clips_are_drawn(clip) -> None:
    assert brightness(pictures([clip]).png[0]).shape[0] == BANDS
