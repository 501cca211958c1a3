from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from store_samples import create, failed, generated, make_clip, make_identity, make_plan, make_suite

from bench.errors import CorruptStoreError, DataError, IdentityError, LockedError, UsageError
from bench.identity import sha256_file
from bench.store import atomic
from bench.store.lock import HOLDER, LOCK
from bench.store.rundir import SCHEMA, PlanItem, RunDirectory
from bench.suite import Suite


def generate(run: RunDirectory, item: PlanItem, seed: int = 0, worker: str = "w0") -> str:
    sha = run.put_audio(make_clip(seed))
    with run.journal(worker) as journal:
        journal.append(generated(item, sha))
    return sha


def statuses(run: RunDirectory) -> list[str]:
    return [run.outcomes()[item.key].status for item in run.plan]


def flip_a_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


class TestMaking:
    def test_a_new_run_is_all_pending_and_opens_as_it_was_made(self, run: RunDirectory) -> None:
        again = RunDirectory.open(run.path)
        assert not run.resumed
        assert again.identity == run.identity == make_identity()
        assert again.about == {"device": "cpu"}
        assert again.plan == run.plan == make_plan(make_suite())
        assert again.suite == make_suite().with_roots({"data": Path("data").absolute()})
        assert statuses(again) == ["pending"] * 3
        assert again.events() == []

    def test_the_files_are_what_the_page_says(self, run: RunDirectory) -> None:
        assert sorted(path.name for path in run.path.iterdir()) == ["plan.jsonl", "run.json", "suite.jsonl"]
        record = json.loads((run.path / "run.json").read_text())
        assert record["schema"] == SCHEMA
        assert record["plan_sha256"] == sha256_file(run.path / "plan.jsonl")
        assert record["suite_digest"] == Suite.read(run.path / "suite.jsonl").digest
        first = json.loads((run.path / "plan.jsonl").read_text().splitlines()[0])
        assert first == {"task": "tiny/one/0", "seed": 0, "source": "s/one", "song": "one"}

    def test_making_it_again_resumes_and_changes_nothing(self, run: RunDirectory) -> None:
        before = {path: path.read_bytes() for path in run.path.iterdir()}
        again = create(run.path)
        assert again.resumed
        assert {path: path.read_bytes() for path in run.path.iterdir()} == before

    def test_tuples_in_the_identity_are_lists(self, tmp_path: Path) -> None:
        assert create(tmp_path / "run", layers=(1, 2)).identity["method"]["config"]["layers"] == [1, 2]
        assert create(tmp_path / "run", layers=[1, 2]).resumed

    def test_resuming_sweeps_what_a_killed_writer_left(self, run: RunDirectory) -> None:
        (run.path / "audio").mkdir()
        leftover = run.path / "audio" / f"{atomic.TEMP_PREFIX}1"
        leftover.write_bytes(b"half")
        create(run.path)
        assert not leftover.exists()

    def test_other_roots_are_stored_on_resume(self, run: RunDirectory) -> None:
        suite = make_suite(root="/elsewhere")
        again = RunDirectory.create_or_resume(
            run.path, identity=make_identity(), about={}, plan=make_plan(suite), suite=suite
        )
        assert again.resumed
        assert RunDirectory.open(run.path).suite.roots == {"data": Path("/elsewhere")}
        assert again.about == {"device": "cpu"}, "as it was when the directory was made"


