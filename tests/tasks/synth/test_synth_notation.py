from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.errors import DataError
from tasks.synth.notation import (
    Chord,
    Strike,
    read_chord,
    read_chords,
    read_grid,
    read_melody,
    read_pitch,
    voice_leading,
)


@pytest.mark.parametrize(("text", "pitch"), [("C4", 60), ("A4", 69), ("Bb3", 58), ("F#5", 78), ("C-1", 0)])
def test_pitches_are_midi_numbers(text: str, pitch: int) -> None:
    assert read_pitch(text) == pitch


@pytest.mark.parametrize("text", ["H4", "C", "c4", "C##4", ""])
def test_what_is_no_pitch_is_refused(text: str) -> None:
    with pytest.raises(DataError) as raised:
        read_pitch(text)
    assert raised.value.code == "synth/notation"


def test_chords_know_their_tones() -> None:
    assert read_chord("Bbmaj7").pitch_classes == (10, 2, 5, 9)
    assert read_chord("A7").transposed(3) == read_chord("C7")
    assert [read_chord("Dm").degree(sign) for sign in "R3578"] == [0, 3, 7, 12, 12]
    assert read_chord("Dm7").degree("7") == 10


def test_a_bar_may_hold_several_chords_and_a_chord_several_substitutes() -> None:
    bars = read_chords("Dm7~F G7 | C")
    assert bars == [[(read_chord("Dm7"), read_chord("F")), (read_chord("G7"),)], [(read_chord("C"),)]]


@pytest.mark.parametrize("melody", ["C4:1 D4:1", "C4:1 D4:1 E4:1 F4:1 | G4:5", "C4:1.x r:3", "C4 r:3"])
def test_a_bar_that_is_not_full_or_not_readable_is_refused(melody: str) -> None:
    with pytest.raises(DataError, match="cannot read"):
        read_melody(melody, 4)


def test_a_grid_holds_rests_and_strikes() -> None:
    assert read_grid("-x-.3--x", 4) == [Strike(0.5, 1.0, "x"), Strike(2.0, 1.5, "3"), Strike(3.5, 0.5, "x")]


_chords = st.builds(Chord, st.integers(0, 11), st.sampled_from([(0, 4, 7), (0, 3, 7), (0, 4, 7, 10), (0, 3, 6, 10)]))


@given(st.lists(_chords, min_size=1, max_size=12))
@settings(max_examples=60, deadline=None)
def test_voice_leading_keeps_the_chords_in_range_and_the_voices_calm(chords: list[Chord]) -> None:
    voiced = voice_leading(chords, 52, 76)
    for chord, voices in zip(chords, voiced, strict=True):
        assert {pitch % 12 for pitch in voices} == set(chord.pitch_classes)
        assert list(voices) == sorted(set(voices))
        assert voices[0] >= 52
        assert voices[-1] <= 76
    for before, after in itertools.pairwise(voiced):
        # An inversion is never further than half the distance between a chord's neighbouring inversions.
        assert sum(abs(a - b) for a, b in zip(before, after, strict=True)) <= 4 * 6


def test_voice_leading_of_a_cadence_keeps_common_tones() -> None:
    first, second = voice_leading([read_chord("C"), read_chord("Am7")], 52, 76)
    assert len(set(first) & set(second)) >= 2
