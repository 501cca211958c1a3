"""The delete-a-group jackknife: known answer, coverage by simulation, edges."""

from __future__ import annotations

from collections.abc import Set

import numpy as np
import pytest
from scipy.stats import t

from bench.stats.jackknife import interval, replicates


def mean_of(values: dict[str, float]):
    def mean(out: Set[str]) -> float | None:
        kept = [value for name, value in values.items() if name not in out]
        return float(np.mean(kept)) if kept else None

    return mean


def leave_out(statistic, clusters: list[str], *, seed: int = 0) -> tuple[float, float] | None:
    """The interval around a statistic's value on all clusters, as scoring makes it."""
    found = replicates(statistic, clusters, seed=seed)
    return found and interval(statistic(frozenset()), [each.value for each in found])


def test_for_a_mean_it_is_the_t_interval() -> None:
    """With one cluster a group, the jackknife's variance of a mean is the usual one."""
    values = {str(i): float(v) for i, v in enumerate(np.random.default_rng(0).normal(size=12))}
    numbers = list(values.values())
    reach = t.ppf(0.975, 11) * np.std(numbers, ddof=1) / np.sqrt(12)
    found = leave_out(mean_of(values), list(values))
    assert found == pytest.approx((np.mean(numbers) - reach, np.mean(numbers) + reach))


def test_nominal_coverage_is_kept_with_groups() -> None:
    """95 % intervals of the mean of 50 skewed values in 20 groups hold the truth nearly that often."""
    rng = np.random.default_rng(1)
    inside = 0
    for trial in range(300):
        values = {str(i): float(v) for i, v in enumerate(rng.gamma(4.0, size=50))}
        found = leave_out(mean_of(values), list(values), seed=trial)
        assert found is not None
        inside += found[0] <= 4.0 <= found[1]
    assert 0.91 <= inside / 300 <= 0.98


def test_the_grouping_is_seeded_and_order_does_not_matter() -> None:
    values = {str(i): float(i % 7) for i in range(50)}
    names = list(values)
    assert leave_out(mean_of(values), names, seed=1) == leave_out(mean_of(values), names[::-1] * 2, seed=1)
    assert leave_out(mean_of(values), names, seed=1) != leave_out(mean_of(values), names, seed=2)


def test_no_interval_where_there_is_none() -> None:
    assert leave_out(mean_of({"a": 1.0}), ["a"]) is None
    assert leave_out(lambda out: None if out else 1.0, ["a", "b"]) is None


def test_every_cluster_is_left_out_once_in_groups_that_depend_on_names_alone() -> None:
    names = [f"song{number}" for number in range(50)]
    first, second = (replicates(lambda out, c=c: c * len(out), names) for c in (1.0, 3.0))
    assert first is not None
    assert second is not None
    assert [each.without for each in first] == [each.without for each in second]
    assert sorted(name for each in first for name in each.without) == sorted(names)
    assert len(first) == 20
