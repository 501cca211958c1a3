"""The prompts as published: counts, stems, spans and defects in both views, against an independent analysis of them."""

from __future__ import annotations

import csv
import json
import shutil
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

from bench.suite import Suite
from bench.task import STEMS, EditTask
from tasks.polyevalprompts import PolyEvalPrompts

Rows = Mapping[tuple[str, str], Mapping[str, str]]


def build(prompts: Path, medleydb: Path | None = None, **options: object) -> Suite:
    return PolyEvalPrompts(PolyEvalPrompts.Options(prompts=prompts, medleydb=medleydb, **options)).build()


@pytest.fixture(scope="module")
def views(shared_data: Path) -> dict[str, Suite]:
    folders = shared_data / "PolyEvalPrompts", shared_data / "medleydb"
    return {view: build(*folders, view=view) for view in ("official", "corrected")}


@pytest.fixture(scope="module")
def real(views: dict[str, Suite]) -> Suite:
    return views["official"]


@pytest.fixture(scope="module")
def rows(shared_data: Path) -> Rows:
    with (shared_data / "polyevalprompts_tasks.csv").open(newline="", encoding="utf-8") as handle:
        return {(row["track"], row["task"]): row for row in csv.DictReader(handle)}


def row_of(suite: Suite, task: EditTask, rows: Rows) -> Mapping[str, str]:
    return rows[suite.rules["tracks"][task.song], task.id.rpartition("/")[2]]


def names(suite: Suite, flag: str, *, songs: bool = False) -> set[str]:
    """The tasks (without the suite's name) or songs that carry a flag."""
    return {task.song if songs else task.id.partition("/")[2] for task in suite.tasks if flag in task.flags}


@pytest.mark.parametrize(
    ("view", "stems"),
    [
        ("official", {"vocals": 338, "drums": 190, "bass": 98, "other": 544}),
        ("corrected", {"vocals": 338, "drums": 196, "bass": 101, "other": 535}),
    ],
)
def test_counts_of_each_view(view: str, stems: dict[str, int], views: dict[str, Suite]) -> None:
    tasks = views[view].tasks
    assert Counter(task.stem for task in tasks) == stems
    assert len(tasks) == len({task.id for task in tasks}) == 1170
    assert set(Counter(task.song for task in tasks).values()) == {15}
    assert Counter(song.partition("/")[0] for song in {task.song for task in tasks}) == {
        "musdb18": 50,
        "musicdelta": 28,
    }


def test_views_differ_in_the_nine_tasks_that_say_so_and_in_nothing_else(views: dict[str, Suite]) -> None:
    official, corrected = views["official"], views["corrected"]
    assert (official.rules["view"], corrected.rules["view"]) == ("official", "corrected")
    assert official.digest != corrected.digest
    assert official.sources == corrected.sources
    pairs = [(a, b) for a, b in zip(official.tasks, corrected.tasks, strict=True) if a != b]
    assert Counter((a.stem, b.stem) for a, b in pairs) == {("other", "drums"): 6, ("other", "bass"): 3}
    assert all({"key-rule-differs", "target-phrase-unchanged"} <= set(a.flags) for a, _ in pairs)
    assert {a.id for a, _ in pairs} == {f"polyevalprompts/{name}" for name in names(official, "key-rule-differs")}
    assert all(set(a.flags) - set(b.flags) == {"target-phrase-unchanged"} for a, b in pairs)


def test_stems_phrases_and_spans_agree_with_the_analysis(views: dict[str, Suite], rows: Rows) -> None:
    compared = Counter()
    for view, column in (("official", "stem_by_official_rule"), ("corrected", "stem")):
        for task in views[view].tasks:
            row = row_of(views[view], task, rows)
            assert task.stem == row[column]
            assert (task.source_prompt, task.target_prompt) == (row["source_prompt"], row["target_prompt"])
            columns = {stem: row["others_phrase" if stem == "other" else f"{stem}_phrase"] for stem in STEMS}
            assert task.stem_phrases == {stem: phrase for stem, phrase in columns.items() if phrase}
            assert (task.target_phrase or "") == columns[task.stem]
            if task.stem == row["stem_by_changed_phrase"]:  # the analysis has the changed phrase's span, -1 for none
                assert (task.target_span or (-1, -1)) == (int(row["target_char_start"]), int(row["target_char_end"]))
                compared[view] += 1
    assert compared == {"official": 1141, "corrected": 1150}


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


DEFECTS = {
    "prompts-shared-with-another-song": 60,
    "more-than-one-phrase-changed": 45,
    "target-word-not-in-prompt": 42,
    "duplicate-target-prompt": 14,
    "key-rule-differs": 9,
    "replaces-another-stem": 9,
    "phrase-on-two-stems": 7,
    "no-phrase-changed": 5,
    "background-phrase-not-in-prompt": 2,
    "target-phrase-not-in-prompt": 2,
    "source-prompt-differs": 1,
}
"""Tasks with each flag; what is wrong with the prompts is the same in both views."""


@pytest.mark.parametrize(("view", "unchanged"), [("official", 15), ("corrected", 6)])
def test_flags_of_the_published_files(view: str, unchanged: int, views: dict[str, Suite]) -> None:
    found = Counter(flag for task in views[view].tasks for flag in task.flags)
    recordings = {"separator-seen": 13 * 15, "mixture-not-sum": 15}  # the second: Rock, of the two that are here
    assert found == {**DEFECTS, **recordings, "target-phrase-unchanged": unchanged}


