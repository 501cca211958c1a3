"""From a piece to a score: choose a reading of it, write out its parts, and play them like people do.

Everything random comes from the generator that is handed in. A reading decides the notes on paper; `perform` adds
the small deviations in time and loudness. The true edit of a task is made from the performed score, so that source and
target instrument play the same performance.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from bench.task import STEMS, StemName
from tasks.synth.instruments import INSTRUMENTS, Instrument
from tasks.synth.notation import (
    Chord,
    Strike,
    Tone,
    key_name,
    read_chords,
    read_grid,
    read_melody,
    voice_leading,
)
from tasks.synth.pieces import DRUMS, Comping, Piece
from tasks.synth.scores import Note, Part, Score, separate

T = TypeVar("T")

TIMING_S: Mapping[StemName, float] = {"vocals": 0.012, "other": 0.008, "bass": 0.006, "drums": 0.005}
"""Standard deviation of onsets, largest for the singer and smallest for the drummer."""

VELOCITY_SPREAD = 5.0
"""Standard deviation of velocities."""

CHORD_RANGE = (52, 76)
BASS_LOW = 31
"""G1: roots lie in the octave above it. Bass guitars go three frets lower, but pitch trackers no longer follow."""

DRUM_RING_S = 2.0
_DRUM_FORCE = {"X": 0.9, "x": 0.7, "o": 0.4}
_RING_VOICE = 0.55


@dataclass(frozen=True)
class Reading:
    """What is settled before the notes are written: one way to play a piece."""

    piece: Piece
    tempo: float
    shift: int
    first_bar: int
    chords: tuple[tuple[Chord, ...], ...]
    comping: Comping
    bass: str
    groove: Mapping[str, str]
    players: Mapping[StemName, Instrument]


@dataclass(frozen=True)
class Bar:
    """One bar of a reading: its onset in beats, number in the piece's form, and chords with onset and length."""

    beat: float
    number: int
    index: int
    chords: tuple[tuple[float, float, Chord], ...]


def as_written(piece: Piece) -> Reading:
    """The piece as its composer meant it: first choices throughout."""
    return Reading(
        piece=piece,
        tempo=piece.tempo,
        shift=0,
        first_bar=0,
        chords=tuple(tuple(options[0] for options in bar) for bar in read_chords(piece.chords)),
        comping=piece.comping[0],
        bass=piece.bass[0],
        groove=piece.grooves[0],
        players={stem: INSTRUMENTS[piece.players[stem][0]] for stem in STEMS},
    )


