"""From runs to a listening test on disk."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from bench.audio import Clip
from bench.errors import BenchError, DataError, IdentityError, IncompleteError, UsageError
from bench.suite import Suite
from reports.listening_test.design import read
from reports.listening_test.export import Options, export

VALUES = {"cqt1-pcc": 0.5, "dpd-pesto-cents": 1.0}
SMALL = Options(tasks=4, sets=2, checks=2, rate=44_100)


def without_true_edits(suite: Suite) -> Suite:
    return replace(suite, tasks=tuple(task.model_copy(update={"true_edit": None}) for task in suite.tasks))


def two_runs(rack, suite: Suite, **more) -> list[Path]:
    return [rack.run(suite, method, VALUES, scored=False, **more) for method in ("ours", "sdedit")]


def pages(folder: Path, number: int = 1) -> list[dict]:
    return yaml.safe_load((folder / f"configs/listening/set{number:02d}.yaml").read_text("utf-8"))["pages"]


def test_mushra_where_there_are_true_edits(rack, tmp_path: Path) -> None:
    out = tmp_path / "test"
    made = export(two_runs(rack, rack.shelf()), out, SMALL)
    assert made == read(out)
    assert made.kind == "mushra"
    assert [system.label for system in made.systems] == ["ours", "sdedit"]
    rated = [page for page in pages(out) if page["type"] == "mushra"]
    assert len(rated) == 3 * 4
    conditions = {sound.id: sound.condition for sound in made.sounds}
    for page in rated:
        files = [page["reference"], *page["stimuli"].values()]
        assert all((out / file).is_file() for file in files)
        clips = [Clip.read(out / file) for file in files]
        assert {(clip.rate, clip.length, clip.channels) for clip in clips} == {(44_100, 44_100, 2)}
        assert max(clip.loudness_lufs for clip in clips) - min(clip.loudness_lufs for clip in clips) < 0.2
        # The hidden reference is webMUSHRA's to add, and it must be shuffled away from its place at the end.
        assert sorted(conditions[name] for name in page["stimuli"]) == ["anchor", "s0", "s1"]
        assert (conditions[Path(page["reference"]).stem], page["randomize"]) == ("reference", True)
        assert not page["showConditionNames"]
    assert {path.stem for path in out.rglob("*.wav")} == set(conditions)
    for sound in made.sounds:
        data = (out / f"configs/listening/stimuli/{sound.id}.wav").read_bytes()
        assert hashlib.sha256(data).hexdigest() == sound.sha256


def test_ratings_where_there_are_none(rack, tmp_path: Path) -> None:
    out = tmp_path / "test"
    made = export(two_runs(rack, without_true_edits(rack.shelf())), out, SMALL)
    assert made.kind == "ratings"
    assert {sound.condition for sound in made.sounds} == {"s0", "s1", "source"}
    rated = [page for page in pages(out) if page["type"] == "likert_single_stimulus" and "check" not in page["id"]]
    assert len(rated) == 3 * 4 * 2
    assert all(len(page["stimuli"]) == 1 and "<audio" in page["content"] for page in rated)
    assert [point["value"] for point in rated[0]["response"]] == [1, 2, 3, 4, 5]
    heard = Counter(c for trial in made.trials if trial.set == 1 and trial.question == "tta" for _, c in trial.heard)
    assert heard == {"s0": 4, "s1": 4}


def test_a_true_edit_is_hidden_among_single_clips_too(rack, tmp_path: Path) -> None:
    made = export(two_runs(rack, rack.shelf()), tmp_path / "test", replace(SMALL, kind="mos"))
    assert {sound.condition for sound in made.sounds} == {"s0", "s1", "reference"}
    assert not any("<audio" in page.get("content", "") for page in pages(tmp_path / "test"))


def test_checks_say_what_to_choose_and_stand_between_other_pages(rack, tmp_path: Path) -> None:
    made = export(two_runs(rack, rack.shelf()), tmp_path / "test", SMALL)
    shown = pages(tmp_path / "test")
    places = [place for place, page in enumerate(shown) if "check" in page.get("id", "")]
    assert len(places) == 2
    assert places[0] > 2 and places[1] - places[0] > 1
    expected = {trial.id: trial.expected for trial in made.trials if trial.expected}
    assert all(f"<b>{expected[shown[place]['id']]} " in shown[place]["content"] for place in places)
    assert [page["type"] for page in shown[:2]] == ["generic", "volume"]
    assert shown[-1]["questionnaire"][0]["name"] == "listener"


def test_nothing_that_a_listener_gets_names_a_system_and_prompts_do_no_harm(rack, tmp_path: Path) -> None:
    evil = 'x: </p><script src="//evil">\n# "\'\u2028cello'
    suite = without_true_edits(rack.shelf(prompt=f"a calm song with {evil}", phrase=evil))
    export(two_runs(rack, suite), tmp_path / "test", SMALL)
    for number in (1, 2):
        text = (tmp_path / f"test/configs/listening/set{number:02d}.yaml").read_text("utf-8")
        assert "\npages:\n  - type: generic\n    id:" in text  # old YAML readers lose lists that are not indented
        assert "sdedit" not in text and "ours" not in text and "<script" not in text
        asked = [page for page in pages(tmp_path / "test", number) if "-tta-" in page.get("id", "")]
        assert len(asked) == 8
        assert all("&lt;script" in page["content"] for page in asked)


def test_the_same_runs_and_seed_give_the_same_test_byte_for_byte(rack, tmp_path: Path) -> None:
    runs = two_runs(rack, rack.shelf())
    for name in ("a", "b"):
        export(runs, tmp_path / name, SMALL)
    files = sorted(path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*.*"))
    assert all((tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes() for file in files)
    export(runs, tmp_path / "c", replace(SMALL, seed=1))
    assert read(tmp_path / "a").trials != read(tmp_path / "c").trials


def test_tasks_without_every_edit_are_left_out_and_told(rack, tmp_path: Path) -> None:
    suite = rack.shelf()
    runs = [
        rack.run(suite, "ours", VALUES, scored=False, failed=("shelf/0/edit0",)),
        rack.run(suite, "sdedit", VALUES, scored=False),
    ]
    made = export(runs, tmp_path / "test", SMALL)
    assert made.left_out == {"no edit by ours": 1}
    assert "shelf/0/edit0" not in {item.task for item in made.items}


def test_two_runs_of_one_name_are_told_apart(rack, tmp_path: Path) -> None:
    suite = rack.shelf()
    runs = [rack.run(suite, "ours", VALUES, scored=False, folder=folder) for folder in ("first", "second")]
    assert [s.label for s in export(runs, tmp_path / "test", SMALL).systems] == ["ours (first)", "ours (second)"]


def test_a_test_is_never_overwritten_and_an_interrupted_one_goes_on(rack, tmp_path: Path) -> None:
    runs, out = two_runs(rack, rack.shelf()), tmp_path / "test"
    export(runs, out, SMALL)
    with pytest.raises(UsageError) as caught:
        export(runs, out, SMALL)
    assert caught.value.code == "listening/in-use"
    (out / "design.json").unlink()
    with pytest.raises(DataError) as unfinished:
        read(out)
    assert unfinished.value.code == "listening/no-design"
    export(runs, out, SMALL)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("mine", "utf-8")
    with pytest.raises(UsageError):
        export(runs, tmp_path / "mine", SMALL)


def test_what_cannot_be_a_test(rack, tmp_path: Path) -> None:
    suite = rack.shelf()
    ours = rack.run(suite, "ours", VALUES, scored=False)
    other = rack.run(rack.shelf(name="other"), "sdedit", VALUES, scored=False)
    later = rack.run(suite, "later", VALUES, scored=False, seeds=(1,))
    bare = [rack.run(without_true_edits(rack.shelf(name="bare")), "bare", VALUES, scored=False)]
    cases: list[tuple[list[Path], Options, type[BenchError], str]] = [
        ([], SMALL, UsageError, "no-runs"),
        ([ours, ours], SMALL, UsageError, "listening/twice"),
        ([ours, other], SMALL, IdentityError, "listening/other-suite"),
        ([ours, later], SMALL, IdentityError, "listening/seeds"),
        ([ours], replace(SMALL, name="Not/one"), UsageError, "listening/name"),
        (bare, replace(SMALL, kind="mushra"), IncompleteError, "listening/no-tasks"),
    ]
    for number, (runs, options, kind, code) in enumerate(cases):
        with pytest.raises(kind) as caught:
            export(runs, tmp_path / f"out{number}", options)
        assert caught.value.code == code


def test_a_damaged_design_is_refused(rack, tmp_path: Path) -> None:
    out = tmp_path / "test"
    export(two_runs(rack, rack.shelf()), out, SMALL)
    text = (out / "design.json").read_text("utf-8")
    for damaged in (text[:-20], text.replace('"s0"', '"s9"', 1), text.replace('"kind": "mushra"', '"kind": "mos"')):
        (out / "design.json").write_text(damaged, "utf-8")
        with pytest.raises(DataError) as caught:
            read(out)
        assert caught.value.code == "listening/bad-design"
