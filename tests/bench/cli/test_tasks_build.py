"""`tasks build`: names with a form, what is written and what is never lost."""

from __future__ import annotations

import errno
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest
from rich.console import Console

from bench.cli.output import Output
from bench.suite import Suite


def test_a_form_is_an_option_written_short(cli: Callable, tones: Path) -> None:
    short = json.loads(cli("tasks", "build", "tones:3", "--out", "short.jsonl", "--json").out)
    long = json.loads(cli("tasks", "build", "tones", "--songs", "3", "--out", "long.jsonl", "--json").out)
    assert short["digest"] == long["digest"] and short["songs"] == 3
    assert Path("short.jsonl").read_bytes() == Path("long.jsonl").read_bytes()


@pytest.mark.parametrize(
    ("words", "cause", "remedy"),
    [
        (("tones:3", "--songs", "4"), "--songs 4 was given, and 'tones:3' says it too (3)", "Leave one of them away"),
        (("tones:many",), "'many' is no number", "tones:5"),
        (("synth:", "--songs", "2"), "", "synth"),
        (("tonse:3",), "unknown suite 'tonse'", "tones"),
        (("nowhere.else:Tones",), "cannot be imported", "package.module:Class"),
        (("tones", "--songs", "1", "--songs", "2"), "--songs was given twice", "Leave one"),
        (("tones", "--songs"), "--songs needs a value", "--songs VALUE"),
        (("tones", "loose"), "unexpected 'loose'", "--name VALUE"),
    ],
)
def test_a_wrong_name_or_option_is_answered(
    cli: Callable, tones: Path, words: tuple[str, ...], cause: str, remedy: str
) -> None:
    result = cli("tasks", "build", *words, "--out", "t.jsonl", "--json")
    error = json.loads(result.out)["error"]
    assert result.code == 2
    assert cause in error["cause"] and remedy in error["remedy"]
    assert not Path("t.jsonl").exists()


def test_a_builder_is_found_by_its_path(cli: Callable, tones: Path) -> None:
    assert json.loads(cli("tasks", "build", "cli_suites:Tones", "--json").out)["suite"] == "tones"


def test_without_out_nothing_is_written_and_said_so(cli: Callable, tones: Path) -> None:
    result = cli("tasks", "build", "tones")
    assert result.code == 0
    assert "tones: 4 tasks planned: 4 with audio, 0 absent" in result.out
    assert "nothing written: --out FILE" in result.out
    assert [path.name for path in Path().iterdir()] == ["tones"]


def test_building_again_says_what_became_of_the_file(cli: Callable, tones: Path, tmp_path: Path) -> None:
    def build(*words: str) -> tuple[str, str]:
        told = json.loads(cli("tasks", "build", *words, "--out", "deep/t.jsonl", "--json").out)
        return told["state"], told["digest"]

    assert build("tones")[0] == "written"
    first = Path("deep/t.jsonl").read_bytes()
    assert build("tones")[0] == "unchanged"
    assert Path("deep/t.jsonl").read_bytes() == first
    assert "unchanged: deep/t.jsonl" in cli("tasks", "build", "tones", "--out", "deep/t.jsonl").out
    state, digest = build("tones", "--folder", str(tmp_path / "elsewhere"))
    assert (state, Suite.read(Path("deep/t.jsonl")).roots["tones"]) == ("unchanged", tmp_path / "elsewhere")
    assert digest == json.loads(first.partition(b"\n")[0])["digest"]
    assert build("tones:1")[0] == "replaced"
    assert f"(digest {digest[:12]})" not in cli("tasks", "build", "tones:1", "--out", "deep/t.jsonl").out
    assert len(Suite.read(Path("deep/t.jsonl")).tasks) == 2


def test_a_build_that_fails_leaves_the_earlier_file(
    cli: Callable, tones: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli("tasks", "build", "tones", "--out", "t.jsonl")
    before = Path("t.jsonl").read_bytes()
    assert "the last song is broken" in cli("tasks", "build", "tones:3", "--fail", "--out", "t.jsonl").err

    def full(descriptor: int) -> NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    result = cli("tasks", "build", "tones:3", "--out", "t.jsonl")
    assert (result.code, Path("t.jsonl").read_bytes()) == (3, before)
    assert "no room" in result.err
    assert [path.name for path in Path().iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize("content", [b"# Notes\n", b'{"kind": "task"}\n', b"\xff\xfe\n"])
def test_what_is_not_a_task_file_is_not_replaced(cli: Callable, tones: Path, content: bytes) -> None:
    Path("notes.md").write_bytes(content)
    result = cli("tasks", "build", "tones", "--out", "notes.md")
    assert result.code == 2
    assert "'notes.md' is there already, and is not a task file" in result.err
    assert Path("notes.md").read_bytes() == content
    assert not tones.exists()  # said before the work, not after


def test_a_folder_is_no_place_for_a_task_file(cli: Callable, tones: Path) -> None:
    Path("there").mkdir()
    assert "cannot write 'there'" in cli("tasks", "build", "tones", "--out", "there").err
    assert not tones.exists()


def test_progress_is_lines_in_a_log_and_nothing_when_quiet(cli: Callable, tones: Path) -> None:
    assert "2 of 2 songs" in cli("tasks", "build", "tones").err
    assert cli("tasks", "build", "tones", "--quiet").err == ""
    told = cli("tasks", "build", "tones", "--json")
    assert told.err == "" and json.loads(told.out)["tasks"] == 4


def test_progress_is_a_bar_on_a_terminal_that_errors_take_away() -> None:
    screen = io.StringIO()
    out = Output(progress=Console(file=screen, force_terminal=True, width=80))
    for _ in out.track(range(2), "songs", 2):
        for _ in out.track(range(3), "edits", 3):
            pass
    shown = screen.getvalue()
    assert "songs" in shown and "edits" in shown and "0/3" in shown
    assert shown.rstrip("\r").endswith("\x1b[?25h")  # the cursor is back

    def fail() -> None:
        for _ in out.track(range(2), "songs", 2):
            raise ValueError

    with pytest.raises(ValueError):
        fail()
    assert screen.getvalue().rstrip("\r").endswith("\x1b[?25h")


def test_a_suites_options_come_from_a_file_too(cli: Callable, tones: Path) -> None:
    Path("c.yaml").write_text("tasks:\n  build:\n    songs: 1\n    out: file.jsonl\n")
    told = json.loads(cli("--config", "c.yaml", "tasks", "build", "tones", "--json").out)
    assert (told["songs"], told["file"]) == (1, "file.jsonl")
    assert json.loads(cli("--config", "c.yaml", "tasks", "build", "tones:3", "--json").out)["songs"] == 3
    Path("c.yaml").write_text("tasks:\n  build:\n    sogns: 1\n")
    assert "no option '--sogns'" in cli("--config", "c.yaml", "tasks", "build", "tones").err


def test_run_takes_a_suite_with_a_form(cli: Callable, tones: Path) -> None:
    ran = cli("run", "--suite", "tones:1", "--method", "copy-source", "--json")
    assert json.loads(ran.out)["generated"] == 2
    assert cli("run", "--suite", "tones:x", "--method", "copy-source").code == 2
