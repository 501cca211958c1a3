from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.synth.notation import Strike, read_grid
from tasks.synth.theory import MODES, Chord, Key, chord_in, scale_over, voice_leading

C, A_MINOR = Key(0, "major"), Key(9, "minor")


@pytest.mark.parametrize(
    ("numeral", "pitch_classes"),
    [
        ("I", (0, 4, 7)),
        ("ii7", (2, 5, 9, 0)),
        ("bVII", (10, 2, 5)),
        ("V7/ii", (9, 1, 4, 7)),
        ("V/V", (2, 6, 9)),
        ("iv6", (5, 8, 0, 2)),
        ("viio", (11, 2, 5)),
        ("Imaj7", (0, 4, 7, 11)),
        ("V7sus4", (7, 0, 2, 5)),
        ("iiø7", (2, 5, 8, 0)),
    ],
)
def test_numerals_are_chords_of_their_key(numeral: str, pitch_classes: tuple[int, ...]) -> None:
    assert chord_in(C, numeral).pitch_classes == pitch_classes
    moved = chord_in(Key(3, "major"), numeral).pitch_classes
    assert moved == tuple((tone + 3) % 12 for tone in pitch_classes)


def test_numerals_mean_the_same_whatever_the_mode() -> None:
    assert chord_in(A_MINOR, "bVI") == chord_in(Key(9, "dorian"), "bVI")
    assert chord_in(A_MINOR, "V7").pitch_classes == (4, 8, 11, 2)


@pytest.mark.parametrize("text", ["", "H", "IIX", "I9", "VIII", "7"])
def test_what_is_no_chord_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no chord"):
        chord_in(C, text)


@pytest.mark.parametrize("mode", MODES)
@given(numeral=st.sampled_from(["I", "i", "ii7", "bIII", "IV7", "iv", "V7", "v7", "bVI", "vi", "bVII", "V7/ii", "II7"]))
def test_a_scale_over_a_chord_holds_the_chord_and_little_else_new(mode: str, numeral: str) -> None:
    key = Key(4, mode)
    chord = chord_in(key, numeral)
    scale = scale_over(key, chord)
    assert set(chord.pitch_classes) <= set(scale)
    assert len(set(scale)) >= 6
    assert len(set(scale) - set(key.scale)) <= len(set(chord.pitch_classes) - set(key.scale))


def test_the_leading_note_replaces_the_seventh_and_not_its_neighbour() -> None:
    assert scale_over(A_MINOR, chord_in(A_MINOR, "V7")) == (9, 11, 0, 2, 4, 5, 8)


def test_chords_know_their_intervals() -> None:
    assert [chord_in(C, "ii").interval(sign) for sign in "R3578"] == [0, 3, 7, 12, 12]
    assert chord_in(C, "V7").interval("7") == 10


def test_a_grid_holds_rests_and_strikes() -> None:
    assert read_grid("-x-.3--x", 4) == [Strike(0.5, 1.0, "x"), Strike(2.0, 1.5, "3"), Strike(3.5, 0.5, "x")]


_chords = st.builds(
    chord_in,
    st.builds(Key, st.integers(0, 11), st.sampled_from(sorted(MODES))),
    st.sampled_from(["I", "i", "V7", "ii7", "iiø7", "IVmaj7", "bVI", "V7sus4", "viio"]),
)


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
    first, second = voice_leading([chord_in(C, "I"), chord_in(C, "vi7")], 52, 76)
    assert len(set(first) & set(second)) >= 2
