from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import yaml
from pydantic import ValidationError

from bench.audio import Clip
from bench.errors import DataError, UsageError
from bench.store.cache import ENV
from bench.suite import Suite
from bench.task import STEMS
from tasks import instruments
from tasks.multitrack import medleydb, musdb18
from tasks.synth.mixing import PEAK
from tasks.synth.suite import Synth

SMALL = {"songs": 1, "edits": 2, "duration_s": 2.0}


def _pcm(clip: Clip) -> np.ndarray:
    """16-bit samples as integers; fails if they are not 16-bit samples."""
    scaled = clip.samples.astype(np.float64) * 32768
    assert np.array_equal(scaled, np.rint(scaled))
    return scaled.astype(np.int32)


def _hashes(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _only_source(suite: Suite) -> str:
    (source,) = suite.sources
    return source


# -- what a suite is ------------------------------------------------------------------------------------------------


def test_tasks_say_what_changes(synth_suite: Suite) -> None:
    assert len(synth_suite.sources) == 4
    assert len(synth_suite.tasks) == len({task.id for task in synth_suite.tasks}) == 16
    for source in synth_suite.sources.values():
        assert source.id.startswith("synth/s0-000")
        assert set(source.instruments) == set(STEMS)
        assert {task.stem for task in synth_suite.tasks if task.song == source.song} == set(STEMS)
    for task in synth_suite.tasks:
        assert task.source is not None
        assert task.id.startswith(f"{task.song}/")
        assert task.flags == ("synthesised",)
        assert set(task.stem_phrases) == set(STEMS)
        assert all(phrase in task.target_prompt for phrase in task.stem_phrases.values())
        assert synth_suite.sources[task.source].instruments[task.stem] == (task.source_instrument,)
        assert task.target_instrument in instruments.table()
        assert task.target_instrument != task.source_instrument
        assert task.monophonic is not None
        assert task.monophonic == (task.stem in ("vocals", "bass")) or task.stem == "other"


def test_the_default_is_fifteen_edits_a_song(tmp_path: Path) -> None:
    assert Synth.Options().edits == 15
    suite = Synth(Synth.Options(songs=1, duration_s=2.0, folder=tmp_path)).build()
    assert len(suite.tasks) == 15
    assert Counter(task.stem for task in suite.tasks)["vocals"] >= 5


def test_the_mixture_is_the_sum_of_its_stems_to_the_last_bit(synth_suite: Suite) -> None:
    for source_id in synth_suite.sources:
        source = synth_suite.open(source_id)
        assert source.mixture.duration_s == 6.0
        total = sum(_pcm(clip) for clip in source.stems.values())
        assert np.array_equal(_pcm(source.mixture), total)


def test_no_stem_is_silent_and_levels_are_those_of_a_mix(synth_suite: Suite) -> None:
    for source_id in synth_suite.sources:
        source = synth_suite.open(source_id)
        loudness = source.mixture.loudness_lufs
        assert loudness is not None
        assert -24 < loudness < -19
        assert source.mixture.peak <= PEAK + 0.001
        for clip in source.stems.values():
            assert -14 < clip.rms_db - source.mixture.rms_db < 0
            assert abs(float(clip.mono.mean())) < 0.005
            assert all(clip.window(float(second), 3.0).rms_db > -60 for second in range(4))


def test_a_true_edit_changes_the_edited_stem_and_nothing_else(synth_suite: Suite, synth_folder: Path) -> None:
    for task in synth_suite.tasks:
        assert task.source is not None
        assert task.true_edit is not None
        source = synth_suite.open(task.source)
        true = synth_suite.true_edit(task)
        assert true is not None
        stem = Clip.read(synth_folder / task.true_edit.paths[0], duration_s=6.0)
        replaced = source.stems[task.stem]
        assert np.array_equal(_pcm(true) - _pcm(source.mixture), _pcm(stem) - _pcm(replaced))
        assert np.array_equal(_pcm(true), _pcm(source.background(task.stem)) + _pcm(stem))
        assert true.peak < 1.0
        assert stem.loudness_lufs == pytest.approx(replaced.loudness_lufs, abs=0.1)
        assert np.corrcoef(stem.mono, replaced.mono)[0, 1] < 0.8


# -- determinism ----------------------------------------------------------------------------------------------------


def test_the_same_options_give_the_same_bytes_in_another_process(tmp_path: Path) -> None:
    here = Synth(Synth.Options(**SMALL, folder=tmp_path / "here")).build()
    code = f"""
from pathlib import Path
from tasks.synth.mixing import PEAK
from tasks.synth.suite import Synth
print(Synth(Synth.Options(**{SMALL!r}, folder=Path({str(tmp_path / "there")!r}))).build().digest)
"""
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == here.digest
    assert _hashes(tmp_path / "here") == _hashes(tmp_path / "there")


def test_the_number_of_processes_does_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = []
    for workers in (1, 2):
        monkeypatch.setenv(ENV, str(tmp_path / str(workers)))
        suite = Synth(Synth.Options(songs=2, edits=1, duration_s=2.0, workers=workers)).build()
        lines.append([line.replace(str(tmp_path / str(workers)), "") for line in suite.lines()])
    assert lines[0] == lines[1]


def test_the_cache_and_a_folder_hold_the_same_suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENV, str(tmp_path / "cache"))
    cached = Synth(Synth.Options(**SMALL)).build()
    written = Synth(Synth.Options(**SMALL, folder=tmp_path / "out")).build()
    assert cached.digest == written.digest
    for suite in (cached, written):
        assert suite.open(_only_source(suite)).mixture.duration_s == 2.0