class TestRefusing:
    def test_another_identity_is_refused_field_by_field(self, run: RunDirectory) -> None:
        before = (run.path / "run.json").read_bytes()
        with pytest.raises(IdentityError) as caught:
            create(run.path, lam=0.7, steps=50)
        assert "method.config.lam (0.5 there, 0.7 asked for)" in caught.value.cause
        assert "method.config.steps (absent there, 50 asked for)" in caught.value.cause
        assert "version" not in caught.value.cause
        assert caught.value.where == str(run.path)
        assert "--out" in caught.value.remedy
        assert (run.path / "run.json").read_bytes() == before

    def test_another_plan_and_suite_are_refused(self, run: RunDirectory) -> None:
        with pytest.raises(IdentityError) as caught:
            create(run.path, tasks=2)
        assert "plan (3 (task, seed) there, 2 asked for; 1 only there, 0 only asked for)" in caught.value.cause
        assert "suite digest" in caught.value.cause
        with pytest.raises(IdentityError, match="plan") as caught:
            create(run.path, seeds=(0, 1))
        assert "suite" not in caught.value.cause

    def test_a_folder_of_somebody_else_is_refused_and_left_alone(self, tmp_path: Path) -> None:
        (tmp_path / "thesis.tex").write_text("x")
        with pytest.raises(DataError, match=r"thesis\.tex") as caught:
            create(tmp_path)
        assert caught.value.code == "store/not-a-run"
        assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]

    def test_a_run_that_lost_its_description_is_refused(self, run: RunDirectory) -> None:
        generate(run, run.plan[0])
        (run.path / "run.json").unlink()
        with pytest.raises(DataError, match="audio, journal"):
            create(run.path)

    @pytest.mark.parametrize("damage", ["", "{", '{"schema": 1}'])
    def test_a_damaged_description_is_corrupt(self, run: RunDirectory, damage: str) -> None:
        (run.path / "run.json").write_text(damage)
        for use in (create, RunDirectory.open):
            with pytest.raises((CorruptStoreError, DataError)) as caught:
                use(run.path)
            assert caught.value.where == str(run.path / "run.json")

    @pytest.mark.parametrize("change", [lambda data: data[:-1], lambda data: data + data, lambda data: b""])
    def test_a_changed_plan_is_corrupt(self, run: RunDirectory, change: Callable[[bytes], bytes]) -> None:
        path = run.path / "plan.jsonl"
        path.write_bytes(change(path.read_bytes()))
        for use in (create, RunDirectory.open):
            with pytest.raises(CorruptStoreError) as caught:
                use(run.path)
            assert caught.value.where == str(path)

    def test_a_missing_plan_is_corrupt(self, run: RunDirectory) -> None:
        (run.path / "plan.jsonl").unlink()
        with pytest.raises(CorruptStoreError):
            RunDirectory.open(run.path)

    @pytest.mark.parametrize("other", ["absent", "cut", "another", "binary"])
    def test_a_changed_suite_is_corrupt_and_made_good_by_resuming(self, run: RunDirectory, other: str) -> None:
        path = run.path / "suite.jsonl"
        good = path.read_bytes()
        if other == "absent":
            path.unlink()
        elif other == "another":
            make = "\n".join(make_suite(1).lines()) + "\n"
            path.write_text(make, encoding="utf-8")
        else:
            path.write_bytes(good[:-40] if other == "cut" else b"\xff\xfe")
        with pytest.raises(CorruptStoreError) as caught:
            _ = RunDirectory.open(run.path).suite
        assert caught.value.code == "corrupt/suite"
        create(run.path)
        assert path.read_bytes() == good

    def test_opening_what_is_not_a_run(self, tmp_path: Path) -> None:
        for folder, words in ((tmp_path / "none", "no such"), (tmp_path, "not a run directory")):
            with pytest.raises(DataError, match=words) as caught:
                RunDirectory.open(folder)
            assert "timbrebench run" in caught.value.remedy

    @pytest.mark.parametrize("worker", ["", "../w", "a/b", ".hidden", "a b"])
    def test_worker_names_stay_in_the_folder(self, run: RunDirectory, worker: str) -> None:
        with pytest.raises(UsageError):
            run.journal(worker)


