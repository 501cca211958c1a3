"""Audio made elsewhere: matched by name, hashed, and nothing silently left out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from baselines.external import External
from bench.audio import Clip
from bench.errors import AudioError, DataError
from bench.method import Context
from bench.suite import Suite
from bench.task import EditTask, Source, SourceRef

TASKS = ("songs/one/voice2flute", "songs/one/voice2cello")


@pytest.fixture
def tasks(make_task: Callable[..., EditTask]) -> list[EditTask]:
    return [make_task(id=name) for name in TASKS]


@pytest.fixture
def context(tasks: list[EditTask], two_stems: Source) -> Context:
    ref = SourceRef.model_construct(id="tones")
    return Context("cpu", Suite("songs", 1, {}, {"tones": ref}, tuple(tasks)))


def write(folder: Path, *names: str) -> list[str]:
    clips = [Clip.of(np.full(800, 0.1 * (i + 1)), 8_000) for i in range(len(names))]
    for name, clip in zip(names, clips, strict=True):
        clip.write_wav(folder / name)
    return [clip.sha256 for clip in clips]


def test_files_in_folders_and_flat_ones_are_found(
    tmp_path: Path, context: Context, tasks: list[EditTask], two_stems: Source
) -> None:
    write(tmp_path, "songs/one/voice2flute.wav", "songs__one__voice2cello.wav")
    made = External(External.Config(audio=tmp_path), context)
    edits = made.edit(made.prepare(two_stems), tasks, [0, 0])
    assert [round(clip.peak, 2) for clip in edits] == [0.1, 0.2]
    assert [clip.rate for clip in edits] == [8_000, 8_000]


def test_the_identity_is_the_content_and_not_the_place(tmp_path: Path) -> None:
    for folder in ("a", "b", "c"):
        write(tmp_path / folder, "songs__one__voice2flute.wav")
    Clip.of(np.full(800, 0.5), 8_000).write_wav(tmp_path / "c" / "songs__one__voice2flute.wav")
    a, b, c = (External.Config(audio=tmp_path / folder).model_dump(mode="json") for folder in ("a", "b", "c"))
    assert a == b != c
    assert set(a) == {"content"}


def test_a_task_without_a_file_fails_by_name(
    tmp_path: Path, context: Context, tasks: list[EditTask], two_stems: Source
) -> None:
    write(tmp_path, "songs__one__voice2flute.wav")
    made = External(External.Config(audio=tmp_path), context)
    with pytest.raises(DataError, match="no file for this task") as caught:
        made.edit(made.prepare(two_stems), tasks, [0, 0])
    assert "voice2cello" in str(caught.value)


def test_misspelt_and_double_names_are_refused(tmp_path: Path, context: Context) -> None:
    write(tmp_path, "songs__one__voice2flute.wav", "songs__one__voice2fluet.wav")
    with pytest.raises(DataError, match="belong to no task") as caught:
        External(External.Config(audio=tmp_path), context)
    assert "voice2fluet" in str(caught.value)
    write(tmp_path, "songs/one/voice2flute.wav")
    with pytest.raises(DataError, match="two files are for"):
        External.Config(audio=tmp_path)


def test_a_folder_that_is_not_there_and_a_broken_file(
    tmp_path: Path, context: Context, tasks: list[EditTask], two_stems: Source
) -> None:
    with pytest.raises(ValidationError, match="not a folder"):
        External.Config(audio=tmp_path / "nowhere")
    (tmp_path / "songs__one__voice2flute.wav").write_bytes(b"RIFF and nothing")
    made = External(External.Config(audio=tmp_path), context)
    with pytest.raises(AudioError):
        made.edit(made.prepare(two_stems), tasks[:1], [0])
