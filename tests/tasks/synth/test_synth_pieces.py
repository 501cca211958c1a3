"""The music obeys the rules of its craft, in every variation that the notation offers."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from bench.task import STEMS
from tasks.synth.arrange import BASS_LOW, Reading, as_written, perform, varied, write_out
from tasks.synth.instruments import INSTRUMENTS, plausible_targets
from tasks.synth.notation import key_name, read_chords, read_melody
from tasks.synth.pieces import DRUMS, PIECES, Piece

pieces = pytest.mark.parametrize("piece", PIECES, ids=lambda piece: piece.slug)


def _readings(piece: Piece) -> list[Reading]:
    return [as_written(piece), *(varied(piece, np.random.default_rng(seed)) for seed in range(12))]


@pieces
def test_melody_harmony_and_form_fit_together(piece: Piece) -> None:
    melody, chords = read_melody(piece.melody, piece.beats), read_chords(piece.chords)
    assert len(melody) == len(chords)
    assert len(melody) % piece.phrase_bars == 0


@pieces
def test_every_substitute_chord_carries_its_melody(piece: Piece) -> None:
    for tones, bar in zip(read_melody(piece.melody, piece.beats), read_chords(piece.chords), strict=True):
        for choice in itertools.product(*bar):
            span = piece.beats / len(choice)
            consonant = sum(
                tone.beats for tone in tones if tone.pitch % 12 in choice[int(tone.beat // span)].pitch_classes
            )
            assert consonant >= 0.5 * sum(tone.beats for tone in tones), (tones, choice)


@pieces
def test_melodies_have_rests_and_lie_within_an_octave_and_a_half(piece: Piece) -> None:
    bars = read_melody(piece.melody, piece.beats)
    pitches = [tone.pitch for bar in bars for tone in bar]
    sung = sum(tone.beats for bar in bars for tone in bar)
    assert max(pitches) - min(pitches) <= 18
    assert 0.6 < sung / (piece.beats * len(bars)) < 0.98


@pieces
def test_grids_divide_the_bar_and_name_known_drums(piece: Piece) -> None:
    rows = [row for groove in (*piece.grooves, piece.fill) for row in groove.values()]
    for grid in (*(comping.grid for comping in piece.comping), *piece.bass, *rows):
        assert {len(bar) / piece.beats for bar in grid.split("|")} <= {2.0, 4.0}
    assert set().union(*piece.grooves, piece.fill) <= set(DRUMS)


@pieces
def test_every_stem_plays_within_its_range_and_to_the_end(piece: Piece) -> None:
    for reading in _readings(piece):
        score = perform(reading, 12.0, np.random.default_rng(1))
        for stem in STEMS:
            part = score.parts[stem]
            assert part.instrument.covers(part.low, part.high), (stem, part.instrument.name)
            onsets = [note.onset_s for note in part.notes]
            assert onsets == sorted(onsets)
            assert 0 <= onsets[0] < 2.0
            assert 9.0 < onsets[-1] < 12.0
            assert all(note.duration_s > 0 and 1 <= note.velocity <= 127 for note in part.notes)
        assert score.parts["vocals"].monophonic
        assert score.parts["bass"].monophonic
        assert not score.parts["drums"].monophonic


@pieces
def test_the_bass_meets_each_chord_on_its_root(piece: Piece) -> None:
    reading = as_written(piece)
    bass = {tone.beat: tone.pitch for tone in write_out(reading, 12.0)["bass"]}
    for number, chords in enumerate(reading.chords[:4]):
        for place, chord in enumerate(chords):
            pitch = bass[number * piece.beats + place * piece.beats / len(chords)]
            assert pitch % 12 == chord.root
            assert BASS_LOW <= pitch < BASS_LOW + 12


def test_variations_differ_from_each_other_and_keep_the_tune() -> None:
    piece = PIECES[0]
    readings = [varied(piece, np.random.default_rng(seed)) for seed in range(12)]
    assert len({(r.tempo, r.shift) for r in readings}) > 8
    plain = [tone.pitch for tone in write_out(as_written(piece), 25.0)["vocals"]]
    moved = next(reading for reading in readings if reading.shift != 0 and reading.first_bar == 0)
    shifted = [tone.pitch - moved.shift for tone in write_out(moved, 25.0)["vocals"]]
    shared = min(len(plain), len(shifted))
    assert shifted[:shared] == plain[:shared]


def test_performances_deviate_a_little_and_repeatably() -> None:
    reading = as_written(PIECES[1])
    once, again, other = (perform(reading, 10.0, np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert once == again
    gaps = [a.onset_s - b.onset_s for a, b in zip(once.parts["bass"].notes, other.parts["bass"].notes, strict=True)]
    assert 0.002 < np.std(gaps) < 0.02


def test_first_targets_are_plausible() -> None:
    for piece in PIECES:
        score = perform(as_written(piece), 12.0, np.random.default_rng(0))
        heard = [part.instrument.name for part in score.parts.values()]
        for stem, name in piece.first_targets.items():
            part = score.parts[stem]
            found = plausible_targets(stem, part.low, part.high, polyphonic=not part.monophonic, exclude=heard)
            assert INSTRUMENTS[name] in found, (piece.title, name)


def test_keys_are_named_after_transposition() -> None:
    assert key_name("D major", -3) == "B major"
