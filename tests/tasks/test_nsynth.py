from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.audio import Clip
from bench.errors import DataError, UsageError
from tasks import nsynth
from tasks.nsynth import FAMILIES, ORIGINS, QUALITIES, absent, from_name, labels, present, read_notes, read_splits

NAMES = ("bass_synthetic_033-022-050", "flute_acoustic_002-077-100", "synth_lead_synthetic_011-060-127")

MakeSplit = Callable[..., Path]


def entry(name: str, **changes: Any) -> dict[str, Any]:
    """An entry with the fields of the published file; a change to None removes a field."""
    note = from_name(name)
    bits = [0, 1, 0, 0, 0, 0, 0, 0, 1, 0]
    fields = {
        "note": 278915,
        "note_str": name,
        "sample_rate": 16000,
        "instrument": 327,
        "instrument_str": note.instrument,
        "instrument_family": FAMILIES.index(note.family),
        "instrument_family_str": note.family,
        "instrument_source": ORIGINS.index(note.source),
        "instrument_source_str": note.source,
        "pitch": note.pitch,
        "velocity": note.velocity,
        "qualities": bits,
        "qualities_str": ["dark", "reverb"],
    }
    return {field: value for field, value in {**fields, **changes}.items() if value is not None}


@pytest.fixture
def make_split(tmp_path: Path) -> MakeSplit:
    """`make_split("valid", *names, examples={…})` writes tenths of seconds of sound; returns the split's folder."""

    def make(split: str, *names: str, examples: dict[str, Any] | str | None = None) -> Path:
        folder = tmp_path / f"nsynth-{split}"
        for name in names:
            Clip.of(np.full(1600, 0.1), 16_000).write_wav(folder / "audio" / f"{name}.wav")
        if examples is not None:
            text = examples if isinstance(examples, str) else json.dumps(examples)
            (folder / "examples.json").write_text(text, encoding="utf-8")
        return folder

    return make


# -- names ----------------------------------------------------------------------------------------------------------


def test_the_published_numbers_of_families_and_sources() -> None:
    assert [FAMILIES.index(name) for name in ("bass", "keyboard", "organ", "synth_lead", "vocal")] == [0, 4, 6, 9, 10]
    assert ORIGINS == ("acoustic", "electronic", "synthetic")


@given(
    family=st.sampled_from(FAMILIES),
    source=st.sampled_from(ORIGINS),
    number=st.integers(0, 1999),
    pitch=st.integers(0, 127),
    velocity=st.integers(1, 127),
)
def test_every_name_comes_back(family: str, source: str, number: int, pitch: int, velocity: int) -> None:
    note = from_name(f"{family}_{source}_{number:03d}-{pitch:03d}-{velocity:03d}")
    assert (note.family, note.source, note.pitch, note.velocity) == (family, source, pitch, velocity)
    assert note.instrument == f"{family}_{source}_{number:03d}"
    assert note.path == f"audio/{note.note_str}.wav"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "flute_acoustic_002-077",
        "flute_acoustic_002-128-100",
        "flute_acoustic_002-077-000",
        "flute_acoustic_002-77-100",
        "synth_acoustic_002-077-100",
        "flute_sampled_002-077-100",
        "../flute_acoustic_002-077-100",
        "flute_acoustic_002-077-100\n",
        "flute_acoustic_٠٠٢-077-100",
    ],
)
def test_what_is_no_name_of_a_note_is_refused(name: str) -> None:
    with pytest.raises(DataError) as raised:
        from_name(name)
    assert raised.value.code == "nsynth/name"


# -- folders --------------------------------------------------------------------------------------------------------


def test_a_folder_is_read_by_its_list_or_by_its_names(make_split: MakeSplit) -> None:
    by_name = read_notes(make_split("test", *reversed(NAMES)))
    assert [note.note_str for note in by_name] == sorted(NAMES)
    assert {note.qualities for note in by_name} == {None}
    folder = make_split("valid", *NAMES, examples={name: entry(name) for name in NAMES})
    by_list = read_notes(folder)
    assert [note.note_str for note in by_list] == sorted(NAMES)
    assert {note.qualities for note in by_list} == {("dark", "reverb")}
    assert all(Clip.read(folder / note.path).rate == 16_000 for note in by_list)


