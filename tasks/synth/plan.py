"""The plan of a song: all that is settled before a note is written.

Key and tempo, who plays, how the singer's range lies, and the form: phrases with their chords, each belonging to a
section whose tune comes back when the section does. Long songs begin with an introduction, and have an instrumental
phrase after each round of the form; short ones begin anywhere in it, as an excerpt would.
"""

from __future__ import annotations

import itertools
import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np

from bench.task import StemName
from tasks.synth.genres.genre import Bass, Comping, Counter, Genre, Groove
from tasks.synth.harmony import Progression, progressions
from tasks.synth.sounds import SOUNDS, Sound
from tasks.synth.theory import Chord, Key

T = TypeVar("T")

LONG_BARS = 48
"""From this many bars on a song has an introduction and instrumental phrases."""

AMBITUS = (14, 17)
"""Semitones from the lowest note of a tune to its highest: a ninth to an eleventh."""

VOICE_RANGE = (55, 77)
"""What singers are asked for: G3 to F5."""

_LOUDER_SECTION = 0.06
_LOUDER_ROUND = 0.03
_SOFTER_INTRODUCTION = -0.05


@dataclass(frozen=True)
class Span:
    """A chord while it sounds: onset and length in beats of the song."""

    beat: float
    beats: float
    chord: Chord

    @property
    def end(self) -> float:
        """Where it ends, in beats of the song."""
        return self.beat + self.beats


@dataclass(frozen=True)
class Phrase:
    """A phrase of the form.

    Attributes:
        label: of its section: phrases of one label share their tune.
        place: which phrase of the section it is: 0, 1, …
        beat: its onset.
        progression: its chords.
        beats_per_bar: of all its bars.
        sung: whether the lead sings.
        ends_section: whether it is the section's last.
        energy: how much louder than others it is played, as a force.
    """

    label: str
    place: int
    beat: float
    progression: Progression
    beats_per_bar: int
    sung: bool
    ends_section: bool
    energy: float

    @property
    def bars(self) -> Iterator[tuple[float, tuple[Span, ...]]]:
        """For each bar its onset and its chords."""
        for number, chords in enumerate(self.progression.bars):
            onset = self.beat + number * self.beats_per_bar
            length = self.beats_per_bar / len(chords)
            yield onset, tuple(Span(onset + i * length, length, chord) for i, chord in enumerate(chords))

    @property
    def end(self) -> float:
        """Where it ends, in beats."""
        return self.beat + len(self.progression.bars) * self.beats_per_bar


@dataclass(frozen=True)
class Plan:
    """A song before its notes.

    Attributes:
        genre, key, tempo: as they are; tempo in beats a minute.
        swing: where the second half of a swing unit begins, 0.5 if straight.
        voice: lowest and highest pitch of the tune.
        players: who plays each stem.
        accompaniment, bass: how those go.
        labels: the section labels, in the order in which they take the genre's alternatives.
        grooves: what the drummer may play, the first for the first label.
        phrases: the form.
    """

    genre: Genre
    key: Key
    tempo: float
    swing: float
    voice: tuple[int, int]
    players: Mapping[StemName, Sound]
    accompaniment: Comping | Counter
    bass: Bass
    labels: tuple[str, ...]
    grooves: tuple[Groove, ...]
    phrases: tuple[Phrase, ...]

    @cached_property
    def spans(self) -> tuple[Span, ...]:
        """All chords in order."""
        return tuple(span for phrase in self.phrases for _, spans in phrase.bars for span in spans)

    @cached_property
    def _onsets(self) -> tuple[float, ...]:
        return tuple(span.beat for span in self.spans)

    def span_at(self, beat: float) -> Span:
        """The chord that sounds at a beat; after the end, the last."""
        return self.spans[max(0, bisect_right(self._onsets, beat + 1e-9) - 1)]

    def spans_until(self, beat: float, end: float) -> tuple[Span, ...]:
        """The chords that enter from a beat on, but before an end."""
        return self.spans[bisect_left(self._onsets, beat - 1e-9) : bisect_left(self._onsets, end - 1e-9)]

    def pick_for(self, label: str, options: Sequence[T]) -> T:
        """The alternative that belongs to a section."""
        return options[self.labels.index(label) % len(options)]


