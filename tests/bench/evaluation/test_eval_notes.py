"""Pitch, where the answer is known: a held tone, a glide, noise, silence."""

from __future__ import annotations

import numpy as np
import pytest

from bench.audio import Clip
from bench.evaluation.notes import steadiness, voiced_share
from bench.metrics.pitch import Pitch, pitch

TIME = np.arange(24_000) / 16_000


def heard(samples: np.ndarray) -> Pitch:
    return pitch(Clip.of(samples, 16_000))


def test_a_held_tone_is_confident_and_steady_and_noise_is_not() -> None:
    tone = heard(sum(np.sin(2 * np.pi * 330 * k * TIME) / k for k in (1, 2, 3)))
    assert voiced_share(tone) > 0.95
    assert steadiness(tone) == pytest.approx(1.0, abs=0.02)
    noise = heard(np.random.default_rng(0).normal(size=24_000))
    assert voiced_share(noise) < 0.3


def test_silence_has_no_pitch_and_no_steadiness() -> None:
    nothing = heard(np.zeros(24_000, np.float32))
    assert voiced_share(nothing) == 0.0
    assert steadiness(nothing) is None


def test_steps_count_only_between_voiced_frames() -> None:
    line = Pitch(np.array([6000.0, 0.0, 6400.0, 6420.0]), np.array([True, False, True, True]))
    assert steadiness(line) == 1.0
    assert steadiness(Pitch(np.array([6000.0, 0.0]), np.array([True, False]))) is None
