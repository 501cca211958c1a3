from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bench.audio import Clip
from bench.errors import BenchError
from tasks.synth import mixing
from tasks.synth.mixing import mix, true_edit
from tasks.synth.scores import Note
from tasks.synth.songs import compose


def test_a_loud_mixture_is_turned_down_as_a_whole_and_its_edits_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    song = compose(0, 1, edits=1, seconds=4.0)
    plain = mix(song, 4.0, 3.0)
    assert plain.headroom_db == 0.0
    monkeypatch.setattr(mixing, "PEAK", 0.2)
    quiet = mix(song, 4.0, 3.0)
    assert quiet.headroom_db < 0
    assert 0.19 < quiet.mixture.peak < 0.201
    for stem, clip in quiet.stems.items():
        assert clip.rms_db == pytest.approx(plain.stems[stem].rms_db + quiet.headroom_db, abs=0.01)
    edited = true_edit(song, quiet, song.edits[0], 4.0, 3.0)
    replaced = quiet.stems[song.edits[0].stem].window(0.0, 3.0)
    assert edited.stem.window(0.0, 3.0).loudness_lufs == pytest.approx(replaced.loudness_lufs, abs=0.1)


def test_only_the_accompaniment_is_off_centre() -> None:
    stems = mix(compose(0, 0, edits=1, seconds=4.0), 4.0, 3.0).stems
    for stem, clip in stems.items():
        left, right = np.sqrt(np.mean(np.square(clip.samples, dtype=np.float64), axis=0))
        assert (right > 1.2 * left) == (stem == "other")


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
