"""The music obeys the rules of its craft: measured over many songs of every genre."""

from __future__ import annotations

import itertools
from collections import Counter as Count
from dataclasses import dataclass

import numpy as np
import pytest

from bench.task import STEMS, StemName
from tasks.synth.costs import slot_at
from tasks.synth.drums import KEYS
from tasks.synth.genres import GENRES
from tasks.synth.genres.genre import Comping, Counter
from tasks.synth.notation import Tone
from tasks.synth.perform import perform, swung, write_out
from tasks.synth.plan import LONG_BARS, Phrase, Plan, draw
from tasks.synth.theory import Key

SECONDS = 24.0
SEEDS = range(14)

# Krumhansl and Kessler (1982): how well each pitch class fits a key, tonic first.
PROFILES = {
    "major": (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
    "minor": (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
}


@dataclass(frozen=True)
class Written:
    """A song on paper."""

    plan: Plan
    parts: dict[StemName, list[Tone]]

    @property
    def tune(self) -> list[Tone]:
        return self.parts["vocals"]


@pytest.fixture(scope="module")
def songs() -> list[Written]:
    found = []
    for seed, (place, genre) in itertools.product(SEEDS, enumerate(GENRES)):
        rng = np.random.default_rng([seed, place])
        plan = draw(genre, SECONDS, rng)
        found.append(Written(plan, write_out(plan, rng)))
    return found


def _intervals(tune: list[Tone]) -> list[int]:
    return [b.pitch - a.pitch for a, b in itertools.pairwise(tune)]


def _sung(song: Written, phrase: Phrase) -> list[Tone]:
    return [tone for tone in song.tune if phrase.beat <= tone.beat < phrase.end]


# -- the tune -------------------------------------------------------------------------------------------------------


def test_strong_beats_carry_chord_tones(songs: list[Written]) -> None:
    shares = []
    for song in songs:
        slots = [(tone, slot_at(song.plan, tone.beat, tone.beats)) for tone in song.tune]
        fits = [tone.pitch % 12 in slot.span.chord.pitch_classes for tone, slot in slots if slot.strong]
        shares.append(np.mean(fits))
    assert np.mean(shares) > 0.93
    assert min(shares) > 0.7


def test_tunes_go_by_step_and_recover_their_leaps(songs: list[Written]) -> None:
    sizes = [abs(step) for song in songs for step in _intervals(song.tune)]
    assert np.mean([size in (1, 2) for size in sizes]) > 0.55
    assert np.mean([size == 0 for size in sizes]) < 0.25
    assert np.mean([size >= 5 for size in sizes]) < 0.12
    assert np.mean([size in (6, 10, 11) or size > 12 for size in sizes]) < 0.01
    turns = [pair for song in songs for pair in itertools.pairwise(_intervals(song.tune)) if abs(pair[0]) >= 5]
    assert np.mean([then * leap <= 0 or abs(then) <= 2 for leap, then in turns]) > 0.9


def test_tunes_are_singable_and_breathe(songs: list[Written]) -> None:
    for song in songs:
        low, high = song.plan.voice
        pitches = [tone.pitch for tone in song.tune]
        assert song.plan.players["vocals"].covers(low, high)
        assert low <= min(pitches) <= max(pitches) <= high
        assert high - low <= 17
        assert all(a.end <= b.beat + 1e-9 for a, b in itertools.pairwise(song.tune))
        rests = [b.beat - a.end for a, b in itertools.pairwise(song.tune)]
        sung_phrases = sum(phrase.sung for phrase in song.plan.phrases)
        assert sum(rest >= 0.5 for rest in rests) >= sung_phrases - 1
        assert 0.5 < sum(tone.beats for tone in song.tune) / song.plan.phrases[-1].end < 0.97
    assert np.mean([max(t.pitch for t in s.tune) - min(t.pitch for t in s.tune) for s in songs]) > 10


def test_answers_end_on_stable_degrees_and_all_phrases_on_their_chord(songs: list[Written]) -> None:
    for song in songs:
        for phrase in song.plan.phrases:
            if not phrase.sung:
                continue
            sung = [*_sung(song, phrase), Tone(phrase.end, 1, 0)]
            # After the last note comes a breath; after that, perhaps, a pickup to the next phrase.
            last = [a for a, b in itertools.pairwise(sung) if b.beat - a.end >= 0.5][-1]
            chord = slot_at(song.plan, last.beat, last.beats).span.chord
            assert last.pitch % 12 in chord.pitch_classes
            if phrase.progression.closed:
                scale = song.plan.key.scale
                third = {(song.plan.key.tonic + 3) % 12, (song.plan.key.tonic + 4) % 12}
                assert last.pitch % 12 in {scale[0], scale[4], *third}


def test_questions_and_answers_begin_alike(songs: list[Written]) -> None:
    for song in songs:
        places = [(phrase.label, phrase.place) for phrase in song.plan.phrases]
        fresh = [phrase for i, phrase in enumerate(song.plan.phrases) if places[i] not in places[:i]]
        for before, after in itertools.pairwise(fresh):
            heads = before.progression.blocks[0][0], after.progression.blocks[0][0]
            if before.label == after.label and before.place + 1 == after.place and heads[0] == heads[1]:
                head = before.beats_per_bar * len(before.progression.blocks[0][1]) - 1
                first = [t for t in _sung(song, before) if t.beat < before.beat + head]
                again = [t for t in _sung(song, after) if t.beat < after.beat + head]
                assert Count((t.beat - before.beat, t.beats) for t in first) == Count(
                    (t.beat - after.beat, t.beats) for t in again
                )
                same = [a.pitch == b.pitch for a, b in zip(first, again, strict=True)]
                assert np.mean(same) > 0.8  # a chord that differs may inflect a note


def test_a_motif_comes_back_more_often_than_chance(songs: list[Written]) -> None:
    """Bars one and three of a question share their rhythm; then they share their contour, too."""
    told, foreign = [], []
    contours = []
    for song in songs:
        first = song.plan.phrases[0]
        bars = [
            [t for t in _sung(song, first) if onset <= t.beat < onset + song.plan.genre.beats]
            for onset, _ in first.bars
        ]
        rhythm = [[(t.beat - onset, t.beats) for t in bar] for bar, (onset, _) in zip(bars, first.bars, strict=True)]
        contour = [tuple(np.sign(_intervals(bar))) for bar in bars]
        if len(bars[0]) >= 3 and [r[0] for r in rhythm[0]] == [r[0] for r in rhythm[2]]:
            told.append(np.mean(np.array(contour[0]) == np.array(contour[2])))
            contours.append(contour[0])
    for one, other in itertools.pairwise(contours):
        if len(one) == len(other):
            foreign.append(np.mean(np.array(one) == np.array(other)))
    assert len(told) > 40
    assert np.mean(told) > np.mean(foreign) + 0.2


def test_no_two_songs_have_the_same_tune(songs: list[Written]) -> None:
    openings = [tuple((step, a.beats) for step, a in zip(_intervals(s.tune), s.tune, strict=False))[:10] for s in songs]
    assert len(set(openings)) == len(songs) > 200


# -- all parts together ---------------------------------------------------------------------------------------------


def test_the_notes_are_in_the_key(songs: list[Written]) -> None:
    """The pitch classes, weighted by length, correlate with the key's profile better than with most others."""
    ranks, correlations = [], []
    for song in songs:
        weights = np.zeros(12)
        for stem in ("vocals", "bass", "other"):
            for tone in song.parts[stem]:
                weights[tone.pitch % 12] += tone.beats
        kind = "major" if song.plan.key.mode in ("major", "mixolydian") else "minor"
        every = {
            (tonic, mode): np.corrcoef(weights, np.roll(profile, tonic))[0, 1]
            for tonic in range(12)
            for mode, profile in PROFILES.items()
        }
        own = every[song.plan.key.tonic, kind]
        correlations.append(own)
        ranks.append(sum(value > own for value in every.values()))
    assert np.mean(correlations) > 0.7
    assert np.mean([rank < 3 for rank in ranks]) > 0.8


def test_the_tune_is_never_for_long_a_semitone_above_the_bass(songs: list[Written]) -> None:
    clash = total = 0.0
    for song in songs:
        for tone, low in itertools.product(song.tune, song.parts["bass"]):
            together = min(tone.end, low.end) - max(tone.beat, low.beat)
            if together > 1e-9:
                total += together
                clash += together * ((tone.pitch - low.pitch) % 12 == 1)
    assert clash / total < 0.02


def test_the_bass_meets_chords_on_their_roots_within_its_range(songs: list[Written]) -> None:
    on_root = []
    for song in songs:
        bass = {tone.beat: tone.pitch for tone in song.parts["bass"]}
        spans = song.plan.spans
        starts = [span for last, span in itertools.pairwise(spans) if span.chord != last.chord]
        on_root += [bass[span.beat] % 12 == span.chord.root for span in starts if span.beat in bass]
        assert min(bass.values()) >= song.plan.bass.low
        assert song.plan.players["bass"].covers(min(bass.values()), max(bass.values()))
        assert all(a.end <= b.beat + 1e-9 for a, b in itertools.pairwise(song.parts["bass"]))
    assert np.mean(on_root) > 0.98


def test_walking_basses_walk(songs: list[Written]) -> None:
    walking = [song for song in songs if not song.plan.bass.grids]
    assert len(walking) > 10
    sizes = [abs(step) for song in walking for step in _intervals(song.parts["bass"])]
    assert {tone.beats for song in walking for tone in song.parts["bass"]} == {0.95}
    assert np.mean([1 <= size <= 5 for size in sizes]) > 0.8
    assert np.mean([size == 0 for size in sizes]) < 0.05


def test_chords_sound_their_chord(songs: list[Written]) -> None:
    for song in songs:
        if isinstance(song.plan.accompaniment, Comping):
            for tone in song.parts["other"]:
                chord = song.plan.span_at(tone.beat).chord
                assert tone.pitch % 12 in chord.pitch_classes
                assert song.plan.accompaniment.low <= tone.pitch <= song.plan.accompaniment.high


def test_other_is_sometimes_a_second_melody_that_answers_the_first(songs: list[Written]) -> None:
    countered = [song for song in songs if isinstance(song.plan.accompaniment, Counter)]
    assert 0.1 < len(countered) / len(songs) < 0.4
    beside, together = [], []
    for song in countered:
        line = song.parts["other"]
        assert all(a.end <= b.beat + 1e-9 for a, b in itertools.pairwise(line))
        onsets = {tone.beat for tone in song.tune}
        together.append(np.mean([tone.beat in onsets for tone in line]))
        for tone, sung in itertools.product(line, song.tune):
            if min(tone.end, sung.end) - max(tone.beat, sung.beat) > 1e-9:
                beside.append(abs(tone.pitch - sung.pitch) == 1)
    assert np.mean(beside) < 0.01
    assert np.mean(together) < 0.6


def test_drums_keep_the_metre_and_fill_where_a_section_ends(songs: list[Written]) -> None:
    for song in songs:
        played = song.parts["drums"]
        assert {tone.pitch for tone in played} <= set(KEYS.values())
        bars = Count(int(tone.beat // song.plan.genre.beats) for tone in played)
        assert set(bars) == set(range(int(song.plan.phrases[-1].end // song.plan.genre.beats)))
        crashes = {tone.beat for tone in played if tone.pitch == KEYS["crash"]}
        starts = {phrase.beat for phrase in song.plan.phrases if phrase.place == 0 and phrase.beat > 0}
        assert starts <= crashes


# -- form -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [4.0, 12.0, 60.0, 302.0])
def test_songs_last_as_long_as_asked(seconds: float) -> None:
    for place, genre in enumerate(GENRES[:: 4 if seconds > 100 else 1]):
        rng = np.random.default_rng(place)
        plan = draw(genre, seconds, rng)
        assert plan.phrases[-1].end * 60 / plan.tempo >= seconds - 1e-9
        assert genre.tempo[0] <= plan.tempo <= genre.tempo[1]
        assert [a.end for a in plan.phrases[:-1]] == [b.beat for b in plan.phrases[1:]]
        score = perform(plan, seconds, rng)
        for stem in STEMS:
            last = score.parts[stem].notes[-1].onset_s
            assert seconds - 12 < last < seconds


def test_long_songs_have_an_introduction_and_come_back_to_their_tunes() -> None:
    plan = draw(GENRES[0], 300.0, np.random.default_rng(0))
    assert sum(len(phrase.progression.bars) for phrase in plan.phrases) >= LONG_BARS
    assert not plan.phrases[0].sung
    assert 0.7 < np.mean([phrase.sung for phrase in plan.phrases]) < 1
    assert len({phrase.label for phrase in plan.phrases}) == 2
    assert {phrase.energy for phrase in plan.phrases} > {0.0}


def test_keys_are_named() -> None:
    assert Key(11, "dorian").name == "B dorian"


# -- performance ----------------------------------------------------------------------------------------------------


def test_swing_makes_the_second_half_late_and_keeps_the_beat(songs: list[Written]) -> None:
    swing = next(song.plan for song in songs if song.plan.genre.name == "swing")
    assert [swung(swing, beat) for beat in (0.0, 1.0, 7.0)] == [0.0, 1.0, 7.0]
    assert swung(swing, 2.5) == pytest.approx(2 + swing.swing)
    assert 0.6 <= swing.swing <= 0.68
    straight = next(song.plan for song in songs if song.plan.genre.name == "rock")
    assert swung(straight, 2.75) == pytest.approx(2.75)


def test_performances_deviate_a_little_and_repeatably() -> None:
    plan = draw(GENRES[0], 12.0, np.random.default_rng(1))
    once, again, other = (perform(plan, 12.0, np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert once == again
    assert once != other
    beat = 60 / plan.tempo
    written = write_out(plan, np.random.default_rng(3))["bass"]
    late = [note.onset_s - tone.beat * beat for note, tone in zip(once.parts["bass"].notes, written, strict=False)]
    assert 0.002 < np.std(late) < 0.02
