"""Known answers that were computed elsewhere, of metrics whose own tests do not have them."""

from __future__ import annotations

import librosa
import numpy as np
import pytest
from played import TUNE, notes

from bench.audio import Clip
from bench.metrics import frechet_distance, onset_scores, sdr, si_sdr
from bench.metrics.compiled import ready
from bench.metrics.cqt import HOP, RATE, top1


@pytest.mark.parametrize(
    ("reference", "estimated", "expected"),
    [
        ([0.0, 1.0, 2.0], [0.04, 1.06, 2.0, 3.0], (4 / 7, 0.5, 2 / 3)),
        ([1.0], [0.99, 1.01], (2 / 3, 0.5, 1.0)),
    ],
)
def test_precision_and_recall_of_onsets(
    reference: list[float], estimated: list[float], expected: tuple[float, ...]
) -> None:
    assert onset_scores(np.array(reference), np.array(estimated)) == pytest.approx(expected, abs=1e-10)


def test_a_mean_is_part_of_the_signal() -> None:
    """torchmetrics' example, and the same with its means taken out."""
    reference, estimate = np.array([3.0, -0.5, 2.0, 7.0]), np.array([2.5, 0.0, 2.0, 8.0])
    assert si_sdr(reference, estimate) == pytest.approx(18.40299157, abs=1e-6)
    assert si_sdr(reference - reference.mean(), estimate - estimate.mean()) == pytest.approx(15.09175617, abs=1e-6)


def test_one_sample_of_delay() -> None:
    """Nothing that is heard, and the end of SI-SDR; a filter of 512 taps forgives it."""
    sine = np.sin(2 * np.pi * 200 * np.arange(16_001) / 16_000)
    assert si_sdr(sine[1:], sine[:-1]) == pytest.approx(22.1, abs=0.1)
    white = np.random.default_rng(0).normal(size=16_001)
    assert si_sdr(white[1:], white[:-1]) < -30
    assert sdr(white[1:], white[:-1]) > 35


def test_small_sets_of_one_distribution_are_far_apart() -> None:
    """Isotropic unit vectors of 512 dimensions against 5,000 of them: the true distance is 0."""
    draws = np.random.default_rng(0).normal(size=(5_350, 512))
    units = draws / np.linalg.norm(draws, axis=1, keepdims=True)
    reference = units[:5_000]
    assert frechet_distance(units[5_000:5_100], reference) == pytest.approx(1.15, abs=0.02)
    assert frechet_distance(units[5_100:5_350], reference) == pytest.approx(0.71, abs=0.02)
    assert abs(frechet_distance(units[:50], units[:50])) < 2e-7


def test_librosa_finds_almost_the_same_bins() -> None:
    """The other back end: 97.8 to 100 % of frames on real mixes."""
    ready()
    piece = Clip.sum([notes(TUNE), notes((36, 43, 41, 36)).scaled(0.7)]).to_mono().resample(RATE)
    theirs = librosa.cqt(
        piece.mono, sr=RATE, hop_length=HOP, fmin=65.0, n_bins=128, bins_per_octave=24, tuning=0.0, pad_mode="constant"
    )
    ours = top1(piece.mono)
    frames = min(len(ours.bins), theirs.shape[1])
    same = ours.bins[:frames] == np.abs(theirs[:, :frames]).argmax(axis=0)
    assert same[ours.sounds()[:frames]].mean() > 0.95
