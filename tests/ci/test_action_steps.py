from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from made_comparison import comparison

from bench.store import strict_json
from reports.compare.model import Verdict

CI = Path(__file__).resolve().parents[2] / "ci"


@pytest.fixture
def step(tmp_path):
    """Run a step as the action does; gives back the exit code, what it printed, and its outputs."""

    def run(name: str, *options: object, **environment: str) -> tuple[int, str, dict[str, str]]:
        outputs = tmp_path / "outputs"
        outputs.write_text("")
        variables = {
            "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
            "PYTHONPATH": str(CI.parent),
            "GITHUB_OUTPUT": str(outputs),
            "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
            "RUNNER_TEMP": str(tmp_path),
            "FAKE_LOG": str(tmp_path / "log.jsonl"),
            **environment,
        }
        command = [sys.executable, str(CI / f"{name}.py"), *map(str, options)]
        done = subprocess.run(command, env=variables, cwd=tmp_path, capture_output=True, text=True, check=False)
        found = dict(line.split("=", 1) for line in outputs.read_text().splitlines())
        return done.returncode, done.stdout + done.stderr, found

    return run


@pytest.fixture
def fakes(tmp_path):
    """A timbrebench and a uv that note how they were called; the exit code of a verb comes from CODE_VERB."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("timbrebench", "uv"):
        (folder / name).write_text(
            f"#!{sys.executable}\n"
            "import json, os, shutil, sys\n"
            "with open(os.environ['FAKE_LOG'], 'a') as log:\n"
            f"    seen = {{'argv': [{name!r}, *sys.argv[1:]], 'override': os.environ.get('UV_OVERRIDE'),\n"
            "            'path': os.environ.get('PYTHONPATH')}\n"
            "    log.write(json.dumps(seen) + chr(10))\n"
            "if sys.argv[1] == 'compare' and 'COMPARISON' in os.environ:\n"
            "    out = sys.argv[sys.argv.index('--out') + 1]\n"
            "    shutil.copytree(os.environ['COMPARISON'], out, dirs_exist_ok=True)\n"
            "sys.exit(int(os.environ.get('CODE_' + sys.argv[1].upper(), 0)))\n"
        )
        (folder / name).chmod(0o755)
    return folder


def calls(tmp_path: Path) -> list[dict]:
    return [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]


# -- base -------------------------------------------------------------------------------------------------------------


def git(folder: Path, *arguments: str) -> str:
    names = ("-c", "user.name=x", "-c", "user.email=x@y", "-c", "commit.gpgsign=false", "-c", "init.defaultBranch=main")
    command = ["git", "-C", str(folder), *names, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def merged(tmp_path):
    """A repository as GitHub checks it out: the merge of a branch into main, which has moved on since."""
    folder = tmp_path / "repo"
    folder.mkdir()
    git(folder, "init", "-q")

    def commit(name: str) -> str:
        (folder / name).write_text(name)
        git(folder, "add", ".")
        git(folder, "commit", "-q", "-m", name)
        return git(folder, "rev-parse", "HEAD")

    commit("first")
    git(folder, "checkout", "-q", "-b", "branch")
    commit("change")
    git(folder, "checkout", "-q", "main")
    base = commit("second")
    git(folder, "merge", "-q", "--no-ff", "-m", "merge", "branch")
    return folder, base


def test_the_base_of_a_pull_request_is_what_it_was_merged_onto(step, merged, tmp_path) -> None:
    folder, base = merged
    out = tmp_path / "base"
    code, told, outputs = step("base", "--repository", folder, "--out", out, GITHUB_EVENT_NAME="pull_request")
    assert code == 0, told
    assert outputs["commit"] == base and outputs["compare"] == "true"
    assert sorted(path.name for path in out.iterdir()) == [".git", "first", "second"]


def test_a_push_is_measured_alone_and_cached_for_the_pull_requests_to_come(step, merged, tmp_path) -> None:
    folder, base = merged
    of = ["--", "polyphonia", "--set lam=0"]
    pull = step("base", "--repository", folder, "--out", tmp_path / "a", *of, GITHUB_EVENT_NAME="pull_request")[2]
    git(folder, "checkout", "-q", base)
    code, _, push = step("base", "--repository", folder, "--out", tmp_path / "b", *of, GITHUB_EVENT_NAME="push")
    assert code == 0 and push["commit"] == base and push["compare"] == "false"
    assert push["key"] == pull["key"]


def test_the_cache_knows_what_was_measured(step, merged, tmp_path) -> None:
    folder, _ = merged

    def key(*of: str) -> str:
        out = tmp_path / "-".join(of).replace(" ", "")
        return step("base", "--repository", folder, "--out", out, "--", *of, GITHUB_EVENT_NAME="push")[2]["key"]

    assert len({key("a", "b"), key("ab"), key("a", "b", "--set x=1")}) == 3


@pytest.mark.parametrize("event", ["pull_request_target", "workflow_run", "issue_comment"])
def test_code_under_review_is_not_run_where_there_are_secrets(step, merged, tmp_path, event) -> None:
    code, told, outputs = step("base", "--repository", merged[0], "--out", tmp_path / "b", GITHUB_EVENT_NAME=event)
    assert code == 2 and "(ci/event)" in told and outputs == {}


@pytest.mark.parametrize("how", ["shallow", "branch"])
def test_without_the_base_in_the_checkout_it_says_what_to_do(step, merged, tmp_path, how) -> None:
    folder, _ = merged
    if how == "shallow":
        shallow = tmp_path / "shallow"
        git(tmp_path, "clone", "-q", "--depth=1", f"file://{folder}", str(shallow))
        folder = shallow
    else:
        git(folder, "checkout", "-q", "branch")
    code, told, _ = step("base", "--repository", folder, "--out", tmp_path / "b", GITHUB_EVENT_NAME="pull_request")
    assert code == 2 and "fetch-depth: 2" in told and "(ci/history)" in told


# -- measure ----------------------------------------------------------------------------------------------------------


def measure(step, fakes, out: Path, *options: object, **environment: str):
    always = ("--out", out, "--method", "pkg.mod:Mine", "--timbrebench", fakes / "timbrebench")
    return step("measure", *always, *options, **environment)


def test_a_method_is_run_on_the_suite_and_scored(step, fakes, tmp_path) -> None:
    out = tmp_path / "run"
    code, told, _ = measure(step, fakes, out, "--seeds=0 1", "--options=--set 'prompt=a b' --limit 3")
    assert code == 0, told
    build, run, score = [call["argv"] for call in calls(tmp_path)]
    assert build == ["timbrebench", "tasks", "build", "ci", "--out", f"{out}.tasks.jsonl"]
    assert run[:4] == ["timbrebench", "run", "--tasks", f"{out}.tasks.jsonl"]
    assert run[4:10] == ["--method", "pkg.mod:Mine", "--backbone", "nano", "--out", str(out)]
    assert run[10:] == ["--seed", "0", "--seed", "1", "--set", "prompt=a b", "--limit", "3"]
    assert score == ["timbrebench", "score", str(out), "--metrics", "ci"]


def test_edits_that_fail_do_not_stop_the_comparison_that_will_say_so(step, fakes, tmp_path) -> None:
    code, told, _ = measure(step, fakes, tmp_path / "run", CODE_RUN="3", CODE_SCORE="3")
    assert code == 0 and "::warning" in told and len(calls(tmp_path)) == 3


@pytest.mark.parametrize(("verb", "made"), [("TASKS", 1), ("RUN", 2), ("SCORE", 3)])
def test_any_other_failure_ends_the_step(step, fakes, tmp_path, verb, made) -> None:
    code, _, _ = measure(step, fakes, tmp_path / "run", **{f"CODE_{verb}": "70"})
    assert code == 70 and len(calls(tmp_path)) == made


def test_the_package_under_test_is_installed_from_its_checkout(step, fakes, tmp_path) -> None:
    package = tmp_path / "source" / "sub"
    package.mkdir(parents=True)
    (package / "pyproject.toml").write_text("")
    code, told, _ = measure(step, fakes, tmp_path / "run", "--source", tmp_path / "source", "--package=sub")
    assert code == 0, told
    first = calls(tmp_path)[0]
    assert first["argv"] == ["uv", "pip", "install", "--python", sys.executable, str(package)]
    assert "pyaudio; sys_platform == 'none'" in Path(first["override"]).read_text().splitlines()


def test_what_is_under_test_is_not_replaced_by_the_modules_of_the_action(step, fakes, tmp_path) -> None:
    measure(step, fakes, tmp_path / "run")
    assert {call["path"] for call in calls(tmp_path)} == {None}


@pytest.mark.parametrize(("there", "code"), [(False, "ci/package"), (True, "ci/install")])
def test_a_package_that_cannot_be_installed_is_told(step, fakes, tmp_path, there, code) -> None:
    if there:
        (tmp_path / "pyproject.toml").write_text("")
    found, told, _ = measure(step, fakes, tmp_path / "run", "--package=.", CODE_PIP="1")
    assert found == 2 and f"({code})" in told
    assert not [call for call in calls(tmp_path) if call["argv"][0] == "timbrebench"] if there else True


# -- compare ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def compare(step, fakes, tmp_path):
    def run(verdict: Verdict, *options: str):
        made = comparison(verdict)
        folder = tmp_path / "made"
        folder.mkdir(exist_ok=True)
        (folder / "comparison.json").write_bytes(strict_json.dump(made.as_json()))
        (folder / "comparison.md").write_text("the comparison")
        where = ("base", "new", "--out", tmp_path / "out", "--timbrebench", fakes / "timbrebench")
        return step("compare", *where, *options, COMPARISON=str(folder), CODE_COMPARE=str(made.exit_code))

    return run


@pytest.mark.parametrize("verdict", list(Verdict))
def test_only_a_regression_fails_the_job(compare, tmp_path, verdict) -> None:
    code, told, outputs = compare(verdict)
    assert code == (1 if verdict == Verdict.REGRESSED else 0)
    assert outputs == {"verdict": verdict.value}
    assert (tmp_path / "summary.md").read_text() == "the comparison\n"
    level = {Verdict.REGRESSED: "error", Verdict.INCOMPLETE: "warning", Verdict.NOT_COMPARABLE: "warning"}.get(verdict)
    assert [line.split()[0] for line in told.splitlines() if line.startswith("::")] == ([f"::{level}"] if level else [])


def test_other_verdicts_fail_it_if_asked(compare) -> None:
    assert compare(Verdict.INCOMPLETE, "--fail-on=regressed, incomplete")[0] == 3
    assert compare(Verdict.NOT_COMPARABLE, "--fail-on=not-comparable")[0] == 4
    assert compare(Verdict.REGRESSED, "--fail-on=")[0] == 0
    code, told, _ = compare(Verdict.REGRESSED, "--fail-on=inconclusive")
    assert code == 2 and "(ci/fail-on)" in told


@pytest.mark.parametrize("code", [2, 70])
def test_a_comparison_that_was_not_made_fails_it(step, fakes, tmp_path, code) -> None:
    where = ("base", "new", "--out", tmp_path / "out", "--timbrebench", fakes / "timbrebench")
    found, _, outputs = step("compare", *where, "--gate=gate.yaml", CODE_COMPARE=str(code))
    assert found == code and outputs == {}
    assert calls(tmp_path)[0]["argv"][-2:] == ["--gate", "gate.yaml"]
