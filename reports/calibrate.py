"""How often does a gate raise a false alarm? Runs of one code with other seeds (A/A) are compared, which are equal.

Two runs are one comparison, so whole runs alone say little. More are simulated: songs are drawn with replacement, as
many as there are; for each drawn song two of the runs are taken at random, one as base and one as new; and the gate
decides, by the very rules of `compare`. An alarm is REGRESSED or IMPROVED: either claims a change where there is none.

What the simulation does not show is what all songs of a run share, beyond the seed of each task. That would be seen in
the comparisons of whole runs, which are counted beside.

Source: A/A tests as in Kohavi, Tang and Xu, Trustworthy Online Controlled Experiments (2020), chapter 19; Clopper and
Pearson, Biometrika 26 (1934).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import combinations

import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest

from bench.errors import IncompleteError, UsageError
from bench.identity import derive_seed
from bench.stats.clusters import cluster_sums
from bench.stats.paired import MeanTest, jackknife_test, paired_test
from reports.compare.align import Alignment, Values
from reports.compare.compare import Declared, compare
from reports.compare.gate import Effects, find
from reports.compare.identity import run_differences
from reports.compare.model import Calibration, Comparison, Gate, GateMetric, Verdict
from reports.compare.sets import SetValue, set_values
from reports.compare.verdicts import Question, corrected, judge, overall
from reports.load import RunReport

COMPARISONS = 1_000
ALARMS = frozenset({Verdict.REGRESSED, Verdict.IMPROVED})


@dataclass(frozen=True)
class Calibrated:
    """What came of it: the block for the gate file, and how often each verdict was given."""

    calibration: Calibration
    pairs: Counter[Verdict]
    simulated: Counter[Verdict]


@dataclass(frozen=True, eq=False)
class _Clusters:
    """A gate metric by cluster, in every run.

    Attributes:
        metric: of the gate. names: of the clusters: songs, or groups of them. corpus: whether it is a value of sets.
        sums: of each run's values in each cluster, (runs, clusters). counts: of the values, (clusters,).
    """

    metric: GateMetric
    names: tuple[str, ...]
    corpus: bool
    sums: npt.NDArray[np.float64]
    counts: npt.NDArray[np.int64]


def calibrate(
    runs: Sequence[RunReport],
    gate: Declared | None,
    effects: Effects,
    *,
    comparisons: int = COMPARISONS,
    seed: int = 0,
) -> Calibrated:
    """Measure a gate's false-alarm rate.

    Args:
        runs: two or more, equal but for their seeds, of which no two have one in common; scored and complete.
        gate: None for the default gate of these runs.
        effects: smallest effects that the metrics themselves declare, by name.
        comparisons: to simulate.
        seed: of the simulation.

    Raises:
        UsageError: if the runs are not equal but for their seeds.
        IncompleteError: if one of them is not complete.
    """
    _check_alike(runs)
    pairs = [compare(*pair, gate, allowed=("seeds",), effects=effects) for pair in combinations(runs, 2)]
    for pair in pairs:
        _check_complete(pair)
    used = pairs[0].gate
    simulated = Counter(_Simulation(_clusters(runs, used), used, len(runs), seed).verdicts(comparisons))
    whole = Counter(pair.verdict for pair in pairs)
    alarms = sum(simulated[verdict] for verdict in ALARMS)
    interval = binomtest(alarms, comparisons).proportion_ci(method="exact")
    calibration = Calibration(
        gate=used.digest,
        suite=pairs[0].base.suite,
        suite_digest=pairs[0].base.suite_digest,
        method=pairs[0].base.label,
        runs=len(runs),
        songs=pairs[0].songs,
        pairs=len(pairs),
        pair_alarms=sum(whole[verdict] for verdict in ALARMS),
        comparisons=comparisons,
        alarms=alarms,
        regressed=simulated[Verdict.REGRESSED],
        rate=alarms / comparisons,
        low=float(interval.low),
        high=float(interval.high),
        alpha=used.alpha,
        seed=seed,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    return Calibrated(calibration, whole, simulated)


class _Simulation:
    """Draws comparisons of equal runs and lets the gate decide."""

    def __init__(self, clusters: Sequence[_Clusters], gate: Gate, runs: int, seed: int):
        self.clusters, self.gate, self.runs = clusters, gate, runs
        self.rng = np.random.default_rng(derive_seed(seed, "calibrate"))
        self.songs = sorted({name for each in clusters if not each.corpus for name in each.names})
        # Of sets, a cluster is a song where there are few, and is then drawn with it; else it is a group of songs.
        self.joint = [set(each.names) <= set(self.songs) for each in clusters]

    def verdicts(self, number: int) -> list[Verdict]:
        """The gate's verdicts on so many comparisons."""
        return [self._verdict() for _ in range(number)]

    def _verdict(self) -> Verdict:
        drawn = self._draw(self.songs)
        questions = []
        for each, joint in zip(self.clusters, self.joint, strict=True):
            test = self._test(each, drawn if joint else self._draw(each.names))
            questions.append(Question(test, each.metric.direction == "higher", each.metric.smallest_effect))
        p = corrected(questions, tests=len(self.gate.metrics))
        return overall(
            [judge(question, p_holm, alpha=self.gate.alpha) for question, p_holm in zip(questions, p, strict=True)]
        )

    def _draw(self, names: Sequence[str]) -> list[tuple[str, int, int]]:
        """As many clusters as there are, with replacement, and for each a run as base and another as new."""
        if not names:
            return []
        chosen = self.rng.integers(0, len(names), size=len(names))
        base = self.rng.integers(0, self.runs, size=len(names))
        new = (base + self.rng.integers(1, self.runs, size=len(names))) % self.runs
        return [(names[place], int(i), int(j)) for place, i, j in zip(chosen, base, new, strict=True)]

    def _test(self, each: _Clusters, drawn: Sequence[tuple[str, int, int]]) -> MeanTest:
        places = {name: place for place, name in enumerate(each.names)}
        rows = [(places[name], base, new) for name, base, new in drawn if name in places]
        if not rows:  # none of the songs that were drawn has this metric
            return MeanTest(0.0, None, None, None, None, None, 0)
        at, base, new = (np.array(column) for column in zip(*rows, strict=True))
        sums, counts = each.sums[new, at] - each.sums[base, at], each.counts[at]
        if each.corpus:
            left_out = (sums.sum() - sums) / max(len(sums) - 1, 1)
            return jackknife_test(float(sums.mean()), left_out.tolist())
        return paired_test(sums, counts, alpha=self.gate.alpha, tests=len(self.gate.metrics), seed=self.gate.seed)


