"""The whole road through the command line, as a user walks it."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("road")]

ROOT = Path(__file__).resolve().parents[1]
COMMAND = Path(sys.executable).with_name("timbrebench")
CONTROLS = ("copy-source", "codec", "random-clip", "silence")


def timbrebench(*words: object, cwd: Path, code: int = 0, **environment: str) -> str:
    done = subprocess.run(
        [COMMAND, *map(str, words)],
        capture_output=True,
        text=True,
        cwd=cwd,
        check=False,
        env={**os.environ, "COLUMNS": "160", **environment},
    )
    assert done.returncode == code, done.stderr[-3000:]
    return done.stdout + done.stderr


def run(folder: Path, method: str, *words: object) -> str:
    return timbrebench("run", "--tasks", "t.jsonl", "--method", method, "--out", f"runs/{method}", *words, cwd=folder)


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two short songs, two methods and the controls, scored and reported."""
    folder = tmp_path_factory.mktemp("road")
    built = timbrebench(
        "tasks", "build", "synth", "--songs", 2, "--edits", 2, "--duration-s", 4, "--out", "t.jsonl", cwd=folder
    )
    assert "4 tasks planned: 4 with audio, 0 absent" in built
    for method in ("polyphonia", "sdedit"):
        run(folder, method, "--set", "steps=4")
    for control in CONTROLS:
        run(folder, control)
    runs = [f"runs/{name}" for name in ("polyphonia", "sdedit", *CONTROLS)]
    timbrebench("score", *runs, "--jobs", 1, cwd=folder)
    table = timbrebench("report", *runs, "--out", "site", cwd=folder)
    assert "nano is a small embedded model" in " ".join(table.split())
    return folder