def test_entries_may_leave_out_what_the_name_says_twice_and_what_is_not_known(make_split: MakeSplit) -> None:
    short = entry(
        NAMES[1], note_str=None, instrument_family=None, instrument_source=None, qualities=None, qualities_str=None
    )
    (note,) = read_notes(make_split("valid", NAMES[1], examples={NAMES[1]: short}))
    assert (note.family, note.qualities) == ("flute", None)


def test_a_shortened_list_chooses_notes_and_stray_files_are_left_alone(make_split: MakeSplit) -> None:
    folder = make_split("valid", *NAMES, examples={NAMES[0]: entry(NAMES[0])})
    assert [note.note_str for note in read_notes(folder)] == [NAMES[0]]
    (folder / "examples.json").unlink()
    for stray in (".DS_Store", "._flute_acoustic_002-077-100.wav", "README.txt"):
        (folder / "audio" / stray).write_bytes(b"")
    assert len(read_notes(folder)) == 3


def test_missing_audio_is_counted_and_named(make_split: MakeSplit) -> None:
    folder = make_split("valid", NAMES[0], examples={name: entry(name) for name in NAMES})
    with pytest.raises(DataError, match=f"2 of 3 notes of examples.json have no audio, first {NAMES[1]}") as raised:
        read_notes(folder)
    assert raised.value.code == "nsynth/no-audio"


def test_a_folder_without_notes_is_refused(tmp_path: Path) -> None:
    for _ in ("no folder 'audio'", "nothing in it"):
        with pytest.raises(DataError) as raised:
            read_notes(tmp_path)
        assert raised.value.code == "nsynth/no-audio"
        (tmp_path / "audio").mkdir(exist_ok=True)
    with pytest.raises(DataError) as raised:
        nsynth.splits(tmp_path)
    assert raised.value.code == "nsynth/no-splits"


def test_a_file_that_is_no_note_is_named(make_split: MakeSplit) -> None:
    with pytest.raises(DataError) as raised:
        read_notes(make_split("valid", NAMES[0], "kazoo_acoustic_001-060-100"))
    assert raised.value.code == "nsynth/name"
    assert str(raised.value.where).endswith("audio/kazoo_acoustic_001-060-100.wav")


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"pitch": 78}, "says pitch 78, its name 77"),
        ({"pitch": "077"}, "says pitch '077', its name 77"),
        ({"pitch": None}, "has no pitch"),
        ({"velocity": 25}, "says velocity 25, its name 100"),
        ({"instrument_family_str": "reed"}, "says instrument_family_str 'reed', its name 'flute'"),
        ({"instrument_family": 3}, "says instrument_family 3, its name 2"),
        ({"instrument_source_str": None}, "has no instrument_source_str"),
        ({"instrument_str": "flute_acoustic_003"}, "says instrument_str"),
        ({"note_str": NAMES[0]}, "says note_str"),
        ({"qualities": [0] * 9}, "not 10 zeros and ones"),
        ({"qualities": [2] + [0] * 9}, "not 10 zeros and ones"),
        ({"qualities": [[]] * 10}, "not 10 zeros and ones"),
        ({"qualities": "dark"}, "not 10 zeros and ones"),
        ({"qualities_str": ["bright"]}, "qualities_str are ['bright'], but qualities say ['dark', 'reverb']"),
        ({"qualities_str": 5}, "qualities_str are 5"),
    ],
)
def test_an_entry_that_contradicts_its_name_is_named(
    make_split: MakeSplit, changes: dict[str, Any], cause: str
) -> None:
    folder = make_split("valid", *NAMES[:2], examples={NAMES[0]: entry(NAMES[0]), NAMES[1]: entry(NAMES[1], **changes)})
    with pytest.raises(DataError) as raised:
        read_notes(folder)
    assert cause in raised.value.cause
    assert raised.value.code == "nsynth/examples"
    assert raised.value.where == f"{folder / 'examples.json'}, note {NAMES[1]}"


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("", "Expecting value"),
        ("[]", "not an object but list"),
        ("{}", "it lists no notes"),
        (json.dumps({NAMES[0]: entry(NAMES[0])})[:-40], "delimiter"),
        (f'{{"{NAMES[0]}": 1, "{NAMES[0]}": 2}}', "given twice"),
        (f'{{"{NAMES[0]}": {{"pitch": NaN}}}}', "NaN is not JSON"),
        (f'{{"{NAMES[0]}": [1]}}', "not an object but list"),
        ("[" * 100_000, "nested too deeply"),
    ],
    ids=["empty", "list", "nothing", "cut", "twice", "nan", "entry", "deep"],
)
def test_a_list_that_is_not_one_is_refused(make_split: MakeSplit, text: str, cause: str) -> None:
    with pytest.raises(DataError) as raised:
        read_notes(make_split("valid", NAMES[0], examples=text))
    assert cause in raised.value.cause
    assert raised.value.code == "nsynth/examples"