def varied(piece: Piece, rng: np.random.Generator) -> Reading:
    """Another key, tempo (within 12 %), first phrase, harmony, accompaniment, groove and line-up."""
    bars = read_melody(piece.melody, piece.beats)
    pitches = [tone.pitch for bar in bars for tone in bar]
    players = {stem: INSTRUMENTS[_pick(rng, piece.players[stem])] for stem in STEMS}
    singer = players["vocals"]
    shifts = [shift for shift in range(-5, 6) if singer.covers(min(pitches) + shift, max(pitches) + shift)]
    shift = _pick(rng, shifts)
    chords = tuple(tuple(_pick(rng, options).transposed(shift) for options in bar) for bar in read_chords(piece.chords))
    return Reading(
        piece=piece,
        tempo=round(piece.tempo * rng.uniform(0.88, 1.12), 1),
        shift=shift,
        first_bar=piece.phrase_bars * int(rng.integers(len(bars) // piece.phrase_bars)),
        chords=chords,
        comping=_pick(rng, piece.comping),
        bass=_pick(rng, piece.bass),
        groove=_pick(rng, piece.grooves),
        players=players,
    )


def write_out(reading: Reading, seconds: float) -> dict[StemName, list[Tone]]:
    """The written notes of all parts, the form going round until the time is filled. Onsets in beats."""
    bars = _bars(reading, seconds)
    return {
        "vocals": list(_melody(reading, bars)),
        "drums": list(_drums(reading, bars)),
        "bass": list(_bass(reading, bars)),
        "other": list(_accompaniment(reading, bars)),
    }


def perform(reading: Reading, seconds: float, rng: np.random.Generator) -> Score:
    """The score of a reading, as played: its notes, slightly early, late, loud or soft.

    Args:
        reading: what to play.
        seconds: no note begins later.
        rng: the players.
    """
    parts: dict[StemName, Part] = {}
    written = write_out(reading, seconds)
    for stem in STEMS:
        tones = sorted(written[stem], key=lambda tone: (tone.beat, tone.pitch))
        notes = [note for tone in tones if (note := _play(tone, stem, reading.tempo, rng)).onset_s < seconds]
        single = stem != "drums" and _one_at_a_time(tones)
        parts[stem] = Part(stem, reading.players[stem], separate(notes, monophonic=single))
    return Score(reading.tempo, key_name(reading.piece.key, reading.shift), parts)


# -- the parts ------------------------------------------------------------------------------------------------------


def _bars(reading: Reading, seconds: float) -> list[Bar]:
    beats, form = reading.piece.beats, len(reading.chords)
    count = math.ceil(seconds * reading.tempo / 60 / beats)
    bars = []
    for number in range(count):
        index = (reading.first_bar + number) % form
        chords = reading.chords[index]
        length = beats / len(chords)
        spans = tuple((i * length, length, chord) for i, chord in enumerate(chords))
        bars.append(Bar(number * beats, number, index, spans))
    return bars


def _melody(reading: Reading, bars: Sequence[Bar]) -> Iterator[Tone]:
    """The tune: a little louder where it climbs and on the first beat."""
    written = read_melody(reading.piece.melody, reading.piece.beats)
    pitches = [tone.pitch for bar in written for tone in bar]
    low, high = min(pitches), max(pitches)
    for bar in bars:
        for tone in written[bar.index]:
            force = 0.66 + 0.14 * (tone.pitch - low) / (high - low) + (0.05 if tone.beat == 0 else 0.0)
            yield Tone(bar.beat + tone.beat, tone.beats, tone.pitch + reading.shift, force)


def _accompaniment(reading: Reading, bars: Sequence[Bar]) -> Iterator[Tone]:
    """Chords with voice leading, struck or broken as the grid says."""
    voicings = iter(voice_leading([chord for bar in bars for _, _, chord in bar.chords], *CHORD_RANGE))
    for bar, grid in _with_grid(reading.comping.grid, bars):
        voiced = [(start, length, next(voicings)) for start, length, _ in bar.chords]
        for strike in read_grid(grid, reading.piece.beats):
            start, length, voices = next(span for span in reversed(voiced) if span[0] <= strike.beat)
            left = start + length - strike.beat
            beats = left if reading.comping.ring else min(strike.beats, left)
            struck = voices if strike.sign == "x" else (voices[int(strike.sign)],)
            force = 0.58 if len(struck) > 1 else _RING_VOICE + (0.08 if strike.beat == start else 0.0)
            yield from (Tone(bar.beat + strike.beat, beats, pitch, force) for pitch in struck)


def _bass(reading: Reading, bars: Sequence[Bar]) -> Iterator[Tone]:
    """The bass: chord degrees, and half steps that lead into the next bar's root."""
    for (bar, grid), following in zip(_with_grid(reading.bass, bars), [*bars[1:], bars[0]], strict=True):
        for strike in read_grid(grid, reading.piece.beats):
            start, _, chord = next(span for span in reversed(bar.chords) if span[0] <= strike.beat)
            sign = _bass_sign(strike, start)
            root = _bass_root(chord)
            pitch = root + chord.degree(sign)
            if sign == "a":
                goal = _bass_root(following.chords[0][2])
                pitch = goal - 1 if goal > max(root, BASS_LOW) else goal + 1
            yield Tone(bar.beat + strike.beat, strike.beats * 0.95, pitch, 0.75 if strike.beat == start else 0.68)


def _drums(reading: Reading, bars: Sequence[Bar]) -> Iterator[Tone]:
    """The groove, a fill at the end of each phrase, and a crash cymbal after it."""
    piece = reading.piece
    for bar in bars:
        ends_phrase = bar.number % piece.phrase_bars == piece.phrase_bars - 1
        if bar.number and bar.number % piece.phrase_bars == 0:
            yield Tone(bar.beat, piece.beats, DRUMS["crash"], 0.6)
        for drum, rows in (piece.fill if ends_phrase else reading.groove).items():
            grids = rows.split("|")
            for strike in read_grid(grids[bar.number % len(grids)], piece.beats):
                yield Tone(bar.beat + strike.beat, piece.beats, DRUMS[drum], _DRUM_FORCE[strike.sign])


def _with_grid(grids: str, bars: Sequence[Bar]) -> Iterator[tuple[Bar, str]]:
    return zip(bars, itertools.cycle(grids.split("|")), strict=False)


def _bass_sign(strike: Strike, chord_starts: float) -> str:
    """A chord that enters within the bar is met on its root, whatever the pattern has there."""
    return "R" if strike.beat == chord_starts else strike.sign


def _bass_root(chord: Chord) -> int:
    return BASS_LOW + (chord.root - BASS_LOW) % 12


# -- the players ----------------------------------------------------------------------------------------------------


def _play(tone: Tone, stem: StemName, tempo: float, rng: np.random.Generator) -> Note:
    """One note as played. Deviations are cut at two and a half sigma: nobody stumbles."""
    beat_s = 60 / tempo
    late, louder = np.clip(rng.standard_normal(2), -2.5, 2.5)
    duration = DRUM_RING_S if stem == "drums" else tone.beats * beat_s
    return Note(
        onset_s=max(0.0, tone.beat * beat_s + late * TIMING_S[stem]),
        duration_s=duration,
        pitch=tone.pitch,
        velocity=int(np.clip(round(127 * tone.force + louder * VELOCITY_SPREAD), 1, 127)),
    )


def _one_at_a_time(tones: Sequence[Tone]) -> bool:
    return all(a.beat + a.beats <= b.beat + 1e-9 for a, b in itertools.pairwise(tones))


def _pick(rng: np.random.Generator, options: Sequence[T]) -> T:
    return options[int(rng.integers(len(options)))]
