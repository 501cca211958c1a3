from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.audio import Clip
from bench.errors import AudioError, DataError
from tasks.nsynth import Note, from_name
from tasks.pairs.joining import FADE_S, LENGTHS_S, PITCHES, join, plans
from tasks.pairs.recordings import with_article
from tasks.pairs.rules import one_note_at_a_time, silence_s

RATE = 16_000


def _tone(seconds: float, level: float = 0.5, rate: int = RATE) -> np.ndarray:
    return level * np.sin(2 * np.pi * 440 * np.arange(round(seconds * rate)) / rate)


# -- silence --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("level", "silent"), [(0.0, 4.0), (10 ** (-41 / 20), 4.0), (10 ** (-39 / 20), 0.0), (1.0, 0.0)]
)
def test_silence_is_forty_db_below_the_loudest(level: float, silent: float) -> None:
    quiet = _tone(4.0, 0.5 * level)
    assert silence_s(Clip.of(np.concatenate([_tone(6.0), quiet]), RATE)) == pytest.approx(silent)


def test_silence_does_not_depend_on_the_level_of_the_clip() -> None:
    samples = np.concatenate([_tone(2.0), np.zeros(3 * RATE)])
    assert silence_s(Clip.of(samples, RATE)) == silence_s(Clip.of(samples * 1e-4, RATE)) == pytest.approx(3.0)
    assert silence_s(Clip.silence(10.0, RATE)) == pytest.approx(10.0)


# -- one note at a time ---------------------------------------------------------------------------------------------


def test_notes_that_touch_are_one_at_a_time_and_notes_that_overlap_are_not() -> None:
    assert one_note_at_a_time([(1.0, 2.0), (0.0, 1.0), (2.5, 3.0)])
    assert not one_note_at_a_time([(0.0, 1.001), (1.0, 2.0)])
    assert not one_note_at_a_time([(0.0, 5.0), (1.0, 2.0), (3.0, 4.0)])
    assert not one_note_at_a_time([(0.0, 1.0), (0.0, 1.0)])
    assert one_note_at_a_time([])


@given(st.lists(st.tuples(st.floats(0, 10), st.floats(0.01, 3)), max_size=8))
def test_one_note_at_a_time_is_no_overlap_of_any_two(notes: list[tuple[float, float]]) -> None:
    spans = [(onset, onset + length) for onset, length in notes]
    apart = all(a[1] <= b[0] or b[1] <= a[0] for i, a in enumerate(spans) for b in spans[:i])
    assert one_note_at_a_time(spans) == apart


# -- words ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("alto saxophone", "an alto saxophone"),
        ("euphonium", "a euphonium"),
        ("synth brass", "synth brass"),
        ("vocals", "vocals"),
        ("electric bass", "an electric bass"),
        ("panpipes", "panpipes"),
    ],
)
def test_names_take_the_article_that_english_gives_them(name: str, said: str) -> None:
    assert with_article(name) == said


# -- joined notes ---------------------------------------------------------------------------------------------------


def _notes(*pitches: int) -> list[Note]:
    return [from_name(f"flute_acoustic_000-{pitch:03d}-100") for pitch in pitches]


def test_every_note_is_dealt_once_and_only_those_in_the_middle() -> None:
    notes = _notes(*range(128))
    dealt = [[note.pitch for note, _ in plan] for plan in plans(notes, 10.0, seed=1)]
    every = [pitch for pitches in dealt for pitch in pitches]
    assert len(every) == len(set(every))
    assert PITCHES[0] <= min(every) <= max(every) <= PITCHES[1]
    assert len(dealt) >= 4
    assert list(plans(_notes(20, 100), 10.0, seed=1)) == []
    assert list(plans(_notes(60, 61), 10.0, seed=1)) == []


@given(seconds=st.sampled_from([2.0, 5.0, 10.0, 10.3]), seed=st.integers(0, 1000))
def test_lengths_add_up_and_the_seed_decides(seconds: float, seed: int) -> None:
    notes = _notes(*range(30, 80))
    found = list(plans(notes, seconds, seed=seed))
    for plan in found:
        lengths = [length for _, length in plan]
        assert sum(lengths) == pytest.approx(seconds)
        assert all(length in LENGTHS_S for length in lengths[:-1])
        assert 0 < lengths[-1] <= max(LENGTHS_S)
    assert found == list(plans(list(reversed(notes)), seconds, seed=seed))


def test_a_note_begins_where_the_one_before_is_cut(tmp_path: Path) -> None:
    low, high = _notes(60, 72)
    Clip.of(np.full(4 * RATE, 0.25), RATE).write_wav(tmp_path / low.path)
    Clip.of(np.full(4 * RATE, 0.5), RATE).write_wav(tmp_path / high.path)
    clip = join(tmp_path, ((low, 1.5), (high, 0.5)))
    assert (clip.length, clip.rate, clip.channels) == (2 * RATE, RATE, 1)
    samples, fade = clip.samples[:, 0], round(FADE_S * RATE)
    boundary = round(1.5 * RATE)
    assert np.all(samples[:boundary] == 0.25)
    assert samples[boundary] == 0.75  # the attack, over what is left of the note before
    assert np.all(np.diff(samples[boundary : boundary + fade]) <= 0)
    assert np.all(samples[boundary + fade : -fade] == 0.5)
    assert samples[-1] == 0.0


def test_a_clip_too_loud_is_turned_down_as_a_whole_and_samples_have_sixteen_bits(tmp_path: Path) -> None:
    low, high = _notes(60, 72)
    Clip.of(np.full(4 * RATE, 0.5), RATE).write_wav(tmp_path / low.path)
    Clip.of(np.full(4 * RATE, 0.9), RATE).write_wav(tmp_path / high.path)
    samples = join(tmp_path, ((low, 1.0), (high, 1.0))).samples[:, 0]
    assert np.abs(samples).max() == pytest.approx(0.99, abs=2**-15)
    assert samples[100] == pytest.approx(0.5 * 0.99 / 1.4, abs=2**-15)
    assert np.array_equal(samples * 2**15, np.rint(samples * 2**15))


def test_stereo_notes_are_mixed_down_and_short_ones_end_in_silence(tmp_path: Path) -> None:
    low, high = _notes(60, 72)
    Clip.of(np.column_stack([np.full(RATE // 2, 0.5), np.zeros(RATE // 2)]), RATE).write_wav(tmp_path / low.path)
    Clip.of(np.full(4 * RATE, 0.5), RATE).write_wav(tmp_path / high.path)
    clip = join(tmp_path, ((low, 1.0), (high, 1.0)))
    assert clip.channels == 1
    assert clip.samples[100, 0] == 0.25
    assert np.all(clip.samples[RATE // 2 : RATE] == 0.0)


def test_notes_of_two_rates_are_refused(tmp_path: Path) -> None:
    low, high = _notes(60, 72)
    Clip.of(_tone(2.0), RATE).write_wav(tmp_path / low.path)
    Clip.of(_tone(2.0, rate=22_050), 22_050).write_wav(tmp_path / high.path)
    with pytest.raises(DataError, match="different rates") as raised:
        join(tmp_path, ((low, 1.0), (high, 1.0)))
    assert raised.value.code == "data/rates-differ"
    (tmp_path / high.path).write_bytes(b"RIFF")
    with pytest.raises(AudioError):
        join(tmp_path, ((low, 1.0), (high, 1.0)))
