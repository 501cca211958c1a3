from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from pydantic import ValidationError

from bench.audio import Clip
from bench.errors import DataError
from bench.store.cache import ENV
from bench.suite import Suite
from bench.task import STEMS
from tasks.multitrack import medleydb
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


def test_the_default_suite_has_four_songs_of_three_edits(synth_suite: Suite) -> None:
    assert len(synth_suite.sources) == 4
    assert len(synth_suite.tasks) == len({task.id for task in synth_suite.tasks}) == 12
    for song in synth_suite.sources:
        assert [task.stem for task in synth_suite.tasks if task.song == song] == ["vocals", "other", "bass"]
    for task in synth_suite.tasks:
        assert task.id.startswith(f"{task.song}/")
        assert task.flags == ("synthesised",)
        assert set(task.stem_phrases) == set(STEMS)
        assert all(phrase in task.target_prompt for phrase in task.stem_phrases.values())
        assert task.monophonic or task.stem == "other"


def test_the_mixture_is_the_sum_of_its_stems_to_the_last_bit(synth_suite: Suite) -> None:
    for source_id in synth_suite.sources:
        source = synth_suite.open(source_id)
        assert source.mixture.duration_s == 10.0
        total = sum(_pcm(clip) for clip in source.stems.values())
        assert np.array_equal(_pcm(source.mixture), total)


def test_no_stem_is_silent_and_levels_are_those_of_a_mix(synth_suite: Suite) -> None:
    for source_id in synth_suite.sources:
        source = synth_suite.open(source_id)
        loudness = source.mixture.loudness_lufs
        assert loudness is not None
        assert -20.5 < loudness < -14
        assert source.mixture.peak < 0.7
        for clip in source.stems.values():
            assert -12 < clip.rms_db - source.mixture.rms_db < 0
            assert all(clip.window(float(second), 2.5).rms_db > -60 for second in range(7))


def test_a_true_edit_changes_the_edited_stem_and_nothing_else(synth_suite: Suite, synth_folder: Path) -> None:
    for task in synth_suite.tasks:
        assert task.source is not None
        assert task.true_edit is not None
        source = synth_suite.open(task.source)
        true = synth_suite.true_edit(task)
        assert true is not None
        stem = Clip.read(synth_folder / task.true_edit.paths[0].replace(".wav", ".stem.wav"), duration_s=10.0)
        replaced = source.stems[task.stem]
        assert np.array_equal(_pcm(true) - _pcm(source.mixture), _pcm(stem) - _pcm(replaced))
        assert np.array_equal(_pcm(true), _pcm(source.background(task.stem)) + _pcm(stem))
        assert true.peak < 1.0
        assert stem.loudness_lufs == pytest.approx(replaced.loudness_lufs, abs=0.1)
        assert np.corrcoef(stem.mono, replaced.mono)[0, 1] < 0.8


def test_the_same_options_give_the_same_bytes_in_another_process(tmp_path: Path) -> None:
    here = Synth(Synth.Options(**SMALL, folder=tmp_path / "here")).build()
    code = f"""
from pathlib import Path
from tasks.synth.suite import Synth
print(Synth(Synth.Options(**{SMALL!r}, folder=Path({str(tmp_path / "there")!r}))).build().digest)
"""
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == here.digest
    assert _hashes(tmp_path / "here") == _hashes(tmp_path / "there")


def test_another_seed_is_another_suite(tmp_path: Path) -> None:
    one, other = (Synth(Synth.Options(**SMALL, seed=seed, folder=tmp_path / str(seed))).build() for seed in (0, 1))
    assert one.digest != other.digest
    assert one.sources["synth/slow-ferry"].excerpt.sha256 != other.sources["synth/slow-ferry"].excerpt.sha256


def test_a_longer_suite_begins_with_a_shorter(tmp_path: Path) -> None:
    short, long = (
        Synth(Synth.Options(songs=songs, edits=edits, duration_s=2.0, folder=tmp_path / str(songs))).build()
        for songs, edits in ((1, 1), (5, 4))
    )
    assert list(long.sources)[:1] == list(short.sources)
    assert long.sources["synth/slow-ferry"] == short.sources["synth/slow-ferry"]
    assert long.tasks[0] == short.tasks[0]
    assert "synth/slow-ferry-2" in long.sources
    assert {task.stem for task in long.tasks} == set(STEMS)
    assert np.array_equal(_pcm(_mixture(long, 4)), sum(_pcm(clip) for clip in _stems(long, 4)))


