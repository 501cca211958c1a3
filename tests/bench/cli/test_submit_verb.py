"""`timbrebench submit`: from a run to an archive, from an archive to scores, and how refusals leave."""

from __future__ import annotations

import json
import sys
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import yaml
from pydantic import Field

from bench.audio import Clip
from bench.method import Method, Prepared
from bench.task import EditTask

CARD = {
    "system": "Weaver",
    "version": "1",
    "authors": ["Ada"],
    "base_model": None,
    "training_data": "None.",
    "compute": "A second.",
    "seeds": [0],
    "division": "open",
    "licence": "CC0",
    "description": "Adds a buzz.",
}


class Weaver(Method):
    """The other stem, and a buzz that depends on the seed."""

    name = "weaver"
    version = 1

    class Config(Method.Config):
        hz: float = Field(330.0, gt=0)

    config: Config

    def edit(self, prepared: Prepared, tasks: Sequence[EditTask], seeds: Sequence[int]) -> list[Clip]:
        rest = [prepared.source.background(task.stem) for task in tasks]
        return [Clip.sum([each, self._buzz(each, seed)]) for each, seed in zip(rest, seeds, strict=True)]

    def _buzz(self, like: Clip, seed: int) -> Clip:
        t = np.arange(like.length) / like.rate
        noise = np.random.default_rng(seed).normal(size=t.shape)
        return Clip.of(0.2 * np.sign(np.sin(2 * np.pi * self.config.hz * t)) + 0.02 * noise, like.rate)


METHOD = "test_submit_verb:Weaver"


@pytest.fixture
def run(cli: Callable, tones: Path) -> Path:
    """A run of four edits, the card, and the task file beside it."""
    Path("card.yaml").write_text(yaml.safe_dump(CARD), "utf-8")
    assert cli("tasks", "build", "tones", "--out", "tones.jsonl", "--quiet").code == 0
    result = cli("run", "--method", METHOD, "--tasks", "tones.jsonl", "--out", "run", "--quiet")
    assert result.code == 0, result.err
    return Path("run")


@pytest.fixture
def archive(cli: Callable, run: Path) -> Path:
    result = cli("submit", "pack", run, "--card", "card.yaml", "--out", "weaver.zip")
    assert result.code == 0, result.err
    assert "4 edits -> weaver.zip" in result.out
    return Path("weaver.zip")


def test_a_run_is_packed_checked_and_scored(cli: Callable, archive: Path) -> None:
    checked = cli("submit", "check", archive, "--tasks", "tones.jsonl")
    assert checked.code == 0, checked.out
    assert checked.out.startswith("accepted: Weaver 1, open: 4 edits heard")
    scored = cli(
        *("submit", "score", archive, "--tasks", "tones.jsonl", "--out", "scored", "--jobs", 1),
        *("--metrics", "loudness-change,clipping", "--json"),
    )
    assert scored.code == 0, scored.err
    summary = json.loads(scored.out)[0]
    assert (summary["label"], summary["plan"]["generated"]) == ("Weaver 1", 4)


def test_a_refusal_says_all_and_exits_5(cli: Callable, archive: Path) -> None:
    archive.write_bytes(archive.read_bytes()[:-40])
    told = cli("submit", "check", archive, "--tasks", "tones.jsonl")
    assert told.code == 5
    assert "error: archive/damaged: it is damaged or cut off" in told.out
    assert "do (archive/damaged): Upload it again" in told.out
    found = json.loads(cli("submit", "check", archive, "--json").out)
    assert found["accepted"] is False
    assert found["findings"][0]["code"] == "archive/damaged"
    annotated = cli("submit", "check", archive, "--format", "github")
    assert annotated.out.startswith("::error file=weaver.zip,title=archive/damaged::it is damaged")
    scored = cli("submit", "score", archive, "--tasks", "tones.jsonl", "--out", "scored")
    assert scored.code == 5
    assert "archive/damaged" in scored.err
    assert not Path("scored").exists()


def test_a_part_of_the_suite_is_not_the_suite(cli: Callable, run: Path) -> None:
    assert cli("run", "--method", METHOD, "--tasks", "tones.jsonl", "--limit", 2, "--out", "part").code == 0
    assert cli("submit", "pack", "part", "--card", "card.yaml", "--out", "part.zip").code == 0
    told = cli("submit", "check", "part.zip", "--tasks", "tones.jsonl")
    assert told.code == 5
    assert "plan/suite" in told.out
    assert told.out.count("error: plan/missing") == 2


