"""The tables of the genres say nothing that the writer cannot play."""

from __future__ import annotations

import numpy as np
import pytest

from tasks.synth.drums import FILLS, KEYS, STROKES
from tasks.synth.genres import GENRES, Genre
from tasks.synth.genres.genre import Comping, Counter
from tasks.synth.harmony import expand
from tasks.synth.plan import VOICE_RANGE
from tasks.synth.sounds import SOUNDS
from tasks.synth.theory import Key, chord_in

genres = pytest.mark.parametrize("genre", GENRES, ids=lambda genre: genre.name)


def test_there_are_many_genres_and_they_differ() -> None:
    assert len({genre.name for genre in GENRES}) == len(GENRES) >= 12
    assert {genre.beats for genre in GENRES} == {3, 4, 6}
    assert {mode for genre in GENRES for mode in genre.harmony} == {"major", "minor", "dorian", "mixolydian"}
    assert any(isinstance(each, Counter) for genre in GENRES for each in genre.accompaniments)


@genres
def test_every_symbol_of_the_grammar_stands_for_readable_bars(genre: Genre) -> None:
    rng = np.random.default_rng(0)
    for mode, grammar in genre.harmony.items():
        for symbol in grammar:
            for bar in {bar for _ in range(60) for bar in expand(grammar, symbol, rng)}:
                for numeral in bar.split(","):
                    chord_in(Key(0, mode), numeral)
        for section in genre.sections.values():
            for phrase in section:
                lengths = {sum(len(expand(grammar, name, rng)) for name in phrase.split()) for _ in range(60)}
                assert lengths == {4}, (mode, phrase)
    assert {label for form in genre.forms for label in form} <= set(genre.sections)


@genres
def test_answers_come_to_rest_and_questions_do_not(genre: Genre) -> None:
    rng = np.random.default_rng(0)
    for mode, grammar in genre.harmony.items():
        for symbol, closes in (("full", True), ("half", False)):
            for _ in range(40 if symbol in grammar else 0):
                last = expand(grammar, symbol, rng)[-1].split(",")[-1]
                assert (chord_in(Key(0, mode), last).root == 0) == closes, (mode, symbol, last)


@genres
def test_rhythms_divide_their_bar_and_endings_leave_room_to_breathe(genre: Genre) -> None:
    singing = genre.singing
    assert len({len(grid) for grid in (*singing.rhythms, *singing.endings)}) == 1
    for ending in singing.endings:
        rest = len(ending) - len(ending.rstrip("."))
        assert rest / len(ending) * genre.beats >= 0.99
        assert ending.rstrip(".")
    compings = [each for each in genre.accompaniments if isinstance(each, Comping)]
    counters = [each for each in genre.accompaniments if isinstance(each, Counter)]
    grids = [grid for each in compings for grid in each.grids] + [grid for bass in genre.bass for grid in bass.grids]
    rows = [row for groove in (*genre.grooves, *(FILLS[name] for name in genre.fills)) for row in groove.values()]
    for grid in (*grids, *rows, *(rhythm for each in counters for rhythm in each.rhythms), *singing.rhythms):
        for bar in grid.split("/"):
            assert len(bar) / genre.beats in (1.0, 2.0, 4.0), grid


@genres
def test_grids_use_the_signs_that_are_read(genre: Genre) -> None:
    for each in genre.accompaniments:
        assert isinstance(each, Comping) or any(rhythm.startswith("x") for rhythm in each.rhythms)
        signs = set("".join(each.grids if isinstance(each, Comping) else each.rhythms))
        assert signs <= set("-./xX0123" if isinstance(each, Comping) else "-.x")
    for bass in genre.bass:
        assert set("".join(bass.grids)) <= set("-./R3578La")
    for groove in (*genre.grooves, *(FILLS[name] for name in genre.fills)):
        assert set(groove) <= set(KEYS)
        assert set("".join(groove.values())) <= {*STROKES, *"-./"}


@genres
def test_players_can_play_what_they_are_given(genre: Genre) -> None:
    for name in genre.singing.singers:
        assert "voice" in SOUNDS[name].roles
        assert SOUNDS[name].covers(*VOICE_RANGE)
    for each in genre.accompaniments:
        for name in each.players:
            assert SOUNDS[name].covers(each.low, each.high), name
            chords = isinstance(each, Comping) and (each.ring or set("".join(each.grids)) & set("xX"))
            assert SOUNDS[name].polyphonic or not chords, name
            assert SOUNDS[name].roles & {"lead", "chords"}
    for bass in genre.bass:
        assert bass.high - bass.low >= 11
        for name in bass.players:
            assert "bass" in SOUNDS[name].roles
            assert SOUNDS[name].covers(bass.low, bass.high + (12 if bass.grids else 0)), name
    assert all("drums" in SOUNDS[name].roles for name in genre.kits)
