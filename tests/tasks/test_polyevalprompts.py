"""PolyEvalPrompts as published: counts, stems, spans, ids, absences; and what happens when it is not as published."""

from __future__ import annotations

import csv
import json
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.audio import Clip
from bench.errors import AudioError, DataError
from bench.task import EditTask, Suite
from tasks.polyevalprompts import (
    MUSDB18_TEST,
    MUSICDELTA,
    SEPARATOR_SEEN,
    PolyEvalPrompts,
    find_span,
    official_stem,
    slug,
)

PHRASES = {"Vocals": "", "Bass": "a bass", "Drums": "drums", "Others": "a violin"}


def build(prompts: Path, medleydb: Path | None = None, **options: float) -> Suite:
    return PolyEvalPrompts(PolyEvalPrompts.Options(prompts=prompts, medleydb=medleydb, **options)).build()


def entry(**changes: str) -> dict[str, str]:
    prompts = {"Original Prompt": "A guitar, a bass and drums.", "Baseline Prompt": "A violin, a bass and drums."}
    return prompts | {f"{stem} Softmask Prompt": phrase for stem, phrase in PHRASES.items()} | changes


def edits(**changes: str) -> dict[str, dict[str, str]]:
    """Fifteen edits, of which the first has the changes."""
    keys = ["guitar2violin", *(f"guitar2violin_{n}" for n in range(13)), "bass2tuba"]
    return {key: entry(**(changes if key == keys[0] else {})) for key in keys}


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    """All 78 folders with made-up prompts."""
    root = tmp_path / "prompts"
    for folder, names in (("musdb18_test", MUSDB18_TEST), ("musicdelta", MUSICDELTA)):
        for name in names:
            (root / folder / name).mkdir(parents=True)
            (root / folder / name / "prompt_multi.json").write_text(json.dumps(edits()))
    return root


@pytest.fixture(scope="module")
def real(shared_data: Path) -> Suite:
    return build(shared_data / "PolyEvalPrompts", shared_data / "medleydb")


# -- the published files --------------------------------------------------------------------------------------------


def test_counts_of_the_official_view(real: Suite) -> None:
    assert len(real.tasks) == len({task.id for task in real.tasks}) == 1170
    assert Counter(task.stem for task in real.tasks) == {"vocals": 338, "drums": 190, "bass": 98, "other": 544}
    assert set(Counter(task.song for task in real.tasks).values()) == {15}
    assert len({task.song for task in real.tasks}) == 78


def test_stems_phrases_and_spans_agree_with_the_analysis(real: Suite, shared_data: Path) -> None:
    with (shared_data / "polyevalprompts_tasks.csv").open(newline="", encoding="utf-8") as handle:
        rows = {(row["track"], row["task"]): row for row in csv.DictReader(handle)}
    folders = real.rules["tracks"]
    compared = 0
    for task in real.tasks:
        row = rows[folders[task.song], task.id.rpartition("/")[2]]
        assert task.stem == row["stem_by_official_rule"]
        assert (task.source_prompt, task.target_prompt) == (row["source_prompt"], row["target_prompt"])
        assert (task.target_phrase or "") == row["others_phrase" if task.stem == "other" else f"{task.stem}_phrase"]
        if task.stem == row["stem_by_changed_phrase"]:  # the analysis gives the changed phrase's span, -1 for none
            assert (task.target_span or (-1, -1)) == (int(row["target_char_start"]), int(row["target_char_end"]))
            compared += 1
    assert compared == 1141


def test_files_keep_their_order_and_sets_theirs(real: Suite, shared_data: Path) -> None:
    songs = list(dict.fromkeys(task.song for task in real.tasks))
    assert songs[:2] == ["musdb18/am-contra-heart-peripheral", "musdb18/al-james-schoolboy-facination"]
    assert songs[50:52] == ["musicdelta/80srock", "musicdelta/beatles"]
    file = shared_data / "PolyEvalPrompts" / "musicdelta" / "MusicDelta_Zeppelin" / "prompt_multi.json"
    ids = [task.id for task in real.tasks if task.song == "musicdelta/zeppelin"]
    assert ids == [f"polyevalprompts/musicdelta/zeppelin/{key}" for key in json.loads(file.read_text())]
    assert "polyevalprompts/musicdelta/zeppelin/guitar2violin" in ids


def test_thirty_tasks_have_audio_and_the_rest_say_why_not(real: Suite, shared_data: Path) -> None:
    assert Counter(task.source for task in real.available) == {"musicdelta/reggae": 15, "musicdelta/rock": 15}
    reasons = real.absences()
    assert sum(reasons.values()) == 1140
    assert reasons["MUSDB18-HQ audio not given"] == 750
    assert reasons["MedleyDB audio not found: MusicDelta_Zeppelin"] == 15
    assert len(reasons) == 27
    without = build(shared_data / "PolyEvalPrompts")
    assert without.absences() == {"MUSDB18-HQ audio not given": 750, "MedleyDB audio not given": 420}
    assert [task.id for task in without.tasks] == [task.id for task in real.tasks]


