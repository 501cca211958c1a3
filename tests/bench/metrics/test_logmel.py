from __future__ import annotations

import numpy as np
import pytest

from bench.metrics.logmel import N_FFTS, N_MELS, log_mel_distance, mel_powers


def powers(value: float) -> tuple[np.ndarray, ...]:
    return tuple(np.full((4, 5), value) for _ in N_FFTS)


def test_ten_times_the_power_is_ten_decibels() -> None:
    assert log_mel_distance(powers(1.0), powers(10.0)) == pytest.approx(10.0, abs=1e-12)
    assert log_mel_distance(powers(1.0), powers(0.1)) == pytest.approx(10.0, abs=1e-12)
    assert log_mel_distance(powers(1.0), powers(1.0)) == 0.0


def test_nothing_is_further_down_than_the_floor() -> None:
    assert log_mel_distance(powers(1.0), powers(0.0)) == pytest.approx(80.0, abs=1e-9)


def test_weights_choose_the_cells() -> None:
    estimate = powers(1.0)
    for power in estimate:
        power[0] = 100.0
    first_band = tuple(np.eye(4)[:, [0]] * np.ones((4, 5)) for _ in N_FFTS)
    others = tuple(1.0 - weight for weight in first_band)
    assert log_mel_distance(powers(1.0), estimate, first_band) == pytest.approx(20.0, abs=1e-12)
    assert log_mel_distance(powers(1.0), estimate, others) == 0.0
    assert log_mel_distance(powers(1.0), estimate) == pytest.approx(5.0, abs=1e-12)


def test_every_band_of_every_resolution_hears_white_noise(recwarn: pytest.WarningsRecorder) -> None:
    spectra = mel_powers(np.random.default_rng(0).normal(0, 0.1, 16_000).astype(np.float32))
    assert [power.shape for power in spectra] == [(N_MELS, 1 + 16_000 // (n // 4)) for n in N_FFTS]
    assert all((power > 0).all() for power in spectra)
    assert not [w for w in recwarn.list if "mel" in str(w.message).lower()]  # librosa warns of empty bands
