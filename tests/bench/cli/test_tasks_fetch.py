"""`tasks fetch` and `tasks decode`: what they say, and what they hand on."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.audio import Clip

needs_ffmpeg = pytest.mark.skipif(
    shutil.which("ffmpeg") is None or shutil.which("ffprobe") is None, reason="ffmpeg is not installed"
)


def test_fetch_says_where_the_data_are_and_what_comes_next(cli: Callable, tones: Path) -> None:
    told = cli("tasks", "fetch", "tones", "--from", "/a/copy")
    assert "tones: fetched and verified, in /a/copy" in told.out
    assert "next: timbrebench tasks build tones --out tasks.jsonl" in told.out
    assert "3 of 3 files" in told.err
    plain = json.loads(cli("tasks", "fetch", "tones:3", "--json").out)
    assert plain["folder"] == "published"
    assert plain["next"] == "timbrebench tasks build tones:3 --out tasks.jsonl"


def test_fetch_of_a_suite_without_downloads_says_so(cli: Callable) -> None:
    error = json.loads(cli("tasks", "fetch", "synth", "--json").out)["error"]
    assert error["code"] == "nothing-to-fetch"
    assert "timbrebench show suite synth" in error["remedy"]
    assert cli("tasks", "fetch", "synht").code == 2


def test_decode_of_another_folder_says_what_it_wants(cli: Callable, tmp_path: Path) -> None:
    result = cli("tasks", "decode", tmp_path, "--out", tmp_path / "wav", "--json")
    assert result.code == 2
    assert "test/<Artist - Title>.stem.mp4" in json.loads(result.out)["error"]["remedy"]
    assert not (tmp_path / "wav").exists()


@needs_ffmpeg
def test_decode_makes_wav_files_in_musdb18_hqs_layout(cli: Callable, tmp_path: Path) -> None:
    (tmp_path / "musdb18/test").mkdir(parents=True)
    streams = [word for hz in range(200, 700, 100) for word in ("-f", "lavfi", "-i", f"sine={hz}:r=44100:d=0.3")]
    maps = [word for number in range(5) for word in ("-map", str(number))]
    mp4 = tmp_path / "musdb18/test/A - B.stem.mp4"
    command = ["ffmpeg", "-v", "error", *streams, *maps, "-ac", "2", "-c:a", "aac", "-f", "mp4", mp4]
    subprocess.run(command, check=True)
    told = json.loads(cli("tasks", "decode", tmp_path / "musdb18", "--out", "wav", "--json").out)
    assert told == {"folder": str(tmp_path / "wav"), "tracks": ["A - B"]}
    for name in ("mixture", "drums", "bass", "other", "vocals"):
        assert Clip.read(tmp_path / f"wav/test/A - B/{name}.wav").rate == 44_100
