"""`tasks list` and `tasks show`: what is there, found again by its flags and names, and harmless to a terminal."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from bench.cli.output import Output
from bench.cli.tasks import views
from bench.cli.tasks.show import changed_words, find_task
from bench.errors import UnknownNameError
from bench.suite import Suite
from bench.task import EditTask

HOSTILE = "\x1b[2J\x1b]0;owned\x07 [bold red]x[/] \u202e \x9b31m"


@pytest.fixture
def built(cli: Callable, tones: Path) -> Path:
    """A task file of two songs with audio and one without."""
    cli("tasks", "build", "tones", "--absent", "1", "--out", "t.jsonl")
    return Path("t.jsonl")


def rewritten(file: Path, change: Callable[[EditTask], EditTask]) -> None:
    """The task file with its tasks changed, and the digest that goes with them."""
    suite = Suite.read(file)
    changed = replace(suite, tasks=tuple(map(change, suite.tasks)))
    file.write_text("".join(f"{line}\n" for line in changed.lines()), encoding="utf-8")


# -- list -------------------------------------------------------------------------------------------------------------


def test_without_an_argument_the_suites_and_what_they_need(cli: Callable, tones: Path) -> None:
    found = {suite["name"]: suite for suite in json.loads(cli("tasks", "list", "--json").out)}
    assert {"polyevalprompts", "synth", "tones"} <= set(found)
    assert found["tones"]["needs"] == [{"name": "--folder", "required": True, "description": "folder for the audio"}]
    assert "needs --folder: folder for the audio" in cli("tasks", "list").out
    assert cli("tasks", "list", "--stem", "bass").code == 2


def test_a_broken_plug_in_does_not_hide_the_other_suites(cli: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    from bench.cli import catalogue

    registry = catalogue.suites()
    registry.add("broken", "no.such.module:Suite", "a plug-in")
    monkeypatch.setattr(catalogue, "suites", lambda: registry)
    result = cli("tasks", "list")
    assert result.code == 0
    assert "no.such.module" in result.out and "synth" in result.out


def test_list_has_a_line_a_task_in_a_pipe(cli: Callable, built: Path) -> None:
    lines = cli("tasks", "list", built).out.splitlines()
    assert len(lines) == 1 + 6 + 1
    told = [" ".join(line.split()) for line in lines]
    assert told[2] == "tones/song0/bass bass a bowed cello here synthesised, no-such-flag-anywhere"
    assert told[-2] == "tones/song2/bass bass a bowed cello audio not given synthesised, no-such-flag-anywhere"
    assert lines[-1] == "6 of 6 tasks"


@pytest.mark.parametrize(
    ("words", "ids"),
    [
        (("--only", "*/bass"), ["song0/bass", "song1/bass", "song2/bass"]),
        (("--stem", "vocals", "--limit", "2"), ["song0/vocals", "song1/vocals"]),
        (("--flag", "synthesised", "--only", "*1/*"), ["song1/bass"]),
        (("--flag", "no-such-flag-anywhere", "--limit", "1"), ["song0/bass"]),
        (("--flag", "aac-stems"), []),
        (("--absent",), ["song2/vocals", "song2/bass"]),
        (("--absent", "--stem", "drums"), []),
    ],
)
def test_list_can_be_narrowed(cli: Callable, built: Path, words: tuple[str, ...], ids: list[str]) -> None:
    result = cli("tasks", "list", built, *words, "--json")
    assert result.code == 0
    assert [row["id"] for row in json.loads(result.out)] == [f"tones/{name}" for name in ids]


@pytest.mark.parametrize(
    ("words", "cause", "remedy"),
    [
        (("t.jsonl", "--only", "*/drums"), "no task matches '*/drums'", "tones/song0/vocals"),
        (("t.jsonl", "--stem", "piano"), "there is no stem 'piano'", "vocals, drums, bass, other"),
        (("t.jsonl", "--flag", "synthesized"), "no task has the flag 'synthesized'", "synthesised"),
        (("t.jsonl", "--root", "tone=x"), "the suite has no root 'tone'", "tones"),
        (("t.jsonl", "--root", "tones="), "not NAME=FOLDER", "--root"),
        (("tonse",), "'tonse' is neither a task file nor a suite", "tones"),
        (("nowhere.jsonl",), "cannot read the tasks file", "tasks build"),
    ],
)
def test_list_answers_what_it_cannot_find(
    cli: Callable, built: Path, words: tuple[str, ...], cause: str, remedy: str
) -> None:
    result = cli("tasks", "list", *words, "--json")
    error = json.loads(result.out)["error"]
    assert result.code == 2 and cause in error["cause"] and remedy in error["remedy"]


def test_list_says_whose_audio_has_gone(cli: Callable, built: Path, tones: Path, tmp_path: Path) -> None:
    (tones / "1" / "bass.wav").unlink()
    states = {row["id"]: row["audio"] for row in json.loads(cli("tasks", "list", built, "--json").out)}
    assert states["tones/song0/bass"] == "here"
    assert states["tones/song1/vocals"] == "1/bass.wav is not there"
    moved = json.loads(cli("tasks", "list", built, "--root", f"tones={tmp_path}", "--absent", "--json").out)
    assert len(moved) == 6


def test_a_suite_can_be_named_instead_of_a_file(cli: Callable, built: Path) -> None:
    assert len(json.loads(cli("tasks", "list", "tones:3", "--json").out)) == 6
    assert json.loads(cli("tasks", "show", "tones:3", "song2/bass", "--json").out)["task"]["id"] == "tones/song2/bass"
    shutil.copy(built, "synth")
    assert len(json.loads(cli("tasks", "list", "./synth", "--json").out)) == 6


# -- show -------------------------------------------------------------------------------------------------------------


def test_show_has_everything_about_a_task(cli: Callable, built: Path, tones: Path) -> None:
    suite = Suite.read(built)
    result = cli("tasks", "show", built, "tones/song0/bass")
    rows = [line.split(maxsplit=1) for line in result.out.splitlines()]
    task, source = suite.tasks[1], suite.sources["song0"]
    assert rows[0] == ["tones/song0/bass"]
    text = result.out
    assert "A recording of [soulful bass] and a piano." in text
    assert "A recording of [a bowed cello] and a piano." in text
    assert "bass: electric-bass becomes cello (a single line)" in text
    assert f"0 s to 0.5 s; sha256 of mixture and stems {source.excerpt.sha256}" in text
    assert task.true_edit is not None and task.true_edit.sha256 in text
    assert task.target_audio is not None and task.target_audio.sha256 in text
    for path in ("tones: 0/mixture.wav", "bass: 0/bass.wav", "true-bass.wav", "reference-bass.wav", f"tones: {tones}"):
        assert path in text
    assert "CC0" in text
    assert "synthesised: played by sampled instruments from a score" in text
    assert "no-such-flag-anywhere\n" in text  # a flag that nobody explains


def test_show_as_json_has_task_source_and_meanings(cli: Callable, built: Path) -> None:
    told = json.loads(cli("tasks", "show", built, "tones/song0/bass", "--json").out)
    suite = Suite.read(built)
    assert told["task"] == suite.tasks[1].model_dump(mode="json")
    assert told["source"] == suite.sources["song0"].model_dump(mode="json")
    assert told["audio"] == "here"
    assert told["flags"]["no-such-flag-anywhere"] is None and "sampled" in told["flags"]["synthesised"]


def test_show_an_absent_task_and_a_phrase_that_is_not_in_the_prompt(cli: Callable, built: Path) -> None:
    rewritten(built, lambda task: task.model_copy(update={"target_span": None}))
    text = cli("tasks", "show", built, "tones/song2/vocals").out
    assert "audio not given" in text
    assert "a bright flute (not in the target prompt)" in text


@pytest.mark.parametrize(
    ("text", "cause", "near"),
    [
        ("tones/song0/bas", "there is no task", "tones/song0/bass"),
        ("song0/vocal", "there is no task", "tones/song0/vocals"),
        ("bass", "3 tasks end in 'bass'", "tones/song1/bass"),
        ("something else", "there is no task", "tasks list"),
    ],
)
def test_an_unknown_task_is_answered_with_the_nearest(
    cli: Callable, built: Path, text: str, cause: str, near: str
) -> None:
    with pytest.raises(UnknownNameError) as raised:
        find_task(Suite.read(built), text)
    assert cause in raised.value.cause and near in raised.value.remedy
    assert cli("tasks", "show", built, text).code == 2


def test_prompts_cannot_command_a_terminal(cli: Callable, built: Path) -> None:
    changes = {"source_prompt": HOSTILE, "target_prompt": HOSTILE, "target_phrase": HOSTILE, "target_span": None}
    rewritten(built, lambda task: task.model_copy(update={**changes, "flags": (HOSTILE,), "song": HOSTILE}))
    for words in (
        ("show", built, "song0/bass"),
        ("list", built),
        ("check", built),
        ("list", built, "--flag", "\x1b[2J"),
    ):
        result = cli("tasks", *words)
        shown = result.out + result.err
        assert not set("\x1b\x07\u202e\x9b") & set(shown), words
        assert "␛[2J" in shown
    assert "[bold red]x[/]" in cli("tasks", "show", built, "song0/bass").out


def test_the_phrase_is_coloured_on_a_terminal_and_bracketed_elsewhere() -> None:
    def shown(**kind: bool) -> str:
        screen = io.StringIO()
        out = Output(result=Console(file=screen, width=80, **kind))
        out.result.print(views.marked("a [warm] cello here", [(2, 14)], out))
        return screen.getvalue()

    assert shown() == "a [[warm] cello] here\n"
    assert shown(force_terminal=True, no_color=False) == "a \x1b[1;35m[warm] cello\x1b[0m here\n"
    assert shown(force_terminal=True, no_color=True) == "a \x1b[1m[[warm] cello]\x1b[0m here\n"


@pytest.mark.parametrize(
    ("source", "target", "words"),
    [
        ("Rock with a loud guitar, and drums.", "Rock with a violin, and drums.", ["loud guitar"]),
        ("A song with voice.", "a Song with voice.", []),
        ("A song.", "A song with flute.", []),
        ("Bass and 'drums'", "Kick and 'claps'", ["Bass", "drums"]),
        ("", "anything", []),
    ],
)
def test_the_words_that_change_are_found(source: str, target: str, words: list[str]) -> None:
    assert [source[start:end] for start, end in changed_words(source, target)] == words


def test_help_of_every_verb_is_light() -> None:
    code = """
import sys
from bench.cli.app import run
for verb in ("build", "fetch", "list", "show", "check", "listen", "decode"):
    try:
        run(["tasks", verb, "--help"])
    except SystemExit as done:
        assert not done.code, verb
heavy = {"numpy", "soundfile", "jinja2", "pandas", "torch"} & set(sys.modules)
sys.exit(repr(heavy) if heavy else 0)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=os.environ)
    assert done.returncode == 0, done.stderr
