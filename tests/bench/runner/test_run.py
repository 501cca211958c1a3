"""The runner: one preparation a source, stable batches, failures that stay where they are, resume."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import runner_methods
from runner_methods import Noise

from bench.errors import IdentityError, LockedError, UsageError
from bench.method import Method
from bench.runner.progress import Event, Finished, Note
from bench.runner.run import RunResult, resolve_devices, run
from bench.runner.spec import RunSpec, parse_config
from bench.store.rundir import RunDirectory

Make = Callable[..., RunSpec]


class Ears:
    """A listener that remembers."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.before = -1

    def start(self, label: str, total: int, done: int) -> None:
        self.before = done

    def hear(self, event: Event) -> None:
        self.events.append(event)

    def stop(self) -> None:
        pass


@pytest.fixture(autouse=True)
def _forget() -> None:
    Noise.prepared.clear()
    Noise.batches.clear()


def go(spec: RunSpec, *settings: str, ears: Ears | None = None) -> RunResult:
    return run(spec, parse_config(spec.method_class(), settings), ears)


def hashes(path: Path) -> dict[tuple[str, int], str | None]:
    return {key: outcome.audio for key, outcome in RunDirectory.open(path).outcomes().items()}


def test_prepares_each_source_once_and_makes_every_edit(spec: Make) -> None:
    result = go(spec("Noise", seeds=(0, 1)))
    assert (result.expected, result.generated, result.complete, result.resumed) == (24, 24, True, False)
    assert Noise.prepared == ["one", "two", "three"]
    assert Noise.batches == [8, 8, 8]
    found = hashes(spec("Noise").out)
    assert len(set(found.values())) == 24  # every task and seed has noise of its own


def test_audio_depends_on_task_and_seed_alone(spec: Make, tmp_path: Path) -> None:
    go(spec("Noise"))
    go(spec("Noise", out=tmp_path / "small", batch_size=1))
    chosen = spec("Noise").suite
    part = chosen.select([chosen.tasks[6], chosen.tasks[2]])
    go(spec("Noise", out=tmp_path / "part", suite=part))
    whole = hashes(spec("Noise").out)
    assert hashes(tmp_path / "small") == whole
    assert hashes(tmp_path / "part").items() <= whole.items()


def test_second_run_does_nothing_and_says_so(spec: Make) -> None:
    go(spec("Noise"))
    Noise.prepared.clear()
    ears = Ears()
    result = go(spec("Noise"), ears=ears)
    assert (result.before, result.generated, result.resumed, ears.before) == (12, 0, True, 12)
    assert Noise.prepared == []


def test_a_damaged_file_is_set_aside_and_made_again(spec: Make) -> None:
    go(spec("Noise"))
    before = hashes(spec("Noise").out)
    run_directory = RunDirectory.open(spec("Noise").out)
    victim = next(sha for sha in before.values() if sha)
    path = run_directory.audio_path(victim)
    path.write_bytes(path.read_bytes()[:-7])
    result = go(spec("Noise"))
    assert (result.quarantined, result.generated) == (1, 1)
    assert hashes(spec("Noise").out) == before
    assert list((spec("Noise").out / "quarantine").iterdir())


def test_one_bad_task_fails_alone(spec: Make) -> None:
    ears = Ears()
    result = go(spec("FailsOnCello"), ears=ears)
    assert (result.generated, result.failed, result.pending, result.complete) == (9, 3, 0, False)
    outcomes = RunDirectory.open(spec("Noise").out).outcomes()
    failed = {key[0]: outcome.error for key, outcome in outcomes.items() if outcome.status == "failed"}
    assert sorted(failed) == [f"tones/{song}/vocals2cello" for song in ("one", "three", "two")]
    assert all(error["cause"] == "ValueError: no cello today" for error in failed.values() if error)
    assert sum(isinstance(event, Finished) and event.error is not None for event in ears.events) == 3


