"""`timbrebench compare` and `calibrate` on runs of real audio, by their exit codes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from cli_suites import Tones

from bench.cli.app import run as run_cli

GATE = """\
schema: timbrebench-gate@1
metrics:
  - name: background-logmel
  - name: loudness-change
    smallest_effect: 0.5
"""
RUNS: Mapping[str, tuple[str, ...]] = {
    "copy": ("copy-source",),
    "again": ("copy-source", "--seed", "1"),
    "alien": ("random-clip",),
    "silence": ("silence",),
    "part": ("copy-source", "--limit", "3"),
}


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with scored runs of controls on five songs of tones; nobody changes them."""
    folder = tmp_path_factory.mktemp("compared")
    suite = Tones(Tones.Options(folder=folder / "audio", songs=5)).build()
    (folder / "tasks.jsonl").write_text("".join(f"{line}\n" for line in suite.lines()))
    common = ("--tasks", folder / "tasks.jsonl", "--device", "cpu", "--quiet")
    for name, (method, *more) in RUNS.items():
        _done("run", "--method", method, "--out", folder / name, *common, *more)
    metrics = "background-logmel,loudness-change,bench.metrics.corpus:Fad:little_clap:LittleClap"
    _done("score", *(folder / name for name in RUNS), "--metrics", metrics, "--jobs", "1", "--quiet")
    return folder


def _done(*words: object) -> None:
    with pytest.raises(SystemExit) as ended:
        run_cli([str(word) for word in words])
    assert ended.value.code in (0, None), words


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    path = tmp_path / "gate.yaml"
    path.write_text(GATE)
    return path


def test_a_regression_fails_and_is_named_first(cli: Callable, scored: Path, gate: Path) -> None:
    worse = cli("compare", scored / "copy", scored / "alien", "--gate", gate)
    assert worse.code == 1, worse.err
    assert worse.out.startswith("REGRESSED: worse in background-logmel +")
    better = cli("compare", scored / "alien", scored / "copy", "--gate", gate)
    assert better.code == 0
    assert better.out.startswith("IMPROVED: ")


def test_silence_has_no_loudness_and_so_is_not_complete(cli: Callable, scored: Path, gate: Path) -> None:
    found = cli("compare", scored / "copy", scored / "silence", "--gate", gate)
    assert found.code == 3
    assert "new lacks 10 (silent-edit)" in found.out


def test_a_run_and_its_repetition_are_equivalent(cli: Callable, scored: Path, gate: Path) -> None:
    both = scored / "copy", scored / "again"
    found = cli("compare", *both, "--gate", gate)
    assert found.code == 4
    assert found.out.startswith("NOT_COMPARABLE: the runs differ in seeds ([0] / [1])")
    allowed = cli("compare", *both, "--gate", gate, "--allow", "seeds", "--json")
    assert allowed.code == 0
    result = json.loads(allowed.out)
    assert (result["schema"], result["verdict"], result["pairs"]) == ("timbrebench-comparison@1", "EQUIVALENT", 10)
    metrics = {metric["name"]: metric for metric in result["metrics"]}
    effects = {name: metric["smallest_effect"] for name, metric in metrics.items()}
    own = {"background-logmel": 0.2, "loudness-change": 0.5, "fad:little-clap": None}
    assert effects == own, "the metric's own, the gate's, and nobody's"
    fad = metrics["fad:little-clap"]
    assert (fad["corpus"], fad["songs"], fad["difference"], fad["p_method"]) == (True, 5, 0.0, "t")
    assert fad["verdict"] == "EQUIVALENT", "its values with songs left out are there"


def test_a_part_of_a_plan_is_not_comparable_with_all_of_it(cli: Callable, scored: Path) -> None:
    found = cli("compare", scored / "copy", scored / "part")
    assert found.code == 4
    assert "suite.digest" in found.out


def test_a_run_without_scores_says_how_to_make_them(cli: Callable, scored: Path, tmp_path: Path) -> None:
    run = tmp_path / "unscored"
    shutil.copytree(scored / "copy", run)
    (run / "summary.json").unlink()
    found = cli("compare", run, run)
    assert found.code == 3
    assert f"timbrebench score {run}" in found.err.replace("\n", "")


def test_files_are_written(cli: Callable, scored: Path, tmp_path: Path) -> None:
    found = cli("compare", scored / "copy", scored / "alien", "--out", tmp_path / "out")
    assert found.code == 1, found.err
    stored = json.loads((tmp_path / "out" / "comparison.json").read_text())
    assert stored["verdict"] == "REGRESSED"
    assert {path.suffix for path in (tmp_path / "out").iterdir()} >= {".md", ".xml", ".html"}


@pytest.mark.parametrize("text", ["", "metrics: 3", "schema: timbrebench-gate@1\nmetrics: [{name: a}]\nmore: 1\n"])
def test_a_bad_gate_is_a_usage_error(cli: Callable, scored: Path, gate: Path, text: str) -> None:
    gate.write_text(text)
    found = cli("compare", scored / "copy", scored / "copy", "--gate", gate)
    assert found.code == 2
    assert str(gate) in found.err


def test_a_calibration_is_written_and_then_printed(cli: Callable, scored: Path, gate: Path) -> None:
    """Controls have no luck, so that nothing is ever found between their runs."""
    copies = scored / "copy", scored / "again"
    found = cli("calibrate", *copies, "--gate", gate, "--comparisons", "200")
    assert found.code == 0, found.err
    assert "false alarms: 0.0%, 95 % interval [0.0%, 1.8%], of 200 simulated comparisons" in found.out
    assert gate.read_text().startswith(GATE)
    after = cli("compare", *copies, "--gate", gate, "--allow", "seeds")
    assert "False alarms of this gate: 0.0 %" in after.out
    assert "was not measured" not in after.out
    made = cli("calibrate", *copies, "--gate", "new.yaml", "--comparisons", "200", "--json")
    assert json.loads(made.out)["calibration"]["comparisons"] == 200
    assert "true-edit" not in Path("new.yaml").read_text()
    assert cli("calibrate", copies[0], "--gate", gate).code == 2
    assert cli("calibrate", *copies, "--gate", gate, "--comparisons", "10").code == 2


def test_help_imports_nothing_heavy() -> None:
    from test_app import HEAVY, imported

    for verb in ("compare", "calibrate"):
        assert imported(verb, "--help").isdisjoint(HEAVY)
