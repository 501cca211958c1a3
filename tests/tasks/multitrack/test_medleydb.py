"""MedleyDB's layout: the four-stem rule against the published metadata, and what damage does."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.audio import Clip
from bench.errors import DataError
from tasks import instruments
from tasks.excerpts.cutting import stem_sum_sdr_db
from tasks.multitrack import medleydb

MakeTrack = Callable[..., Path]


def test_stem_rule_agrees_with_all_208_musicdelta_stems(shared_data: Path) -> None:
    with (shared_data / "musicdelta_stems.csv").open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert len(rows) == 208
    wrong = [r for r in rows if medleydb.stem_class(r["instrument"], r["component"]) != r["stem4"]]
    assert not wrong
    assert {instruments.find(r["instrument"]) is None for r in rows} == {False}


@pytest.mark.parametrize(
    ("instrument", "stem", "name", "single_line"),
    [
        ("female singer", "vocals", "female-singer", True),
        ("male speaker", "vocals", "speaker", False),
        ("vocalists", "vocals", "vocalists", False),
        ("drum machine", "drums", "electronic-drums", False),
        ("high hat", "drums", "high-hat", False),
        ("electric bass", "bass", "electric-bass", True),
        ("double bass", "bass", "double-bass", True),
        ("violin", "other", "violin", None),
        ("violin section", "other", "violin-section", False),
        ("clean electric guitar", "other", "electric-guitar", False),
        ("panpipes", "other", "panpipes", False),
        ("whistle", "other", "whistle", True),
        ("Main System", "other", None, None),
    ],
)
def test_stems_get_what_the_table_of_instruments_says(
    instrument: str, stem: str, name: str | None, single_line: bool | None, make_track: MakeTrack, tmp_path: Path
) -> None:
    make_track("A", (instrument, ""))
    (file,) = medleydb.read_song(tmp_path, "A").files
    assert (file.stem, file.instrument, file.single_line) == (stem, name, single_line)


def test_a_bass_component_makes_a_bass_of_what_would_be_other(make_track: MakeTrack, tmp_path: Path) -> None:
    make_track("A", ("tuba", "bass"), ("hurdy gurdy", "bass"), ("male singer", "bass"), ("timpani", "bass"))
    song = medleydb.read_song(tmp_path, "A")
    assert [file.stem for file in song.files] == ["bass", "bass", "vocals", "drums"]
    assert song.instruments == {"bass": ("tuba",), "vocals": ("male-singer",), "drums": ("timpani",)}


@pytest.mark.parametrize(("track", "sdr_db"), [("MusicDelta_Reggae", 41.50), ("MusicDelta_Rock", 17.89)])
def test_real_tracks(track: str, sdr_db: float, shared_data: Path) -> None:
    root = shared_data / "medleydb"
    song = medleydb.read_song(root, track)
    assert song.mixture == f"Audio/{track}/{track}_MIX.wav"
    assert [file.stem for file in song.files][:2] == ["drums", "bass"]
    assert set(song.stems) == {"vocals", "drums", "bass", "other"}
    assert song.stems["drums"] == (f"Audio/{track}/{track}_STEMS/{track}_STEM_01.wav",)
    assert len(song.stems["other"]) == (1 if track == "MusicDelta_Reggae" else 2)
    guitars = {"bass": ("electric-bass",), "other": ("electric-guitar",)}
    assert song.instruments == {"vocals": ("male-singer",), "drums": ("drum-kit",), **guitars}
    assert (medleydb.recognises(root), track in medleydb.songs(root)) == (True, True)
    lines = {stem: song.monophonic(stem) for stem in song.stems}
    assert lines == {"vocals": True, "drums": False, "bass": True, "other": False}
    stems = [Clip.read(root / file.path) for file in song.files]
    assert stem_sum_sdr_db(Clip.read(root / song.mixture), stems) == sdr_db
    assert song.flags == ("separator-seen",)


def test_one_line_needs_one_file_and_an_instrument_of_single_notes(make_track: MakeTrack, tmp_path: Path) -> None:
    make_track("A", ("trumpet", "melody"), ("male singer", ""), ("female singer", ""), ("tuba", "bass"))
    song = medleydb.read_song(tmp_path, "A")
    assert [song.monophonic(stem) for stem in ("other", "vocals", "bass", "drums")] == [True, False, True, None]
    for instrument, expected in (("cello", None), ("hurdy gurdy", None), ("violin section", False), ("piano", False)):
        make_track("B", (instrument, "melody"))
        assert medleydb.read_song(tmp_path, "B").monophonic("other") is expected
    make_track("C", ("male rapper", ""))
    assert medleydb.read_song(tmp_path, "C").monophonic("vocals") is False


def test_tracks_that_separators_were_trained_on_are_flagged(make_track: MakeTrack, tmp_path: Path) -> None:
    for name, flags in (("MusicDelta_Grunge", ("separator-seen",)), ("MusicDelta_Zeppelin", ()), ("A", ())):
        make_track(name, ("piano", ""))
        assert medleydb.read_song(tmp_path, name).flags == flags


@pytest.mark.parametrize(
    ("old", "new", "code", "says"),
    [
        ("stem_dir: A_STEMS", "stem_dir: ../A_STEMS", "data/medleydb-metadata", "stem_dir: .*plain name"),
        ("filename: A_STEM_01.wav", "filename: /etc/passwd", "data/medleydb-metadata", "stems.S01.filename"),
        ("filename: A_STEM_01.wav", "filename: ..", "data/medleydb-metadata", "stems.S01.filename"),
        ("instrument: piano", "instrument: 7", "data/medleydb-metadata", "stems.S01.instrument"),
        ("instrument: piano", "x: piano", "data/medleydb-metadata", "stems.S01.instrument: Field required"),
        ("mix_filename", "mixfilename", "data/medleydb-metadata", "mix_filename: Field required"),
        ("stems:", "stems: [", "data/medleydb-metadata", "cannot be used"),
        ("artist: Nobody", "artist: !!python/object/apply:os.getcwd []", "data/medleydb-metadata", "could not"),
        ("artist: Nobody", "artist: " + "x" * (1 << 20), "data/medleydb-metadata", "larger than"),
        ("A_MIX.wav", "B_MIX.wav", "data/medleydb-incomplete", "Audio/A/B_MIX.wav"),
        ("filename: A_STEM_01.wav", "filename: A_STEM_09.wav", "data/medleydb-incomplete", "A_STEM_09.wav"),
    ],
)  # fmt: skip
def test_damaged_metadata_name_file_and_field(
    old: str, new: str, code: str, says: str, make_track: MakeTrack, tmp_path: Path
) -> None:
    metadata = make_track("A", ("piano", ""))
    text = metadata.read_text()
    assert old in text
    metadata.write_text(text.replace(old, new))
    with pytest.raises(DataError, match=says) as caught:
        medleydb.read_song(tmp_path, "A")
    assert caught.value.code == code
    assert caught.value.where == str(metadata)


def test_yaml_bomb_is_refused_at_once(make_track: MakeTrack, tmp_path: Path) -> None:
    """Nested aliases stand for 10^9 strings, in a file of a kilobyte."""
    metadata = make_track("A", ("piano", ""))
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{k}: &a{k} [{', '.join([f'*a{k - 1}'] * 10)}]" for k in range(1, 9)]
    metadata.write_text("\n".join([*lines, "mix_filename: *a8", "stem_dir: *a8", "stems: *a8"]))
    with pytest.raises(DataError, match="aliases"):
        medleydb.read_song(tmp_path, "A")


def test_absent_folders_and_files(make_track: MakeTrack, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        medleydb.has_song(tmp_path, "A")
    assert caught.value.code == "data/no-medleydb"
    metadata = make_track("A", ("piano", ""))
    assert medleydb.has_song(tmp_path, "A")
    assert not medleydb.has_song(tmp_path, "B")
    metadata.unlink()
    with pytest.raises(DataError) as missing:
        medleydb.read_song(tmp_path, "A")
    assert missing.value.code == "data/medleydb-incomplete"


def test_songs_are_the_folders_in_audio(make_track: MakeTrack, tmp_path: Path) -> None:
    for track in ("b", "A"):
        make_track(track, ("piano", ""))
    (tmp_path / "Audio" / "incomplete").mkdir()
    (tmp_path / "Audio" / ".cache").mkdir()
    (tmp_path / "Audio" / "notes.txt").write_text("x")
    assert medleydb.recognises(tmp_path)
    assert medleydb.songs(tmp_path) == ["A", "b", "incomplete"]


@pytest.mark.parametrize("folder", ["", "Audio", "Audio/A", "nothing"])
def test_another_folder_is_not_recognised(folder: str, make_track: MakeTrack, tmp_path: Path) -> None:
    make_track("A", ("piano", "")).unlink()
    root = tmp_path / folder
    assert not medleydb.recognises(root)
    with pytest.raises(DataError, match="not a MedleyDB folder") as caught:
        medleydb.songs(root)
    assert caught.value.code == "data/no-medleydb"