def test_another_seed_is_another_suite(tmp_path: Path) -> None:
    one, other = (Synth(Synth.Options(**SMALL, seed=seed, folder=tmp_path / str(seed))).build() for seed in (0, 1))
    assert not set(one.sources) & set(other.sources)
    assert one.digest != other.digest


def test_a_longer_suite_begins_with_a_shorter(tmp_path: Path) -> None:
    short, long = (
        Synth(Synth.Options(songs=songs, edits=edits, duration_s=2.0, folder=tmp_path / str(songs))).build()
        for songs, edits in ((1, 1), (3, 4))
    )
    assert list(long.sources)[:1] == list(short.sources)
    assert long.sources[_only_source(short)] == short.sources[_only_source(short)]
    assert long.tasks[0] == short.tasks[0]


# -- where the audio is ---------------------------------------------------------------------------------------------


def test_songs_are_rendered_once_and_a_longer_suite_renders_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENV, str(tmp_path))
    first = Synth(Synth.Options(**SMALL)).build()
    assert tmp_path in first.roots["synth"].parents
    rendered: list[str] = []
    from tasks.synth import studio

    mix = studio.mix
    monkeypatch.setattr(studio, "mix", lambda song, *rest: rendered.append(song.name) or mix(song, *rest))
    again = Synth(Synth.Options(**SMALL)).build()
    assert again.lines() == first.lines()
    assert rendered == []
    longer = Synth(Synth.Options(**{**SMALL, "songs": 2})).build()
    assert [f"synth/{name}" for name in rendered] == list(longer.sources)[1:]
    assert all(longer.true_edit(task) is not None for task in longer.tasks)


def test_a_build_that_was_stopped_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tasks.synth import studio

    options = Synth.Options(songs=2, edits=1, duration_s=2.0, folder=tmp_path / "out")
    whole = Synth(options.model_copy(update={"folder": tmp_path / "other"})).build()
    mix, rendered = studio.mix, []

    def stopping(song, *rest):  # type: ignore[no-untyped-def]
        if len(rendered) == 1:
            raise KeyboardInterrupt
        rendered.append(song.name)
        return mix(song, *rest)

    monkeypatch.setattr(studio, "mix", stopping)
    with pytest.raises(KeyboardInterrupt):
        Synth(options).build()
    monkeypatch.setattr(studio, "mix", lambda song, *rest: rendered.append(song.name) or mix(song, *rest))
    resumed = Synth(options).build()
    assert resumed.digest == whole.digest
    assert [f"synth/{name}" for name in rendered] == list(whole.sources)


def test_no_folder_is_touched_that_holds_something_else(tmp_path: Path) -> None:
    Synth(Synth.Options(**SMALL, folder=tmp_path / "out")).build()
    before = _hashes(tmp_path / "out")
    with pytest.raises(DataError) as raised:
        Synth(Synth.Options(**SMALL, seed=1, folder=tmp_path / "out")).build()
    assert raised.value.code == "synth/folder-taken"
    assert _hashes(tmp_path / "out") == before


