"""Packing: what goes in is what is checked, the same audio gives the same bytes, and nothing incomplete is packed."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from submission_methods import Weaver
from submission_samples import CARD, edit_of, flac

from bench.errors import BenchError, DataError, IncompleteError, UsageError
from bench.runner.run import run
from bench.runner.spec import RunSpec
from bench.store.rundir import RunDirectory
from bench.suite import Suite
from reports.submission.card import read_card
from reports.submission.model import SUBMISSION, Card
from reports.submission.pack import pack_folder, pack_run


def card(**changes: object) -> Card:
    return Card.model_validate_json(json.dumps({**CARD, **changes}))


def woven(suite: Suite, out: Path, *, seeds: tuple[int, ...] = (0,), **config: object) -> Path:
    spec = RunSpec(method="submission_methods:Weaver", suite=suite, out=out, seeds=seeds)
    run(spec, Weaver.Config.model_validate(config))
    return out


def test_a_packed_run_is_accepted_and_says_what_made_it(loom: Suite, tmp_path: Path, checked: Callable) -> None:
    folder = woven(loom, tmp_path / "run", seeds=(4, 0))
    packed = pack_run(folder, card(seeds=[0, 4]), tmp_path / "a.zip")
    assert (packed.entries, packed.failed) == (4, 0)
    found = checked(tmp_path / "a.zip")
    assert found.result.findings == ()
    claims = found.require()
    assert claims.made is not None
    assert (claims.made.method["name"], claims.made.method["version"]) == ("weaver", 3)
    assert claims.plan_sha256 == json.loads((folder / "run.json").read_bytes())["plan_sha256"]
    assert claims.card.seeds == (4, 0)


def test_the_same_audio_gives_the_same_bytes(loom: Suite, tmp_path: Path) -> None:
    archives = []
    for name in ("one", "two"):
        pack_run(woven(loom, tmp_path / name), card(), tmp_path / f"{name}.zip")
        archives.append((tmp_path / f"{name}.zip").read_bytes())
    assert archives[0] == archives[1]
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        assert archive.namelist() == sorted(archive.namelist())
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_failed_edits_are_declared_in_harmless_words(loom: Suite, tmp_path: Path, checked: Callable) -> None:
    packed = pack_run(woven(loom, tmp_path / "run", fails=True), card(), tmp_path / "a.zip")
    assert packed.failed == 1
    result = checked(tmp_path / "a.zip").result
    assert [finding.code for finding in result.findings] == ["plan/failures"]
    assert result.submission.entries[1].failed == "ValueError: no < b>yarn< /b> left"


def test_what_is_not_whole_is_not_packed_and_the_old_archive_stays(loom: Suite, tmp_path: Path) -> None:
    out = tmp_path / "a.zip"
    out.write_bytes(b"before")
    folder = woven(loom, tmp_path / "run")
    with pytest.raises(UsageError, match="declares the seeds 1, and the run has 0"):
        pack_run(folder, card(seeds=[1]), out)
    audio = next((folder / "audio").rglob("*.flac"))
    audio.write_bytes(audio.read_bytes()[:-1])
    with pytest.raises(BenchError, match="missing or damaged"):
        pack_run(folder, card(), out)
    with RunDirectory.lock(folder):
        RunDirectory.open(folder).quarantine_corrupt()
    with pytest.raises(IncompleteError, match="1 of 2 edits were not run yet"):
        pack_run(folder, card(), out)
    assert out.read_bytes() == b"before"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.zip", "run"]


def test_a_folder_is_packed_flac_as_it_is_and_the_rest_converted(
    loom: Suite, tmp_path: Path, checked: Callable
) -> None:
    first, second = loom.tasks
    (tmp_path / "a.flac").write_bytes(flac(edit_of(loom, first)))
    edit_of(loom, second).write_wav(tmp_path / "b.wav")
    files = {0: {first.id: tmp_path / "a.flac", second.id: tmp_path / "b.wav"}}
    packed = pack_folder(files, loom, card(), tmp_path / "a.zip")
    assert (packed.entries, packed.failed, packed.clipped) == (2, 0, 0)
    found = checked(tmp_path / "a.zip")
    assert found.result.findings == ()
    assert found.require().made is None
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert archive.read(archive.namelist()[0]) == (tmp_path / "a.flac").read_bytes()
        assert archive.namelist()[-1] == SUBMISSION


def test_a_folder_that_lacks_a_task_or_has_a_strange_one(loom: Suite, tmp_path: Path, checked: Callable) -> None:
    first = loom.tasks[0]
    (tmp_path / "a.flac").write_bytes(flac(edit_of(loom, first)))
    files = {0: {first.id: tmp_path / "a.flac"}}
    with pytest.raises(IncompleteError, match="1 of 2 edits have no file"):
        pack_folder(files, loom, card(), tmp_path / "a.zip")
    with pytest.raises(DataError, match="belong to no task"):
        pack_folder({0: {"loom/0/bass2fluet": tmp_path / "a.flac"}}, loom, card(), tmp_path / "a.zip")
    packed = pack_folder(files, loom, card(), tmp_path / "a.zip", missing="it crashed")
    assert packed.failed == 1
    assert checked(tmp_path / "a.zip").result.accepted


# -- the card ---------------------------------------------------------------------------------------------------------


def test_a_card_is_read_from_yaml(tmp_path: Path) -> None:
    path = tmp_path / "card.yaml"
    path.write_text(yaml.safe_dump(dict(CARD), allow_unicode=True), "utf-8")
    assert read_card(path) == card()


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        (lambda text: text.replace("version: '1.2'", "version: 1.2"), "version: Input should be a valid string"),
        (lambda text: text.replace("version: '1.2'", "version: 2026-11-23"), "put quotes around dates"),
        (lambda text: text + "systen: Loom\n", "systen: Extra inputs"),
        (lambda text: text + "system: Another\n", "'system' is given twice"),
        (lambda text: "a: &a [x]\nb: *a\n" + text, "aliases"),
        (lambda text: text.replace("closed", "winners"), "division: Input should be 'closed', 'open' or 'oracle'"),
        (lambda text: text.replace("- 0", "- true"), "seeds.0"),
        (lambda text: text.replace("https://", "http://"), "paper: it is not a https:// address"),
        (lambda text: text + "x: !!python/object/apply:os.system [id]\n", "could not determine a constructor"),
        (lambda text: text + "x: [\n", "the card cannot be used"),
        (lambda text: text + "#" * 70_000, "more than 65,536 bytes"),
        (lambda text: "[" * 60_000, "nested over 8 deep"),
    ],
)
def test_a_card_that_is_none_is_refused_with_the_field(
    tmp_path: Path, change: Callable[[str], str], cause: str
) -> None:
    path = tmp_path / "card.yaml"
    path.write_text(change(yaml.safe_dump(dict(CARD))), "utf-8")
    with pytest.raises(DataError, match="the card cannot be used") as caught:
        read_card(path)
    assert cause in str(caught.value)
    assert caught.value.code == "data/card"


def test_a_card_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_card(tmp_path / "card.yaml")
