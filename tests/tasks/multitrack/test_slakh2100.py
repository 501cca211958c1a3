"""Slakh2100's layout: what its patches are, which files count, and what damage does."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from multitrack_recordings import noise, write

from bench.audio import Clip
from bench.errors import AudioError, DataError
from tasks.multitrack import slakh2100


def stem(plugin: str, program: str = "", inst_class: str = "Guitar", **more: Any) -> dict[str, Any]:
    """A stem as metadata.yaml of BabySlakh has it."""
    return {
        "audio_rendered": False,
        "inst_class": inst_class,
        "integrated_loudness": -12.82074180245363,
        "is_drum": False,
        "midi_program_name": program,
        "midi_saved": False,
        "plugin_name": plugin,
        "program_num": 30,
        **more,
    }


BAND = {
    "S00": stem("elektrik_guitar.nkm", "Distortion Guitar"),
    "S01": stem("session_kit_full.nkm", "Drums", "Drums", is_drum=True),
    "S02": stem("scarbee_rickenbacker_bass.nkm", "Electric Bass (finger)", "Bass"),
    "S03": stem("choir_o.nkm", "Choir Aahs", "Strings (continued)"),
    "S04": stem("transistor_compact.nkm", "Harmonica", "Organ"),
    "S06": stem("None", "FX 8 (sci-fi)", "Sound Effects"),
}


def make(root: Path, track: str, stems: Mapping[str, Any] = BAND, *, suffix: str = ".flac", skip: str = "S06") -> Path:
    """A track; the audio of one stem is left out."""
    clips = {label: noise(int(label[1:])) for label in stems if label != skip}
    for label, clip in clips.items():
        write(root / track / "stems" / f"{label}{suffix}", clip)
    write(root / track / f"mix{suffix}", Clip.sum(list(clips.values())))
    metadata = root / track / "metadata.yaml"
    metadata.write_text(yaml.safe_dump({"UUID": "1a81", "audio_dir": "wrong/stems", "stems": dict(stems)}))
    return metadata


def test_a_track_as_published(tmp_path: Path) -> None:
    make(tmp_path, "test/Track01876")
    song = slakh2100.read_song(tmp_path, "test/Track01876")
    assert (song.track, song.mixture, song.licence) == ("Track01876", "test/Track01876/mix.flac", "CC BY 4.0")
    assert [(file.path[-8:], file.stem, file.instrument) for file in song.files] == [
        ("S00.flac", "other", "distorted-guitar"),
        ("S01.flac", "drums", "drum-kit"),
        ("S02.flac", "bass", "electric-bass"),
        ("S03.flac", "vocals", "choir"),
        ("S04.flac", "other", "electronic-organ"),  # whatever the program says
    ]
    assert {name: song.monophonic(name) for name in song.stems} == {
        "vocals": False,
        "drums": False,
        "bass": None,  # a MIDI track may play chords on it
        "other": False,
    }
    assert song.flags == ()


def test_splits_single_splits_and_babyslakh(tmp_path: Path) -> None:
    make(tmp_path / "slakh", "test/Track01876")
    make(tmp_path / "slakh", "omitted/Track00007")
    make(tmp_path / "baby", "Track00001", suffix=".wav")
    (tmp_path / "slakh" / "test" / "Track09999").mkdir()  # no metadata: not a track
    assert slakh2100.songs(tmp_path / "slakh") == ["omitted/Track00007", "test/Track01876"]
    assert slakh2100.songs(tmp_path / "slakh" / "test") == ["Track01876"]
    assert slakh2100.songs(tmp_path / "baby") == ["Track00001"]
    assert slakh2100.read_song(tmp_path / "baby", "Track00001").mixture == "Track00001/mix.wav"
    assert slakh2100.read_song(tmp_path / "slakh", "omitted/Track00007").flags == ("slakh-omitted",)
    assert not slakh2100.recognises(tmp_path)
    with pytest.raises(DataError) as caught:
        slakh2100.songs(tmp_path)
    assert caught.value.code == "data/no-slakh"


def test_known_errors_are_flags(tmp_path: Path) -> None:
    make(tmp_path, "Track01500")
    assert slakh2100.read_song(tmp_path, "Track01500").flags == ("erratum-single-tone",)


# All patches of slakh-generation's classes_strict.json.
PATCHES = {
    "piano": "ragtime_piano the_giant_hard_and_tough the_giant_modern_studio the_giant_vibrant alicias_keys "
    "the_grandeur the_gentleman grand_piano upright_piano concert_grand august_foerster_grand",
    "harpsichord": "harpsichord",
    "clavinet": "scarbee_clavinet_full",
    "electric-piano": "scarbee_a_200 scarbee_pianet scarbee_mark_I wurly_ep e_piano",
    "mallets": "hybrid_keys_antique_toy hybrid_keys_futurebells hybrid_keys_hot_tropics",
    "marimba": "hybrid_keys_concert_marimba marimba marimba_essential",
    "glockenspiel": "hybrid_keys_glockenspiel glockenspiel glockenspiel_essential",
    "vibraphone": "hybrid_keys_tube_vibraphone",
    "celesta": "celesta",
    "chimes": "tubular_bells_metal tubular_bells_wood",
    "xylophone": "xylophone xylophone_essential",
    "electronic-organ": "jazz_organ tonewheel_organ_b3 tonewheel_organ_c3 tonewheel_organ_m3 transistor_compact "
    "transistor_continental fever house_cat musicology outta_space",
    "pipe-organ": "organ_kh_grprplenum_manual organ_kh_floeten_1_manual",
    "nylon-guitar": "nylon_guitar nylon_guitar2",
    "acoustic-guitar": "/Library/Audio/Plug-Ins/Components/AGML2.component",
    "electric-guitar": "jazz_guitar jazz_guitar2 jazz_guitar3 jazz_guitar4 funk_guitar",
    "distorted-guitar": "rhythm_rock_guitar solo_guitar elektrik_guitar rock_guitar harmonic_guitar",
    "double-bass": "upright_bass upright_bass2 jazz_upright double_bass_ensemble double_bass_solo",
    "electric-bass": "classic_bass funk_bass pop_bass scarbee_pre_bass scarbee_mm_bass scarbee_jay_bass_both "
    "scarbee_jay_bass_slap_both scarbee_rickenbacker_bass_palm_muted scarbee_rickenbacker_bass",
    "violin": "violin_solo",
    "violin-section": "violin_ensemble",
    "viola": "viola_solo",
    "viola-section": "viola_ensemble",
    "cello": "cello_solo",
    "cello-section": "cello_ensemble",
    "strings": "string_ensemble_essential session_strings_pro_2_ensemble_modern "
    "session_strings_pro_2_ensemble_traditional string_ensemble",
    "timpani": "timpani",
    "harp": "harp",
    "choir": "choir_a choir_e choir_o",
    "trumpet": "trumpet trumpet_1 trumpet_2",
    "trumpet-section": "trumpet_section",
    "muted-trumpet": "muted_trumpet mute_trumpet",
    "flugelhorn": "flugelhorn",
    "trombone": "bass_trombone trombone tenor_trombone",
    "trombone-section": "trombone_section",
    "tuba": "tuba",
    "french-horn": "horn_1_essential horn_2_essential",
    "horn-section": "session_horns_pro_keyswitch_60s_horns session_horns_pro_keyswitch_generic_section",
    "brass": "brass_quartet_essential",
    "alto-saxophone": "alto_sax_vintage_solo alto_saxophone",
    "saxophone": "saxophone_essential saxophones_essential saxophone_section",
    "tenor-saxophone": "tenor_sax tenor_saxophone",
    "baritone-saxophone": "baritone_sax_vintage_solo baritone_saxophone",
    "woodwinds": "woodwind_quintet_essential woodwind_ensemble_essential",
    "oboe": "oboe_essential oboes_essential french_oboe oboe",
    "english-horn": "english_horn",
    "bassoon": "bassoon_essential bassoons_essential bassoon_combi bassoon",
    "clarinet": "clarinet_combi clarinet clarinet_essential clarinets_essential",
    "flute": "flute_essential flutes_essential flute",
    "piccolo": "piccolo",
    "synth-lead": "cheesy_lead crawling_lead december_saw douglas_lead downforce_saw guitar_lead hard_n_dirty "
    "hybrid_lead mystic_lead percussive_lead pimped_analog_saw poly_detuned_lead processor_lead reamped_lead",
    "synth-pad": "across_the_pacific ahoy ambibella april_pan arctic_morning belle_de_jour cerulean chrystal cold_cave "
    "daft dawn_chorus drifting_apart",
}


def test_every_patch_is_an_instrument(tmp_path: Path) -> None:
    expected = {patch: name for name, patches in PATCHES.items() for patch in patches.split()}
    stems = {
        f"S{number:02d}": stem(patch if "." in patch else f"{patch}.nkm", "FX 1 (rain)")
        for number, patch in enumerate(expected)
    }
    make(tmp_path, "Track00001", stems, skip="")
    files = {Path(file.path).stem: file for file in slakh2100.read_song(tmp_path, "Track00001").files}
    assert {patch: files[label].instrument for patch, label in zip(expected, stems, strict=True)} == expected
    classes = {file.instrument: file.stem for file in files.values()}
    found = [classes[name] for name in ("timpani", "double-bass", "choir", "tuba")]
    assert found == ["drums", "bass", "vocals", "other"]


@pytest.mark.parametrize(
    ("plugin", "program", "instrument"),
    [
        ("solo_strings.nkm", "Viola", "viola"),
        ("solo_strings.nkm", "Contrabass", "double-bass"),
        ("", "Electric Guitar (jazz)", "electric-guitar"),
        ("some_new_patch.nkm", "Pad 3 (polysynth)", "synth-pad"),
        ("None", "FX 8 (sci-fi)", "synthesizer"),
        ("some_new_patch.nkm", "", None),
    ],
)
def test_the_program_counts_where_the_patch_says_nothing(
    plugin: str, program: str, instrument: str | None, tmp_path: Path
) -> None:
    make(tmp_path, "Track00001", {"S00": stem(plugin, program, "Synth Pad")})
    (file,) = slakh2100.read_song(tmp_path, "Track00001").files
    assert file.instrument == instrument


def test_a_stem_that_was_rendered_must_be_there(tmp_path: Path) -> None:
    rendered = {**BAND, "S06": stem("None", audio_rendered=True)}
    make(tmp_path, "Track00001", rendered)
    with pytest.raises(DataError, match="stems/S06") as caught:
        slakh2100.read_song(tmp_path, "Track00001")
    assert (caught.value.code, caught.value.where) == ("data/slakh-incomplete", str(tmp_path / "Track00001"))
    make(tmp_path, "Track00002")
    (tmp_path / "Track00002" / "mix.flac").unlink()
    with pytest.raises(DataError, match="'mix'"):
        slakh2100.read_song(tmp_path, "Track00002")
    with pytest.raises(DataError) as absent:
        slakh2100.read_song(tmp_path, "Track00003")
    assert absent.value.code == "data/slakh-no-track"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("S00:", "../../etc/S00:", r"stems\.\.\./\.\./etc/S00"),
        ("S00:", "S00.flac:", r"stems\.S00\.flac"),
        ("is_drum: false", "is_drum: maybe", r"is_drum: "),
        ("inst_class: Guitar", "inst_class: 7", r"inst_class: "),
        ("plugin_name: elektrik_guitar.nkm", "plugin_name: &a [*a]", "aliases"),
        ("stems:", "items:", "stems: Field required"),
    ],
)
def test_bad_metadata_name_the_field(old: str, new: str, says: str, tmp_path: Path) -> None:
    where = make(tmp_path, "Track00001")
    assert old in where.read_text()
    where.write_text(where.read_text().replace(old, new, 1))
    with pytest.raises(DataError, match=says) as caught:
        slakh2100.read_song(tmp_path, "Track00001")
    assert (caught.value.code, caught.value.where) == ("data/slakh-metadata", str(where))


def test_a_damaged_stem_is_named(tmp_path: Path) -> None:
    make(tmp_path, "Track00001", suffix=".wav")
    path = tmp_path / "Track00001" / "stems" / "S02.wav"
    path.write_bytes(path.read_bytes()[:-2])
    with pytest.raises(AudioError) as caught:
        slakh2100.read_song(tmp_path, "Track00001")
    assert (caught.value.code, caught.value.where) == ("audio/truncated", str(path))
