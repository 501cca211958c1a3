from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "docs" / "examples" / "ci"
WORKFLOWS = sorted(EXAMPLES.glob("timbrebench*.yml"))
ACTIONS = [ROOT / "action.yml", ROOT / "ci" / "comment" / "action.yml"]
FULL_VERSION = re.compile(r"[\w.-]+/[\w./-]+@v\d+\.\d+\.\d+")
WRITES = {"timbrebench-comment.yml": {"pull-requests"}}


def read(path: Path) -> dict:
    return yaml.safe_load(path.read_text("utf-8"))


def steps(document: dict) -> list[dict]:
    if "runs" in document:
        return document["runs"]["steps"]
    return [step for job in document["jobs"].values() for step in job["steps"]]


def triggers(document: dict) -> set[str]:
    # YAML 1.1 reads `on` as true.
    return set(document[True])


def texts(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for item in value.values() for text in texts(item)]
    if isinstance(value, list):
        return [text for item in value for text in texts(item)]
    return [value] if isinstance(value, str) else []


def test_there_are_two_workflows() -> None:
    assert [path.name for path in WORKFLOWS] == ["timbrebench-comment.yml", "timbrebench.yml"]


@pytest.mark.parametrize("path", [*WORKFLOWS, *ACTIONS], ids=lambda path: f"{path.parent.name}/{path.name}")
def test_actions_are_pinned_by_full_version(path) -> None:
    for step in steps(read(path)):
        assert FULL_VERSION.fullmatch(step["uses"]) if "uses" in step else "run" in step, step


@pytest.mark.parametrize("path", [*WORKFLOWS, *ACTIONS], ids=lambda path: f"{path.parent.name}/{path.name}")
def test_no_text_of_anyone_stands_in_a_script(path) -> None:
    for step in steps(read(path)):
        assert "${{" not in step.get("run", ""), "pass it by `env`"


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_permissions_are_the_least(path) -> None:
    document = read(path)
    assert "permissions" in document
    granted = {**document["permissions"]}
    for job in document["jobs"].values():
        granted |= job.get("permissions", {})
        assert "timeout-minutes" in job
    assert {name for name, level in granted.items() if level != "read"} == WRITES.get(path.name, set())


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_where_a_token_can_write_nothing_of_the_pull_request_is_checked_out(path) -> None:
    document = read(path)
    assert "pull_request_target" not in triggers(document)
    if "workflow_run" in triggers(document):
        assert not [step for step in steps(document) if "checkout" in step["uses"]]
        assert not [text for text in texts(steps(document)) if "github.event" in text]
    else:
        assert triggers(document) == {"push", "pull_request"}
        (checkout,) = [step for step in steps(document) if "checkout" in step["uses"]]
        assert checkout["with"] == {"fetch-depth": 2, "persist-credentials": False}


def test_the_comment_waits_for_the_workflow_that_measures() -> None:
    comment, measure = map(read, WORKFLOWS)
    assert comment[True]["workflow_run"] == {"workflows": [measure["name"]], "types": ["completed"]}


@pytest.mark.parametrize(("path", "number"), list(zip(ACTIONS, (1, 0), strict=True)), ids=["action", "comment"])
def test_inputs_are_described_and_used_and_given_by_the_examples(path, number) -> None:
    document = read(path)
    used = set(re.findall(r"inputs\.([\w-]+)", path.read_text("utf-8")))
    assert used == set(document["inputs"])
    assert all(each["description"] and ("default" in each or each["required"]) for each in document["inputs"].values())
    (step,) = [step for step in steps(read(WORKFLOWS[number])) if "OWNER/timbrebench" in step["uses"]]
    assert set(step.get("with", {})) <= set(document["inputs"])
    required = {name for name, each in document["inputs"].items() if each.get("required")}
    assert required <= set(step.get("with", {}))


def test_both_actions_look_for_one_artifact() -> None:
    first, second = map(read, ACTIONS)
    assert first["inputs"]["artifact"]["default"] == second["inputs"]["artifact"]["default"]


def options(script: str) -> set[str]:
    """The options that a step's script declares."""
    return set(re.findall(r'"(--[a-z-]+)"', (ROOT / "ci" / f"{script}.py").read_text("utf-8")))


@pytest.mark.parametrize("path", [*ACTIONS, EXAMPLES / "gitlab-ci.yml", ROOT / "docs" / "ci.md"], ids=lambda p: p.name)
def test_steps_are_called_with_options_that_they_have(path) -> None:
    text = path.read_text("utf-8").replace("\\\n", " ")
    called = re.findall(r"ci/step\"? (base|measure|compare) ([^\n]*)", text)
    called += [("post_comment", rest) for rest in re.findall(r"post_comment\.py\" ([^\n]*)", text)]
    assert called
    for script, rest in called:
        assert set(re.findall(r"(?<=\s)--[a-z][a-z-]*", f" {rest}")) <= options(script), rest


@pytest.mark.parametrize("name", ["ci/step", "ci/comment/install.sh"])
def test_scripts_can_be_run(name) -> None:
    assert os.access(ROOT / name, os.X_OK)
    subprocess.run(["sh", "-n", str(ROOT / name)], check=True)


def test_the_gitlab_recipe_hands_over_what_gitlab_shows() -> None:
    (job,) = read(EXAMPLES / "gitlab-ci.yml").values()
    assert job["artifacts"]["reports"]["junit"] == "comparison/junit.xml"
    assert job["artifacts"]["when"] == "always" and job["script"][-1].endswith("--out comparison")