def test_a_folder_is_packed_by_the_names_of_its_files(cli: Callable, run: Path, tones: Path) -> None:
    tasks = [
        json.loads(line)["id"] for line in Path("tones.jsonl").read_text().splitlines() if '"kind": "task"' in line
    ]
    t = np.arange(4_000) / 8_000
    for number, task in enumerate(tasks[1:]):
        buzz = np.sign(np.sin(2 * np.pi * (200 + 60 * number) * t))
        Clip.of(0.2 * buzz, 8_000).write_wav(Path("audio") / f"{task.replace('/', '__')}.wav")
    words = ("submit", "pack", "audio", "--card", "card.yaml", "--out", "a.zip", "--tasks", "tones.jsonl")
    short = cli(*words)
    assert short.code == 3
    assert "--missing" in short.err
    assert cli(*words, "--missing", "it crashed").code == 0
    checked = cli("submit", "check", "a.zip", "--tasks", "tones.jsonl", "--json")
    found = json.loads(checked.out)
    assert (found["accepted"], found["decoded"], found["failed"]) == (True, 3, 1)
    wrong = cli("submit", "pack", run, "--card", "card.yaml", "--out", "a.zip", "--missing", "x")
    assert wrong.code == 2


def test_copies_of_entries_in_a_store_are_found(cli: Callable, archive: Path) -> None:
    Path("store/weaver").mkdir(parents=True)
    words = ("submit", "check", archive, "--tasks", "tones.jsonl")
    assert cli(*words, "--entries", "store", "--fingerprints", "store/weaver/fingerprints.json").code == 0
    again = cli(*words, "--entries", "store")
    assert again.code == 5
    assert "copy/entry: 4 of 4 edits are those of Weaver 1 (4 to the sample" in again.out


@pytest.mark.slow
def test_an_audit_agrees_or_does_not(cli: Callable, archive: Path) -> None:
    words = ("submit", "audit", archive, "--tasks", "tones.jsonl", "--count", 2, "--device", "cpu")
    unnamed = cli(*words)
    assert unnamed.code == 2
    assert "unknown method 'weaver'" in unnamed.err
    agrees = cli(*words, "--method", METHOD)
    assert agrees.code == 0, agrees.err
    assert "reproduced: 2 of 2 drawn from 4 are within" in agrees.out
    assert json.loads(Path("audit.json").read_bytes())["reproduced"] is True
    differs = cli(*words, "--method", METHOD, "--set", "hz=500")
    assert differs.code == 5
    assert "not as claimed: method.config.hz: 330.0 there, 500.0 here" in differs.out
    assert "not reproduced: 0 of 2" in differs.out


@pytest.mark.parametrize(
    ("claim", "code"),
    [
        ({"name": "antigravity:Fly"}, "submission/no-method"),
        ({"name": 7}, "submission/no-method"),
        ({"name": "copy-source", "version": 99}, "submission/method-version"),
        ({"name": "separate-edit-remix", "version": 1, "config": {"inner": "antigravity:Fly"}}, "data/claimed-config"),
        ({"name": "mi-inpainting", "version": 1, "config": {"ranking": "/etc/passwd"}}, "data/claimed-config"),
    ],
)
def test_an_archive_chooses_no_code_for_its_audit(cli: Callable, archive: Path, claim: dict, code: str) -> None:
    with zipfile.ZipFile(archive) as packed:
        members = {name: packed.read(name) for name in packed.namelist()}
    said = json.loads(members["submission.json"])
    said["made"]["method"] = claim
    members["submission.json"] = json.dumps(said).encode()
    with zipfile.ZipFile(archive, "w") as packed:
        for name, data in members.items():
            packed.writestr(name, data)
    told = cli("submit", "audit", archive, "--tasks", "tones.jsonl", "--device", "cpu", "--json")
    assert told.code == 2
    assert json.loads(told.out)["error"]["code"] == code
    assert "antigravity" not in sys.modules


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        (("submit", "check", "nowhere.zip"), "there is no such file"),
        (("submit", "pack", "nowhere", "--card", "card.yaml"), "the card cannot be read"),
        (("submit", "score", "nowhere.zip", "--out", "x"), "which tasks?"),
        (("submit", "audit", "nowhere.zip"), "which tasks?"),
    ],
)
def test_wrong_requests_exit_2(cli: Callable, words: tuple[str, ...], cause: str) -> None:
    told = cli(*words)
    assert told.code == 2
    assert cause in told.err