def test_real_sources_open_and_are_shared(real: Suite) -> None:
    starts = {"musicdelta/reggae": 4.5, "musicdelta/rock": 0.0}
    for name, ref in real.sources.items():
        assert (ref.excerpt.start_s, ref.excerpt.duration_s) == (starts[name], 10.0)
        assert ref.licence == "CC BY-NC-SA 4.0"
        source = real.open(name)
        assert source.mixture.length == 441_000
        assert set(source.stems) == {"vocals", "drums", "bass", "other"}
        assert all(stem.length == 441_000 for stem in source.stems.values())
    vocals = [task for task in real.available if task.stem == "vocals"]
    assert vocals
    assert all(task.monophonic is True for task in vocals)


def test_flags_of_the_published_files(real: Suite) -> None:
    assert Counter(flag for task in real.tasks for flag in task.flags) == {
        "separator-seen": 13 * 15,
        "target-phrase-not-in-prompt": 2,
    }
    lost = [task for task in real.tasks if "target-phrase-not-in-prompt" in task.flags]
    assert [task.id.split("/", 2)[2] for task in lost] == [
        "ben-carrigan-well-talk-about-it-all-tonight/piano2vibraphone",
        "bebopjazz/trumpet2flute",
    ]
    assert all(task.target_span is None and task.target_phrase for task in lost)


def test_suite_is_the_same_benchmark_each_time_and_its_rules_say_how(real: Suite, shared_data: Path) -> None:
    again = build(shared_data / "PolyEvalPrompts", shared_data / "medleydb")
    assert again.digest == real.digest
    assert real.rules["view"] == "official"
    assert real.rules["excerpt"]["duration_s"] == 10.0
    assert real.rules["tracks"]["musicdelta/reggae"] == "MusicDelta_Reggae"
    assert build(shared_data / "PolyEvalPrompts", shared_data / "medleydb", duration_s=5.0).digest != real.digest


def test_suite_survives_its_file(real: Suite, tmp_path: Path) -> None:
    (tmp_path / "suite.jsonl").write_text("\n".join(real.lines()) + "\n", encoding="utf-8")
    assert Suite.read(tmp_path / "suite.jsonl") == real


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


# -- prompts that are not as published ------------------------------------------------------------------------------


def test_made_up_prompts_build(prompts: Path) -> None:
    suite = build(prompts)
    task = suite.tasks[0]
    assert (task.stem, task.target_phrase, task.target_span) == ("other", "a violin", (0, 8))
    assert task.stem_phrases == {"bass": "a bass", "drums": "drums", "other": "a violin"}
    assert suite.tasks[14].flags == ()


def first_file(prompts: Path) -> Path:
    return prompts / "musicdelta" / "MusicDelta_Rock" / "prompt_multi.json"


def rock(prompts: Path, medleydb: Path | None = None) -> EditTask:
    return next(task for task in build(prompts, medleydb).tasks if task.id.endswith("/rock/guitar2violin"))


def test_phrase_problems_become_flags(prompts: Path) -> None:
    first_file(prompts).write_text(json.dumps(edits(**{"Others Softmask Prompt": ""})))
    task = rock(prompts)
    assert (task.target_phrase, task.target_span) == (None, None)
    assert task.flags == ("no-target-phrase", "separator-seen")
    first_file(prompts).write_text(json.dumps(edits(**{"Others Softmask Prompt": "a harp"})))
    task = rock(prompts)
    assert (task.target_phrase, task.target_span) == ("a harp", None)
    assert task.flags == ("separator-seen", "target-phrase-not-in-prompt")


def test_white_space_is_normalised_as_in_the_release(prompts: Path) -> None:
    first_file(prompts).write_text(
        json.dumps(edits(**{"Baseline Prompt": " A \n bright  violin.", "Others Softmask Prompt": "bright violin "}))
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
        (lambda text: "[1, 2]", None, "not a JSON object"),
        (lambda text: "{}", None, "0 edits instead of 15"),
        (lambda text: _renamed(text, "bass2tuba"), None, "'bass2tuba' stands there twice"),
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
            lambda text: text.replace('"A guitar, a bass and drums."', "7", 1),
            "guitar2violin",
            "Original Prompt: Input should be a valid string",
        ),
        (
            lambda text: text.replace('"A guitar, a bass and drums."', '" "', 1),
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
    assert tasks["guitar2violin"].flags == ("separator-seen",)
    assert tasks["guitar2violin"].monophonic is False
    assert tasks["bass2tuba"].flags == ("edited-stem-absent", "separator-seen")
    assert tasks["bass2tuba"].monophonic is None
    piano = tmp_path / suite.sources["musicdelta/rock"].stems["other"][0]
    Clip.silence(11.0, 8000, 2).write_wav(piano)
    assert rock(prompts, tmp_path).flags == ("edited-stem-silent", "separator-seen")


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
