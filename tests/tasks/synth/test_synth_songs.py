from __future__ import annotations

import pytest

from bench.errors import DataError
from tasks.synth.instruments import EDIT_ROLE
from tasks.synth.songs import MAX_EDITS, compose


def test_many_songs_have_many_plausible_edits() -> None:
    slugs = set()
    for index in range(40):
        song = compose(5, index, edits=MAX_EDITS, seconds=12.0)
        slugs.add(song.slug)
        heard = {part.instrument.name for part in song.score.parts.values()}
        assert len(heard) == 4
        assert len({song.edit_name(edit) for edit in song.edits}) == MAX_EDITS
        for edit in song.edits:
            part = song.score.parts[edit.stem]
            assert EDIT_ROLE[edit.stem] in edit.target.roles
            assert edit.target.covers(part.low, part.high)
            assert edit.target.polyphonic or part.monophonic
            assert edit.target.name not in heard
    assert len(slugs) == 40


def test_prompts_differ_in_the_edited_phrase_alone() -> None:
    song = compose(0, 5, edits=8, seconds=12.0)
    assert song.source_prompt == "A recording of {vocals}, {bass}, {other} and {drums}.".format(**song.phrases)
    for edit in song.edits:
        prompt, (start, end) = song.target_prompt(edit)
        assert prompt[start:end] == edit.phrase
        assert prompt[:start] + song.phrases[edit.stem] + prompt[end:] == song.source_prompt
        assert song.target_phrases(edit)[edit.stem] == edit.phrase


def test_a_song_does_not_depend_on_how_many_edits_are_asked() -> None:
    few, many = compose(0, 6, edits=2, seconds=12.0), compose(0, 6, edits=9, seconds=12.0)
    assert few.score == many.score
    assert few.phrases == many.phrases
    assert few.edits == many.edits[:2]


def test_seeds_make_other_performances() -> None:
    one, other = compose(0, 0, edits=3, seconds=12.0), compose(1, 0, edits=3, seconds=12.0)
    assert one.slug == other.slug == "slow-ferry"
    assert one.score != other.score


def test_the_edits_go_round_the_stems_and_the_targets_spread() -> None:
    songs = [compose(0, index, edits=4, seconds=12.0) for index in range(16)]
    assert {tuple(edit.stem for edit in song.edits) for song in songs} == {("vocals", "other", "bass", "drums")}
    assert len({song.edits[0].target.name for song in songs}) >= 8


def test_too_many_edits_are_refused_with_the_number_there_is() -> None:
    with pytest.raises(DataError) as raised:
        compose(0, 0, edits=500, seconds=12.0)
    assert raised.value.code == "synth/too-many-edits"
    assert "Ask for at most" in raised.value.remedy
