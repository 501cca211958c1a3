"""The suite end to end: songs of every layout to tasks, a file, and the audio read back."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from multitrack_recordings import RATE, noise, write

from bench.audio import Clip
from bench.errors import AudioError, DataError, UsageError
from bench.suite import Suite
from tasks import flags, instruments
from tasks.multitrack.suite import Multitrack


def build(root: Path, **options: Any) -> Suite:
    return Multitrack(Multitrack.Options(folder=root, **{"duration_s": 1.0, **options})).build()


@pytest.fixture
def songs(tmp_path: Path) -> Path:
    """Two songs of one's own: one whose names say all, one whose names say nothing of one stem."""
    root = tmp_path / "My Songs"
    for name in ("drums", "bass guitar", "violin"):
        write(root / "Night Train" / f"{name}.wav", noise(len(name), seconds=2.0))
    for name in ("vocals", "drums", "bass", "other"):
        write(root / "<script>alert(1)<script>" / f"{name}.flac", noise(len(name), seconds=3.0, channels=2))
    return root


def test_own_songs_to_a_file_and_back(songs: Path, tmp_path: Path) -> None:
    suite = build(songs)
    assert {task.song for task in suite.tasks} == {"my-songs/night-train", "my-songs/script-alert-1-script"}
    assert all(count == 15 for count in Counter(task.song for task in suite.tasks).values())
    (tmp_path / "tasks.jsonl").write_text("\n".join(suite.lines()) + "\n", encoding="utf-8")
    read = Suite.read(tmp_path / "tasks.jsonl")
    assert read.digest == suite.digest == build(songs).digest
    for source in read.sources:
        opened = read.open(source)
        assert opened.mixture.duration_s == 1.0
        assert opened.mixture.sha256 == Clip.sum(list(opened.stems.values())).sha256
    assert suite.roots == {"my-songs": songs}


def test_a_task_is_whole(songs: Path) -> None:
    tasks = [task for task in build(songs).tasks if task.song == "my-songs/night-train" and task.stem == "other"]
    task = tasks[0]
    assert task.id == f"multitrack/my-songs/night-train/violin2{task.target_instrument}"
    assert task.source == task.song
    assert (task.source_instrument, task.monophonic) == ("violin", None)
    assert task.target_span is not None
    start, end = task.target_span
    assert task.target_prompt[start:end] == task.target_phrase == task.stem_phrases["other"]
    assert "violin" in task.source_prompt
    assert "violin" not in task.target_prompt
    assert task.flags == ("generated-prompts",)
    target = instruments.get(str(task.target_instrument))
    assert "lead" in target.roles
    assert target.high >= instruments.get("violin").usual[1]


def test_what_is_not_known_is_said(songs: Path) -> None:
    by_stem = {task.stem: task for task in build(songs).tasks if "script" in task.song}
    assert by_stem["other"].source_instrument is None
    assert by_stem["other"].flags == ("generated-prompts", "instrument-unknown")
    assert by_stem["other"].id.partition("2")[0].endswith("/other")
    assert instruments.get(str(by_stem["other"].target_instrument)).polyphonic
    for stem in ("vocals", "drums", "bass"):
        assert by_stem[stem].source_instrument == stem
        assert by_stem[stem].flags == ("generated-prompts",)


def test_the_layouts_of_others(make_track: Any, tmp_path: Path) -> None:
    for name in ("mixture", "drums", "bass", "other", "vocals"):
        write(tmp_path / "hq" / "test" / "A - B" / f"{name}.wav", noise(len(name), seconds=2.0, channels=2))
    suite = build(tmp_path / "hq")
    assert {task.song for task in suite.tasks} == {"musdb18hq/a-b"}
    assert suite.rules["layout"] == "musdb18hq"
    assert {task.source_instrument for task in suite.tasks} == {None}
    assert all("mixture-not-sum" in task.flags and "instrument-unknown" in task.flags for task in suite.tasks)
    make_track("T", ("male singer", "melody"), ("drum set", ""), ("piano", ""), ("flute", ""))
    medleydb = build(tmp_path, layout="medleydb", name="mdb", only="T*", edits=4)
    assert {task.song for task in medleydb.tasks} == {"mdb/t"}
    assert list(medleydb.roots) == ["mdb"]
    flagged = {task.stem: "several-instruments" in task.flags for task in medleydb.tasks}
    assert flagged == {"vocals": False, "drums": False, "other": True}


def test_more_edits_begin_with_the_fewer_and_share_the_excerpt(songs: Path) -> None:
    few, many = build(songs, edits=2, seed=5), build(songs, edits=6, seed=5)
    for song in few.sources:
        ids = [[task.id for task in suite.tasks if task.song == song] for suite in (few, many)]
        assert ids[1][:2] == ids[0]
        assert few.sources[song].excerpt == many.sources[song].excerpt
    assert build(songs, seed=6, edits=2).digest != few.digest


