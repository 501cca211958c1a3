"""MoisesDB's layout: its taxonomy in four stems, tracks of unequal length, and what damage does."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from multitrack_recordings import noise, write

from bench.audio import Clip
from bench.errors import AudioError, DataError
from bench.task import read_stems
from tasks.multitrack import moisesdb

UUID = "02ee37da-eea3-42b4-83bf-ab7f243afa13"
NAME = f"moisesdb_v0.1/{UUID}"

Tracks = Sequence[tuple[str, str]]

BAND: Tracks = [
    ("vocals", "lead_female_singer"),
    ("drums", "kick_drum"),
    ("drums", "snare_drum"),
    ("drums", "overheads"),
    ("bass", "bass_guitar"),
    ("guitar", "clean_electric_guitar"),
    ("guitar", "clean_electric_guitar"),
    ("percussion", "a-tonal_percussion_(claps,_shakers,_congas,_cowbell_etc)"),
]


def make(root: Path, tracks: Tracks = BAND, *, name: str = NAME, bleed: bool | None = None) -> Path:
    """A song; every track is its own entry of `stems`, so that names of stems repeat."""
    stems = []
    for number, (stem, kind) in enumerate(tracks):
        track = {"id": f"{number:08d}-0000", "extension": "wav", "trackType": kind, "has_bleed": bleed, "type": "audio"}
        stems.append({"id": "x", "stemName": stem, "tracks": [track]})
        write(root / name / stem / f"{number:08d}-0000.wav", noise(number))
    data = root / name / "data.json"
    data.write_text(json.dumps({"song": "I'm A Mess", "artist": "Fake Eyes", "genre": "rock", "stems": stems}))
    return data


def test_a_song_as_published(tmp_path: Path) -> None:
    make(tmp_path)
    assert moisesdb.recognises(tmp_path)
    assert moisesdb.songs(tmp_path) == [NAME]
    assert moisesdb.songs(tmp_path / "moisesdb_v0.1") == [UUID]
    song = moisesdb.read_song(tmp_path, NAME)
    assert (song.track, song.title, song.mixture) == (UUID, "Fake Eyes - I'm A Mess", None)
    assert (song.licence, song.flags) == ("CC BY-NC-SA 4.0", ())
    assert song.instruments == {
        "vocals": ("female-singer",),
        "drums": ("drum-kit", "auxiliary-percussion"),
        "bass": ("electric-bass",),
        "other": ("electric-guitar",),
    }
    assert {stem: len(paths) for stem, paths in song.stems.items()} == {"vocals": 1, "drums": 4, "bass": 1, "other": 2}
    assert (song.monophonic("vocals"), song.monophonic("other")) == (True, False)
    mixture, stems = read_stems(tmp_path, song.mixture, song.stems, 0.0, 0.5)
    assert mixture.sha256 == Clip.sum(list(stems.values())).sha256


# The taxonomy of the data set's package, the types as `data.json` spells them; None: it names none.
TAXONOMY = {
    ("vocals", "lead_male_singer"): ("vocals", "male-singer"),
    ("vocals", "lead_female_singer"): ("vocals", "female-singer"),
    ("vocals", "human_choir"): ("vocals", "choir"),
    ("vocals", "background_vocals"): ("vocals", "vocalists"),
    ("vocals", "other_(vocoder,_beatboxing_etc)"): ("vocals", None),
    ("bass", "bass_guitar"): ("bass", "electric-bass"),
    ("bass", "bass_synthesizer_(moog_etc)"): ("bass", "synth-bass"),
    ("bass", "contrabass/double_bass_(bass_of_instrings)"): ("bass", "double-bass"),
    ("bass", "tuba_(bass_of_brass)"): ("bass", "tuba"),
    ("bass", "bassoon_(bass_of_woodwind)"): ("bass", "bassoon"),
    ("drums", "full_acoustic_drumkit"): ("drums", "drum-kit"),
    ("drums", "drum_machine"): ("drums", "electronic-drums"),
    ("other", "fx/processed_sound,_scratches,_gun_shots,_explosions_etc"): ("other", "sound-effects"),
    ("other", "click_track"): ("other", None),
    ("guitar", "clean_electric_guitar"): ("other", "electric-guitar"),
    ("guitar", "distorted_electric_guitar"): ("other", "distorted-guitar"),
    ("guitar", "lap_steel_guitar_or_slide_guitar"): ("other", "slide-guitar"),
    ("guitar", "acoustic_guitar"): ("other", "acoustic-guitar"),
    ("other_plucked", "banjo,_mandolin,_ukulele,_harp_etc"): ("other", None),
    ("percussion", "a-tonal_percussion_(claps,_shakers,_congas,_cowbell_etc)"): ("drums", "auxiliary-percussion"),
    ("percussion", "pitched_percussion_(mallets,_glockenspiel,_...)"): ("other", "mallets"),
    ("piano", "grand_piano"): ("other", "piano"),
    ("piano", "electric_piano_(rhodes,_wurlitzer,_piano_sound_alike)"): ("other", "electric-piano"),
    ("other_keys", "organ,_electric_organ"): ("other", "organ"),
    ("other_keys", "synth_pad"): ("other", "synth-pad"),
    ("other_keys", "synth_lead"): ("other", "synth-lead"),
    ("other_keys", "other_sounds_(hapischord,_melotron_etc)"): ("other", None),
    ("bowed_strings", "violin_(solo)"): ("other", "violin"),
    ("bowed_strings", "viola_(solo)"): ("other", "viola"),
    ("bowed_strings", "cello_(solo)"): ("other", "cello"),
    ("bowed_strings", "violin_section"): ("other", "violin-section"),
    ("bowed_strings", "string_section"): ("other", "strings"),
    ("bowed_strings", "other_strings"): ("other", None),
    ("wind", "brass_(trumpet,_trombone,_french_horn,_brass_etc)"): ("other", "brass"),
    ("wind", "flutes_(piccolo,_bamboo_flute,_panpipes,_flutes_etc)"): ("other", None),
    ("wind", "reeds_(saxophone,_clarinets,_oboe,_english_horn,_bagpipe)"): ("other", "reeds"),
    ("wind", "other_wind"): ("other", None),
}


def test_the_taxonomy_in_four_stems(tmp_path: Path) -> None:
    make(tmp_path, list(TAXONOMY))
    files = moisesdb.read_song(tmp_path, NAME).files
    assert {key: (file.stem, file.instrument) for key, file in zip(TAXONOMY, files, strict=True)} == TAXONOMY


@pytest.mark.parametrize("kind", ["snare_drum", "toms", "kick_drum", "cymbals", "hi-hat", "hi_hat", "overheads"])
def test_pieces_of_the_kit_are_the_kit(kind: str, tmp_path: Path) -> None:
    make(tmp_path, [("drums", kind), ("drums", "full_acoustic_drumkit")])
    assert moisesdb.read_song(tmp_path, NAME).instruments == {"drums": ("drum-kit",)}


def test_bleed_is_a_flag(tmp_path: Path) -> None:
    make(tmp_path, bleed=True)
    assert moisesdb.read_song(tmp_path, NAME).flags == ("has-bleed",)


def test_tracks_may_differ_in_length(tmp_path: Path) -> None:
    """They do in 50 of its songs, by up to 15 s."""
    make(tmp_path)
    write(tmp_path / NAME / "bass" / "00000004-0000.wav", noise(seconds=2.0))
    assert len(moisesdb.read_song(tmp_path, NAME).files) == len(BAND)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('"stemName": "bass"', '"stemName": "../bass"', r"stems\.4\.stemName"),
        ('"id": "00000001-0000"', '"id": "/etc/passwd"', r"stems\.1\.tracks\.0\.id"),
        ('"extension": "wav"', '"extension": "/../x"', r"stems\.0\.tracks\.0\.extension"),
        ('"trackType": "bass_guitar"', '"trackType": 7', "trackType"),
        ('"song": "I\'m A Mess"', '"song": "\\ud800"', "song: "),
        ('"song"', '"stems": [], "song"', "'stems' is given twice"),
        ('"stems"', '"items"', "stems: Field required"),
    ],
)
def test_bad_data_name_the_field(old: str, new: str, says: str, tmp_path: Path) -> None:
    where = make(tmp_path)
    assert old in where.read_text()
    where.write_text(where.read_text().replace(old, new, 1))
    with pytest.raises(DataError, match=says) as caught:
        moisesdb.read_song(tmp_path, NAME)
    assert (caught.value.code, caught.value.where) == ("data/moisesdb-metadata", str(where))


def test_missing_and_damaged_tracks_are_named(tmp_path: Path) -> None:
    where = make(tmp_path)
    path = tmp_path / NAME / "bass" / "00000004-0000.wav"
    path.write_bytes(path.read_bytes()[:-2])
    with pytest.raises(AudioError) as cut:
        moisesdb.read_song(tmp_path, NAME)
    assert (cut.value.code, cut.value.where) == ("audio/truncated", str(path))
    path.unlink()
    with pytest.raises(DataError, match=r"1 of 8 tracks are not there, first .*00000004") as missing:
        moisesdb.read_song(tmp_path, NAME)
    assert (missing.value.code, missing.value.where) == ("data/moisesdb-incomplete", str(where))
    with pytest.raises(DataError, match="Did you mean"):
        moisesdb.read_song(tmp_path, NAME[:-1])
    with pytest.raises(DataError) as none:
        moisesdb.songs(tmp_path / NAME / "bass")
    assert none.value.code == "data/no-moisesdb"
