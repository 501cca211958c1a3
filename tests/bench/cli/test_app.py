"""The command line's frame: what it imports, how errors leave, where options come from."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import bench.cli.listing
from bench.cli import catalogue, metric_sets

HEAVY = ("torch", "numpy", "pandas", "diffusers", "transformers", "librosa", "matplotlib", "soundfile")
COMMAND = Path(sys.executable).with_name("timbrebench")


def imported(*words: str) -> set[str]:
    """Top-level modules that are loaded when a command has ended."""
    code = f"""
import sys, json
from bench.cli.app import run
try:
    run({list(words)!r})
except SystemExit:
    pass
sys.stderr.write(json.dumps(sorted({{name.partition('.')[0] for name in sys.modules}})))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(done.stderr.splitlines()[-1]))


@pytest.mark.parametrize("words", [("--help",), ("run", "--help"), ("list",), ("list", "metrics", "--json")])
def test_help_and_list_import_nothing_heavy(words: tuple[str, ...]) -> None:
    assert imported(*words).isdisjoint(HEAVY)


def test_the_entry_point_answers() -> None:
    done = subprocess.run([COMMAND, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("timbrebench 0.")


def test_a_misspelt_method_is_answered_with_the_right_one() -> None:
    done = subprocess.run([COMMAND, "run", "--method", "polyfonia"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "unknown method 'polyfonia'" in done.stderr
    assert "Did you mean polyphonia" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        (("runn",), "No such command"),
        (("run",), "which method?"),
        (("run", "--method", "sdedit", "--methods", "all"), "Both --method and --methods"),
        (("run", "--method", "sdedit", "--preset", "publishd"), "has no preset 'publishd'"),
        (("score",), "Missing argument"),
        (("run", "--method", "sdedit", "--sed", "1"), "No such option"),
        (("run", "--method", "sdedit", "--set", "stps=3", "--suite", "synth"), "has no knob 'stps'"),
        (("run", "--method", "sdedit"), "which tasks?"),
        (("run", "--method", "sdedit", "--tasks", "nowhere.jsonl"), "cannot read the tasks file"),
        (("run", "--method", "no.such:Thing"), "cannot be imported"),
        (("run", "--method", "json:JSONDecoder"), "is not a method"),
        (("score", "nowhere"), "run directory"),
        (("report", "nowhere"), "run directory"),
        (("show", "method", "polyfonia"), "unknown method"),
        (("show", "metod", "polyphonia"), "there is no kind"),
        (("show", "run", "nowhere"), "run directory"),
        (("list", "method"), "there is no kind"),
        (("tasks", "build", "polyeval", "--out", "x"), "unknown suite"),
        (("tasks", "build", "synth", "--out", "x", "--song", "3"), "no option '--song'"),
        (("tasks", "build", "synth", "--out", "x", "--songs", "many"), "--songs"),
        (("--config", "nowhere.yaml", "list"), "cannot read the configuration"),
    ],
)
def test_wrong_requests_exit_2_and_say_what_to_do(cli: Callable, words: tuple[str, ...], cause: str) -> None:
    plain, as_json = cli(*words), cli(*words, "--json")
    assert plain.code == as_json.code == 2
    assert cause in " ".join(plain.err.split())
    assert "Traceback" not in plain.err
    error = json.loads(as_json.out)["error"]
    assert cause in error["cause"]
    assert error["remedy"]


def test_global_options_may_stand_anywhere(cli: Callable) -> None:
    first, last = cli("--json", "list", "methods"), cli("list", "methods", "--json")
    assert first == last
    assert {"polyphonia", "sdedit", "copy-source"} <= {entry["name"] for entry in json.loads(last.out)["methods"]}


def test_list_names_everything_in_the_catalogue(cli: Callable) -> None:
    shown = cli("list").out
    for kind in bench.cli.listing.KINDS:
        for entry in getattr(catalogue, kind)().entries():
            assert entry.name in shown


@pytest.mark.parametrize("kind", bench.cli.listing.KINDS)
def test_everything_in_the_catalogue_is_real(kind: str, cli: Callable) -> None:
    registry = getattr(catalogue, kind)()
    for entry in registry.entries():
        assert registry.get(entry.name).name == entry.name
        assert cli("show", kind.removesuffix("s"), entry.name).code == 0


def test_default_metrics_are_registered() -> None:
    assert metric_sets.targets("default,paper,all"), "every name in a set is registered"


def test_options_come_from_a_file_and_the_command_line_wins(cli: Callable, tmp_path: Path) -> None:
    config = tmp_path / "run.yaml"
    config.write_text("run:\n  method: polyfonia\n")
    assert "polyfonia" in cli("--config", config, "run").err
    assert "melodya" in cli("--config", config, "run", "--method", "melodya").err


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("runn:\n  method: x\n", "there is no verb 'runn'"),
        ("run:\n  metod: x\n", "has no option 'metod'"),
        ("- a\n- b\n", "not a mapping"),
        ("run: {", "cannot read the configuration"),
    ],
)
def test_a_wrong_configuration_is_refused(cli: Callable, tmp_path: Path, text: str, cause: str) -> None:
    config = tmp_path / "c.yaml"
    config.write_text(text)
    result = cli("--config", config, "list")
    assert result.code == 2
    assert cause in " ".join(result.err.split())


def test_options_come_from_the_environment(cli: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIMBREBENCH_RUN_METHOD", "polyfonia")
    assert "polyfonia" in cli("run").err


def test_a_suites_options_come_from_the_environment(cli: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("SONGS", "1"), ("EDITS", "2"), ("DURATION_S", "2")):
        monkeypatch.setenv(f"TIMBREBENCH_TASKS_BUILD_{name}", value)
    told = json.loads(cli("tasks", "build", "synth", "--out", "t.jsonl", "--edits", "1", "--json").out)
    assert (told["songs"], told["tasks"]) == (1, 1)
    assert json.loads(cli("run", "--suite", "synth", "--method", "silence", "--json").out)["generated"] == 2


def test_a_fault_of_ours_is_one_screen_and_debug_shows_the_rest(cli: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(catalogue, "methods", broken)
    result = cli("list", "methods")
    assert result.code == 70
    assert "ZeroDivisionError: oops" in result.err
    with pytest.raises(ZeroDivisionError):
        bench.cli.app.run(["list", "methods", "--debug"])


def test_doctor_finds_its_way_and_names_remedies(
    cli: Callable, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TIMBREBENCH_TASKS_BUILD_MEDLEYDB", str(tmp_path))
    monkeypatch.delenv("TIMBREBENCH_TASKS_BUILD_PROMPTS", raising=False)
    result = cli("doctor", "--json")
    found = {finding["what"]: finding for finding in json.loads(result.out)["findings"]}
    assert result.code == 3
    assert found["MedleyDB"]["state"] == "missing"
    assert found["PolyEvalPrompts"]["state"] == "optional"
    assert all(finding["remedy"] for finding in found.values() if finding["state"] != "ok")
    (tmp_path / "Audio" / "MusicDelta_Reggae").mkdir(parents=True)
    assert cli("doctor").code == 0


def test_color_codes_stay_out_of_pipes() -> None:
    done = subprocess.run(
        [COMMAND, "list"], capture_output=True, check=True, env={**os.environ, "TERM": "xterm-256color"}
    )
    assert b"\x1b" not in done.stdout