def test_fewer_plausible_edits_are_told(tmp_path: Path) -> None:
    write(tmp_path / "s" / "A" / "drums.wav", noise(seconds=2.0))
    write(tmp_path / "s" / "B" / "sound effects.wav", noise(seconds=2.0))
    suite = build(tmp_path / "s")
    drums = len(suite.tasks)
    assert 0 < drums < 15
    assert suite.rules["fewer_edits"] == {"s/a": drums, "s/b": 0}
    assert list(suite.sources) == ["s/a"]
    with pytest.raises(DataError) as none:
        build(tmp_path / "s", only="B")
    assert none.value.code == "data/no-edits"


def test_a_song_too_short_is_absent(songs: Path) -> None:
    suite = build(songs, duration_s=2.5)
    assert suite.absences() == {"shorter than an excerpt of 2.5 s: my-songs/night-train": 15}
    assert list(suite.sources) == ["my-songs/script-alert-1-script"]


def test_a_damaged_file_stops_and_is_named(songs: Path) -> None:
    path = songs / "<script>alert(1)<script>" / "bass.flac"
    data = bytearray(path.read_bytes())
    data[len(data) // 2 :] = bytes(len(data) - len(data) // 2)
    path.write_bytes(bytes(data))
    with pytest.raises(AudioError) as caught:
        build(songs)
    assert caught.value.where == str(path)
    assert len(build(songs, only="Night*").tasks) == 15


def test_silence_and_a_mixture_of_its_own_are_flags(tmp_path: Path) -> None:
    drums, bass = noise(1, seconds=2.0), Clip.silence(2.0, RATE)
    write(tmp_path / "s" / "A" / "drums.wav", drums)
    write(tmp_path / "s" / "A" / "bass.wav", bass)
    write(tmp_path / "s" / "A" / "mix.wav", drums.scaled(0.5))
    by_stem = {task.stem: task for task in build(tmp_path / "s").tasks}
    assert by_stem["bass"].flags == ("edited-stem-silent", "generated-prompts", "mixture-not-sum")
    assert by_stem["drums"].flags == ("generated-prompts", "mixture-not-sum")


def test_pinned_excerpts(songs: Path, tmp_path: Path) -> None:
    (tmp_path / "pins.yaml").write_text("my-songs/night-train: 0.25\n")
    suite = build(songs, excerpts=tmp_path / "pins.yaml")
    assert suite.sources["my-songs/night-train"].excerpt.start_s == 0.25
    (tmp_path / "pins.yaml").write_text("my-songs/nightrain: 0.25\n")
    with pytest.raises(DataError, match="Did you mean my-songs/night-train"):
        build(songs, excerpts=tmp_path / "pins.yaml")


def test_songs_with_one_id_are_named(songs: Path) -> None:
    write(songs / "night  train!" / "drums.wav")
    with pytest.raises(DataError, match=r"'Night Train' and 'night  train!'.*my-songs/night-train") as caught:
        build(songs)
    assert caught.value.code == "data/songs-one-id"


def test_only_must_fit_something(songs: Path) -> None:
    with pytest.raises(UsageError, match="no song is called 'Day\\*'") as caught:
        build(songs, only="Day*")
    assert "<script>" in caught.value.remedy


@pytest.mark.parametrize("name", ["Up", "a/b", "../x", "", "a--b", "x" * 65])
def test_names_of_data_sets_are_plain(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="name"):
        Multitrack.Options(folder=tmp_path, name=name)


def test_an_unknown_shorthand(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Did you mean slakh2100"):
        Multitrack.shorthand("slakh")


def test_progress_is_told(songs: Path) -> None:
    told: list[tuple[str, int]] = []

    def track(items: Any, what: str, total: int) -> Any:
        told.append((what, total))
        return items

    Multitrack(Multitrack.Options(folder=songs, duration_s=1.0), track).build()
    assert told == [("songs", 2)]


def test_every_flag_has_a_meaning(songs: Path) -> None:
    raised = {flag for task in build(songs).tasks for flag in task.flags}
    own = {"several-instruments", "has-bleed", "slakh-omitted", "erratum-single-tone", "mixture-not-sum"}
    assert raised | own <= set(flags.MEANINGS)


def test_mono_and_stereo_stems_make_a_stereo_mixture(tmp_path: Path) -> None:
    write(tmp_path / "s" / "A" / "drums.wav", noise(1, seconds=1.0, channels=2))
    write(tmp_path / "s" / "A" / "bass.wav", noise(2, seconds=1.05))
    suite = build(tmp_path / "s")
    source = suite.open("s/a")
    assert (source.mixture.channels, source.stems["bass"].channels) == (2, 1)
    assert np.array_equal(source.mixture.samples, source.stems["drums"].samples + source.stems["bass"].samples)
