from __future__ import annotations

import hashlib
import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.audio import Clip
from bench.errors import DataError, UsageError
from bench.store.cache import ENV
from tasks.nsynth import FAMILIES, SPLITS, VELOCITIES, present, read_notes, read_splits
from tasks.synth import notes as synth_notes
from tasks.synth.lines import COMPASS, write_phrase
from tasks.synth.notes import PEAK, cached_notes, write_notes
from tasks.synth.phrases import has_phrases, read_phrases
from tasks.synth.voices import _split, voices

LABELLED = [voice for voice in voices() if voice.label]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One note of every sound, and a phrase of the first twenty. Shared: nobody changes it."""
    root = tmp_path_factory.mktemp("synth-notes")
    write_notes(root, seed=3, notes=len(LABELLED), phrases=20, workers=1)
    return root


def _hashes(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


# -- single notes ---------------------------------------------------------------------------------------------------


def test_notes_are_what_nsynths_notes_are(folder: Path) -> None:
    by_label = {voice.label: voice for voice in LABELLED}
    seen = set()
    for split, notes in read_splits(folder).items():
        for note in notes:
            clip = Clip.read(folder / f"nsynth-{split}" / note.path)
            assert (clip.length, clip.rate, clip.channels) == (64_000, 16_000, 1)
            voice = by_label[note.instrument]
            assert voice.split == split
            assert voice.instrument.family == note.family
            assert voice.sound.low <= note.pitch <= voice.sound.high
            assert note.velocity in VELOCITIES
            assert note.qualities is None
            seen.add(note.instrument)
    assert seen == set(by_label)


def test_a_peak_tells_the_velocity_and_nothing_else(folder: Path) -> None:
    for split, notes in read_splits(folder).items():
        for note in notes:
            clip = Clip.read(folder / f"nsynth-{split}" / note.path)
            assert clip.peak == pytest.approx(PEAK * note.velocity / 127, abs=2**-15)
            assert clip.clipped == 0


def test_notes_are_let_go_after_three_seconds(folder: Path) -> None:
    for split, notes in read_splits(folder).items():
        for note in notes:
            clip = Clip.read(folder / f"nsynth-{split}" / note.path)
            assert clip.window(3.5, 0.5).rms_db < clip.window(0.0, 0.5).rms_db - 20
            assert abs(float(clip.samples[-1, 0])) < 2e-4


def _pitch(clip: Clip) -> float:
    """MIDI number of the first high peak of the autocorrelation."""
    spectrum = np.abs(np.fft.rfft(clip.mono, 2 * clip.length)) ** 2
    similar = np.fft.irfft(spectrum)[: clip.length // 4]
    below = int(np.flatnonzero(similar < 0)[0])
    first = below + int(np.flatnonzero(similar[below:] > 0.85 * similar[below:].max())[0])
    top = first + int(np.argmax(similar[first : first + 5]))
    left, middle, right = similar[top - 1 : top + 2]
    lag = top + 0.5 * (left - right) / (left - 2 * middle + right)  # between samples, by a parabola
    return float(69 + 12 * np.log2(clip.rate / lag / 440))


@pytest.mark.parametrize("name", ["violin", "trumpet", "clarinet", "cello", "bassoon", "tuba"])
def test_the_pitch_is_the_one_that_the_name_says(folder: Path, name: str) -> None:
    voice = next(voice for voice in LABELLED if voice.sound.name == name)
    notes = read_notes(folder / f"nsynth-{voice.split}")
    note = next(note for note in notes if note.instrument == voice.label)
    clip = Clip.read(folder / f"nsynth-{voice.split}" / note.path).window(0.5, 1.0)
    assert _pitch(clip) == pytest.approx(note.pitch, abs=0.5)


def test_the_same_seed_gives_the_same_bytes_on_any_number_of_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_notes(tmp_path / "one", seed=5, notes=6, phrases=2, workers=1)
    write_notes(tmp_path / "two", seed=5, notes=6, phrases=2, workers=2)
    assert _hashes(tmp_path / "one") == _hashes(tmp_path / "two")
    write_notes(tmp_path / "other", seed=6, notes=6, phrases=2, workers=1)
    assert not set(_hashes(tmp_path / "one").values()) & set(_hashes(tmp_path / "other").values())


def test_more_notes_begin_with_the_fewer(tmp_path: Path) -> None:
    count = len([voice for voice in LABELLED if voice.split == "valid"])
    for name, notes, phrases in (("few", 3, 1), ("many", count + 2, 3)):
        write_notes(tmp_path / name, seed=0, notes=notes, phrases=phrases, splits=("valid",), workers=1)
    few, many = (_hashes(tmp_path / name) for name in ("few", "many"))
    audio = {path: sha for path, sha in few.items() if path.endswith(".wav")}
    assert len(audio) == 4
    assert audio.items() <= many.items()
    assert len(read_notes(tmp_path / "many" / "nsynth-valid")) == count + 2


def test_no_two_notes_are_alike_and_no_more_are_promised_than_there_are(tmp_path: Path) -> None:
    chosen = [voice for voice in LABELLED if voice.split == "test"]
    total = sum(5 * (voice.sound.high - voice.sound.low + 1) for voice in chosen)
    planned = synth_notes._plan_notes(chosen, total, 0)
    assert len({(voice.label, pitch, velocity) for voice, pitch, velocity in planned}) == total
    with pytest.raises(UsageError, match=f"at most {total} notes") as raised:
        write_notes(tmp_path, seed=0, notes=total + 1, splits=("test",))
    assert raised.value.code == "synth/too-many-notes"
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_there_is_not_touched(folder: Path) -> None:
    with pytest.raises(DataError) as raised:
        write_notes(folder, seed=0, notes=1)
    assert raised.value.code == "synth/folder-taken"
    with pytest.raises(UsageError, match="Did you mean valid"):
        write_notes(folder, seed=0, notes=1, splits=("vald",))


def test_the_cache_holds_what_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENV, str(tmp_path))
    made = cached_notes(seed=0, notes=2, phrases=1, splits=("train",))
    monkeypatch.setattr(synth_notes, "render", lambda *_: pytest.fail("rendered again"))
    assert cached_notes(seed=0, notes=2, phrases=1, splits=("train",)) == made
    assert len(read_notes(made / "nsynth-train")) == 2


# -- splits and labels ----------------------------------------------------------------------------------------------


def test_a_sound_is_in_one_split_and_train_has_every_family() -> None:
    assert len({voice.sound.name for voice in voices()}) == len(voices())
    families = {split: {v.instrument.family for v in voices() if v.split == split} for split in SPLITS}
    assert families["train"] == {voice.instrument.family for voice in voices()}


def test_labels_are_names_of_nsynth_and_unique() -> None:
    labels = [voice.label for voice in LABELLED]
    assert len(set(labels)) == len(labels)
    assert {voice.instrument.family for voice in LABELLED} <= set(FAMILIES)
    assert not {voice.instrument.family for voice in voices() if voice.label is None} & set(FAMILIES)
    assert {voice.sound.name: voice.origin for voice in voices()}.items() >= {
        ("piano", "acoustic"),
        ("electric-piano", "electronic"),
        ("bass-guitar", "electronic"),
        ("synth-bass", "synthetic"),
        ("double-bass", "acoustic"),
    }


def test_all_splits_have_all_families(folder: Path) -> None:
    for notes in read_splits(folder).values():
        assert present(notes) == FAMILIES


@pytest.mark.parametrize(
    ("count", "told"), [(1, (1, 0, 0)), (2, (1, 0, 1)), (3, (1, 1, 1)), (9, (7, 1, 1)), (10, (6, 2, 2))]
)
def test_a_family_is_divided_by_its_number_of_sounds(count: int, told: tuple[int, int, int]) -> None:
    splits = list(_split([f"sound-{number}" for number in range(count)]).values())
    assert tuple(splits.count(split) for split in SPLITS) == told


# -- phrases --------------------------------------------------------------------------------------------------------


@given(low=st.integers(24, 60), width=st.integers(12, 48), seconds=st.floats(2.0, 20.0), seed=st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_a_line_is_one_note_at_a_time_within_the_range(low: int, width: int, seconds: float, seed: int) -> None:
    notes = write_phrase(low, low + width, seconds, np.random.default_rng(seed))
    assert len(notes) >= seconds * 0.6
    assert all(before.end_s <= after.onset_s for before, after in itertools.pairwise(notes))
    assert notes[0].onset_s < 0.1
    assert notes[-1].end_s <= seconds
    pitches = [note.pitch for note in notes]
    assert low <= min(pitches) <= max(pitches) <= low + width
    assert max(pitches) - min(pitches) <= COMPASS + 1
    assert all(1 <= note.velocity <= 127 for note in notes)


def test_lines_go_mostly_by_step_and_differ() -> None:
    lines = [write_phrase(60, 84, 20.0, np.random.default_rng(seed)) for seed in range(20)]
    steps = [abs(b.pitch - a.pitch) for line in lines for a, b in itertools.pairwise(line)]
    assert np.mean(np.array(steps) <= 4) > 0.75
    assert len({tuple(note.pitch for note in line) for line in lines}) == 20


def test_phrases_sound_where_their_notes_are(folder: Path) -> None:
    found = 0
    for split in SPLITS:
        root = folder / f"nsynth-{split}"
        listed = json.loads((root / "phrases.json").read_text(encoding="utf-8"))
        for phrase in read_phrases(root):
            clip = Clip.read(root / phrase.path)
            assert (clip.rate, clip.channels, clip.duration_s) == (16_000, 1, 11.0)
            assert clip.peak == pytest.approx(PEAK, abs=2**-15)
            for onset, _, _, _ in listed[phrase.name]["notes"]:
                assert clip.window(min(onset, 9.9), 0.1).rms_db > -50
            found += 1
    assert found == 20


def _listed(**changes: Any) -> dict[str, Any]:
    return {"solo": {"instrument": "flute", "notes": [[0.0, 1.0, 60, 90]], **changes}}


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        ("[]", "not an object"),
        ('{"solo": 1, "solo": 2}', "given twice"),
        (json.dumps(_listed(instrument="kazoo")), "no instrument is called 'kazoo'"),
        (json.dumps(_listed(notes=[])), "at least 1 item"),
        (json.dumps(_listed(notes=[[0.0, 1.0, 128, 90]])), "less than or equal to 127"),
        (json.dumps(_listed(notes=[[-1.0, 1.0, 60, 90]])), "greater than or equal to 0"),
        (json.dumps({"../solo": _listed()["solo"]}), "should match pattern"),
        (json.dumps({"duet": _listed()["solo"]}), "there is no phrases/duet.wav"),
    ],
)
def test_a_malformed_list_of_phrases_is_refused(tmp_path: Path, content: str, cause: str) -> None:
    Clip.of(np.full(1600, 0.1), 16_000).write_wav(tmp_path / "phrases" / "solo.wav")
    assert not has_phrases(tmp_path)
    (tmp_path / "phrases.json").write_text(content, encoding="utf-8")
    assert has_phrases(tmp_path)
    with pytest.raises(DataError) as raised:
        read_phrases(tmp_path)
    assert cause in raised.value.cause
    assert raised.value.code == "nsynth/phrases"
    assert raised.value.where == str(tmp_path / "phrases.json")


def test_anyone_may_write_phrases(tmp_path: Path) -> None:
    Clip.of(np.full(1600, 0.1), 16_000).write_wav(tmp_path / "phrases" / "solo.wav")
    (tmp_path / "phrases.json").write_text(json.dumps(_listed(licence="CC0", take=3)), encoding="utf-8")
    (phrase,) = read_phrases(tmp_path)
    assert (phrase.instrument, phrase.notes, phrase.licence) == ("flute", ((0.0, 1.0),), "CC0")
