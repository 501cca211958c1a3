"""The rules that tell the edited stem and find the defects, each on the least prompts that show it."""

from __future__ import annotations

import pytest

from bench.task import StemName
from tasks.polyevalprompts.defects import (
    corrected_stem,
    edit_flags,
    official_stem,
    replaced_words,
    songs_with_shared_prompts,
    swaps_one_phrase,
    target_word,
)
from tasks.polyevalprompts.prompts import Prompts, Track, find_span

SOURCE = "a guitar, a bass and drums."


def edit(target: str, source: str = SOURCE, **phrases: str) -> Prompts:
    """An edit; stems whose phrase is not given keep theirs."""
    given = {"vocals": "", "other": "a guitar", "bass": "a bass", "drums": "drums"} | phrases
    fields = {f"{stem.capitalize()} Softmask Prompt": given[stem] for stem in ("vocals", "bass", "drums")}
    others = {"Others Softmask Prompt": given["other"]}
    return Prompts.model_validate({"Original Prompt": source, "Baseline Prompt": target} | fields | others)


VIOLIN = edit("a violin, a bass and drums.", other="a violin")
UPRIGHT = edit("a guitar, an upright bass and drums.", bass="an upright bass")
JAZZ = edit("a guitar, a bass and jazz drums with brushes.", drums="jazz drums with brushes")


def track(**edits: Prompts) -> Track:
    return Track("musicdelta", "MusicDelta_X", "musicdelta/x", "musicdelta/MusicDelta_X/prompt_multi.json", "", edits)


def flags_of(key: str, prompts: Prompts, stem: StemName = "other", **others: Prompts) -> set[str]:
    return set(edit_flags(track(**{key: prompts}, **others), key, stem))


@pytest.mark.parametrize(
    ("key", "stem"),
    [
        ("vocals2choir", "vocals"),
        ("drums2electronic", "drums"),
        ("bass2upright", "bass"),
        ("drum_machine2acoustic", "other"),
        ("bass_guitar2upright", "other"),
        ("synthbass2tuba", "bass"),  # a substring, as in the release
        ("guitar2bass", "other"),
    ],
)
def test_official_stem(key: str, stem: str) -> None:
    assert official_stem(key) == stem


def test_first_span_whatever_the_case() -> None:
    assert find_span("A Violin and a violin.", "a violin") == (0, 8)
    assert find_span("A violin.", "a viola") is None


def test_changed_is_what_the_source_does_not_say() -> None:
    assert VIOLIN.changed == ("other",)
    assert edit("a harp, a tuba and drums.", other="a harp", bass="a tuba").changed == ("bass", "other")
    assert edit(SOURCE).changed == ()
    assert track(guitar2violin=VIOLIN).source_phrases == {("bass", "a bass"), ("drums", "drums")}
    assert ("other", "a guitar") in track(guitar2violin=VIOLIN, bass2upright=UPRIGHT).source_phrases


def test_corrected_stem_is_the_one_that_changed() -> None:
    song = track(guitar2violin=VIOLIN, bass_guitar2upright=UPRIGHT, drum_machine2jazz=JAZZ)
    assert [corrected_stem(song, key) for key in song.edits] == ["other", "bass", "drums"]


def test_corrected_stem_stays_official_where_the_prompts_do_not_tell() -> None:
    nothing = edit("a violin, a bass and drums.")
    two = edit("a guitar, a tuba and jazz.", bass="a tuba", drums="jazz")
    voice = edit("a voice, a bass and drums.", vocals="a voice")
    song = track(guitar2violin=VIOLIN, bass2upright=UPRIGHT, guitar2harp=nothing, guitar2x=two, guitar2voice=voice)
    assert [corrected_stem(song, key) for key in ("guitar2harp", "guitar2x", "guitar2voice")] == ["other"] * 3


