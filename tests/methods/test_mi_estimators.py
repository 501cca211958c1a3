"""Mutual information of a number with a class: against the truth, on data whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from methods.mi_inpainting.estimators import Histogram, neighbours

CLASSES, SAMPLES = 4, 20_480


def truth(distance: float) -> float:
    """I between the class and a unit Gaussian about `distance` times the class's number: h(mixture) − h(Gaussian)."""
    centres = distance * np.arange(CLASSES)

    def surprise(x: float) -> float:
        density = float(norm.pdf(x - centres).mean())
        return -density * np.log(density) if density > 0 else 0.0

    mixture, _ = quad(surprise, -9, centres[-1] + 9, limit=200)
    return float(mixture - norm.entropy())


def dependent(distances: list[float], *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    classes = np.repeat(np.arange(CLASSES), SAMPLES // CLASSES)
    return rng.normal(size=(SAMPLES, len(distances))) + np.outer(classes, distances), classes


def test_the_truth_lies_between_nothing_and_the_class_itself() -> None:
    assert truth(0.0) == pytest.approx(0.0, abs=1e-6)
    assert truth(20.0) == pytest.approx(np.log(CLASSES), abs=1e-6)


def test_both_estimators_find_the_truth() -> None:
    distances = [0.0, 0.3, 1.0, 3.0, 20.0]
    values, classes = dependent(distances)
    expected = [truth(distance) for distance in distances]
    groups = np.arange(SAMPLES) % 40 // CLASSES * CLASSES + classes
    np.testing.assert_allclose(neighbours(values, classes), expected, atol=0.025)
    np.testing.assert_allclose(Histogram.of(values, groups, classes).information(), expected, atol=0.025)


def test_the_correction_takes_the_histograms_bias_away() -> None:
    values, classes = dependent([0.0] * 20)
    few = slice(None, None, 10)
    histogram = Histogram.of(values[few], classes[few], classes[few])
    uncorrected = (64 - 1) * (CLASSES - 1) / (2 * SAMPLES / 10)  # expected of independent numbers
    assert uncorrected > 0.04
    assert histogram.information().mean() < 0.01


def test_a_histogram_does_not_mind_the_scale() -> None:
    values, classes = dependent([0.5, 2.0])
    plain, warped = (Histogram.of(each, classes, classes).information() for each in (values, np.exp(values)))
    np.testing.assert_allclose(plain, warped, atol=1e-6)


def test_more_different_groups_spread_less() -> None:
    """Groups that differ by as much as classes do: what an interval over them must show."""
    spreads = []
    for per_class in (4, 64):
        rng = np.random.default_rng(3)
        groups = np.repeat(np.arange(CLASSES * per_class), SAMPLES // (CLASSES * per_class))
        values = rng.normal(size=(SAMPLES, 1)) + rng.normal(size=CLASSES * per_class)[groups][:, None]
        histogram = Histogram.of(values, groups, groups // per_class, bins=16)
        deviations = histogram.deviations(200, seed=0)
        assert np.array_equal(deviations, histogram.deviations(200, seed=0))
        assert not np.array_equal(deviations, histogram.deviations(200, seed=1))
        spreads.append(deviations.std())
    assert spreads[1] < spreads[0] / 2


def test_a_class_with_one_group_does_not_move() -> None:
    values, classes = dependent([1.0])
    assert np.all(Histogram.of(values, classes, classes).deviations(5, seed=0) == 0)
