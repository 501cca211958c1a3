"""Metrics with one value for all edits: tested by their values with songs left out, jointly in both runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import ttest_rel

from bench.errors import CorruptStoreError
from bench.stats.jackknife import replicates
from reports.compare.compare import Declared, compare
from reports.compare.gate import GateFile
from reports.compare.model import Comparison, Verdict
from reports.compare.sets import set_values
from reports.load import load

SONGS = tuple(f"song{number}" for number in range(8))
GATE = Declared(
    GateFile.model_validate(
        {"schema": "timbrebench-gate@1", "metrics": [{"name": "fad", "smallest_effect": 0.05, "direction": "lower"}]}
    ),
    "gate.yaml",
)


def row(by_song: dict[str, float], **changes: Any) -> dict[str, Any]:
    """A set's value as scoring writes it; the value is the mean over songs, of which the jackknife is known."""

    def mean(out) -> float:
        return float(np.mean([value for song, value in by_song.items() if song not in out]))

    left_out = replicates(mean, list(by_song))
    assert left_out is not None
    return {
        "name": "fad:little", "identity": "fad@1[little]", "direction": "lower", "unit": "", "summary": "distance",
        "value": mean(frozenset()), "low": None, "high": None, "n": 16, "reference_n": 8, "floor": 0.1, "songs": 8,
        "missing": None, "left_out": [{"without": each.without, "value": each.value} for each in left_out], **changes,
    }  # fmt: skip


@pytest.fixture
def scored(rack):
    """Makes runs with the given values on sets."""
    suite = rack.shelf(songs=SONGS)

    def make(name: str, *rows: dict[str, Any]) -> Path:
        path = rack.run(suite, name, {"cqt1-pcc": 0.5, "dpd-pesto-cents": 9.0})
        (path / "corpus.json").write_text(json.dumps({"schema": "timbrebench-corpus@1", "metrics": rows}))
        return path

    return make


def compared(base: Path, new: Path) -> Comparison:
    return compare(load(base), load(new), GATE)


def values(shift: float = 0.0, seed: int = 0) -> dict[str, float]:
    rng, songs = np.random.default_rng(seed), np.random.default_rng(99)
    return {song: float(songs.normal(1.0, 0.5) + rng.normal(0, 0.02) + shift) for song in SONGS}


def test_songs_are_left_out_of_both_runs_at_once(scored) -> None:
    """For a mean over songs that is the paired t test, which songs' own differences do not trouble."""
    old, now = values(), values(0.2, seed=1)
    found = compared(scored("a", row(old)), scored("b", row(now)))
    metric = found.metrics[0]
    known = ttest_rel(list(now.values()), list(old.values()))
    assert (metric.corpus, metric.gated, metric.p_method) == (True, True, "t")
    assert metric.p == pytest.approx(known.pvalue)
    assert (metric.low, metric.high) == pytest.approx(tuple(known.confidence_interval(0.95)))
    assert (found.verdict, metric.n, metric.songs) == (Verdict.REGRESSED, 16, 8)
    assert compared(scored("c", row(now)), scored("d", row(old))).verdict == Verdict.IMPROVED


def test_equal_sets_are_equivalent(scored) -> None:
    assert compared(scored("a", row(values())), scored("b", row(values(seed=1)))).verdict == Verdict.EQUIVALENT


def test_sets_of_unlike_size_are_not_comparable(scored) -> None:
    found = compared(scored("a", row(values())), scored("b", row(values(), n=8)))
    assert (found.verdict, found.exit_code) == (Verdict.NOT_COMPARABLE, 4)
    assert "16 against 8 and 8 against 8 clips" in found.headline


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"value": None, "left_out": None, "missing": {"code": "too-few-clips", "why": "few"}}, "too-few-clips"),
        ({"left_out": ...}, "score both runs again"),
    ],
)
def test_a_value_that_cannot_be_tested_is_missing(scored, changes, reason) -> None:
    spoilt = {key: value for key, value in row(values(), **changes).items() if value is not ...}
    found = compared(scored("a", row(values())), scored("b", spoilt))
    assert found.verdict == Verdict.INCOMPLETE
    assert reason in found.incomplete[0]


def test_too_few_songs_to_leave_any_out_decide_nothing(scored) -> None:
    few = row(values(), left_out=None)
    found = compared(scored("a", few), scored("b", few))
    assert found.verdict == Verdict.INCONCLUSIVE
    assert found.metrics[0].low is None


def test_damage_is_named(scored) -> None:
    path = scored("a", row(values()))
    run = load(path)
    (path / "corpus.json").write_text('{"metrics": [{"identity": 3}]}')
    with pytest.raises(CorruptStoreError) as caught:
        set_values(run)
    assert caught.value.where == str(path / "corpus.json")
