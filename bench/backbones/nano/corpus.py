"""Random pieces of General MIDI music, the material on which the parts of nano are trained.

A piece is a random walk in a random scale for melody, chords and bass, over a random drum pattern, played by
random programs of the SoundFont inside `pretty_midi` (TimGM6mb). Nothing is downloaded, and a seed gives the same
pieces on every machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

SAMPLE_RATE = 16_000
SCALES = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 2, 3, 5, 7, 9, 10), (0, 3, 5, 7, 10))
DRUM_CHANNEL = 9
KICK, SNARE, CLOSED_HAT, OPEN_HAT, CRASH = 36, 38, 42, 46, 49
PITCHED_PROGRAMS = 104  # 0-103; the rest of General MIDI is percussion and sound effects
BASS_PROGRAMS = range(32, 40)

Waveform = npt.NDArray[np.float32]


@dataclass(frozen=True, order=True)
class Note:
    """One note: onset and duration in seconds, channel, MIDI key, velocity."""

    onset: float
    duration: float
    channel: int
    key: int
    velocity: int


@dataclass(frozen=True)
class Piece:
    """Notes, and the General MIDI program that plays each channel."""

    notes: tuple[Note, ...]
    programs: dict[int, int]


def random_piece(rng: np.random.Generator, seconds: float) -> Piece:
    """A piece of one to four parts: melody, bass, chords and drums, each drawn or left out."""
    beat = 60 / rng.uniform(70, 160)
    scale = SCALES[rng.integers(len(SCALES))]
    tonic = int(rng.integers(12))
    drawn = rng.random(4) < (0.85, 0.45, 0.5, 0.4)
    melody, bass, chords, drums = (True, False, False, False) if not drawn.any() else drawn
    notes: list[Note] = []
    programs: dict[int, int] = {}
    if melody:
        notes += _walk(rng, seconds, beat, scale, channel=0, low=tonic + 55, degrees=14)
        programs[0] = int(rng.integers(PITCHED_PROGRAMS))
    if bass:
        notes += _walk(rng, seconds, beat, scale, channel=1, low=tonic + 28, degrees=8)
        programs[1] = int(rng.choice(BASS_PROGRAMS))
    if chords:
        notes += _chords(rng, seconds, beat, scale, channel=2, low=tonic + 48)
        programs[2] = int(rng.integers(PITCHED_PROGRAMS))
    if drums:
        notes += _drums(rng, seconds, beat)
        programs[DRUM_CHANNEL] = 0
    return Piece(tuple(sorted(notes)), programs)


def render(piece: Piece, seconds: float, rate: int = SAMPLE_RATE) -> Waveform:
    """The piece as mono audio, shape (round(seconds * rate),), at the SoundFont's own level."""
    import pretty_midi
    import tinysoundfont

    synth = tinysoundfont.Synth(samplerate=rate)
    font = synth.sfload(str(Path(pretty_midi.__file__).with_name("TimGM6mb.sf2")))
    for channel, program in piece.programs.items():
        drums = channel == DRUM_CHANNEL
        synth.program_select(channel, font, 128 if drums else 0, program, drums)
    edges = [(note.onset, True, note) for note in piece.notes]
    edges += [(note.onset + note.duration, False, note) for note in piece.notes]
    audio = np.zeros((round(seconds * rate), 2), np.float32)
    position = 0
    for time, starts, note in sorted(edges):
        upto = min(round(time * rate), len(audio))
        if upto > position:
            audio[position:upto] = _generate(synth, upto - position)
            position = upto
        if starts:
            synth.noteon(note.channel, note.key, note.velocity)
        else:
            synth.noteoff(note.channel, note.key)
    if position < len(audio):
        audio[position:] = _generate(synth, len(audio) - position)
    return np.asarray(audio.mean(axis=1), np.float32)


def clips(seed: int, count: int, seconds: float) -> Iterator[Waveform]:
    """`count` rendered pieces with peaks from 0.5, the level at which AudioLDM 2 reads a mix, down to 0.03."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        audio = render(random_piece(rng, seconds), seconds)
        peak = 0.5 * 10 ** (-rng.choice((0.0, rng.uniform(0, 24))) / 20)
        yield audio * np.float32(peak / max(float(np.abs(audio).max()), 1e-4))


def _generate(synth: object, samples: int) -> Waveform:
    buffer = synth.generate(samples)  # type: ignore[attr-defined]
    return np.frombuffer(bytes(buffer), np.float32).reshape(-1, 2)


def _velocity(rng: np.random.Generator) -> int:
    return int(rng.integers(50, 127))


def _walk(
    rng: np.random.Generator,
    seconds: float,
    beat: float,
    scale: tuple[int, ...],
    *,
    channel: int,
    low: int,
    degrees: int,
) -> list[Note]:
    """One voice that steps up and down a scale, with rests."""
    notes, time, degree = [], 0.0, int(rng.integers(degrees))
    while time < seconds:
        length = beat * float(rng.choice((0.5, 1.0, 1.0, 2.0)))
        degree = int(np.clip(degree + rng.integers(-3, 4), 0, degrees))
        key = low + 12 * (degree // len(scale)) + scale[degree % len(scale)]
        if rng.random() > 0.12:
            notes.append(Note(time, length * float(rng.uniform(0.5, 1.0)), channel, key, _velocity(rng)))
        time += length
    return notes


def _chords(
    rng: np.random.Generator, seconds: float, beat: float, scale: tuple[int, ...], *, channel: int, low: int
) -> list[Note]:
    """Triads on random degrees, two or four beats each, struck once or on every beat."""
    notes, time = [], 0.0
    while time < seconds:
        length = beat * int(rng.choice((2, 4)))
        root, struck = int(rng.integers(len(scale))), beat if rng.random() < 0.4 else length
        velocity = _velocity(rng)
        for onset in np.arange(time, time + length - 1e-6, struck):
            for degree in (root, root + 2, root + 4):
                key = low + 12 * (degree // len(scale)) + scale[degree % len(scale)]
                notes.append(Note(float(onset), 0.9 * struck, channel, key, velocity))
        time += length
    return notes


def _drums(rng: np.random.Generator, seconds: float, beat: float) -> list[Note]:
    """Kick on one, snare on two, hats between, some of them left out."""
    notes, keep = [], float(rng.uniform(0.5, 1.0))
    for index, time in enumerate(np.arange(0.0, seconds, beat / 2)):
        hits = [(CLOSED_HAT, OPEN_HAT)[int(rng.random() < 0.15)]]
        if index % 4 == 0:
            hits.append(KICK)
        if index % 4 == 2:
            hits.append(SNARE)
        if index % 32 == 0:
            hits.append(CRASH)
        notes += [Note(float(time), 0.1, DRUM_CHANNEL, key, _velocity(rng)) for key in hits if rng.random() < keep]
    return notes
