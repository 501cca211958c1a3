"""`timbrebench nano eval`: its options, its table and its file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.evaluation.figures import Findings, Target, Value


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[str, int]]:
    """The parts are not measured, but noted; the songs are three lists without audio."""
    from bench.evaluation.evaluate import Evaluation

    for number in range(3):
        listed = {"song": f"s{number}", "genre": "Test", "takes": []}
        (tmp_path / f"s{number}.json").write_text(json.dumps(listed))
    asked: list[tuple[str, int]] = []

    def part(self: Any, name: str) -> Findings:
        asked.append((name, len(self.songs)))
        found = Findings(name)
        found.add("a figure", [Value("a", 0.5), Value("b", 1.0)], ceiling=[Value("a", 1.0)], target=Target(0.85))
        return found

    monkeypatch.setattr(Evaluation, "part", part)
    return asked


def test_parts_are_measured_in_their_order_on_the_first_songs(
    cli: Callable[..., Any], measured: list[tuple[str, int]], tmp_path: Path
) -> None:
    result = cli("nano", "eval", "--takes", tmp_path, "--only", "clap, codec", "--songs", "2", "--out", "eval.json")
    assert result.code == 0, result.err
    assert measured == [("codec", 2), ("clap", 2)]
    assert "0.750" in result.out and "≥ 0.85" in result.out and "missed, uncertain" in result.out
    written = json.loads(Path("eval.json").read_text())
    assert written["schema"] == "timbrebench-nano-eval@1"
    assert written["songs"] == ["s0", "s1"]
    assert [(each["part"], each["mean"]) for each in written["figures"]] == [("codec", 0.75), ("clap", 0.75)]
    assert all(len(hashed) == 64 for hashed in written["weights"].values())


def test_clips_follow_the_songs_unless_they_are_named(
    cli: Callable[..., Any], measured: list[tuple[str, int]], tmp_path: Path
) -> None:
    for words, each in ((["--songs", "24"], 3), (["--songs", "3"], 1), (["--clips", "5"], 5)):
        result = cli("nano", "eval", "--takes", tmp_path, "--json", *words)
        assert json.loads(result.out)["sampling"]["each"] == each


def test_an_unknown_part_is_refused_before_anything_is_rendered(cli: Callable[..., Any]) -> None:
    result = cli("nano", "eval", "--only", "clab")
    assert result.code == 2 and "no part 'clab'" in result.err and "clap" in result.err
    assert cli("nano", "eval", "--only", ",").code == 2


def test_a_folder_without_songs_is_refused(cli: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    result = cli("nano", "eval", "--takes", tmp_path / "none")
    assert result.code == 2 and "no rendered songs are there" in result.err


def test_a_scored_run_is_added_to_the_table(
    cli: Callable[..., Any], measured: list[tuple[str, int]], tones: Path, tmp_path: Path
) -> None:
    assert cli("run", "--method", "copy-source", "--suite", "tones", "--out", "run", "--quiet").code == 0
    assert cli("score", "run", "--metrics", "onset-f1", "--jobs", "1", "--quiet").code == 0
    result = cli("nano", "eval", "--takes", tmp_path, "--only", "codec", "--run", "run", "--json")
    assert result.code == 0, result.err
    edited = json.loads(result.out)["figures"][-1]
    assert (edited["part"], edited["name"], edited["mean"]) == ("editing: copy-source", "onset-f1", 1.0)