def test_a_lost_file_is_rendered_again_and_a_changed_one_noticed(tmp_path: Path) -> None:
    suite = Synth(Synth.Options(**SMALL, folder=tmp_path)).build()
    path = tmp_path / (suite.sources[_only_source(suite)].mixture or "")
    Clip.read(path).scaled(0.5).write_wav(path)
    with pytest.raises(DataError, match="not the audio"):
        suite.open(_only_source(suite))
    path.unlink()
    again = Synth(Synth.Options(**SMALL, folder=tmp_path)).build()
    assert again.open(_only_source(again)).mixture.peak > 0.1


def test_the_suite_survives_its_file_and_another_folder(tmp_path: Path) -> None:
    suite = Synth(Synth.Options(**SMALL, folder=tmp_path / "audio")).build()
    file = tmp_path / "tasks.jsonl"
    file.write_text("\n".join(suite.lines()), encoding="utf-8")
    (tmp_path / "audio").rename(tmp_path / "moved")
    read = Suite.read(file).with_roots({"synth": tmp_path / "moved"})
    assert read.digest == suite.digest
    assert read.tasks == suite.tasks
    assert read.true_edit(read.tasks[0]) is not None
    assert set(read.open(_only_source(read)).stems) == set(STEMS)


# -- layouts --------------------------------------------------------------------------------------------------------


def test_both_layouts_hold_the_same_samples_and_the_readers_read_them(synth_suite: Suite, synth_folder: Path) -> None:
    refs = list(synth_suite.sources.values())
    musdb_songs = musdb18.songs(synth_folder / "musdb18hq")
    medleydb_songs = medleydb.songs(synth_folder / "medleydb")
    assert len(musdb_songs) == len(medleydb_songs) == len(refs)
    for ref, track in zip(refs, sorted(medleydb_songs, key=lambda name: name[-4:]), strict=True):
        song = medleydb.read_song(synth_folder / "medleydb", track)
        assert set(song.stems) == set(STEMS)
        for stem in STEMS:
            (path,) = song.stems[stem]
            theirs, ours = (
                Clip.read(synth_folder / "medleydb" / path),
                Clip.read(synth_folder / ref.stems[stem][0]),
            )
            assert theirs.sha256 == ours.sha256
        assert song.mixture is not None
        mixture = Clip.read(synth_folder / "medleydb" / song.mixture)
        assert mixture.sha256 == Clip.read(synth_folder / (ref.mixture or "")).sha256


def test_metadata_have_the_keys_of_real_ones(synth_suite: Suite, synth_folder: Path, shared_data: Path) -> None:
    real = shared_data / "medleydb/Audio/MusicDelta_Reggae/MusicDelta_Reggae_METADATA.yaml"
    (ours, *_) = sorted((synth_folder / "medleydb/Audio").glob("*/*_METADATA.yaml"))
    expected, found = (yaml.safe_load(path.read_text(encoding="utf-8")) for path in (real, ours))
    assert set(expected) <= set(found)
    assert set(expected["stems"]["S01"]) == set(found["stems"]["S01"])
    assert set(expected["stems"]["S01"]["raw"]["R01"]) == set(found["stems"]["S01"]["raw"]["R01"])


# -- options --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", [{"songs": 0}, {"edits": 0}, {"edits": 41}, {"duration_s": 0.5}, {"tempo": 90}])
def test_options_out_of_bounds_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        Synth.Options(**wrong)


@pytest.mark.parametrize("text", ["", "@", "many", "5@", "-3", "5@7@9", "5.0", "٣"])
def test_a_short_form_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as raised:
        Synth.shorthand(text)
    assert raised.value.code == "bad-shorthand"


def test_progress_is_told_song_by_song(tmp_path: Path) -> None:
    heard: list[tuple[str, int]] = []

    def track(items, what, total):  # type: ignore[no-untyped-def]
        for item in items:
            heard.append((what, total))
            yield item

    Synth(Synth.Options(songs=2, edits=1, duration_s=2.0, folder=tmp_path), track).build()
    assert heard == [("songs", 2), ("songs", 2)]