def _clusters(runs: Sequence[RunReport], gate: Gate) -> list[_Clusters]:
    """The gate's metrics by cluster; those that there is nothing to draw from are left out."""
    aligned = [Alignment(runs[0], run) for run in runs[1:]]
    sets = [set_values(run) for run in runs]
    found = []
    for metric in gate.metrics:
        estimate = find(runs[0], metric.name)
        assert estimate is not None  # a run without it is not complete
        if estimate.corpus:
            found.append(_of_sets(metric, [values[estimate.identity] for values in sets]))
        else:
            found.append(_of_pairs(metric, [each.values(estimate, estimate) for each in aligned]))
    return [each for each in found if each.names]


def _of_pairs(metric: GateMetric, values: Sequence[Values]) -> _Clusters:
    by_song = [cluster_sums(values[0].base, values[0].songs), *(cluster_sums(v.new, v.songs) for v in values)]
    sums = np.stack([each.sums for each in by_song])
    return _Clusters(metric, by_song[0].names, False, sums, by_song[0].counts)


def _of_sets(metric: GateMetric, values: Sequence[SetValue]) -> _Clusters:
    names = tuple("\n".join(group) for group in values[0].groups)
    shares = np.array([each.shares for each in values], np.float64).reshape(len(values), len(names))
    return _Clusters(metric, names, True, shares, np.ones(len(names), np.int64))


def _check_alike(runs: Sequence[RunReport]) -> None:
    if len(runs) < 2:
        raise UsageError(
            "one run has nothing to be compared with",
            remedy="Give two or more runs of one method with other seeds: timbrebench run … --seed 1 --out …",
            code="calibrate/one-run",
        )
    for one, other in combinations(runs, 2):
        differing = [each.field for each in run_differences(one, other, ()) if each.field != "seeds"]
        shared = sorted(set(one.identity.seeds) & set(other.identity.seeds))
        if differing or shared:
            cause = f"they differ in {', '.join(differing[:5])}" if differing else f"both have seed {shared[0]}"
            raise UsageError(
                f"these runs are not the same code with other seeds: {cause}",
                where=f"{one.path} and {other.path}",
                remedy="Run one method again with other seeds: timbrebench run … --seed 1 --out …",
                code="calibrate/not-alike",
            )


def _check_complete(pair: Comparison) -> None:
    if pair.verdict == Verdict.INCOMPLETE:
        raise IncompleteError(
            f"a gate is calibrated with whole runs: {pair.incomplete[0]}",
            where=f"{pair.base.path} and {pair.new.path}",
            remedy="Complete the runs, score them, or leave the metric out of the gate.",
            code="calibrate/incomplete",
        )
    if pair.verdict == Verdict.NOT_COMPARABLE:
        raise UsageError(
            f"a gate is calibrated with comparable runs: {pair.headline}",
            where=f"{pair.base.path} and {pair.new.path}",
            remedy="Score the runs with the same metrics.",
            code="calibrate/not-comparable",
        )