def _mixture(suite: Suite, number: int) -> Clip:
    return suite.open(list(suite.sources)[number]).mixture


def _stems(suite: Suite, number: int) -> list[Clip]:
    return list(suite.open(list(suite.sources)[number]).stems.values())


def test_audio_goes_to_the_cache_and_is_rendered_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENV, str(tmp_path))
    builder = Synth(Synth.Options(**SMALL))
    first = builder.build()
    assert tmp_path in first.roots["synth"].parents
    monkeypatch.setattr("tasks.synth.suite.mix", lambda *_: pytest.fail("rendered again"))
    again = builder.build()
    assert again.digest == first.digest
    assert again.open("synth/slow-ferry").mixture.duration_s == 2.0


def test_a_rendered_folder_is_used_again_but_no_other_folder_is_touched(tmp_path: Path) -> None:
    built = Synth(Synth.Options(**SMALL, folder=tmp_path / "out")).build()
    before = _hashes(tmp_path / "out")
    assert Synth(Synth.Options(**SMALL, folder=tmp_path / "out")).build().digest == built.digest
    with pytest.raises(DataError) as raised:
        Synth(Synth.Options(**SMALL, seed=1, folder=tmp_path / "out")).build()
    assert raised.value.code == "synth/folder-taken"
    assert _hashes(tmp_path / "out") == before


def test_audio_that_was_changed_is_noticed(tmp_path: Path) -> None:
    suite = Synth(Synth.Options(**SMALL, folder=tmp_path)).build()
    path = tmp_path / (suite.sources["synth/slow-ferry"].mixture or "")
    Clip.read(path).scaled(0.5).write_wav(path)
    with pytest.raises(DataError, match="not the audio"):
        suite.open("synth/slow-ferry")


def test_the_suite_survives_its_file_and_another_folder(tmp_path: Path) -> None:
    suite = Synth(Synth.Options(**SMALL, folder=tmp_path / "audio")).build()
    file = tmp_path / "tasks.jsonl"
    file.write_text("\n".join(suite.lines()), encoding="utf-8")
    (tmp_path / "audio").rename(tmp_path / "moved")
    read = Suite.read(file).with_roots({"synth": tmp_path / "moved"})
    assert read.digest == suite.digest
    assert read.tasks == suite.tasks
    assert read.true_edit(read.tasks[0]) is not None
    assert set(read.open("synth/slow-ferry").stems) == set(STEMS)


def test_both_layouts_hold_the_same_samples(synth_suite: Suite, synth_folder: Path) -> None:
    ref = synth_suite.sources["synth/seven-umbrellas"]
    assert ref.mixture == "musdb18hq/test/Timbrebench - Seven Umbrellas/mixture.wav"
    song = medleydb.read_song(synth_folder / "medleydb", "Timbrebench_SevenUmbrellas")
    assert set(song.stems) == set(STEMS)
    for stem in STEMS:
        (path,) = song.stems[stem]
        theirs, ours = Clip.read(synth_folder / "medleydb" / path), Clip.read(synth_folder / ref.stems[stem][0])
        assert theirs.sha256 == ours.sha256
    mixture = Clip.read(synth_folder / "medleydb" / song.mixture)
    assert mixture.sha256 == Clip.read(synth_folder / ref.mixture).sha256


def test_metadata_have_the_keys_of_real_ones(synth_suite: Suite, synth_folder: Path, shared_data: Path) -> None:
    real = shared_data / "medleydb/Audio/MusicDelta_Reggae/MusicDelta_Reggae_METADATA.yaml"
    ours = synth_folder / "medleydb/Audio/Timbrebench_SlowFerry/Timbrebench_SlowFerry_METADATA.yaml"
    expected, found = (yaml.safe_load(path.read_text(encoding="utf-8")) for path in (real, ours))
    assert set(expected) <= set(found)
    assert set(expected["stems"]["S01"]) == set(found["stems"]["S01"])
    assert set(expected["stems"]["S01"]["raw"]["R01"]) == set(found["stems"]["S01"]["raw"]["R01"])


@pytest.mark.parametrize("wrong", [{"songs": 0}, {"edits": 0}, {"edits": 17}, {"duration_s": 0.5}, {"tempo": 90}])
def test_options_out_of_bounds_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        Synth.Options(**wrong)
