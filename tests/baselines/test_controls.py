"""Controls do exactly what they say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from baselines.controls import Codec, CopySource, RandomClip, Silence, TrueEdit
from bench.audio import Clip
from bench.errors import DataError
from bench.method import Context, Decoding, Method
from bench.suite import Suite
from bench.task import EditTask, Excerpt, Source, SourceRef

Make = Callable[..., EditTask]


def test_copy_and_silence(nano_context: Context, two_stems: Source, make_task: Make) -> None:
    for control, expected in ((CopySource, two_stems.mixture), (Silence, two_stems.mixture.scaled(0))):
        made: Method = control(Method.Config(), nano_context)
        clips = made.edit(made.prepare(two_stems), [make_task(), make_task()], [0, 0])
        assert isinstance(clips, list)
        assert [clip.sha256 for clip in clips] == [expected.sha256] * 2


def test_codec_is_the_round_trip(nano_context: Context, two_stems: Source, make_task: Make) -> None:
    made = Codec(Method.Config(), nano_context)
    edits = made.edit(made.prepare(two_stems), [make_task(), make_task()], [0, 0])
    assert isinstance(edits, Decoding)
    one, two = edits.finish()
    assert (one.rate, one.length) == (16_000, two_stems.mixture.length)
    assert one.sha256 == two.sha256
    assert abs(one.rms_db - two_stems.mixture.rms_db) < 6


@pytest.fixture
def songs(tmp_path: Path, nano_context: Context) -> Context:
    """Three songs of different lengths and rates around one two_stems."""
    refs = {}
    for index, name in enumerate(("tones", "b", "c")):
        clip = Clip.of(np.full(round((1.0 + index) * 8000 * (index + 1)), 0.1 * (index + 1)), 8000 * (index + 1))
        clip.write_wav(tmp_path / f"{name}.wav")
        read = Clip.read(tmp_path / f"{name}.wav")
        refs[name] = SourceRef(
            id=name, song=name, root="r", mixture=f"{name}.wav", stems={}, licence="none",
            excerpt=Excerpt(start_s=0, duration_s=1.0 + index, sha256=Source(name, name, read, {}).sha256),
        )  # fmt: skip
    return Context("cpu", Suite("three", 1, {}, refs, (), {"r": tmp_path}), nano_context.load_backbone)


def test_random_clip_is_another_song_of_the_same_length(songs: Context, two_stems: Source, make_task: Make) -> None:
    made = RandomClip(Method.Config(), songs)
    seeds = list(range(20))
    clips = made.edit(made.prepare(two_stems), [make_task()] * 20, seeds)
    assert {round(clip.peak, 1) for clip in clips} == {0.2, 0.3}  # both others, never itself
    assert all(clip.duration_s == pytest.approx(two_stems.mixture.duration_s) for clip in clips)
    again = made.edit(made.prepare(two_stems), [make_task()] * 20, seeds)
    assert [clip.sha256 for clip in clips] == [clip.sha256 for clip in again]


def test_random_clip_needs_another_song(songs: Context, two_stems: Source, make_task: Make) -> None:
    only = {"tones": songs.suite.sources["tones"]}
    lonely = Context("cpu", Suite("one", 1, {}, only, (), songs.suite.roots))
    made = RandomClip(Method.Config(), lonely)
    with pytest.raises(DataError, match="no other song"):
        made.edit(made.prepare(two_stems), [make_task()], [0])


def test_the_true_edit_is_the_suites_own(tmp_path: Path) -> None:
    from tasks.synth.suite import Synth

    suite = Synth(Synth.Options(songs=1, edits=1, duration_s=2, folder=tmp_path / "audio", workers=1)).build()
    method = TrueEdit(TrueEdit.Config(), Context("cpu", suite))
    (task,) = suite.tasks
    source = suite.open(task.source)
    (edited,) = method.edit(method.prepare(source), [task], [0])
    assert edited.sha256 == task.true_edit.sha256
    assert edited.sha256 != source.mixture.sha256
    with pytest.raises(DataError) as caught:
        method.edit(method.prepare(source), [task.model_copy(update={"true_edit": None})], [0])
    assert caught.value.code == "data/no-true-edit"
