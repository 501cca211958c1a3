"""What a user can choose: views by a colon, pinned excerpts, folders from the environment, fetched prompts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from polyevalprompts_made_up import TRACKS, build, edits, entry, write_musdb, write_prompts

from bench.audio import Clip
from bench.errors import DataError, UsageError
from bench.suite import Suite
from tasks import instruments
from tasks.polyevalprompts import PolyEvalPrompts, suite


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    """All 78 folders with made-up prompts that have no defects."""
    return write_prompts(tmp_path / "prompts")


@pytest.fixture
def musdb(tmp_path: Path) -> Path:
    """Two tracks of 12.5 s, whose drums come in at 2 s."""
    return write_musdb(tmp_path / "musdb18hq")


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MUSDB_PATH", "MEDLEYDB_PATH"):
        monkeypatch.delenv(name, raising=False)


# -- view -----------------------------------------------------------------------------------------------------------


def test_a_view_can_stand_behind_a_colon() -> None:
    assert PolyEvalPrompts.shorthand("corrected") == {"view": "corrected"}
    assert PolyEvalPrompts.shorthand("official") == {"view": "official"}
    with pytest.raises(UsageError, match="Did you mean corrected") as caught:
        PolyEvalPrompts.shorthand("corected")
    assert caught.value.code == "bad-shorthand"


# -- prompts --------------------------------------------------------------------------------------------------------


def test_fetched_prompts_are_the_default(prompts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suite, "fetched", lambda: prompts)
    assert len(build().tasks) == 1170


def test_without_prompts_both_ways_to_them_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suite, "fetched", lambda: None)
    with pytest.raises(DataError, match=r"`timbrebench tasks fetch polyevalprompts`.*--prompts FOLDER") as caught:
        build()
    assert caught.value.code == "data/no-prompts"


# -- folders --------------------------------------------------------------------------------------------------------


def test_folders_come_from_the_environment_unless_they_are_given(
    prompts: Path, musdb: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MUSDB_PATH", str(musdb))
    named = build(prompts)
    assert named.roots == {"musdb18hq": musdb}
    assert len(named.available) == 30
    other = write_musdb(tmp_path / "other", ("PR - Oh No",))
    assert len(build(prompts, musdb=other).available) == 15
    monkeypatch.setenv("MUSDB_PATH", "")
    assert build(prompts).roots == {}


@pytest.mark.parametrize(
    ("variable", "code"), [("MUSDB_PATH", "data/no-musdb18"), ("MEDLEYDB_PATH", "data/no-medleydb")]
)
def test_a_variable_that_points_nowhere_is_named(
    variable: str, code: str, prompts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, str(tmp_path / "nothing"))
    with pytest.raises(DataError, match=f"nothing.*from the environment variable {variable}.*unset it") as caught:
        build(prompts)
    assert caught.value.code == code


# -- excerpts -------------------------------------------------------------------------------------------------------


def test_pinned_excerpts_are_taken_and_the_other_songs_follow_the_rule(
    prompts: Path, musdb: Path, tmp_path: Path
) -> None:
    (tmp_path / "pins.yaml").write_text("musdb18/zeno-signs: 1.25\n")
    by_rule, pinned = build(prompts, musdb=musdb), build(prompts, musdb=musdb, excerpts=tmp_path / "pins.yaml")
    starts = [{song: ref.excerpt.start_s for song, ref in each.sources.items()} for each in (by_rule, pinned)]
    assert [found["musdb18/zeno-signs"] for found in starts] == [0.0, 1.25]
    assert pinned.sources["musdb18/pr-oh-no"] == by_rule.sources["musdb18/pr-oh-no"]
    assert pinned.rules["excerpt"] == by_rule.rules["excerpt"] | {"pinned": pinned.rules["excerpt"]["pinned"]}
    assert pinned.rules["excerpt"]["pinned"]["songs"] == 1
    assert pinned.open("musdb18/zeno-signs").mixture.length == 80_000


def test_excerpts_of_a_tasks_file_are_found_again(prompts: Path, musdb: Path, tmp_path: Path) -> None:
    (tmp_path / "pins.json").write_text('{"musdb18/zeno-signs": 1.25, "musdb18/pr-oh-no": 0.75}')
    first = build(prompts, musdb=musdb, excerpts=tmp_path / "pins.json")
    (tmp_path / "tasks.jsonl").write_text("\n".join(first.lines()) + "\n")
    again = build(prompts, musdb=musdb, excerpts=tmp_path / "tasks.jsonl")
    assert again.sources == first.sources
    assert again.digest == first.digest


def test_pins_of_unknown_songs_and_beyond_the_end_are_refused(prompts: Path, musdb: Path, tmp_path: Path) -> None:
    pins = tmp_path / "pins.yaml"
    pins.write_text("musdb18/zeno-sings: 1\n")
    with pytest.raises(DataError, match=r"musdb18/zeno-sings.*Did you mean musdb18/zeno-signs"):
        build(prompts, musdb=musdb, excerpts=pins)
    pins.write_text("musdb18/zeno-signs: 2.501\n")
    with pytest.raises(DataError, match=r"'Zeno - Signs' is pinned to 2\.501-12\.501 s") as caught:
        build(prompts, musdb=musdb, excerpts=pins)
    assert caught.value.where == str(musdb / "test" / "Zeno - Signs" / "mixture.wav")


# -- songs in parallel ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_threads_do_not_show_in_the_suite(
    workers: int, prompts: Path, musdb: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = build(prompts, musdb=musdb).lines()
    original = suite.in_order
    monkeypatch.setattr(suite, "in_order", lambda work, items: original(work, items, workers=workers))
    assert build(prompts, musdb=musdb).lines() == expected


def test_progress_goes_through_the_songs(prompts: Path) -> None:
    told = []

    def track(items, what, total):  # type: ignore[no-untyped-def]
        told.append((what, total))
        return items

    PolyEvalPrompts(PolyEvalPrompts.Options(prompts=prompts), track).build()
    assert told == [("songs", 78)]


# -- instruments ----------------------------------------------------------------------------------------------------


def test_instruments_come_from_the_key_and_then_from_the_prompts(prompts: Path) -> None:
    file = prompts / "musicdelta" / "MusicDelta_Rock" / "prompt_multi.json"
    changed = edits("Rock") | {
        "guitar2englishhorn": entry("Rock", Others="an English horn"),
        "others2x": entry("Rock", Others="a warm trombone"),
        "drum_machine2jazz": entry("Rock", Drums="jazz drums with brushes"),
        "guitar2x": entry("Rock", Others="a humming machine"),
    }
    for name in ("violin", "viola", "cello", "flute"):
        del changed[f"guitar2{name}"]
    file.write_text(json.dumps(changed))
    found = {}
    for view in ("official", "corrected"):
        built = build(prompts, view=view)
        tasks = {task.id.rpartition("/")[2]: task for task in built.tasks if task.song == "musicdelta/rock"}
        found[view] = {key: (task.source_instrument, task.target_instrument) for key, task in tasks.items()}
    assert found["official"] == found["corrected"]
    assert found["official"]["guitar2englishhorn"] == ("guitar", "english-horn")
    assert found["official"]["others2x"] == ("guitar", "trombone")
    assert found["official"]["drum_machine2jazz"][1] == "jazz-drums"
    assert found["official"]["guitar2x"] == ("guitar", None)
    assert found["official"]["bass2tuba"] == ("bass", "tuba")
    assert built.rules["instruments"] == instruments.VERSION


# -- recordings that are not what they should be --------------------------------------------------------------------


def test_swapped_files_are_flagged_or_refused_when_they_are_opened(prompts: Path, musdb: Path) -> None:
    built = build(prompts, musdb=musdb)
    assert all("mixture-not-sum" not in task.flags for task in built.available)
    ours, theirs = (musdb / "test" / name / "bass.wav" for name in TRACKS)
    kept = ours.read_bytes()
    ours.write_bytes(theirs.read_bytes())
    with pytest.raises(DataError) as caught:
        built.open("musdb18/pr-oh-no")
    assert caught.value.code == "data/audio-differs"
    flagged = {task.song for task in build(prompts, musdb=musdb).available if "mixture-not-sum" in task.flags}
    assert flagged == {"musdb18/pr-oh-no"}
    vocals = ours.with_name("vocals.wav")  # two stems of one song: the sum stays, the hash does not
    ours.write_bytes(vocals.read_bytes())
    vocals.write_bytes(kept)
    with pytest.raises(DataError) as caught:
        built.open("musdb18/pr-oh-no")
    assert caught.value.code == "data/audio-differs"


def test_a_song_folder_that_leads_out_of_the_root_is_refused(prompts: Path, musdb: Path, tmp_path: Path) -> None:
    (musdb / "test" / "Zeno - Signs").rename(tmp_path / "elsewhere")
    (musdb / "test" / "Zeno - Signs").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DataError) as caught:
        build(prompts, musdb=musdb)
    assert caught.value.code == "data/outside-root"


def test_a_truncated_file_is_named(prompts: Path, musdb: Path) -> None:
    path = musdb / "test" / "Zeno - Signs" / "other.wav"
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(Exception, match="cut off") as caught:
        build(prompts, musdb=musdb)
    assert caught.value.where == str(path)  # type: ignore[attr-defined]


def test_a_suite_is_verified_in_another_folder(prompts: Path, musdb: Path, tmp_path: Path) -> None:
    (tmp_path / "tasks.jsonl").write_text("\n".join(build(prompts, musdb=musdb).lines()) + "\n")
    musdb.rename(tmp_path / "moved")
    moved = Suite.read(tmp_path / "tasks.jsonl").with_roots({"musdb18hq": tmp_path / "moved"})
    assert all(moved.open(source).mixture for source in moved.sources)
    Clip.silence(12.5, 8000, 2).write_wav(tmp_path / "moved" / "test" / "Zeno - Signs" / "mixture.wav")
    with pytest.raises(DataError):
        moved.open("musdb18/zeno-signs")