class TestInterruptedCreation:
    @pytest.mark.parametrize("number", range(1, 5))
    def test_at_every_write_it_can_be_made_again(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
    ) -> None:
        path = tmp_path / "run"
        replace = os.replace
        calls: list[int] = []

        def interrupted(*args: Any) -> None:
            calls.append(1)
            if len(calls) == number:
                raise KeyboardInterrupt
            replace(*args)

        monkeypatch.setattr(os, "replace", interrupted)
        with pytest.raises(KeyboardInterrupt), RunDirectory.lock(path):
            create(path)
        monkeypatch.undo()
        with pytest.raises(DataError):
            RunDirectory.open(path)
        with RunDirectory.lock(path):
            run = create(path)
        assert not run.resumed
        assert sorted(each.name for each in path.iterdir()) == ["plan.jsonl", "run.json", LOCK, "suite.jsonl"]
        assert RunDirectory.open(path).plan == run.plan

    def test_what_a_kill_leaves_is_no_obstacle(self, tmp_path: Path) -> None:
        for name in (LOCK, HOLDER, "suite.jsonl", "plan.jsonl", f"{atomic.TEMP_PREFIX}1"):
            (tmp_path / name).write_text("half a")
        with pytest.raises(DataError, match="interrupted before it began"):
            RunDirectory.open(tmp_path)
        assert RunDirectory.open(create(tmp_path).path).suite.name == "tiny"
        assert not (tmp_path / f"{atomic.TEMP_PREFIX}1").exists()


