"""`tasks check`: the road a task file takes to another machine, and every kind of damage on it."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.audio import Clip
from bench.cli.tasks.verify import verify
from bench.suite import Suite, untracked


@pytest.fixture
def built(cli: Callable, tones: Path) -> Path:
    """A task file of three songs with audio."""
    cli("tasks", "build", "tones:3", "--out", "t.jsonl")
    return Path("t.jsonl")


def checked(cli: Callable, *words: Any, code: int) -> dict[str, Any]:
    result = cli("tasks", "check", *words, "--json")
    assert result.code == code, result.out
    return json.loads(result.out)


def test_a_sound_suite_is_right(cli: Callable, built: Path) -> None:
    told = checked(cli, built, code=0)
    assert told["ok"] and told["problems"] == []
    assert told["verified"] == {"sources": 3, "true_edits": 6, "references": 2}  # the references are shared
    assert told["flags"] == {"no-such-flag-anywhere": 3, "synthesised": 3}
    assert told["meanings"]["synthesised"] and told["meanings"]["no-such-flag-anywhere"] is None
    text = cli("tasks", "check", built)
    assert "all right: 3 sources, 6 true edits, 2 references" in text.out
    assert "3 of 3 sources" in text.err
    assert cli("tasks", "check", built, "--jobs", "2", "--quiet").err == ""


def test_tasks_that_the_file_says_are_absent_are_no_fault(cli: Callable, tones: Path) -> None:
    cli("tasks", "build", "tones:1", "--absent", "4", "--out", "t.jsonl")
    told = checked(cli, "t.jsonl", code=0)
    assert told["absent"] == {"audio not given": 8}
    assert "8 absent" in cli("tasks", "check", "t.jsonl").out


def test_a_suite_without_any_audio_is_not_right(cli: Callable, tones: Path) -> None:
    suite = replace(cli_suite(cli), sources={}, tasks=())
    Path("t.jsonl").write_text("".join(f"{line}\n" for line in suite.lines()), encoding="utf-8")
    assert checked(cli, "t.jsonl", code=3)["ok"] is False
    assert "nothing to verify" in cli("tasks", "check", "t.jsonl").out


def cli_suite(cli: Callable) -> Suite:
    cli("tasks", "build", "tones:1", "--out", "one.jsonl")
    return Suite.read(Path("one.jsonl"))


# -- another place ----------------------------------------------------------------------------------------------------


def test_a_suite_that_moved_with_its_audio_is_verified_there(
    cli: Callable, built: Path, tones: Path, tmp_path: Path
) -> None:
    there = tmp_path / "another machine"
    there.mkdir()
    shutil.move(str(tones), there / "audio")
    shutil.move(str(built), there / "tasks.jsonl")
    lost = checked(cli, there / "tasks.jsonl", code=3)
    (problem,) = lost["problems"]  # said once, not for every file
    assert problem["code"] == "data/root-missing" and str(tones) in problem["where"]
    assert problem["remedy"] == "Give it with --root tones=FOLDER."
    assert lost["verified"] == {"sources": 0, "true_edits": 0, "references": 0}
    found = checked(cli, there / "tasks.jsonl", "--root", f"tones={there / 'audio'}", code=0)
    assert found["verified"]["sources"] == 3


def test_a_root_that_nobody_knows_is_asked_for(cli: Callable, built: Path) -> None:
    suite = replace(Suite.read(built), roots={})
    built.write_text("".join(f"{line}\n" for line in suite.lines()), encoding="utf-8")
    (problem,) = checked(cli, built, code=3)["problems"]
    assert problem["code"] == "data/no-root"
    assert "11 excerpts" in problem["where"]
    assert cli("tasks", "check", built, "--root", "medleydb=.").code == 2


# -- damage -----------------------------------------------------------------------------------------------------------


def test_all_damage_is_told_at_once_with_place_and_remedy(cli: Callable, built: Path, tones: Path) -> None:
    (tones / "0/bass.wav").unlink()
    (tones / "0/true-bass.wav").unlink()
    cut = (tones / "1/vocals.wav").read_bytes()
    (tones / "1/vocals.wav").write_bytes(cut[: len(cut) // 2])
    (tones / "1/mixture.wav").write_bytes(b"")
    (tones / "2/true-vocals.wav").write_bytes((tones / "2/true-bass.wav").read_bytes())
    (tones / "reference-bass.wav").write_text("not audio")
    told = checked(cli, built, "--jobs", "3", code=3)
    assert [(each["code"], each["what"], Path(each["where"]).name) for each in told["problems"]] == [
        ("audio/missing", "song0", "bass.wav"),
        ("audio/missing", "tones/song0/bass", "true-bass.wav"),
        ("audio/unreadable", "tones/song0/bass", "reference-bass.wav"),
        ("audio/truncated", "song1", "vocals.wav"),
        ("audio/empty", "song1", "mixture.wav"),
        ("data/audio-differs", "tones/song2/vocals", "true-vocals.wav"),
    ]
    assert all(each["remedy"] and each["cause"] for each in told["problems"])
    assert told["verified"] == {"sources": 1, "true_edits": 4, "references": 1}
    text = cli("tasks", "check", built).out
    assert "audio/truncated: song1: " in text and "do (audio/missing): " in text
    assert "6 problems; right: 1 source, 4 true edits, 1 reference" in text


def test_two_exchanged_stems_are_named(cli: Callable, built: Path, tones: Path) -> None:
    one, other = tones / "1/vocals.wav", tones / "1/bass.wav"
    contents = one.read_bytes(), other.read_bytes()
    one.write_bytes(contents[1])
    other.write_bytes(contents[0])
    (problem,) = checked(cli, built, code=3)["problems"]
    assert problem["code"] == "data/audio-differs"
    assert problem["cause"] == "vocals and bass are exchanged"
    assert problem["where"] == str(tones / "1")


def test_one_sample_is_enough(cli: Callable, built: Path, tones: Path) -> None:
    data = bytearray((tones / "2/bass.wav").read_bytes())
    data[-2] ^= 1
    (tones / "2/bass.wav").write_bytes(data)
    (problem,) = checked(cli, built, code=3)["problems"]
    assert (problem["code"], problem["what"]) == ("data/audio-differs", "song2")
    assert "hash of the audio differs" in problem["cause"]


def test_stems_of_different_rates_are_told(cli: Callable, built: Path, tones: Path) -> None:
    (tones / "0/mixture.wav").unlink()
    suite = Suite.read(built)
    refs = {name: ref.model_copy(update={"mixture": None}) for name, ref in suite.sources.items()}
    Clip.read(tones / "0/bass.wav").resample(16_000).write_wav(tones / "0/bass.wav")
    found = verify(replace(suite, sources=refs), jobs=1, track=untracked)
    assert [problem.code for problem in found.problems if problem.what == "song0"] == ["audio/rate"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda text: text.replace("bright flute", "bright oboes", 1), "data/malformed-suite"),  # its span is wrong now
        (lambda text: text.replace("soulful vocals", "gentle vocals", 1), "data/suite-changed"),
        (lambda text: text.replace("CC0", "MIT", 1), "data/suite-changed"),
        (lambda text: text + text.splitlines()[-1] + "\n", "data/inconsistent-suite"),
        (lambda text: text.rsplit("\n", 2)[0] + "\n", "data/suite-changed"),
        (lambda text: text[:-30], "data/malformed-suite"),
        (lambda text: text.replace('"0/bass.wav"', '"../0/bass.wav"', 1), "data/malformed-suite"),
        (lambda text: text.replace('"0/bass.wav"', '"/etc/passwd"', 1), "data/malformed-suite"),
        (lambda text: "", "data/malformed-suite"),
    ],
)
def test_a_changed_task_file_is_refused(cli: Callable, built: Path, change: Callable[[str], str], code: str) -> None:
    built.write_text(change(built.read_text("utf-8")), encoding="utf-8")
    result = cli("tasks", "check", built, "--json")
    error = json.loads(result.out)["error"]
    assert (result.code, error["code"]) == (2, code)
    assert error["where"].startswith("t.jsonl") and error["remedy"]


# -- how --------------------------------------------------------------------------------------------------------------


def test_each_file_is_read_once(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    suite, read, lock = Suite.read(built), [], threading.Lock()
    plain = Clip.read.__func__  # type: ignore[attr-defined]

    def counted(cls: type[Clip], path: Path, **window: float) -> Clip:
        with lock:
            read.append(path)
        return plain(cls, path, **window)

    monkeypatch.setattr(Clip, "read", classmethod(counted))
    assert verify(suite, jobs=3, track=untracked).problems == ()
    assert len(read) == len(set(read)) == 3 * 5 + 2


def test_an_interrupt_stops_it(built: Path) -> None:
    def interrupted(items: Any, what: str, total: int) -> Any:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        verify(Suite.read(built), jobs=1, track=interrupted)
