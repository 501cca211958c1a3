"""The Action's steps one after the other, for real: a change that destroys the edits, and the comment that says so."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from fake_github import BOT, REPOSITORY, TOKEN, serving

CI = Path(__file__).resolve().parents[2] / "ci"
COMMIT = "a" * 40


def step(folder: Path, name: str, *options: object, **environment: str) -> int:
    command = [sys.executable, str(CI / f"{name}.py"), *map(str, options)]
    variables = {**os.environ, "PYTHONPATH": str(CI.parent), **environment}
    return subprocess.run(command, cwd=folder, env=variables, check=False, capture_output=True).returncode


@pytest.mark.slow
def test_a_change_that_ruins_a_method_fails_and_the_comment_says_so(tmp_path) -> None:
    for method, out in (("copy-source", "base"), ("silence", "new")):
        options = ["--out", out, "--method", method, "--metrics", "chroma-cosine,onset-f1"]
        assert step(tmp_path, "measure", *options) == 0
    summary = tmp_path / "summary.md"
    found = step(tmp_path, "compare", "base", "new", "--out", "comparison", GITHUB_STEP_SUMMARY=str(summary))
    assert found == 1 and "REGRESSED" in summary.read_text("utf-8")
    files = ("comparison.json", "comparison.md", "junit.xml")
    with zipfile.ZipFile(tmp_path / "artifact.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name in files:
            archive.write(tmp_path / "comparison" / name, name)
    head = {"head_branch": "feature", "head_repository": {"owner": {"login": "fork"}}, "head_sha": COMMIT}
    run = {"id": 99, "event": "pull_request", "conclusion": "failure", "html_url": "https://github.com/o/r", **head}
    (tmp_path / "event.json").write_text(json.dumps({"workflow_run": run}))
    with serving() as github:
        github.zip = (tmp_path / "artifact.zip").read_bytes()
        github.artifacts = [{"id": 5, "name": "timbrebench", "expired": False, "size_in_bytes": len(github.zip)}]
        github.pulls = [{"number": 7, "head": {"label": "fork:feature", "sha": COMMIT}}]
        variables = {"GITHUB_TOKEN": TOKEN, "GITHUB_API_URL": github.url, "GITHUB_REPOSITORY": REPOSITORY}
        event = {"GITHUB_EVENT_PATH": str(tmp_path / "event.json")}
        options = ["--artifact=timbrebench", f"--author={BOT}"]
        assert step(tmp_path, "post_comment", *options, **variables, **event) == 0
        (comment,) = github.comments
    assert comment["body"].startswith(
        "<!-- timbrebench-compare -->\n### timbrebench: REGRESSED\n\nworse in chroma-cosine"
    )
