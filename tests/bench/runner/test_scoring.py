"""Scoring: every edit has a row, nothing is measured twice, nothing is missing silently."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from runner_methods import Noise
from runner_metrics import Bands, Level, SourceOnce

from bench.errors import LockedError, UsageError
from bench.runner.run import run
from bench.runner.scoring import score
from bench.runner.spec import RunSpec, parse_config
from bench.store.rundir import RunDirectory

Make = Callable[..., RunSpec]


@pytest.fixture(autouse=True)
def _forget() -> None:
    Level.calls.clear()
    SourceOnce.computed.clear()
    Bands.passes.clear()


@pytest.fixture
def done(spec: Make) -> Path:
    """A run of twelve edits."""
    run(spec("Noise"), Noise.Config())
    return spec("Noise").out


def measure(path: Path, *metrics: str, jobs: int = 1) -> pd.DataFrame:
    score([path], [f"runner_metrics:{name}" for name in metrics], jobs=jobs)
    return pd.read_parquet(path / "scores.parquet")


def test_a_row_for_every_edit_and_metric(done: Path) -> None:
    frame = measure(done, "Level", "NoCello", "WantsTruth")
    assert len(frame) == 12 * 3
    assert frame.groupby("metric")["value"].count().to_dict() == {"level": 12, "no-cello": 6, "wants-truth": 0}
    reasons = frame.dropna(subset=["missing"]).groupby(["metric", "missing"]).size().to_dict()
    assert reasons == {("no-cello", "cello"): 3, ("no-cello", "non-finite"): 3, ("wants-truth", "no-true-edit"): 12}
    assert set(frame["identity"]) == {f"{name}@1[no parameters]" for name in ("level", "no-cello", "wants-truth")}


def test_the_summary_counts_what_it_says(done: Path) -> None:
    measure(done, "Level", "NoCello", "WantsTruth")
    summary = json.loads((done / "summary.json").read_text())
    level, no_cello, truth = summary["metrics"]
    assert (level["n"], level["songs"], level["missing"]) == (12, 3, {})
    assert level["low"] <= level["mean"] <= level["high"]
    assert (no_cello["mean"], no_cello["n"], no_cello["missing"]) == (1.0, 6, {"cello": 3, "non-finite": 3})
    assert (truth["mean"], truth["low"], truth["n"]) == (None, None, 0)
    assert summary["plan"] == {
        "expected": 12, "generated": 12, "failed": 0, "pending": 0, "absent": 0, "absences": {}
    }  # fmt: skip


def test_what_is_there_is_not_measured_again(done: Path) -> None:
    first = measure(done, "Level")
    assert len(Level.calls) == 12
    again = measure(done, "Level", "NoCello")
    assert len(Level.calls) == 12
    kept = again[again["metric"] == "level"].reset_index(drop=True)
    columns = ["task", "identity", "value", "audio"]
    pd.testing.assert_frame_equal(first[columns], kept[columns])


def test_new_audio_is_measured(done: Path, spec: Make) -> None:
    measure(done, "Level")
    path = done / "scores.parquet"
    frame = pd.read_parquet(path)
    frame.loc[0, "audio"] = "0" * 64  # as if the value were of other audio
    frame.loc[0, "value"] = 99.0
    frame.to_parquet(path, index=False)
    assert measure(done, "Level")["value"].max() < 0
    assert len(Level.calls) == 13


def test_a_damaged_score_file_is_made_again(done: Path) -> None:
    first = measure(done, "Level")
    (done / "scores.parquet").write_bytes(b"PAR1 but not really")
    pd.testing.assert_frame_equal(measure(done, "Level"), first)


def test_failed_and_pending_edits_are_rows(spec: Make) -> None:
    broken = spec("FailsOnCello")
    run(broken, parse_config(broken.method_class(), []))
    frame = measure(broken.out, "Level")
    failed = frame[frame["missing"] == "failed"]
    assert sorted(failed["task"]) == [f"tones/{song}/vocals2cello" for song in ("one", "three", "two")]
    assert set(failed["why"]) == {"ValueError: no cello today"}
    summary = json.loads((broken.out / "summary.json").read_text())
    assert (summary["plan"]["expected"], summary["plan"]["failed"]) == (12, 3)
    assert summary["metrics"][0]["missing"] == {"failed": 3}


def test_a_sources_features_serve_all_runs(done: Path, spec: Make, tmp_path: Path) -> None:
    other = spec("Noise", out=tmp_path / "other", seeds=(1,))
    run(other, Noise.Config())
    score([done, other.out], ["runner_metrics:SourceOnce"], jobs=1)
    assert SourceOnce.computed == ["one", "two", "three"]


def test_processes_give_the_same_rows(done: Path) -> None:
    alone = measure(done, "Level", "NoCello")
    (done / "scores.parquet").unlink()
    pd.testing.assert_frame_equal(measure(done, "Level", "NoCello", jobs=2), alone)


BANDS = "|runner_metrics:Bands"


def by_vectors(path: Path, *names: str) -> None:
    score([path], [f"runner_metrics:{name}{BANDS}" for name in names], jobs=1)


def test_sets_are_compared_with_interval_floor_and_numbers(done: Path) -> None:
    by_vectors(done, "Spread", "Apart")
    spread, apart = json.loads((done / "corpus.json").read_text())["metrics"]
    assert spread["name"] == "spread:bands"
    assert (spread["n"], spread["reference_n"], spread["songs"]) == (12, 3, 3)  # the reference of a song counts once
    assert spread["missing"] == {"code": "too-few-clips", "why": "fewer than 4 clips in one of the sets"}
    assert (apart["n"], apart["missing"]) == (0, {"code": "nobody", "why": "nobody is left"})


def test_vectors_are_computed_once_for_all_metrics(done: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIMBREBENCH_CACHE_DIR", str(tmp_path / "cache"))
    by_vectors(done, "Brightness", "Layers", "Spread")
    # For each of three songs: four edits and the source with layers, the background for the reference set without.
    assert Bands.passes == [5, 1] * 3
    frame = pd.read_parquet(done / "scores.parquet").pivot(index="task", columns="metric", values="value")
    assert frame["brightness:bands"].tolist() == frame["layers:bands"].tolist()
    assert (frame["brightness:bands"] > 0).all()
    for name in ("scores.parquet", "corpus.json"):
        (done / name).unlink()
    by_vectors(done, "Brightness", "Spread")
    assert len(Bands.passes) == 6, "the cache has them"


def test_metrics_not_named_keep_their_values(done: Path) -> None:
    first = measure(done, "Level", "NoCello")
    by_vectors(done, "Brightness", "Spread")
    both = pd.read_parquet(done / "scores.parquet")
    assert set(both["metric"]) == {"level", "no-cello", "brightness:bands"}
    again = measure(done, "Level")
    assert set(again["metric"]) == {"level", "no-cello", "brightness:bands"}
    assert len(Level.calls) == 12
    assert json.loads((done / "corpus.json").read_text())["metrics"][0]["name"] == "spread:bands"
    values = first.set_index(["task", "metric"])["value"]
    pd.testing.assert_series_equal(again.set_index(["task", "metric"])["value"].loc[values.index], values)


def test_an_interrupted_scoring_goes_on(done: Path) -> None:
    """Ctrl-C after the first source: its values are on disk, and the next call measures the others."""

    def stop(finished: int, total: int) -> None:
        if finished:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score([done], ["runner_metrics:Level"], jobs=1, heard=stop)
    assert not (done / "scores.parquet").exists()
    assert len(Level.calls) == 4
    assert measure(done, "Level")["value"].notna().all()
    assert len(Level.calls) == 12
    assert not (done / "scoring.jsonl").exists()


def test_one_identity_once(done: Path) -> None:
    with pytest.raises(UsageError, match="two metrics have the identity"):
        measure(done, "Level", "SameLevel")


def test_a_run_at_work_is_left_alone(done: Path) -> None:
    with RunDirectory.lock(done), pytest.raises(LockedError):
        measure(done, "Level")
