from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bench.audio import Clip
from bench.errors import BenchError
from tasks.synth import mixing
from tasks.synth.mixing import LOUDNESS_LUFS, PEAK, mix, true_edit
from tasks.synth.scores import Note
from tasks.synth.songs import compose


def test_a_loud_mixture_is_turned_down_as_a_whole_and_its_edits_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    song = compose(0, 1, edits=1, seconds=4.0)
    plain = mix(song, 4.0, 3.0)
    monkeypatch.setattr(mixing, "PEAK", 0.1)
    quiet = mix(song, 4.0, 3.0)
    assert 0.09 < quiet.mixture.peak < 0.101 < plain.mixture.peak
    down = quiet.mixture.rms_db - plain.mixture.rms_db
    for stem, clip in quiet.stems.items():
        assert clip.rms_db == pytest.approx(plain.stems[stem].rms_db + down, abs=0.02)
    edited = true_edit(song, quiet, song.edits[0], 4.0, 3.0)
    replaced = quiet.stems[song.edits[0].stem].window(0.0, 3.0)
    assert edited.stem.window(0.0, 3.0).loudness_lufs == pytest.approx(replaced.loudness_lufs, abs=0.1)


def test_stems_are_as_loud_as_the_balance_says_and_where_it_says() -> None:
    for number in range(4):
        song = compose(0, number, edits=1, seconds=6.0)
        made = mix(song, 6.0, 5.0)
        for stem, clip in made.stems.items():
            heard = clip.window(0.0, 5.0).loudness_lufs
            assert heard == pytest.approx(made.loudness_lufs[stem], abs=0.1)
            assert heard == pytest.approx(LOUDNESS_LUFS[stem] + song.balance.level_db[stem], abs=0.1)
        left, right = np.sqrt(np.mean(np.square(made.stems["other"].samples, dtype=np.float64), axis=0))
        assert (right > left) == (song.balance.pan["other"] > 0)
        assert max(left, right) > 1.1 * min(left, right)


@pytest.mark.parametrize("seeds", [range(12), pytest.param(range(12, 100), marks=pytest.mark.slow)])
def test_nothing_clips_and_nothing_is_silent(seeds: range) -> None:
    """A song of each seed, as short as can be asked."""
    for seed in seeds:
        song = compose(seed, seed % 7, edits=1 + seed % 4, seconds=2.5)
        made = mix(song, 2.5, 2.0)  # raises if it clips, or a stem does not sound
        assert made.mixture.peak <= PEAK + 0.001
        assert true_edit(song, made, song.edits[-1], 2.5, 2.0).mixture.peak < 0.9


def test_a_stem_of_few_sharp_strokes_is_held_back_and_its_edit_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    song = compose(0, 1, edits=4, seconds=4.0)
    plain = mix(song, 4.0, 3.0)
    monkeypatch.setattr(mixing, "STEM_PEAK", 0.02)
    held = mix(song, 4.0, 3.0)
    assert max(clip.peak for clip in held.stems.values()) < 0.0201
    for edit in song.edits:
        stem = true_edit(song, held, edit, 4.0, 3.0).stem
        assert held.loudness_lufs[edit.stem] < plain.loudness_lufs[edit.stem] - 3
        assert stem.window(0.0, 3.0).loudness_lufs == pytest.approx(held.loudness_lufs[edit.stem], abs=0.1)


def test_samples_are_those_of_a_16_bit_file() -> None:
    made = mix(compose(0, 2, edits=1, seconds=3.0), 3.0, 2.5)
    for clip in (made.mixture, *made.stems.values()):
        scaled = clip.samples.astype(np.float64) * 32768
        assert np.array_equal(scaled, np.rint(scaled))
        assert not np.signbit(clip.samples[clip.samples == 0]).any()  # no file holds -0.0


def test_a_mix_that_would_clip_stops_the_build() -> None:
    loud = Clip.of(np.full((100, 2), 0.6), 44_100)
    with pytest.raises(BenchError) as raised:
        mixing._summed([loud, loud], "song")
    assert raised.value.code == "synth/clipped"


def test_a_part_that_does_not_sound_stops_the_build() -> None:
    song = compose(0, 0, edits=1, seconds=4.0)
    late = replace(song.score.parts["other"], notes=(Note(3.5, 0.4, 60, 90),))
    with pytest.raises(BenchError) as raised:
        mix(replace(song, score=replace(song.score, parts={**song.score.parts, "other": late})), 4.0, 3.0)
    assert raised.value.code == "synth/silent"