def test_a_failed_task_is_tried_again_and_alone(spec: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    go(spec("FailsOnCello"))
    Noise.batches.clear()
    monkeypatch.setattr(runner_methods.FailsOnCello, "edit", Noise.edit)
    result = go(spec("FailsOnCello"))
    assert (result.before, result.generated, result.complete) == (9, 3, True)
    assert Noise.batches == [1, 1, 1]
    attempts = [outcome.attempts for outcome in RunDirectory.open(spec("Noise").out).outcomes().values()]
    assert sorted(attempts) == [1] * 9 + [2] * 3


@pytest.mark.parametrize(
    ("method", "generated", "failed"),
    [("FailsToPrepareTwo", 8, 4), ("FailsToDecodeCello", 9, 3), ("NotANumber", 9, 3), ("TooFewClips", 0, 12)],
)
def test_failures_stay_where_they_are(spec: Make, method: str, generated: int, failed: int) -> None:
    result = go(spec(method))
    assert (result.generated, result.failed, result.pending) == (generated, failed, 0)


def test_batches_are_halved_when_memory_runs_out(spec: Make) -> None:
    ears = Ears()
    result = go(spec("Hungry"), ears=ears)
    assert result.complete
    notes = [event.text for event in ears.events if isinstance(event, Note)]
    assert notes == ["out of memory with 4 edits at once: going on with 2"]
    assert Noise.batches == [2] * 6
    events = RunDirectory.open(spec("Hungry").out).events()
    assert [event["size"] for event in events if event["event"] == "batch-size"] == [2]


def test_a_resumed_run_remembers_the_batch_size_it_found(spec: Make) -> None:
    chosen = spec("Hungry")
    go(chosen)
    victim = next(sha for sha in hashes(chosen.out).values() if sha)
    RunDirectory.open(chosen.out).audio_path(victim).unlink()
    ears = Ears()
    go(chosen, ears=ears)
    assert not any(isinstance(event, Note) for event in ears.events)


def test_an_interrupted_batch_is_run_whole_again(spec: Make) -> None:
    """Results may depend on what is computed together: a resumed run computes the same batches."""
    go(spec("Noise", batch_size=2))
    found = hashes(spec("Noise").out)
    for key in (("tones/one/vocals2cello", 0), ("tones/three/vocals2choir", 0)):
        RunDirectory.open(spec("Noise").out).audio_path(str(found[key])).unlink()
    Noise.batches.clear()
    Noise.prepared.clear()
    result = go(spec("Noise", batch_size=2))
    assert (result.generated, Noise.batches, Noise.prepared) == (2, [2, 2], ["one", "three"])
    assert hashes(spec("Noise").out) == found


def test_refuses_another_run_and_says_what_differs(spec: Make) -> None:
    go(spec("Noise"))
    with pytest.raises(IdentityError, match=r"method\.config\.level \(0\.1 there, 0\.5 asked for\)"):
        go(spec("Noise"), "level=0.5")


def test_refuses_a_directory_at_work(spec: Make) -> None:
    with RunDirectory.lock(spec("Noise").out), pytest.raises(LockedError):
        go(spec("Noise"))


def test_several_workers_make_the_same_audio(spec: Make, tmp_path: Path) -> None:
    go(spec("Noise"))
    ears = Ears()
    result = go(spec("Noise", out=tmp_path / "two", devices=("cpu", "cpu")), ears=ears)
    assert result.complete
    assert hashes(tmp_path / "two") == hashes(spec("Noise").out)
    assert sorted(path.name for path in (tmp_path / "two" / "journal").iterdir()) == ["w0.jsonl", "w1.jsonl"]
    assert sum(isinstance(event, Finished) for event in ears.events) == 12


def test_a_lost_worker_costs_what_it_was_working_on_and_is_told(spec: Make) -> None:
    ears = Ears()
    result = go(spec("DiesOnTwo", devices=("cpu", "cpu")), ears=ears)
    assert 4 <= result.pending <= 8  # its source, and the one before if that was still being decoded
    assert result.generated + result.pending == 12
    assert any(isinstance(event, Note) and "ended with -9" in event.text for event in ears.events)


def test_samples_beyond_full_scale_are_counted(spec: Make) -> None:
    """The tones have a peak of 0.4: uniform noise of level 1 clips some samples, noise of level 0.1 none."""
    quiet, loud = go(spec("Noise")), go(spec("Noise", out=spec("Noise").out.with_name("loud")), "level=1")
    assert (quiet.clipped, quiet.clipped_share) == (0, 0.0)
    assert loud.clipped > 0
    assert 0.02 < loud.clipped_share < 0.4


def test_journal_tells_where_the_time_went(spec: Make) -> None:
    go(spec("Noise"))
    lines = (spec("Noise").out / "journal" / "w0.jsonl").read_text().splitlines()
    last = json.loads(lines[-1])
    assert last["event"] == "worker-finished"
    assert {"prepare", "edit", "decode", "write", "total"} <= last["seconds"].keys()


class TestSettings:
    def test_values_are_typed_and_bounded(self) -> None:
        config = parse_config(Noise, ["level=0.25"])
        assert isinstance(config, Noise.Config)
        assert config.level == 0.25

    @pytest.mark.parametrize(
        ("setting", "message"),
        [
            ("levle=0.2", "Did you mean level"),
            ("level", "is not KEY=VALUE"),
            ("level=loud", "valid number"),
            ("level=2", "less than or equal to 1"),
        ],
    )
    def test_bad_ones_say_what_to_do(self, setting: str, message: str) -> None:
        with pytest.raises(UsageError, match=message):
            parse_config(Noise, [setting])

    def test_a_method_without_knobs_takes_none(self) -> None:
        class Plain(Noise):
            class Config(Method.Config):
                pass

        with pytest.raises(UsageError, match="has no knob"):
            parse_config(Plain, ["level=1"])


def test_devices_of_this_machine() -> None:
    assert resolve_devices("cpu,cpu") == ("cpu", "cpu")
    assert resolve_devices("auto")
    with pytest.raises(UsageError, match="no device 'tpu'"):
        resolve_devices("tpu")
