"""Scoring: a run like any other, from the audio alone, at the loudness of the source."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from submission_samples import Parts, edit_of, flac, voice

from bench.audio import Clip
from bench.errors import BenchError, IdentityError
from bench.runner.scoring import score
from bench.suite import Suite
from reports.load import load
from reports.submission.decoder import Decoder
from reports.submission.model import Submission
from reports.submission.score import LOUDNESS, MAX_GAIN_DB, level, to_run

LOUDNESS_CHANGE = "bench.metrics.loudness:LoudnessChange"


@pytest.fixture
def made(parts: Parts, tmp_path: Path, checked: Callable, decoder: Decoder) -> Callable[..., Path]:
    """The run directory of an archive of the parts as they are."""

    def make(name: str) -> Path:
        path = parts.write(tmp_path, f"{name}.zip")
        to_run(path, checked(path).require(), parts.suite, tmp_path / name, decoder=decoder)
        return tmp_path / name

    return make


def test_a_submission_becomes_a_run_that_is_scored_and_loaded(made: Callable, loom: Suite) -> None:
    folder = made("one")
    score([folder], [LOUDNESS_CHANGE], jobs=1)
    report = load(folder)
    assert (report.label, report.coverage.expected, report.coverage.generated) == ("Loom 1.2", 2, 2)
    assert report.identity.method.name == "external"
    assert report.identity.method.config["loudness"] == LOUDNESS
    assert report.estimates[0].mean == pytest.approx(0.0, abs=0.05)
    assert report.directory.about["submission"]["card"]["system"] == "Loom"
    assert "edits: CC BY 4.0" in report.about.licences


def test_a_gain_within_six_db_changes_no_score(made: Callable, parts: Parts, loom: Suite) -> None:
    plain = load_outcomes(made("plain"))
    for number, task in enumerate(loom.tasks):
        parts.replace(number, flac(edit_of(loom, task).scaled(0.6)))
    softer = load_outcomes(made("softer"))
    for (one, one_db), (other, other_db) in zip(plain, softer, strict=True):
        assert other_db - one_db == pytest.approx(4.437, abs=0.01)
        assert abs(one.samples - other.samples).max() < 1e-5


def load_outcomes(folder: Path) -> list[tuple[Clip, float]]:
    from bench.store.rundir import RunDirectory

    run = RunDirectory.open(folder)
    return [
        (run.read_audio(outcome.audio), outcome.event["diagnostics"]["gain_db"])  # type: ignore[arg-type, index]
        for outcome in run.outcomes().values()
    ]


@pytest.mark.parametrize("gain_db", [-20.0, -3.0, 0.0, 3.0, 20.0])
def test_gains_are_bounded_and_never_clip(gain_db: float) -> None:
    source = voice(100.0, 1.0, 16_000)
    edit = source.scaled(10 ** (gain_db / 20) * 0.3)
    levelled, found = level(edit, source.scaled(0.3))
    assert found == pytest.approx(max(-MAX_GAIN_DB, min(MAX_GAIN_DB, -gain_db)), abs=0.02)
    assert levelled.samples == pytest.approx(edit.samples * 10 ** (found / 20), abs=1e-6)
    peaky = edit.scaled(0.9 / edit.peak)
    loud, _ = level(peaky, Clip.of(0.9 * (voice(60.0, 1.0, 16_000).samples > 0).astype("f4") - 0.45, 16_000))
    assert loud.peak <= 1.0


def test_what_has_no_loudness_is_left_alone() -> None:
    for edit, source in ((Clip.silence(1.0, 8_000), voice(100.0, 1.0, 8_000)), (voice(100.0, 0.3, 8_000),) * 2):
        levelled, gain_db = level(edit, source)
        assert (levelled.sha256, gain_db) == (edit.sha256, 0.0)


def test_an_interrupted_scoring_goes_on_and_another_submission_does_not(
    made: Callable, parts: Parts, loom: Suite
) -> None:
    folder = made("one")
    journal = folder / "journal" / "submission.jsonl"
    lines = journal.read_bytes().split(b"\n")
    journal.write_bytes(b"\n".join(lines[:1]) + b"\n")
    assert made("one") == folder
    assert journal.read_bytes().split(b"\n") == lines
    parts.replace(0, flac(edit_of(loom, loom.tasks[0]).scaled(0.5)))
    with pytest.raises(IdentityError):
        made("one")


def test_declared_failures_are_failures(made: Callable, parts: Parts) -> None:
    entry = parts.claims["entries"][0]
    parts.audio.pop(entry.pop("member"))
    entry.pop("sha256")
    entry["failed"] = "out of memory"
    folder = made("one")
    score([folder], [LOUDNESS_CHANGE], jobs=1)
    report = load(folder)
    assert (report.coverage.generated, report.coverage.failed) == (1, 1)


def test_an_archive_that_changes_after_its_check_is_not_scored(
    parts: Parts, tmp_path: Path, checked: Callable, decoder: Decoder
) -> None:
    path = parts.write(tmp_path)
    submission: Submission = checked(path).require()
    parts.audio[parts.names[0]] = parts.audio[parts.names[1]]
    parts.write(tmp_path)
    with pytest.raises(BenchError, match="not the one that was checked"):
        to_run(path, submission, parts.suite, tmp_path / "run", decoder=decoder)