def values(folder: Path) -> dict[tuple[str, str], float | None]:
    with (folder / "site" / "table.csv").open(newline="", encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    return {(row["run"], row["metric"]): float(row["mean"]) if row["mean"] else None for row in rows}


def known(found: dict[tuple[str, str], float | None], run_: str, metric: str) -> float:
    value = found[run_, metric]
    assert value is not None
    return value


def test_the_controls_stand_where_they_must(walked: Path) -> None:
    found = values(walked)
    assert found["copy-source", "cqt1-pcc"] == found["copy-source", "cqt1-pcc@steermusic"] == 1.0
    assert found["copy-source", "onset-f1"] == 1.0
    assert found["copy-source", "background-logmel"] == 0.0
    for metric in ("cqt1-pcc", "cqt1-pcc@steermusic", "onset-f1"):
        codec = known(found, "codec", metric)
        assert known(found, "copy-source", metric) > codec > known(found, "random-clip", metric)
    for metric in ("background-logmel", "true-edit-logmel", "dpd-pesto-cents"):
        codec = known(found, "codec", metric)
        assert known(found, "copy-source", metric) < codec < known(found, "random-clip", metric)


def test_silence_is_missing_or_worst(walked: Path) -> None:
    found = values(walked)
    for metric in ("cqt1-pcc", "cqt1-pcc@steermusic", "dpd-pesto-cents"):
        assert found["silence", metric] is None
    others = [name for name, _ in found if name != "silence"]
    assert found["silence", "onset-f1"] == 0.0
    for metric in ("background-logmel", "true-edit-logmel"):
        assert known(found, "silence", metric) > max(known(found, name, metric) for name in others)


def test_everything_is_on_disk(walked: Path) -> None:
    site = walked / "site"
    page = (site / "index.html").read_text(encoding="utf-8")
    assert page.count("<audio") >= 4 * 8
    assert set(re.findall(r'src="(assets/[^"]+)"', page)) == {f"assets/{f.name}" for f in (site / "assets").iterdir()}
    assert "small embedded model" in (site / "table.md").read_text(encoding="utf-8")
    shown = json.loads(timbrebench("show", "run", "runs/polyphonia", "--json", cwd=walked))
    assert shown["outcomes"] == {"generated": 4}
    config = shown["identity"]["method"]["config"]
    assert {"steps": 4, "guidance": 3.5, "lam": 2.5, "variant": "paper"}.items() <= config.items()


def test_asking_again_does_nothing_and_asking_for_more_is_refused(walked: Path) -> None:
    again = run(walked, "copy-source")
    assert "holds a run already" in again
    assert "4 were there, 0 made" in again
    refused = timbrebench(
        *("run", "--tasks", "t.jsonl", "--method", "sdedit", "--set", "steps=6", "--out", "runs/sdedit"),
        cwd=walked,
        code=2,
    )
    assert "method.config.steps (4 there, 6 asked for)" in refused


def test_a_dry_run_says_what_it_would_take_and_does_nothing(walked: Path) -> None:
    words = ("run", "--tasks", "t.jsonl", "--method", "polyphonia", "--out", "runs/dry", "--dry-run", "--json")
    told = json.loads(timbrebench(*words, cwd=walked))
    assert (told["edits"], told["sources"], told["network_rows"]) == (4, 2, 2 * 100 + 4 * 200)
    assert told["seconds"] > 0
    assert not (walked / "runs" / "dry").exists()


def test_a_selection_that_matches_nothing_says_what_ids_look_like(walked: Path) -> None:
    words = ("run", "--tasks", "t.jsonl", "--method", "silence", "--only", "*/tuba2*")
    assert "Task ids look like synth/" in timbrebench(*words, cwd=walked, code=2)


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_run_goes_on_and_says_so(walked: Path, tmp_path: Path, sent: signal.Signals) -> None:
    words: Sequence[object] = (
        COMMAND, "run", "--tasks", walked / "t.jsonl", "--method", "sdedit", "--set", "steps=4",
        "--batch-size", 1, "--out", tmp_path / "killed",
    )  # fmt: skip
    process = subprocess.Popen([*map(str, words)], cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    journal = tmp_path / "killed" / "journal" / "w0.jsonl"
    while not (journal.exists() and "generated" in journal.read_text()):
        assert process.poll() is None, "the run ended before it could be killed"
        time.sleep(0.01)
    process.send_signal(sent)
    _, told = process.communicate()
    if sent == signal.SIGINT:
        assert process.returncode == 130
        assert "interrupted: what is finished is kept" in told
        assert "Traceback" not in told
    done = subprocess.run([*map(str, words)], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert "going on where it stopped" in done.stderr
    assert re.search(r"4 edits expected, [1-4] were there, [0-3] made", done.stdout)


def test_the_readmes_method_runs(walked: Path, tmp_path: Path) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(# softer\.py\n.*?)```", readme, flags=re.DOTALL)
    assert len(code.splitlines()) <= 20
    (tmp_path / "softer.py").write_text(code, encoding="utf-8")
    words = ("run", "--tasks", walked / "t.jsonl", "--method", "softer:Softer", "--set", "cutoff_hz=800", "--out", "s")
    assert "4 made" in timbrebench(*words, cwd=tmp_path, PYTHONPATH=str(tmp_path))


def test_real_recordings(shared_data: Path, tmp_path: Path) -> None:
    """The official prompts on the two real recordings: 30 tasks with audio, 1,140 absent, by track."""
    told = timbrebench(
        *("tasks", "build", "polyevalprompts", "--prompts", shared_data / "PolyEvalPrompts"),
        *("--medleydb", shared_data / "medleydb", "--out", "t.jsonl"),
        cwd=tmp_path,
    )
    assert "1,170 tasks planned: 30 with audio, 1,140 absent" in told
    assert "MusicDelta_Zeppelin" in told
    assert "all right: 2 sources" in timbrebench("tasks", "check", "t.jsonl", cwd=tmp_path)
    for method in ("copy-source", "random-clip"):
        assert "30 made, 1,140 tasks of the suite have no audio here" in run(tmp_path, method)
    run(tmp_path, "polyphonia", "--set", "steps=2", "--only", "*reggae/vocals2violin", "--out", "one")
    timbrebench(
        "score", "runs/copy-source", "runs/random-clip", "--metrics", "onset-f1,background-logmel", cwd=tmp_path
    )
    table = timbrebench("report", "runs/copy-source", "runs/random-clip", "--examples", 1, cwd=tmp_path)
    assert "1,140 tasks of the suite have no audio" in table
