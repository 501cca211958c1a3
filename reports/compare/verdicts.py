"""From tests to verdicts: the rules of `compare`, and of `calibrate`, which counts what these rules say by chance."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from bench.stats.holm import holm
from bench.stats.paired import MeanTest
from reports.compare.model import Verdict


@dataclass(frozen=True)
class Question:
    """A metric, tested, and what is wanted of it.

    Attributes:
        test: of its difference, new minus base.
        higher: whether higher is better.
        smallest: the smallest effect of interest; None if nobody knows, which counts as 0.
    """

    test: MeanTest
    higher: bool
    smallest: float | None


def corrected(questions: Sequence[Question], *, tests: int) -> list[float]:
    """Holm's p of each. A metric without a p, or one of `tests` that could not be asked, counts as p = 1."""
    p = [1.0 if question.test.p is None else question.test.p for question in questions]
    return holm([*p, *[1.0] * (tests - len(p))])[: len(p)]


def judge(question: Question, p: float, *, alpha: float) -> Verdict:
    """The verdict on one metric from its corrected p.

    A change is claimed if p is within alpha *and* the difference has at least the smallest effect: what is certain but
    does not matter is no regression. Without change claimed, an interval within ± the smallest effect is EQUIVALENT.
    """
    test, margin = question.test, question.smallest or 0.0
    if test.low is None or test.high is None:
        return Verdict.INCONCLUSIVE
    if p <= alpha and test.mean != 0.0 and abs(test.mean) >= margin:
        return Verdict.IMPROVED if (test.mean > 0) == question.higher else Verdict.REGRESSED
    if -margin <= test.low and test.high <= margin:
        return Verdict.EQUIVALENT
    return Verdict.INCONCLUSIVE


def overall(verdicts: Collection[Verdict]) -> Verdict:
    """The gate's verdict from those of its metrics: the first of these that holds.

    NOT_COMPARABLE or INCOMPLETE or REGRESSED if any metric is; IMPROVED if any is; EQUIVALENT if all are;
    INCONCLUSIVE.
    """
    for verdict in (Verdict.NOT_COMPARABLE, Verdict.INCOMPLETE, Verdict.REGRESSED, Verdict.IMPROVED):
        if verdict in verdicts:
            return verdict
    return Verdict.EQUIVALENT if set(verdicts) == {Verdict.EQUIVALENT} else Verdict.INCONCLUSIVE