class TestAudio:
    def test_audio_comes_back_and_its_name_is_its_hash(self, run: RunDirectory) -> None:
        clip = make_clip(1)
        sha = run.put_audio(clip)
        path = run.audio_path(sha)
        assert path == run.path / "audio" / sha[:2] / f"{sha}.flac"
        assert sha256_file(path) == sha
        back = run.read_audio(sha)
        assert back.rate == clip.rate
        np.testing.assert_allclose(back.samples, clip.samples, atol=2**-23)

    def test_intact_audio_is_not_written_again_and_damaged_is(self, run: RunDirectory) -> None:
        sha = run.put_audio(make_clip(1))
        path = run.audio_path(sha)
        written = path.stat().st_mtime_ns, path.stat().st_ino
        assert run.put_audio(make_clip(1)) == sha
        assert (path.stat().st_mtime_ns, path.stat().st_ino) == written
        flip_a_bit(path)
        bad = path.read_bytes()
        assert run.put_audio(make_clip(1)) == sha
        assert sha256_file(path) == sha
        assert [each.read_bytes() for each in (run.path / "quarantine").iterdir()] == [bad]

    @pytest.mark.parametrize("damage", ["flipped", "cut", "missing", "empty"])
    def test_damaged_audio_is_never_returned(self, run: RunDirectory, damage: str) -> None:
        sha = run.put_audio(make_clip(1))
        path = run.audio_path(sha)
        if damage == "flipped":
            flip_a_bit(path)
        elif damage == "missing":
            path.unlink()
        else:
            path.write_bytes(path.read_bytes()[: 100 if damage == "cut" else 0])
        with pytest.raises(CorruptStoreError) as caught:
            run.read_audio(sha)
        assert caught.value.where == str(path)

    def test_a_file_that_cannot_be_read_is_not_called_damaged(self, run: RunDirectory) -> None:
        sha = run.put_audio(make_clip(1))
        run.audio_path(sha).unlink()
        run.audio_path(sha).mkdir()
        with pytest.raises(CorruptStoreError) as caught:
            run.read_audio(sha)
        assert caught.value.code == "corrupt/audio-unreadable"

    @pytest.mark.parametrize("sha", ["", "../../etc/passwd", "A" * 64, "a" * 63, "a" * 64 + "\n", "/" + "a" * 63])
    def test_a_hash_leads_nowhere_else(self, run: RunDirectory, sha: str) -> None:
        with pytest.raises(CorruptStoreError):
            run.audio_path(sha)

    def test_threads_store_the_same_clip(self, run: RunDirectory) -> None:
        hashes: list[str] = []
        threads = [threading.Thread(target=lambda: hashes.append(run.put_audio(make_clip(1)))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(hashes) == 8
        assert len(set(hashes)) == 1
        assert [path.name for path in (run.path / "audio").rglob("*") if path.is_file()] == [f"{hashes[0]}.flac"]


class TestQuarantine:
    def test_an_intact_run_is_left_alone(self, run: RunDirectory) -> None:
        generate(run, run.plan[0])
        assert run.quarantine_corrupt() == []
        assert not (run.path / "journal" / "store.jsonl").exists()

    @pytest.mark.parametrize("damage", ["flipped", "missing"])
    def test_again_and_again_with_the_same_hash(self, run: RunDirectory, damage: str) -> None:
        """The method is deterministic: what is made anew has the hash of what was lost."""
        item = run.plan[1]
        for cycle in range(1, 4):
            sha = generate(run, item, worker=f"w{3 - cycle}")
            assert run.quarantine_corrupt() == []
            path = run.audio_path(sha)
            flip_a_bit(path) if damage == "flipped" else path.unlink()
            [(found, why)] = run.quarantine_corrupt()
            assert found == item
            assert ("missing" if damage == "missing" else "its hash is") in why
            assert not path.exists()
            assert statuses(run) == ["pending"] * 3
            assert run.outcomes()[item.key].attempts == cycle
            assert run.quarantine_corrupt() == [], "once is enough"
        generate(run, item)
        assert statuses(run) == ["pending", "generated", "pending"]

    def test_the_damaged_file_is_kept(self, run: RunDirectory) -> None:
        sha = generate(run, run.plan[0])
        flip_a_bit(run.audio_path(sha))
        bad = run.audio_path(sha).read_bytes()
        run.quarantine_corrupt()
        [kept] = (run.path / "quarantine").iterdir()
        assert kept.read_bytes() == bad
        assert kept.name.startswith(sha)

    def test_items_that_share_a_file_are_all_made_again(self, run: RunDirectory) -> None:
        sha = generate(run, run.plan[0])
        assert generate(run, run.plan[2], worker="w1") == sha
        other = generate(run, run.plan[1], seed=9)
        flip_a_bit(run.audio_path(sha))
        assert [item for item, _ in run.quarantine_corrupt()] == [run.plan[0], run.plan[2]]
        assert statuses(run) == ["pending", "generated", "pending"]
        assert run.outcomes()[run.plan[1].key].audio == other

    def test_killed_between_moving_the_file_and_saying_so(
        self, run: RunDirectory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sha = generate(run, run.plan[0])
        flip_a_bit(run.audio_path(sha))

        def killed(worker: str) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(run, "journal", killed)
            with pytest.raises(KeyboardInterrupt):
                run.quarantine_corrupt()
        assert [(item, why) for item, why in run.quarantine_corrupt()] == [(run.plan[0], "the file is missing")]
        assert statuses(run) == ["pending"] * 3


class TestJournals:
    def test_events_come_by_worker_and_then_in_order(self, run: RunDirectory) -> None:
        for worker in ("b", "a"):
            with run.journal(worker) as journal:
                for number in range(2):
                    journal.append({"event": "prepared", "source": f"{worker}{number}"})
        assert [event["source"] for event in run.events()] == ["a0", "a1", "b0", "b1"]

    def test_a_torn_line_is_a_pending_item(self, run: RunDirectory) -> None:
        generate(run, run.plan[0])
        generate(run, run.plan[1], seed=1)
        path = run.path / "journal" / "w0.jsonl"
        path.write_bytes(path.read_bytes()[:-1])
        assert statuses(run) == ["generated", "pending", "pending"]

    def test_a_failed_item_keeps_its_place_in_the_denominator(self, run: RunDirectory) -> None:
        with run.journal("w0") as journal:
            journal.append(failed(run.plan[1]))
        assert statuses(run) == ["pending", "failed", "pending"]
        assert list(run.outcomes()) == [item.key for item in run.plan]


SECOND = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from store_samples import create
from bench.store.rundir import RunDirectory
with RunDirectory.lock(Path(sys.argv[1])):
    create(Path(sys.argv[1]))
"""


def test_a_second_process_on_one_directory_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run"
    command = [sys.executable, "-c", SECOND, str(path), str(Path(__file__).parent)]
    with RunDirectory.lock(path):
        create(path)
        second = subprocess.run(command, capture_output=True, text=True, check=False)
        assert second.returncode != 0
        assert (
            f"{LockedError.__name__}: another run is writing to this directory (process {os.getpid()}" in second.stderr
        )
        assert RunDirectory.open(path).plan, "readers need no lock"
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
