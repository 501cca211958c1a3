"""Calibration: runs of one code are compared, and the alarms are false."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.stats import binomtest

from bench.errors import IncompleteError, UsageError
from bench.identity import derive_seed
from bench.stats.jackknife import replicates
from bench.store.rundir import PlanItem
from reports.calibrate import calibrate
from reports.compare.compare import Declared
from reports.compare.gate import GateFile
from reports.compare.model import Verdict
from reports.load import RunReport, load

SONGS = tuple(f"song{number}" for number in range(10))
EFFECTS = {"cqt1-pcc": 0.001, "dpd-pesto-cents": 0.01}


def luck(scale: float = 1.0) -> Callable[[PlanItem], float]:
    """A song's own value, the luck of a seed in a song, and that of an edit."""

    def value(item: PlanItem) -> float:
        song = np.random.default_rng(derive_seed(0, item.song)).normal()
        shared = np.random.default_rng(derive_seed(item.seed, item.song)).normal(0, 0.5)
        own = np.random.default_rng(derive_seed(item.seed, item.task)).normal()
        return float(scale * (song + shared + own))

    return value


@pytest.fixture
def same(rack):
    """Makes runs of one method that differ in nothing but their seeds, and are called by them."""
    suite = rack.shelf(songs=SONGS)

    def make(*seeds: int, **options: Any) -> RunReport:
        values = {"cqt1-pcc": luck(), "dpd-pesto-cents": luck(10.0)} | options.pop("values", {})
        return load(rack.run(suite, "sdedit", values, seeds=seeds, folder=f"run{seeds}{len(options)}", **options))

    return make


def gate(*names: str) -> Declared:
    metrics = [{"name": name} for name in names]
    return Declared(GateFile.model_validate({"schema": "timbrebench-gate@1", "metrics": metrics}), "gate.yaml")


BOTH = gate("cqt1-pcc", "dpd-pesto-cents")


def test_false_alarms_are_as_rare_as_alpha(same) -> None:
    found = calibrate([same(0), same(1), same(2)], BOTH, EFFECTS, comparisons=600)
    known = found.calibration
    assert (known.runs, known.pairs, known.songs, known.comparisons) == (3, 3, 10, 600)
    assert binomtest(known.alarms, 600, 0.05).pvalue > 0.001, known.alarms
    assert sum(found.simulated.values()) == 600
    assert known.alarms == found.simulated[Verdict.REGRESSED] + found.simulated[Verdict.IMPROVED]
    expected = binomtest(known.alarms, 600).proportion_ci(method="exact")
    assert (known.low, known.high) == (expected.low, expected.high)
    assert known.trusted


def test_a_gate_of_large_effects_raises_none(same) -> None:
    found = calibrate([same(0), same(1)], BOTH, {"cqt1-pcc": 50.0, "dpd-pesto-cents": 500.0}, comparisons=200)
    assert found.calibration.alarms == found.calibration.pair_alarms == 0
    assert found.simulated == {Verdict.EQUIVALENT: 200}


def test_it_is_seeded(same) -> None:
    runs = [same(0), same(1)]
    first, again = (calibrate(runs, BOTH, EFFECTS, comparisons=200, seed=3) for _ in range(2))
    assert first.simulated == again.simulated
    assert first.calibration.seed == 3


def test_values_on_sets_are_drawn_by_song_too(same) -> None:
    runs = [same(0), same(1)]
    for number, run in enumerate(runs):
        rng = np.random.default_rng(number)
        by_song = {song: rng.normal(1.0, 0.2) for song in SONGS}

        def mean(out, by_song=by_song) -> float:
            return float(np.mean([value for song, value in by_song.items() if song not in out]))

        left_out = replicates(mean, SONGS)
        assert left_out is not None
        row = {
            "name": "fad:little", "identity": "fad@1[little]", "direction": "lower", "value": mean(frozenset()),
            "n": 20, "reference_n": 10, "left_out": [vars(each) for each in left_out],
        }  # fmt: skip
        (run.path / "corpus.json").write_text(json.dumps({"schema": "timbrebench-corpus@1", "metrics": [row]}))
    found = calibrate([load(run.path) for run in runs], gate("fad", "cqt1-pcc"), EFFECTS, comparisons=400)
    assert binomtest(found.calibration.alarms, 400, 0.05).pvalue > 0.001, found.calibration.alarms
    alone = calibrate([load(run.path) for run in runs], gate("fad"), EFFECTS, comparisons=200)
    assert alone.calibration.alarms > 0


def test_only_runs_of_one_code_with_other_seeds_will_do(same) -> None:
    with pytest.raises(UsageError, match="nothing to be compared with"):
        calibrate([same(0)], BOTH, EFFECTS)
    with pytest.raises(UsageError, match="both have seed 1"):
        calibrate([same(0, 1), same(1, 2)], BOTH, EFFECTS)
    with pytest.raises(UsageError, match=r"they differ in method\.config\.lam"):
        calibrate([same(0), same(1, config={"lam": 1})], BOTH, EFFECTS)


def test_a_run_with_gaps_calibrates_nothing(same) -> None:
    with pytest.raises(IncompleteError, match="1 of 20 edits failed"):
        calibrate([same(0), same(1, failed=("shelf/0/edit0",))], BOTH, EFFECTS)