def test_a_list_out_of_all_proportion_is_not_read(make_split: MakeSplit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nsynth, "_MAX_EXAMPLES_BYTES", 100)
    with pytest.raises(DataError, match="larger than 100 bytes"):
        read_notes(make_split("valid", NAMES[0], examples={NAMES[0]: entry(NAMES[0])}))


# -- label sets -----------------------------------------------------------------------------------------------------


def test_label_sets_of_splits_differ_and_the_numbers_do_not(make_split: MakeSplit) -> None:
    make_split("train", *NAMES)
    make_split("valid", "vocal_acoustic_000-060-100", "bass_electronic_001-030-100")
    read = read_splits(make_split("test", "vocal_acoustic_000-061-100").parent)
    assert list(read) == ["train", "valid", "test"]
    assert present(read["train"]) == ("bass", "flute", "synth_lead")
    assert present(read["valid"]) == ("bass", "vocal")
    assert "synth_lead" in absent(read["valid"])
    assert set(absent(read["train"])) | set(present(read["train"])) == set(FAMILIES)
    assert labels(read["valid"], families=FAMILIES).tolist() == [0, 10]
    assert labels(read["train"], families=FAMILIES).tolist() == [0, 2, 9]
    assert labels(read["valid"], families=("vocal", "bass")).tolist() == [1, 0]


@pytest.mark.parametrize("families", [("bass",), ("bass", "vocal", "vocal")])
def test_a_family_without_a_class_of_its_own_is_refused(families: tuple[nsynth.Family, ...]) -> None:
    notes = [from_name("vocal_acoustic_000-060-100"), from_name("bass_electronic_001-030-100")]
    with pytest.raises(UsageError) as raised:
        labels(notes, families=families)
    assert raised.value.code == "nsynth/families"


def test_valid_and_test_may_share_instruments_but_not_with_train(make_split: MakeSplit) -> None:
    make_split("valid", NAMES[1])
    root = make_split("test", NAMES[1].replace("-077-", "-078-")).parent
    assert len(read_splits(root)) == 2
    make_split("train", NAMES[1].replace("-077-", "-079-"))
    with pytest.raises(DataError, match="1 instruments are in train and in valid, first flute_acoustic_002") as raised:
        read_splits(root)
    assert raised.value.code == "nsynth/shared-instruments"


def test_all_qualities_have_their_place(make_split: MakeSplit) -> None:
    for place, quality in enumerate(QUALITIES):
        bits = [int(i == place) for i in range(len(QUALITIES))]
        listed = {NAMES[0]: entry(NAMES[0], qualities=bits, qualities_str=[quality])}
        (note,) = read_notes(make_split("valid", NAMES[0], examples=listed))
        assert note.qualities == (quality,)