def test_an_edited_prompt_is_flagged_and_its_song_alone(real: Suite, shared_data: Path, tmp_path: Path) -> None:
    shutil.copytree(shared_data / "PolyEvalPrompts", tmp_path / "prompts", copy_function=shutil.copyfile)
    file = tmp_path / "prompts" / "musicdelta" / "MusicDelta_Rock" / "prompt_multi.json"
    file.write_text(file.read_text().replace("piano", "fortepiano"))
    edited = build(tmp_path / "prompts")
    assert names(edited, "prompts-not-as-released", songs=True) == {"musicdelta/rock"}
    assert edited.rules["prompts_sha256"] != real.rules["prompts_sha256"]


def test_flags_agree_with_the_analysis(real: Suite, rows: Rows) -> None:
    issues = {
        "more-than-one-phrase-changed": "edit_is_not_one_phrase",
        "target-word-not-in-prompt": "target_word_not_literal",
        "phrase-on-two-stems": "same_phrase_on_two_stems",
        "no-phrase-changed": "no_stem_phrase_changed",
        "target-phrase-not-in-prompt": "target_phrase_not_in_prompt",
        "background-phrase-not-in-prompt": "other_phrase_not_in_prompt",
    }
    for task in real.tasks:
        row = row_of(real, task, rows)
        noted = {issue.partition(":")[0] for issue in row["issues"].split(";")}
        assert {flag for flag in issues if flag in task.flags} == {
            flag for flag, name in issues.items() if name in noted
        }
        assert ("key-rule-differs" in task.flags) == (row["stem_by_official_rule"] != row["stem"])
        assert ("more-than-one-phrase-changed" in task.flags) == (row["exact_one_phrase_edit"] == "False")


def test_tasks_with_the_rarer_flags(real: Suite) -> None:
    assert names(real, "prompts-shared-with-another-song", songs=True) == {
        *("musdb18/mu-too-bright", "musdb18/secretariat-over-the-top"),
        *("musdb18/tom-mckenzie-directions", "musdb18/zeno-signs"),
    }
    assert names(real, "target-phrase-not-in-prompt") == {
        "musdb18/ben-carrigan-well-talk-about-it-all-tonight/piano2vibraphone",
        "musicdelta/bebopjazz/trumpet2flute",
    }
    assert names(real, "background-phrase-not-in-prompt") == {
        "musdb18/lyndsey-ollard-catching-up/bass2upright",
        "musicdelta/punk/vocals2trombone",
    }
    assert names(real, "replaces-another-stem") - names(real, "phrase-on-two-stems") == {
        "musdb18/lyndsey-ollard-catching-up/bass2upright",
        "musicdelta/gospel/bass2upright",
    }
    assert names(real, "source-prompt-differs") == {"musdb18/moosmusic-big-dummy-shake/others2violin"}
    assert names(real, "phrase-on-two-stems", songs=True) == {"musdb18/buitraker-revo-x"}
    assert names(real, "no-phrase-changed", songs=True) == {"musdb18/girls-under-glass-we-feel-alright"}
    assert all(task.target_span is None for task in real.tasks if "target-phrase-not-in-prompt" in task.flags)
    assert len(names(real, "duplicate-target-prompt", songs=True)) == 3


def test_a_new_voice_stays_an_edit_of_the_flute(views: dict[str, Suite]) -> None:
    """The only changed phrase is the vocals', but the song has no vocals: see `corrected_stem`."""
    for suite in views.values():
        task = next(task for task in suite.tasks if task.id.endswith("latinjazz/flute2voice"))
        assert (task.stem, task.stem_phrases["vocals"]) == ("other", "a vocal")
        assert {"target-phrase-unchanged", "target-word-not-in-prompt"} <= set(task.flags)
        assert "key-rule-differs" not in task.flags


def test_instruments_are_named_in_all_but_two_edits(views: dict[str, Suite]) -> None:
    official, corrected = views["official"].tasks, views["corrected"].tasks
    assert all(a.target_instrument == b.target_instrument for a, b in zip(official, corrected, strict=True))
    assert {task.id.rpartition("/")[2] for task in official if task.target_instrument is None} == {
        *("string2horn", "drums2dub")  # which horn? dub is a style
    }
    assert all(task.source_instrument for task in official)
    targets = Counter(task.target_instrument for task in official)
    assert [name for name, _ in targets.most_common(4)] == ["flute", "violin", "cello", "choir"]
    known = {(t.id.rpartition("/")[2], t.stem): (t.source_instrument, t.target_instrument) for t in corrected}
    assert known["drum_machine2jazz", "drums"] == ("electronic-drums", "jazz-drums")
    assert known["bass_guitar2upright", "bass"] == ("electric-bass", "double-bass")
    assert known["vocals2violin", "vocals"] == ("vocals", "violin")


def test_how_near_the_real_stems_are_to_the_mix_is_recorded(real: Suite) -> None:
    assert {name: ref.stem_sum_sdr_db for name, ref in real.sources.items()} == {
        "musicdelta/reggae": pytest.approx(41.5, abs=1.0),
        "musicdelta/rock": pytest.approx(17.9, abs=1.0),
    }


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
