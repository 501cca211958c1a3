"""FAD and KAD on arrays: known answers, properties, bad input."""

from __future__ import annotations

import numpy as np
import pytest

from bench.metrics.frechet import frechet_distance, frechet_gaussians, frechet_infinity
from bench.metrics.kernel import kernel_distance, median_distance

RNG = np.random.default_rng(5)
WIDE = RNG.normal(size=(50, 512))  # fewer rows than dimensions: covariances without full rank
TALL = RNG.normal(size=(400, 16)) @ RNG.normal(size=(16, 16))


def test_known_frechet_distances() -> None:
    assert frechet_gaussians([0, 0, 0], np.diag([1, 4, 9]), [1, 2, 2], np.diag([4, 1, 16])) == pytest.approx(12.0)
    x, y = [[0, 0], [2, 0], [0, 2], [2, 2]], [[1, 1], [3, 1], [1, 5], [3, 5]]
    assert frechet_distance(x, y) == pytest.approx(6.3333333333, abs=1e-9)


@pytest.mark.parametrize("rows", [WIDE, TALL])
def test_frechet_of_equal_sets_is_zero_and_order_does_not_matter(rows: np.ndarray) -> None:
    other = rows[::-1] * 1.1 + 0.2
    assert abs(frechet_distance(rows, rows)) < 2e-7
    assert abs(frechet_distance(rows, rows[::-1])) < 2e-7
    assert frechet_distance(rows, other) == pytest.approx(frechet_distance(other, rows), rel=1e-9)


def test_both_ways_to_the_root_agree() -> None:
    """The nuclear norm, used below full rank, and the eigenvalues, used above, are one formula."""
    x, y = TALL[:200], TALL[200:] * 1.3
    gaussians = frechet_gaussians(x.mean(0), np.cov(x.T), y.mean(0), np.cov(y.T))
    assert frechet_distance(x, y) == pytest.approx(gaussians, rel=1e-9)
    few = TALL[:10]
    wide = frechet_gaussians(few.mean(0), np.cov(few.T), y.mean(0), np.cov(y.T))
    assert frechet_distance(few, y) == pytest.approx(wide, rel=1e-6)


def test_frechet_grows_with_noise_and_scales_with_the_square() -> None:
    noise = RNG.normal(size=TALL.shape)
    values = [frechet_distance(TALL, TALL + level * noise) for level in (0.0, 0.5, 1.0, 2.0)]
    assert values == sorted(values)
    assert frechet_distance(3 * TALL, 3 * TALL + 3) == pytest.approx(9 * frechet_distance(TALL, TALL + 1), rel=1e-9)


def test_infinity_takes_away_the_bias_of_small_sets() -> None:
    """Two sets of one distribution: the true distance is 0, a small set's is far above it."""
    draws = np.random.default_rng(0)
    reference = draws.normal(size=(4000, 32))
    evaluated = draws.normal(size=(300, 32))
    plain = frechet_distance(evaluated, reference)
    extrapolated = frechet_infinity(evaluated, reference, np.arange(300), seed=1)
    assert abs(extrapolated.value) < plain / 4
    assert extrapolated.slope > 0
    assert extrapolated.r2 > 0.9
    assert extrapolated == frechet_infinity(evaluated, reference, np.arange(300), seed=1)
    with pytest.raises(ValueError, match="at least 6 clips"):
        frechet_infinity(evaluated, reference, np.arange(300) % 5)


X, Y = [[0.0], [1.0], [2.0]], [[1.0], [3.0], [5.0], [7.0]]


def test_known_kernel_distances() -> None:
    assert kernel_distance(Y, X, 1.0) == pytest.approx(2.099696922, abs=1e-8)
    assert kernel_distance(Y, X) == pytest.approx(2.099696922, abs=1e-8)
    assert kernel_distance(Y, X, "evaluated") == pytest.approx(28.40980887, abs=1e-7)
    assert kernel_distance(X, X, 1.0) == pytest.approx(-36.70229762, abs=1e-7)
    assert kernel_distance(np.add(X, 1e6), X, 1.0) == pytest.approx(89.89310714, abs=1e-7)
    assert median_distance(Y) == 2.0  # the lower of the middle two; numpy's median is 3


def test_kernel_distance_does_not_see_order_or_scale() -> None:
    shuffled = np.random.default_rng(0).permutation(TALL)
    assert kernel_distance(shuffled, TALL + 0.5) == pytest.approx(kernel_distance(TALL, TALL + 0.5), abs=1e-9)
    scaled = kernel_distance(7 * TALL, 7 * TALL + 3.5)
    assert scaled == pytest.approx(kernel_distance(TALL, TALL + 0.5), rel=1e-6)


@pytest.mark.parametrize("distance", [frechet_distance, kernel_distance])
@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (np.zeros((0, 16)), "shape"),
        (np.zeros((1, 16)), "shape"),
        (np.zeros(16), "shape"),
        (np.full((3, 16), np.nan), "not finite"),
        (np.zeros((3, 15)), "dimensions"),
    ],
)
def test_impossible_sets_are_refused(distance, bad: np.ndarray, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        distance(bad, TALL)
    with pytest.raises(ValueError, match=says):
        distance(TALL, bad)
