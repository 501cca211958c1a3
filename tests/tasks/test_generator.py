"""Generated tasks: plausible to a musician, worded without ambiguity, the same whenever and wherever they are made."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.task import STEMS, EditTask, StemName
from tasks.generator import DEFAULT_EDITS, TEMPLATES, Edit, Line, can_play, choose_edits, edit_name, line_of, word
from tasks.instruments import Role, find, get, table

ALL = tuple(table().values())

BAND = {"vocals": ["female-singer"], "other": ["electric-guitar"], "bass": ["electric-bass"], "drums": ["drum-kit"]}


def lines_of(players: dict[str, list[str]]) -> list[Line]:
    return [line_of(stem, [get(name) for name in names]) for stem, names in players.items()]  # type: ignore[arg-type]


def edits_of(
    players: dict[str, list[str]], *, count: int = DEFAULT_EDITS, seed: int = 0, song: str = "a"
) -> list[Edit]:
    return list(choose_edits(lines_of(players), ALL, count=count, seed=seed, song=song))


def targets_of(players: dict[str, list[str]], stem: StemName) -> set[str]:
    """All that may ever be asked for."""
    return {edit.target.name for edit in edits_of(players, count=1000) if edit.stem == stem}


def stems_in(edits: Iterable[Edit]) -> list[StemName]:
    return [edit.stem for edit in edits]


@st.composite
def songs(draw: st.DrawFn) -> list[Line]:
    """Lines of one to four stems, each played by up to three of any instruments."""
    stems = draw(st.sets(st.sampled_from(STEMS), min_size=1))
    several = st.lists(st.sampled_from(ALL), min_size=1, max_size=3, unique_by=lambda each: each.name)
    return [line_of(stem, draw(several)) for stem in sorted(stems)]


seeds = st.integers(0, 2**53 - 1)
names = st.text(max_size=20)


# -- properties -------------------------------------------------------------------------------------------------------


@given(songs(), seeds, names, st.integers(0, 40))
@settings(max_examples=150, deadline=None)
def test_every_edit_can_be_played_and_is_a_change(lines: list[Line], seed: int, song: str, count: int) -> None:
    by_stem = {line.stem: line for line in lines}
    heard = {player.name for line in lines for player in line.players}
    edits = choose_edits(lines, ALL, count=count, seed=seed, song=song)
    assert len(edits) <= count
    assert len({edit_name(by_stem[edit.stem], edit) for edit in edits}) == len(edits)
    for edit in edits:
        line, target = by_stem[edit.stem], get(edit.target.name)
        assert line.role in target.roles
        assert line.role == "drums" or target.low <= line.low <= line.high <= target.high
        assert line.role == "drums" or target.polyphonic or not line.chords
        assert target.name not in heard
        assert not any(target.name in get(name).akin for name in heard)
        assert edit.phrase in target.phrases


@given(songs(), seeds, names, st.integers(0, 20))
@settings(max_examples=60, deadline=None)
def test_fewer_edits_are_the_first_of_more(lines: list[Line], seed: int, song: str, count: int) -> None:
    many = choose_edits(lines, ALL, seed=seed, song=song, count=20)
    assert choose_edits(lines[::-1], ALL[::-1], seed=seed, song=song, count=count) == many[:count]


@given(songs(), seeds, names)
@settings(max_examples=100, deadline=None)
def test_prompts_differ_in_the_edited_phrase_alone(lines: list[Line], seed: int, song: str) -> None:
    words = word(lines, seed=seed, song=song)
    assert set(words.phrases) == {line.stem for line in lines}
    for edit in choose_edits(lines, ALL, seed=seed, song=song):
        prompt, (start, end) = words.target_prompt(edit)
        assert prompt[start:end] == edit.phrase
        assert prompt[:start] + words.phrases[edit.stem] + prompt[end:] == words.source_prompt
        assert words.target_phrases(edit) == {**words.phrases, edit.stem: edit.phrase}
        assert prompt.count(edit.phrase) == 1
        assert all(phrase in prompt for phrase in words.target_phrases(edit).values())


def test_the_choice_is_the_same_everywhere() -> None:
    """A known answer: other tasks for a song that was built before would be another suite."""
    words = word(lines_of(BAND), seed=7, song="multitrack/reggae")
    edits = choose_edits(lines_of(BAND), ALL, seed=7, song="multitrack/reggae", count=5)
    assert words.source_prompt == (
        "A piece of music with a clear female voice, a round bass guitar, a clean electric guitar and "
        "a live acoustic drum kit."
    )
    assert [(edit.stem, edit.target.name, edit.phrase) for edit in edits] == [
        ("vocals", "synth-lead", "a glowing synth lead"),
        ("other", "nylon-guitar", "a soft classical guitar"),
        ("bass", "double-bass", "a woody upright bass"),
        ("drums", "taiko", "thundering taiko drums"),
        ("vocals", "oboe", "a reedy oboe"),
    ]


def test_words_and_targets_vary_with_seed_and_song() -> None:
    lines = lines_of(BAND)
    prompts = {word(lines, seed=seed, song=song).source_prompt for seed in range(10) for song in "ab"}
    chosen = {tuple(edits_of(BAND, count=4, seed=seed, song=song)) for seed in range(10) for song in "ab"}
    assert len(prompts) > 15
    assert len(chosen) == 20
    assert {word(lines, seed=seed, song="a").template for seed in range(40)} == set(TEMPLATES)


def test_no_target_is_asked_far_more_often_than_another() -> None:
    asked = [Counter[str]() for _ in STEMS]
    for number in range(300):
        for edit in edits_of(BAND, song=f"song {number}"):
            asked[STEMS.index(edit.stem)][edit.target.name] += 1
    for stem, counts in zip(STEMS, asked, strict=True):
        assert sum(counts.values()) == 300 * {"vocals": 7, "other": 5, "drums": 2, "bass": 1}[stem]
        assert max(counts.values()) <= 2 * min(counts.values()), (stem, counts)


# -- which stems ------------------------------------------------------------------------------------------------------


def test_fifteen_edits_have_the_shares_of_polyevalprompts() -> None:
    assert Counter(stems_in(edits_of(BAND))) == {"vocals": 7, "other": 5, "drums": 2, "bass": 1}
    without_vocals = {stem: players for stem, players in BAND.items() if stem != "vocals"}
    assert Counter(stems_in(edits_of(without_vocals))) == {"other": 9, "drums": 4, "bass": 2}


def test_the_first_edits_touch_every_stem() -> None:
    assert stems_in(edits_of(BAND, count=4)) == ["vocals", "other", "bass", "drums"]
    assert stems_in(edits_of(BAND, count=8))[4:] == ["vocals", "other", "vocals", "vocals"]


def test_others_take_the_turns_of_a_stem_without_targets() -> None:
    effects = {**BAND, "other": ["sound-effects"]}
    assert Counter(stems_in(edits_of(effects))) == {"vocals": 11, "drums": 3, "bass": 1}
    assert stems_in(edits_of({"bass": ["electric-bass"]})) == ["bass"] * 6
    assert edits_of({"other": ["sound-effects"]}) == []
    assert edits_of({}) == []


# -- what a musician would say ----------------------------------------------------------------------------------------


def test_a_bass_line_stays_in_the_bass() -> None:
    targets = targets_of(BAND, "bass")
    assert targets == {"double-bass", "synth-bass", "fretless-bass", "slap-bass", "tuba", "contrabassoon"}
    assert all(get(name).low <= 28 for name in targets)
    for player in ("synthesizer", "piano", "tuba", "bass", "cello"):
        assert "double-bass" in targets_of({"bass": [player]}, "bass")


def test_drums_are_given_to_drums_alone() -> None:
    for players in (["drum-kit"], ["snare-drum", "tambourine"], ["timpani"], ["electronic-drums"]):
        targets = targets_of({"drums": players}, "drums")
        assert len(targets) >= 6
        assert {get(name).family for name in targets} == {"drums"}
        assert not targets & {"gong", "timpani", "shaker", *players}


def test_sung_lines_go_to_what_reaches_them() -> None:
    tune = Line("vocals", (get("vocals"),), "lead", 57, 74, chords=False)  # A3 to D5
    can = {each.name for each in ALL if can_play(each, tune)}
    assert {"violin", "viola", "cello", "trumpet", "clarinet", "alto-saxophone", "choir", "piano"} <= can
    assert not can & {"tuba", "flute", "oboe", "trombone", "piccolo", "double-bass", "drum-kit", "glockenspiel"}
    assert "flute" in targets_of({"vocals": ["female-singer"]}, "vocals")
    assert {"trombone", "cello"} <= targets_of({"vocals": ["male-singer"]}, "vocals")
    assert not targets_of({"vocals": ["male-singer"]}, "vocals") & {"flute", "violin", "trumpet", "piccolo"}


def test_a_tune_goes_first_to_what_phrases_like_a_voice() -> None:
    for song in "abcdef":
        edits = [edit for edit in edits_of(BAND, song=song) if edit.stem == "vocals"]
        assert all(edit.target.name == "choir" or not edit.target.polyphonic for edit in edits)


def test_chords_go_to_what_can_play_them() -> None:
    chords = targets_of({"other": ["piano"]}, "other")
    assert {"electric-piano", "harp", "electronic-organ", "acoustic-guitar", "strings"} <= chords
    assert not chords & {"flute", "violin", "trumpet", "clarinet", "cello", "synth-lead"}
    assert {"violin", "alto-saxophone", "trumpet"} <= targets_of({"other": ["clarinet"]}, "other")
    assert not targets_of({"other": ["clarinet", "trumpet"]}, "other") & {"violin", "oboe", "flute"}


def test_what_may_be_playing_already_is_no_target() -> None:
    assert not targets_of({"bass": ["bass"]}, "bass") & {"electric-bass"}
    saxophones = {"soprano-saxophone", "alto-saxophone", "tenor-saxophone", "baritone-saxophone"}
    assert not targets_of({"other": ["saxophone"]}, "other") & saxophones
    assert saxophones & targets_of({"other": ["clarinet"]}, "other")
    assert "violin" not in targets_of({"vocals": ["female-singer"], "other": ["violin-section"]}, "vocals")


# -- lines and words --------------------------------------------------------------------------------------------------


def test_a_line_of_several_players_is_replaced_as_a_whole() -> None:
    line = line_of("other", [get("piano"), get("acoustic-guitar"), get("flute")])
    assert (line.role, line.chords) == ("chords", True)
    assert (line.low, line.high) == (45, 86)
    words = word([line], seed=0, song="a")
    piano, guitar = words.phrases["other"].split(" layered with ")
    assert piano in get("piano").phrases
    assert guitar in get("acoustic-guitar").phrases
    edit = choose_edits([line], ALL, count=1, seed=0, song="a")[0]
    assert words.target_prompt(edit)[0].count(" layered with ") == 0
    assert edit_name(line, edit) == f"piano2{edit.target.name}"


def test_one_instrument_in_two_stems_gets_two_phrases_and_names_of_its_own() -> None:
    players = {"other": ["cello"], "bass": ["cello"]}
    for song in "abcdef":
        assert len(set(word(lines_of(players), seed=0, song=song).phrases.values())) == 2
    chosen = [edit.target.name for edit in edits_of(players, count=100)]
    assert len(set(chosen)) == len(chosen)


def test_sounds_without_pitch_count_only_where_there_is_nothing_else() -> None:
    with_samples = line_of("other", [get("piano"), get("sampler")])
    assert (with_samples.low, with_samples.high) == get("piano").usual
    assert not any(can_play(each, line_of("other", [get("sampler")])) for each in ALL)
    assert not any(can_play(each, line_of("vocals", [get("beatboxing")])) for each in ALL)


def test_a_line_needs_a_player() -> None:
    with pytest.raises(ValueError, match="no instrument plays the line of bass"):
        line_of("bass", [])


@dataclass(frozen=True)
class Sound:
    name: str
    phrases: tuple[str, ...] = ("a sound",)
    roles: frozenset[Role] = frozenset({"lead"})
    low: int = 50
    high: int = 80
    polyphonic: bool = False


def test_other_sounds_than_the_tables_can_be_asked_for() -> None:
    sounds = [Sound(f"sound-{number}", (f"sound number {number}",)) for number in range(5)]
    line = Line("vocals", (Sound("singer"),), "lead", 55, 70, chords=False)
    edits = choose_edits([line], [*sounds, Sound("low", high=69)], seed=0, song="a", first={"vocals": "sound-3"})
    assert edits[0].target == sounds[3]
    assert {edit.target.name for edit in edits} == {sound.name for sound in sounds}
    assert choose_edits([line], sounds, seed=0, song="a", first={"vocals": "low"})[0].target.name != "low"


def test_the_words_make_a_task() -> None:
    words = word(lines_of(BAND), seed=0, song="a")
    for edit in edits_of(BAND):
        prompt, span = words.target_prompt(edit)
        EditTask(
            id="x", suite="x", song="a", source="a", stem=edit.stem, source_prompt=words.source_prompt,
            target_prompt=prompt, target_phrase=edit.phrase, target_span=span, stem_phrases=words.target_phrases(edit),
        )  # fmt: skip


def test_real_line_ups_have_enough_plausible_edits(shared_data: Path) -> None:
    """The 35 songs of MusicDelta, from trios to an orchestra."""
    players: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    with (shared_data / "musicdelta_stems.csv").open(newline="", encoding="utf-8") as handle:
        for row in csv.DictReader(handle):
            instrument = find(row["instrument"])
            assert instrument is not None
            names = players[row["track"]][row["stem4"]]
            names.extend([] if instrument.name in names else [instrument.name])
    found = Counter(len(edits_of(stems, song=track)) for track, stems in players.items())
    assert sum(found.values()) == 35
    assert min(found) >= 13
    assert found[15] >= 30
