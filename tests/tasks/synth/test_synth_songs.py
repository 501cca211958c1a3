from __future__ import annotations

from collections import Counter

from tasks.synth.genres import GENRES
from tasks.synth.songs import compose, genre_of
from tasks.synth.sounds import SOUNDS


def test_every_genre_is_heard_before_one_comes_again() -> None:
    for seed in range(4):
        genres = [genre_of(seed, number).name for number in range(2 * len(GENRES))]
        assert len(set(genres[: len(GENRES)])) == len(GENRES)
        assert set(Counter(genres).values()) == {2}
    assert genre_of(0, 0) != genre_of(1, 0) or genre_of(0, 1) != genre_of(1, 1)


def test_songs_have_fifteen_plausible_edits_in_the_fields_shares() -> None:
    for number in range(30):
        song = compose(5, number, edits=15, seconds=12.0)
        assert len({song.edit_name(edit) for edit in song.edits}) == 15
        stems = Counter(edit.stem for edit in song.edits)
        assert stems["drums"] == 2
        assert stems["vocals"] >= 5
        heard = {part.sound.instrument for part in song.score.parts.values()}
        for edit in song.edits:
            part, sound = song.score.parts[edit.stem], song.sound_of(edit)
            assert sound.instrument not in heard  # another sound of the same instrument would be no edit
            assert edit.stem == "drums" or sound.covers(part.low, part.high)
            assert sound.polyphonic or part.monophonic


def test_the_first_edits_go_round_the_stems_and_the_targets_spread() -> None:
    songs = [compose(0, number, edits=4, seconds=12.0) for number in range(20)]
    for song in songs:
        assert {edit.stem for edit in song.edits} == {"vocals", "other", "bass", "drums"}
    assert len({song.edits[0].target.name for song in songs}) >= 8


def test_prompts_differ_in_the_edited_phrase_alone() -> None:
    song = compose(0, 5, edits=8, seconds=12.0)
    source = song.wording.source_prompt
    for edit in song.edits:
        prompt, (start, end) = song.wording.target_prompt(edit)
        assert prompt[start:end] == edit.phrase
        assert prompt[:start] + song.wording.phrases[edit.stem] + prompt[end:] == source
        assert song.wording.target_phrases(edit)[edit.stem] == edit.phrase


def test_a_song_depends_on_its_seed_and_number_and_not_on_how_many_edits_are_asked() -> None:
    few, many = compose(0, 6, edits=2, seconds=12.0), compose(0, 6, edits=9, seconds=12.0)
    assert (few.score, few.wording, few.balance, few.name) == (many.score, many.wording, many.balance, many.name)
    assert few.edits == many.edits[:2]


def test_no_two_songs_are_alike_in_name_or_tune() -> None:
    songs = [compose(seed, number, edits=1, seconds=6.0) for seed in range(5) for number in range(20)]
    assert len({song.name for song in songs}) == 100
    assert songs[27].name.startswith("s1-0007-")
    tunes = {tuple(note.pitch for note in song.score.parts["vocals"].notes) for song in songs}
    assert len(tunes) == 100


def test_line_ups_and_places_in_the_mix_vary() -> None:
    songs = [compose(2, number, edits=1, seconds=4.0) for number in range(45)]
    assert len({song.score.parts["other"].sound.name for song in songs}) >= 20
    assert len({song.score.key for song in songs}) >= 20
    sides = [song.balance.pan["other"] for song in songs]
    assert {side > 0 for side in sides} == {True, False}
    assert all(0.15 <= abs(side) <= 0.5 for side in sides)
    assert all(song.balance.pan["drums"] == 0 for song in songs)
    assert max(abs(level) for song in songs for level in song.balance.level_db.values()) <= 1.5
    assert {part.sound.name for song in songs for part in song.score.parts.values()} <= set(SOUNDS)
