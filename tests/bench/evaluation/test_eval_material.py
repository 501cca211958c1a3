"""What is drawn from songs, and what clips are called."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bench.backbones.nano.train.takes import read_takes
from bench.evaluation.material import mixtures, monophonic, own_mix, solo, solos, sounds_of_stems
from bench.evaluation.sounds import TWELVE, phrase_for, prompt


def test_the_twelve_are_sounds_of_the_sampler_with_its_phrases() -> None:
    from tasks.synth.sounds import SOUNDS

    assert len(TWELVE) == 12
    assert {name: SOUNDS[name].phrases for name in TWELVE} == dict(TWELVE)
    assert all("lead" in SOUNDS[name].roles for name in TWELVE)
    assert len({SOUNDS[name].instrument for name in TWELVE}) == 12


def test_prompts_are_those_of_the_synth_suite() -> None:
    from tasks.generator import Wording

    phrases = {"vocals": "a clear voice", "bass": "a deep bass", "other": "a harp", "drums": "a drum kit"}
    assert prompt(*phrases.values()) == Wording(phrases).source_prompt
    assert prompt("a harp") == Wording({"other": "a harp"}).source_prompt


def test_a_phrase_depends_on_seed_and_clip_alone() -> None:
    phrases = tuple("abcdefgh")
    drawn = [phrase_for(phrases, f"clip {n}") for n in range(40)]
    assert drawn == [phrase_for(phrases, f"clip {n}") for n in range(40)]
    assert len(set(drawn)) > 4
    assert drawn != [phrase_for(phrases, f"clip {n}", seed=1) for n in range(40)]


def test_a_solo_is_the_loudest_window_at_a_peak_of_a_half(songs) -> None:
    found = solo(songs[0], songs[0].takes[0], 2.0)
    assert found.start_s == 0.5  # the first half second is silent
    assert np.abs(found.waveform).max() == pytest.approx(0.5)
    assert len(found.waveform) == 32_000
    assert found.onsets == (0.5,)  # 0.25 s lies before the window, 1.0 s at 0.5 s in it


def test_a_window_longer_than_the_take_is_the_take(songs) -> None:
    found = solo(songs[0], songs[0].takes[0], 10.0)
    assert (found.start_s, len(found.waveform)) == (0.0, songs[0].length)


def test_solos_are_of_the_sounds_that_are_asked_for(songs) -> None:
    assert [each.take.sound for each in solos(songs, TWELVE, 1.0)] == ["violin", "oboe"] * 3


def test_monophonic_takes_are_pitched_and_drawn_by_seed(songs) -> None:
    drawn = monophonic(songs, 9, seconds=1.0)
    assert {each.take.sound for each in drawn} == {"violin", "bass-guitar", "oboe"}
    few = [[each.take.row for each in monophonic(songs, 1, seed=seed, seconds=1.0)] for seed in (0, 0, 1, 2, 3)]
    assert few[0] == few[1] and len({tuple(rows) for rows in few}) > 1


def test_a_mixture_has_the_take_in_question_in_the_place_of_the_songs_own(songs) -> None:
    found = {each.edited.sound: each for each in mixtures(songs[:1], TWELVE)}
    assert [take.sound for take in found["oboe"].takes] == ["oboe", "bass-guitar", "koto", "drum-kit"]
    own = own_mix(songs[0])
    np.testing.assert_array_equal(found["violin"].waveform, own)
    assert np.abs(own).max() == pytest.approx(0.5)
    assert not np.allclose(found["oboe"].waveform, own)


def test_sounds_of_a_stem_are_those_of_all_songs(songs, write: Callable[..., None], tmp_path: Path) -> None:
    known = dict(sounds_of_stems(read_takes(tmp_path)))
    assert set(known["vocals"]) == {"violin", "oboe"} and set(known["drums"]) == {"drum-kit"}
