"""`timbrebench leaderboard`, from scored runs to pages."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from cli_suites import Tones

from bench.cli.app import run as run_cli

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
    "description": "Answers with other clips.",
}


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two scored runs on tones: a control, and another that is called a method."""
    folder = tmp_path_factory.mktemp("board")
    suite = Tones(Tones.Options(folder=folder / "audio", songs=3)).build()
    (folder / "tasks.jsonl").write_text("".join(f"{line}\n" for line in suite.lines()))
    for name, method in (("copy", "copy-source"), ("weaver", "random-clip")):
        _done("run", "--method", method, "--out", folder / name, "--tasks", folder / "tasks.jsonl", "--device", "cpu")
    _done("score", folder / "copy", folder / "weaver", "--metrics", "background-logmel,loudness-change", "--jobs", "1")
    described = json.loads((folder / "weaver" / "run.json").read_text("utf-8"))
    described["about"]["role"] = "method"
    (folder / "weaver" / "run.json").write_text(json.dumps(described), "utf-8")
    (folder / "card.yaml").write_text(yaml.safe_dump(CARD), "utf-8")
    return folder


def _done(*words: object) -> None:
    with pytest.raises(SystemExit) as ended:
        run_cli([str(word) for word in (*words, "--quiet")])
    assert ended.value.code in (0, None), words


def test_entries_are_added_once_listed_withdrawn_and_shown(cli: Callable, scored: Path, tmp_path: Path) -> None:
    bare = cli("leaderboard", "add", scored / "weaver", "--json")
    assert (bare.code, json.loads(bare.out)["error"]["code"]) == (2, "leaderboard/no-card")
    words = ("leaderboard", "add", scored / "weaver", "--card", scored / "card.yaml", "--examples", "1")
    first = cli(*words, "--json")
    assert first.code == 0, first.err
    told = json.loads(first.out)
    assert (told["new"], told["card"]["system"], told["record"]) == (True, "Weaver", 1)
    again = cli(*words)
    assert again.code == 0 and again.out.startswith(f"is there already: {told['entry']} Weaver 1, open, self-reported")
    assert cli("leaderboard", "add", scored / "copy").code == 0

    site = tmp_path / "site"
    root = f"tones={scored / 'audio'}"
    built = cli("leaderboard", "build", "entries", "--out", site, "--no-players", "--root", root)
    assert built.code == 0, built.err
    assert "2 entries on 1 boards" in built.out
    page = (site / "index.html").read_text("utf-8")
    assert "Open division" in page and "rank 1 of 1" in page

    listed = cli("leaderboard", "check", "--json")
    head = json.loads(listed.out)["head"]["hash"]
    assert head[:16] in page
    gone = cli("leaderboard", "withdraw", told["entry"], "--reason", "a mistake")
    assert gone.code == 0 and gone.out.strip().endswith("withdrawn: a mistake")
    assert cli("leaderboard", "check", "--head", head).code == 0
    assert cli("leaderboard", "build", "entries", "--out", site, "--no-players").code == 0
    assert "Weaver" not in (site / "index.html").read_text("utf-8")


def test_damage_and_wrong_words_end_with_their_codes(cli: Callable, scored: Path, tmp_path: Path) -> None:
    assert cli("leaderboard", "add", scored / "copy", "--store", tmp_path / "kept").code == 0
    assert cli("leaderboard", "check", "--store", tmp_path / "kept", "--head", "0" * 64).code == 3
    bad_root = cli("leaderboard", "build", tmp_path / "kept", "--root", "tones")
    assert bad_root.code == 2 and "NAME=FOLDER" in bad_root.err
    assert cli("leaderboard", "build", tmp_path / "kept", "--primary", "nothing").code == 2
    assert cli("leaderboard", "withdraw", "feedfeedfeedfeed", "--reason", "x", "--store", tmp_path / "kept").code == 2
    (scores,) = (tmp_path / "kept" / "entries").glob("*/scores.parquet")
    scores.write_bytes(b"")
    broken = cli("leaderboard", "build", tmp_path / "kept", "--out", tmp_path / "site", "--json")
    assert (broken.code, json.loads(broken.out)["error"]["code"]) == (3, "corrupt/entry-log")
    assert cli("leaderboard", "check", "--store", tmp_path / "nowhere").code == 2
