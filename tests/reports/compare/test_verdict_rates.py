"""The gate's rules on simulated runs: false alarms at the nominal rate, planted effects found, with few songs."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binomtest

from bench.stats.paired import MeanTest, paired_test
from bench.stats.power import detectable
from reports.compare.model import Verdict
from reports.compare.verdicts import Question, corrected, judge, overall

METRICS, EDITS, ICC = 3, 6, 0.3
ALARMS = (Verdict.REGRESSED, Verdict.IMPROVED)


def gate_of(differences: np.ndarray, *, smallest: float = 0.001) -> Verdict:
    """The verdict of a gate on differences (songs, edits, metrics), of which more is better."""
    counts = np.full(len(differences), differences.shape[1])
    metrics = differences.shape[2]
    questions = [
        Question(paired_test(differences[..., metric].sum(axis=1), counts, tests=metrics), True, smallest)
        for metric in range(metrics)
    ]
    p = corrected(questions, tests=metrics)
    return overall([judge(question, each, alpha=0.05) for question, each in zip(questions, p, strict=True)])


def null(rng: np.random.Generator, songs: int, metrics: int = METRICS) -> np.ndarray:
    """Two runs of one method: differences clustered by song, metrics correlated."""
    shared = rng.normal(0, math.sqrt(ICC), (songs, 1, metrics))
    own = rng.normal(0, math.sqrt(1 - ICC), (songs, EDITS, metrics))
    mixed = 0.5 * np.eye(metrics) + 0.5
    return (shared + own) @ np.linalg.cholesky(mixed).T


@pytest.mark.parametrize("songs", [4, 8, 12, 24])
def test_false_alarms_come_at_the_nominal_rate(songs: int) -> None:
    rng = np.random.default_rng(10 + songs)
    alarms = sum(gate_of(null(rng, songs)) in ALARMS for _ in range(400))
    assert binomtest(alarms, 400, 0.05).proportion_ci(0.99).low <= 0.05, alarms
    # Holm never spends more than alpha, and a little less where metrics go together.
    assert binomtest(alarms, 400, 0.05).proportion_ci(0.99).high >= 0.04, alarms


def test_half_of_the_false_alarms_would_fail_ci() -> None:
    rng = np.random.default_rng(1)
    found = [gate_of(null(rng, 8)) for _ in range(600)]
    regressed = found.count(Verdict.REGRESSED)
    assert binomtest(regressed, 600, 0.025).pvalue > 0.001, regressed


@pytest.mark.parametrize("songs", [4, 8, 16])
def test_a_planted_regression_is_found_as_often_as_was_promised(songs: int) -> None:
    rng = np.random.default_rng(songs)
    error = math.sqrt((ICC + (1 - ICC) / EDITS) / songs)
    effect = detectable(error, songs - 1, alpha=0.05 / METRICS)
    planted = np.zeros(METRICS)
    planted[0] = -effect
    found = [gate_of(null(rng, songs) + planted) for _ in range(300)]
    regressed = found.count(Verdict.REGRESSED)
    assert binomtest(regressed, 300, 0.8).proportion_ci(0.99).high >= 0.8, regressed
    assert found.count(Verdict.IMPROVED) <= 6


def test_what_is_certain_but_does_not_matter_is_no_regression() -> None:
    rng = np.random.default_rng(2)
    small = 0.01 * null(rng, 12, 1) - 0.05
    assert gate_of(small, smallest=0.001) == Verdict.REGRESSED
    assert gate_of(small, smallest=0.2) == Verdict.EQUIVALENT
    assert gate_of(small, smallest=0.0505) in (Verdict.INCONCLUSIVE, Verdict.EQUIVALENT)


def asked(mean: float, low: float | None, high: float | None, p: float | None, *, higher=True, smallest=0.1) -> Verdict:
    test = MeanTest(mean, None if low is None else 0.1, low, high, p, "t", 5)
    return judge(Question(test, higher, smallest), 1.0 if p is None else p, alpha=0.05)


def test_the_rule_case_by_case() -> None:
    assert asked(-0.3, -0.5, -0.1, 0.01) == Verdict.REGRESSED
    assert asked(-0.3, -0.5, -0.1, 0.01, higher=False) == Verdict.IMPROVED
    assert asked(-0.3, -0.7, 0.1, 0.2) == Verdict.INCONCLUSIVE
    assert asked(-0.05, -0.09, -0.01, 0.01) == Verdict.EQUIVALENT
    assert asked(-0.08, -0.12, -0.04, 0.01) == Verdict.INCONCLUSIVE
    assert asked(0.0, 0.0, 0.0, 1.0, smallest=None) == Verdict.EQUIVALENT
    assert asked(0.01, -0.01, 0.03, 0.3, smallest=None) == Verdict.INCONCLUSIVE
    assert asked(0.01, 0.005, 0.015, 0.001, smallest=None) == Verdict.IMPROVED
    assert asked(5.0, None, None, None) == Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("verdicts", "gravest"),
    [
        ("IMPROVED REGRESSED EQUIVALENT", "REGRESSED"),
        ("REGRESSED INCOMPLETE", "INCOMPLETE"),
        ("INCOMPLETE NOT_COMPARABLE", "NOT_COMPARABLE"),
        ("IMPROVED INCONCLUSIVE", "IMPROVED"),
        ("EQUIVALENT INCONCLUSIVE", "INCONCLUSIVE"),
        ("EQUIVALENT EQUIVALENT", "EQUIVALENT"),
    ],
)
def test_the_gate_is_as_its_gravest_metric(verdicts: str, gravest: str) -> None:
    assert overall([Verdict(name) for name in verdicts.split()]) == gravest


def test_a_metric_that_cannot_be_asked_still_counts_in_the_correction() -> None:
    question = Question(MeanTest(1.0, 0.1, 0.8, 1.2, 0.02, "t", 5), True, None)
    assert corrected([question], tests=3) == pytest.approx([0.06])