def draw(genre: Genre, seconds: float, rng: np.random.Generator) -> Plan:
    """Draw a plan.

    Args:
        genre: what kind of song.
        seconds: how long the music goes on.
        rng: makes the choices.
    """
    key = Key(int(rng.integers(12)), pick(rng, tuple(genre.harmony)))
    tempo = round(float(rng.uniform(*genre.tempo)), 1)
    swing = round(float(rng.uniform(*genre.swing)), 3)
    voice = _voice(key, rng)
    accompaniment, bass = pick(rng, genre.accompaniments), pick(rng, genre.bass)
    names: dict[StemName, str] = {
        "vocals": pick(rng, genre.singing.singers),
        "drums": pick(rng, genre.kits),
        "bass": pick(rng, bass.players),
        "other": pick(rng, accompaniment.players),
    }
    form = pick(rng, genre.forms)
    labels = tuple(sorted(set(form)))
    chords = {label: progressions(genre.sections[label], genre.harmony[key.mode], key, rng) for label in labels}
    grooves = _turned(genre.grooves, int(rng.integers(len(genre.grooves))))
    start = int(rng.integers(len(form)))
    bars = math.ceil(seconds * tempo / 60 / genre.beats)
    phrases = _form(_turned(form, 0 if bars >= LONG_BARS else start), chords, bars, genre.beats)
    players = {stem: SOUNDS[name] for stem, name in names.items()}
    return Plan(genre, key, tempo, swing, voice, players, accompaniment, bass, labels, grooves, tuple(phrases))


def pick(rng: np.random.Generator, options: Sequence[T]) -> T:
    """One of the options."""
    return options[int(rng.integers(len(options)))]


def _voice(key: Key, rng: np.random.Generator) -> tuple[int, int]:
    """A range for the tune: from about the tonic to above its octave, or from about the dominant to the next."""
    width = int(rng.integers(AMBITUS[0], AMBITUS[1] + 1))
    lows = range(VOICE_RANGE[0], VOICE_RANGE[1] - width + 1)
    anchored = [low for low in lows if (key.tonic - low) % 12 in (0, 1, 2, 5)]
    low = pick(rng, anchored or list(lows))
    return low, low + width


def _turned(options: Sequence[T], by: int) -> tuple[T, ...]:
    return (*options[by:], *options[:by])


def _form(
    form: Sequence[str], chords: Mapping[str, Sequence[Progression]], bars: int, beats_per_bar: int
) -> Iterator[Phrase]:
    """Phrases, until the bars are full."""
    beat = 0.0
    for label, place, sung, energy in _order(form, chords, long=bars >= LONG_BARS):
        phrase = Phrase(
            label=label,
            place=place,
            beat=beat,
            progression=chords[label][place],
            beats_per_bar=beats_per_bar,
            sung=sung,
            ends_section=place == len(chords[label]) - 1,
            energy=energy,
        )
        yield phrase
        beat = phrase.end
        if beat >= bars * beats_per_bar:
            return


def _order(
    form: Sequence[str], chords: Mapping[str, Sequence[Progression]], *, long: bool
) -> Iterator[tuple[str, int, bool, float]]:
    """For ever: label and place of the next phrase, whether it is sung, and its energy."""
    first = form[0]
    if long:
        yield first, 0, False, _SOFTER_INTRODUCTION
    for number in itertools.count():
        for label in form:
            energy = _LOUDER_SECTION * (label != min(form)) + _LOUDER_ROUND * min(number, 2)
            for place in range(len(chords[label])):
                yield label, place, True, energy
        if long:
            yield first, len(chords[first]) - 1, False, _LOUDER_ROUND * min(number, 2)
