"""PolyEvalPrompts when the files are not as published, and its audio in both layouts."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from polyevalprompts_made_up import TRACKS, build, edits, entry, write_musdb, write_prompts

from bench.audio import Clip
from bench.errors import AudioError, DataError
from bench.task import EditTask
from tasks.polyevalprompts import MUSDB18_TEST, MUSICDELTA, SEPARATOR_SEEN, slug

ROCK_SOURCE = "MusicDelta_Rock with a guitar, a bass and drums."


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    """All 78 folders with made-up prompts that have no defects."""
    return write_prompts(tmp_path / "prompts")


# -- names and rules ------------------------------------------------------------------------------------------------


def test_slugs_are_plain_and_unique() -> None:
    slugs = [slug(name) for name in (*MUSDB18_TEST, *MUSICDELTA)]
    assert len(set(slugs)) == 78
    assert all(
        text.isascii() and text == text.lower() and set(text) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
        for text in slugs
    )
    assert slug("M.E.R.C. Music - Knockout") == "merc-music-knockout"
    assert slug("Café – Über") == "cafe-uber"


def test_lists_are_complete_and_sorted() -> None:
    assert (len(MUSDB18_TEST), len(MUSICDELTA), len(SEPARATOR_SEEN)) == (50, 28, 13)
    assert list(MUSICDELTA) == sorted(MUSICDELTA)
    assert set(MUSICDELTA) >= SEPARATOR_SEEN


# -- prompts that are not as published ------------------------------------------------------------------------------


def test_made_up_prompts_build(prompts: Path) -> None:
    suite = build(prompts)
    task = suite.tasks[-15]
    assert task.id == "polyevalprompts/musicdelta/zeppelin/guitar2violin"
    assert (task.stem, task.target_phrase) == ("other", "a violin")
    assert task.target_prompt[slice(*(task.target_span or ()))] == "a violin"
    assert task.stem_phrases == {"bass": "a bass", "drums": "drums", "other": "a violin"}
    flags = Counter(flag for task in suite.tasks for flag in task.flags)
    assert flags == {"separator-seen": 13 * 15, "prompts-not-as-released": 1170}


def first_file(prompts: Path) -> Path:
    return prompts / "musicdelta" / "MusicDelta_Rock" / "prompt_multi.json"


def rock(prompts: Path, medleydb: Path | None = None) -> EditTask:
    return next(task for task in build(prompts, medleydb).tasks if task.id.endswith("/rock/guitar2violin"))


def test_prompts_copied_from_another_song_flag_both(prompts: Path) -> None:
    zeppelin = prompts / "musicdelta" / "MusicDelta_Zeppelin" / "prompt_multi.json"
    first_file(prompts).write_text(json.dumps(json.loads(zeppelin.read_text()), indent=2))  # other bytes, same words
    flagged = [task for task in build(prompts).tasks if "prompts-shared-with-another-song" in task.flags]
    assert Counter(task.song for task in flagged) == {"musicdelta/rock": 15, "musicdelta/zeppelin": 15}


def test_white_space_is_normalised_as_in_the_release(prompts: Path) -> None:
    first_file(prompts).write_text(
        json.dumps(
            edits("Rock", **{"Baseline Prompt": " A \n bright  violin.", "Others Softmask Prompt": "bright violin "})
        )
    )
    task = rock(prompts)
    assert task.target_prompt == "A bright violin."
    assert task.target_span == (2, 15)


def _drop_track(root: Path) -> None:
    shutil.rmtree(root / "musdb18_test" / "Zeno - Signs")


def _add_track(root: Path) -> None:
    (root / "musicdelta" / "MusicDelta_Pachelbel").mkdir()


def _drop_set(root: Path) -> None:
    shutil.rmtree(root / "musicdelta")


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (_drop_track, "of the 50 tracks, 1 missing: Zeno - Signs"),
        (_add_track, "of the 28 tracks, 1 unexpected: MusicDelta_Pachelbel"),
        (lambda root: first_file(root).unlink(), "1 without prompt_multi.json: MusicDelta_Rock"),
        (_drop_set, "no 'musicdelta'"),
        (shutil.rmtree, "no 'musdb18_test'"),
    ],
)
def test_missing_and_additional_tracks_are_named(damage: Callable[[Path], None], says: str, prompts: Path) -> None:
    damage(prompts)
    with pytest.raises(DataError, match=says):
        build(prompts)


def test_stray_files_beside_the_tracks_do_no_harm(prompts: Path) -> None:
    (prompts / "musicdelta" / ".cache").mkdir()
    (prompts / "musicdelta" / "README.md").write_text("hello")
    assert len(build(prompts).tasks) == 1170


def _without(text: str, field: str) -> str:
    data = json.loads(text)
    del data["guitar2violin"][field]
    return json.dumps(data)


def _renamed(text: str, key: str) -> str:
    return text.replace('"guitar2violin"', json.dumps(key))


@pytest.mark.parametrize(
    ("damage", "key", "says"),
    [
        (lambda text: text[:-40], None, "not readable as JSON"),
        (lambda text: "[" * 100_000, None, "not readable as JSON"),
        (lambda text: "[1, 2]", None, "not an object"),
        (lambda text: text + " " * (1 << 20), None, "longer than"),
        (lambda text: "{}", None, "0 edits instead of 15"),
        (lambda text: _renamed(text, "bass2tuba"), None, "the name 'bass2tuba' is given twice"),
        (lambda text: _renamed(text, "../x2y"), "../x2y", "must look like guitar2violin"),
        (lambda text: _renamed(text, "guitar"), "guitar", "must look like guitar2violin"),
        (lambda text: _without(text, "Bass Softmask Prompt"), "guitar2violin", "Bass Softmask Prompt: Field required"),
        (lambda text: _without(text, "Baseline Prompt"), "guitar2violin", "Baseline Prompt: Field required"),
        (
            lambda text: text.replace("Original Prompt", "original", 1),
            "guitar2violin",
            "Original Prompt: Field required",
        ),
        (
            lambda text: text.replace(f'"{ROCK_SOURCE}"', "7", 1),
            "guitar2violin",
            "Original Prompt: Input should be a valid string",
        ),
        (
            lambda text: text.replace(f'"{ROCK_SOURCE}"', '" "', 1),
            "guitar2violin",
            "Original Prompt: String should have at least 1 character",
        ),
        (
            lambda text: text.replace('"Original Prompt"', '"Note": "x", "Original Prompt"', 1),
            "guitar2violin",
            "Note: Extra inputs are not permitted",
        ),
    ],
)
def test_malformed_file_is_named_with_its_key(
    damage: Callable[[str], str], key: str | None, says: str, prompts: Path
) -> None:
    file = first_file(prompts)
    file.write_text(damage(file.read_text()))
    with pytest.raises(DataError, match=says) as caught:
        build(prompts)
    assert caught.value.code == "data/prompts"
    assert caught.value.where == (f"{file}: {key}" if key else str(file))


def test_changed_prompts_change_the_rules_digest(prompts: Path) -> None:
    before = build(prompts)
    first_file(prompts).write_text(first_file(prompts).read_text() + "\n")
    assert build(prompts).rules["prompts_sha256"] != before.rules["prompts_sha256"]


# -- audio in MedleyDB's layout -------------------------------------------------------------------------------------


def test_absent_and_silent_stems_are_flagged(prompts: Path, make_track: Callable[..., Path], tmp_path: Path) -> None:
    make_track("MusicDelta_Rock", ("drum set", ""), ("piano", ""), seconds=11.0)
    suite = build(prompts, tmp_path)
    tasks = {task.id.rpartition("/")[2]: task for task in suite.available}
    assert len(tasks) == 15
    assert tasks["guitar2violin"].flags == ("prompts-not-as-released", "separator-seen")
    assert tasks["guitar2violin"].monophonic is False
    assert tasks["bass2tuba"].flags == ("edited-stem-absent", "prompts-not-as-released", "separator-seen")
    assert tasks["bass2tuba"].monophonic is None
    piano = tmp_path / suite.sources["musicdelta/rock"].stems["other"][0]
    Clip.silence(11.0, 8000, 2).write_wav(piano)
    assert set(rock(prompts, tmp_path).flags) - set(tasks["guitar2violin"].flags) == {
        *("edited-stem-silent", "mixture-not-sum")
    }


def test_audio_that_cannot_be_used_stops_the_build(
    prompts: Path, make_track: Callable[..., Path], tmp_path: Path
) -> None:
    metadata = make_track("MusicDelta_Rock", ("piano", ""), seconds=9.0)
    with pytest.raises(AudioError, match=r"9.000 s has no excerpt of 10 s") as short:
        build(prompts, tmp_path)
    assert short.value.where == str(metadata.parent / "MusicDelta_Rock_MIX.wav")
    (metadata.parent / "MusicDelta_Rock_MIX.wav").unlink()
    with pytest.raises(DataError) as incomplete:
        build(prompts, tmp_path)
    assert incomplete.value.code == "data/medleydb-incomplete"
    with pytest.raises(DataError) as nothing:
        build(prompts, prompts)
    assert nothing.value.code == "data/no-medleydb"


# -- audio in MUSDB18-HQ's layout -----------------------------------------------------------------------------------


@pytest.fixture
def musdb(tmp_path: Path) -> Path:
    """Two tracks of 12.5 s, whose drums come in at 2 s; at a low rate, to be quick."""
    return write_musdb(tmp_path / "musdb18hq")


def test_musdb_tracks_have_audio_and_the_others_are_named(prompts: Path, musdb: Path) -> None:
    suite = build(prompts, musdb=musdb)
    assert Counter(task.song for task in suite.available) == {"musdb18/pr-oh-no": 15, "musdb18/zeno-signs": 15}
    assert suite.absences() == {
        "MedleyDB audio not given": 420,
        **{f"MUSDB18-HQ audio not found: {name}": 15 for name in MUSDB18_TEST if name not in TRACKS},
    }
    ref = suite.sources["musdb18/zeno-signs"]
    assert (ref.root, ref.mixture) == ("musdb18hq", "test/Zeno - Signs/mixture.wav")
    assert "academic use only" in ref.licence
    source = suite.open("musdb18/zeno-signs")
    assert set(source.stems) == {"vocals", "drums", "bass", "other"}
    assert source.mixture.length == 80_000
    np.testing.assert_allclose(source.mixture.samples, Clip.sum(list(source.stems.values())).samples, atol=1e-4)


def test_errata_of_musdb_are_flags(prompts: Path, musdb: Path) -> None:
    tasks = build(prompts, musdb=musdb).available
    assert {task.song for task in tasks if "erratum-mixture-not-sum" in task.flags} == {"musdb18/pr-oh-no"}
    assert sum("erratum-mixture-not-sum" in task.flags for task in tasks) == 15


def test_excerpt_is_the_same_in_both_views(prompts: Path, musdb: Path) -> None:
    """Only the corrected view edits the drums, which come in at 2 s; the official view's excerpt holds them too."""
    file = prompts / "musdb18_test" / "Zeno - Signs" / "prompt_multi.json"
    changed = edits("Zeno") | {"drum_machine2jazz": entry("Zeno", Drums="jazz drums")}
    del changed["guitar2violin"]
    file.write_text(json.dumps(changed))
    suites = {view: build(prompts, musdb=musdb, view=view) for view in ("official", "corrected")}
    stems = {view: next(t for t in s.tasks if t.id.endswith("2jazz")).stem for view, s in suites.items()}
    assert stems == {"official": "other", "corrected": "drums"}
    assert suites["official"].sources == suites["corrected"].sources
    starts = {song: ref.excerpt.start_s for song, ref in suites["official"].sources.items()}
    assert starts == {"musdb18/pr-oh-no": 0.0, "musdb18/zeno-signs": 2.0}


def test_musdb_track_without_a_stem_stops_the_build(prompts: Path, musdb: Path) -> None:
    (musdb / "test" / "Zeno - Signs" / "bass.wav").unlink()
    with pytest.raises(DataError, match=r"bass\.wav"):
        build(prompts, musdb=musdb)
    with pytest.raises(DataError) as nothing:
        build(prompts, musdb=prompts)
    assert nothing.value.code == "data/no-musdb18"
