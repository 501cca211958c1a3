"""`timbrebench listening`: from runs to a test, and from made-up results of it to tables."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture
def runs(cli: Callable, tones: Path) -> list[str]:
    assert cli("tasks", "build", "tones", "--out", "tones.jsonl", "--quiet").code == 0
    for method in ("copy-source", "silence"):
        result = cli("run", "--method", method, "--tasks", "tones.jsonl", "--out", method, "--quiet")
        assert result.code == 0, result.err
    return ["copy-source", "silence"]


def test_a_listening_test_from_runs_to_tables(cli: Callable, runs: list[str]) -> None:
    made = cli("listening", "export", *runs, "--out", "test", "--tasks", 4, "--json")
    assert made.code == 0, made.out
    facts = json.loads(made.out)
    assert (facts["kind"], facts["tasks"], facts["sets"]) == ("mushra", 4, 3)
    assert len(facts["unmatched"]) == 4  # silence has no loudness
    design = json.loads(Path("test/design.json").read_text("utf-8"))
    dice = np.random.default_rng(0)
    mean = {"s0": 60, "s1": 20, "reference": 97, "anchor": 30}
    lines = ["listener,trial,stimulus,rating"]
    for number in range(12):
        for trial in (trial for trial in design["trials"] if trial["set"] == 1 + number % 3):
            for name, condition in trial["heard"]:
                rating = trial["expected"] or round(min(mean[condition] + 3 * dice.uniform(-1, 1), 100))
                lines.append(f"ann{number},{trial['id']},{name},{rating}")
    Path("results.csv").write_text("\n".join(lines) + "\n", "utf-8")
    read = cli("listening", "ingest", "results.csv", "--export", "test", "--out", "tables", "--baseline", "silence")
    assert read.code == 0, read.err
    assert "12 of 12 listeners count" in " ".join(read.out.split())
    found = json.loads(Path("tables/results.json").read_text("utf-8"))
    first = found["questions"][0]["rows"][0]
    assert (found["baseline"], first["label"], first["contrast"]["found"]) == ("silence", "copy-source", True)
    assert {path.name for path in Path("tables").iterdir()} == {"results.json", "results.md", "results.csv"}


def test_errors_say_what_to_do(cli: Callable, runs: list[str]) -> None:
    again = cli("listening", "export", *runs, "--out", "test", "--tasks", 4, "--quiet")
    assert again.code == 0, again.err
    assert "listening/in-use" in cli("listening", "export", *runs, "--out", "test").err
    assert "listening/rate" in cli("listening", "export", *runs, "--out", "other", "--rate", 22_050).err
    Path("results.csv").write_text("listener,trial,stimulus,rating\nann,nowhere,x,3\n", "utf-8")
    refused = cli("listening", "ingest", "results.csv", "--export", "test")
    assert (refused.code, "listening/rows" in refused.err, "line 2" in refused.err) == (2, True, True)
    assert cli("listening", "ingest", "results.csv", "--export", "runs").code == 2
