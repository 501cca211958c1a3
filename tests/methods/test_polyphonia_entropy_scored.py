"""Attention entropy from the method to the table: recorded by a run, read when it is scored."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from bench.audio import Clip
from bench.runner.run import run
from bench.runner.scoring import score
from bench.runner.spec import RunSpec
from bench.store.rundir import RunDirectory
from bench.suite import Suite
from bench.task import EditTask, Excerpt, Source, SourceRef, audio_digest
from methods.polyphonia.method import Polyphonia

METRICS = [f"bench.metrics.attention_entropy:{name}" for name in ("AttentionEntropy", "SelfAttentionEntropy")]


@pytest.fixture
def suite(two_stems: Source, make_task: Callable[..., EditTask], tmp_path: Path) -> Suite:
    """Two tasks of the tones, on disk."""
    for name, clip in two_stems.stems.items():
        clip.write_wav(tmp_path / "audio" / f"{name}.wav")
    stems = {name: Clip.read(tmp_path / "audio" / f"{name}.wav") for name in two_stems.stems}
    mixture = Clip.sum(list(stems.values()))
    excerpt = Excerpt(start_s=0.0, duration_s=mixture.duration_s, sha256=audio_digest(mixture, stems))
    files = {name: (f"{name}.wav",) for name in stems}
    ref = SourceRef(id="tones", song="tones", root="tones", mixture=None, stems=files, excerpt=excerpt, licence="none")
    tasks = (make_task(), make_task("a cello", stem="bass"))
    return Suite("tones", 1, {}, {"tones": ref}, tasks, {"tones": tmp_path / "audio"})


@pytest.fixture
def scored(suite: Suite, tmp_path: Path) -> Callable[..., tuple[Path, pd.DataFrame]]:
    """Runs Polyphonia on `nano` and scores its attention."""

    def make(**knobs: object) -> tuple[Path, pd.DataFrame]:
        out = tmp_path / "run"
        spec = RunSpec(
            method="methods.polyphonia.method:Polyphonia",
            backbone="bench.backbones.nano.backbone:UntrainedNano",
            suite=suite,
            out=out,
        )
        assert run(spec, Polyphonia.Config.model_validate({"steps": 2, **knobs})).complete
        score([out], METRICS, jobs=1)
        return out, pd.read_parquet(out / "scores.parquet")

    return make


def test_every_edit_has_what_its_run_recorded(scored: Callable[..., tuple[Path, pd.DataFrame]]) -> None:
    out, frame = scored(entropy=True)
    found = frame.set_index(["task", "metric"])["value"]
    recorded = {key[0]: o.event["diagnostics"]["entropy"] for key, o in RunDirectory.open(out).outcomes().items()}  # type: ignore[index]
    assert len(frame) == 2 * len(recorded)
    for task, entropy in recorded.items():
        of_self, of_loa = entropy["distance"]["self"], entropy["distance"]["loa"]
        assert found[task, "attention-entropy-self"] == of_self > 0
        assert found[task, "attention-entropy"] == pytest.approx((of_self + of_loa) / 2)


def test_a_run_that_recorded_none_is_missing_with_its_reason(scored: Callable[..., tuple[Path, pd.DataFrame]]) -> None:
    _, frame = scored()
    assert set(frame["missing"]) == {"no-diagnostics"}
    assert frame["value"].isna().all()
