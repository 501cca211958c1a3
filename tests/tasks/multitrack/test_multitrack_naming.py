"""What names tell: ids that do not collide unseen, instruments only where a name is plain."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.multitrack.naming import heard_in, one_drum_kit, slug
from tasks.multitrack.song import StemFile


@pytest.mark.parametrize(
    ("name", "stem", "instrument"),
    [
        ("drums", "drums", "drums"),
        ("Lead Violin", "other", "violin"),
        ("03_bass_gtr", "bass", "electric-bass"),
        ("LeadViolin2", "other", "violin"),
        ("E-Gtr Clean L", "other", "electric-guitar"),
        ("12 string guitar", "other", "acoustic-guitar"),
        ("808 Bass", "bass", "synth-bass"),
        ("BGVs", "vocals", "vocalists"),
        ("Vocals (Lead)", "vocals", "vocals"),
        ("bass drum", "drums", "bass-drum"),
        ("OH_L", "drums", "drum-kit"),
        ("synth bass 2", "bass", "synth-bass"),
        ("VLN1", "other", "violin"),
        ("other", "other", None),
        ("Audio 7", None, None),
        ("夜", None, None),
        ("", None, None),
        ("vocals piano", None, None),  # two things
    ],
)
def test_what_a_file_name_says(name: str, stem: str | None, instrument: str | None) -> None:
    heard = heard_in(name)
    assert (heard.stem, heard.instrument.name if heard.instrument else None) == (stem, instrument)


def test_the_songs_own_name_is_not_heard() -> None:
    assert heard_in("Piano Man - drums").stem is None
    assert heard_in("Piano Man - drums", song="Piano Man").stem == "drums"
    piano = heard_in("Piano", song="Piano").instrument
    assert piano is not None
    assert piano.name == "piano"


@given(st.text(max_size=200))
def test_slugs_are_plain_and_never_empty(name: str) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug(name))
    assert len(slug(name)) <= 80
    heard_in(name, name)


def test_letters_that_ascii_lacks_keep_songs_apart() -> None:
    names = ["Песня 1", "Мечта 1", "夜", "夜夜", "Straße", "Strae", "🎸", "🎷", "x" * 200, "x" * 201]
    assert len({slug(name) for name in names}) == len(names)
    assert slug("Night Train") == slug("NIGHT  train!") == "night-train"  # so a suite must look


def test_microphones_of_one_kit_are_one_instrument() -> None:
    files = [StemFile(name, "drums", name) for name in ("kick-drum", "drums", "drum-kit", "congas")]
    assert [file.instrument for file in one_drum_kit(files)] == ["drum-kit"] * 3 + ["congas"]
    lone = (StemFile("s.wav", "drums", "snare-drum"), StemFile("c.wav", "drums", "congas"))
    assert one_drum_kit(lone) == lone
