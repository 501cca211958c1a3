"""`tasks listen`: which tasks come onto the page."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def built(cli: Callable, tones: Path) -> Path:
    """A task file of two songs with audio and one without."""
    cli("tasks", "build", "tones:2", "--absent", "1", "--song", "<script>alert(1)</script>", "--out", "t.jsonl")
    return Path("t.jsonl")


def test_the_page_is_named_and_counted(cli: Callable, built: Path, tmp_path: Path) -> None:
    told = json.loads(cli("tasks", "listen", built, "--out", "page", "--json").out)
    assert told == {"page": str(tmp_path / "page/index.html"), "tasks": 4, "of": 6, "problems": 0}
    html = Path("page/index.html").read_text("utf-8")
    assert "<script>alert" not in html and "&lt;script&gt;alert(1)" in html
    assert "played by sampled instruments from a score" in html


def test_only_and_limit_choose(cli: Callable, built: Path) -> None:
    result = cli("tasks", "listen", built, "--only", "*/bass", "--limit", "2", "--out", "page")
    assert "2 of 3 tasks on the page" in result.out
    assert "2 of 2 excerpts" in result.err
    assert cli("tasks", "listen", built, "--only", "*/drums", "--out", "page").code == 2


def test_what_cannot_be_heard_is_counted(cli: Callable, built: Path, tones: Path) -> None:
    (tones / "1/true-bass.wav").unlink()
    assert "; 1 clips could not be read" in cli("tasks", "listen", built, "--only", "*1/bass", "--out", "page").out


def test_without_any_audio_there_is_no_page(cli: Callable, built: Path) -> None:
    result = cli("tasks", "listen", built, "--only", "*2/bass", "--out", "page", "--json")
    assert result.code == 3
    assert json.loads(result.out)["error"]["where"] == "1: audio not given"
    assert not Path("page").exists()


def test_audio_that_moved_is_found(cli: Callable, built: Path, tones: Path, tmp_path: Path) -> None:
    tones.rename(tmp_path / "moved")
    words = ("tasks", "listen", built, "--limit", "1", "--out", "page", "--json")
    assert json.loads(cli(*words, "--root", f"tones={tmp_path / 'moved'}").out)["problems"] == 0
    assert json.loads(cli(*words).out)["problems"] > 0