@pytest.mark.parametrize(
    ("prompts", "one"),
    [
        (VIOLIN, True),
        (JAZZ, True),
        (edit("a guitar, a violin, a bass and drums.", vocals="a violin"), False),  # added, nothing replaced
        (edit("a violin and drums.", other="a violin", bass=""), False),  # another is dropped
        (edit("a violin, drums and a bass.", other="a violin"), False),  # reordered
        (edit("a violin, a bass and drums.", other="a viola"), False),  # the phrase is not there
        (edit("a violin, a bass and drums."), False),  # no phrase has the change
    ],
)
def test_swap_of_one_phrase(prompts: Prompts, one: bool) -> None:
    assert (
        swaps_one_phrase(
            track(guitar2violin=prompts, bass2upright=UPRIGHT, drums2jazz=JAZZ, x2y=VIOLIN), "guitar2violin"
        )
        is one
    )
    assert ("more-than-one-phrase-changed" in flags_of("guitar2violin", prompts, drums2jazz=JAZZ)) is not one


@pytest.mark.parametrize(
    ("key", "word"),
    [("vocals2violin", "violin"), ("a2synth_lead", "synth lead"), ("a2cello_12", "cello"), ("a2b2c", "b2c")],
)
def test_target_word(key: str, word: str) -> None:
    assert target_word(key) == word


def test_each_defect_raises_its_flag() -> None:
    assert flags_of("guitar2violin", VIOLIN) == set()
    assert flags_of("strings2violins", VIOLIN) == {"target-word-not-in-prompt"}
    assert flags_of("guitar2violin", VIOLIN, guitar2fiddle=VIOLIN) == {"duplicate-target-prompt"}
    assert flags_of("guitar2upright", UPRIGHT, guitar2violin=VIOLIN, drums2jazz=JAZZ) == {
        *("key-rule-differs", "target-phrase-unchanged")
    }
    assert flags_of("guitar2upright", UPRIGHT, "bass", drums2jazz=JAZZ) == {"key-rule-differs"}
    assert flags_of("guitar2violin", edit("a violin, a bass and drums.")) == {
        *("more-than-one-phrase-changed", "no-phrase-changed"),
        *("target-phrase-not-in-prompt", "target-phrase-unchanged"),
    }
    twice = edit("a violin, a bass and drums.", other="a violin", vocals="A violin")
    assert flags_of("guitar2violin", twice) == {"phrase-on-two-stems"}
    misspelt = edit("a violin, a bass and drums.", other="a violin", drums="drumning")
    assert flags_of("guitar2violin", misspelt) == {"background-phrase-not-in-prompt"}
    lost = edit("a violin, a bass and drums.", other="a viola")
    assert flags_of("guitar2violin", lost) == {"more-than-one-phrase-changed", "target-phrase-not-in-prompt"}
    none = edit("a violin, a bass and drums.", other="")
    assert {"no-target-phrase"} == flags_of("guitar2violin", none) - {
        *("no-phrase-changed", "more-than-one-phrase-changed")
    }


def test_words_that_replace_another_stems_are_flagged() -> None:
    upright = edit("an upright bass, a bass and drums.", bass="an upright bass", other="")
    assert flags_of("bass2upright", upright, "bass", drums2jazz=JAZZ) == {"replaces-another-stem"}
    assert replaced_words(upright, "bass") == "a guitar"


def test_odd_source_prompt_is_flagged_and_the_usual_is_not() -> None:
    odd = edit("a harp, bass and drums.", "a guitar, bass and drums.", other="a harp", bass="bass")
    song = track(guitar2violin=VIOLIN, bass2upright=UPRIGHT, guitar2harp=odd)
    flagged = [key for key in song.edits if "source-prompt-differs" in edit_flags(song, key, "other")]
    assert flagged == ["guitar2harp"]


def test_songs_with_the_same_prompts_are_found_whatever_their_files() -> None:
    first, second, third = (
        Track("musicdelta", name, f"musicdelta/{name}", name, name, edits)
        for name, edits in (("a", {"x2y": VIOLIN}), ("b", {"x2y": VIOLIN}), ("c", {"x2y": JAZZ}))
    )
    assert songs_with_shared_prompts([first, second, third]) == {"musicdelta/a", "musicdelta/b"}
    assert songs_with_shared_prompts([first, third]) == set()
