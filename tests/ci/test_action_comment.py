from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import artifact
import pins
import pytest
from fake_github import BOT, REPOSITORY, TOKEN, FakeGitHub, Refusal, serving
from made_comparison import comparison, hostile
from parsed_page import EVIL

from bench.errors import DataError
from bench.store import strict_json

ROOT = Path(__file__).resolve().parents[2]
CI = ROOT / "ci"
MARKER = "<!-- timbrebench-compare -->"
HEAD = "fork:feature"
COMMIT = "a" * 40


def zipped(*members: tuple[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return buffer.getvalue()


def as_file(made) -> bytes:
    return strict_json.dump(made.as_json())


@pytest.fixture
def github():
    with serving() as server:
        server.pulls = [{"number": 7, "head": {"label": HEAD, "sha": COMMIT}}]
        upload(server, zipped(("comparison.json", as_file(comparison())), ("comparison.md", b"@everyone")))
        yield server


def upload(github: FakeGitHub, data: bytes, **changes) -> None:
    github.zip = data
    artifact = {"id": 5, "name": "timbrebench", "expired": False, "size_in_bytes": len(data)}
    github.artifacts = [{**artifact, **changes}]


@pytest.fixture
def comment(github, tmp_path):
    """Run the step as the action does; gives back the exit code and what it printed."""

    def run(*, key: str = "", code: str = "", **changes) -> tuple[int, str]:
        owner, _, branch = HEAD.partition(":")
        workflow_run = {
            "id": 99,
            "event": "pull_request",
            "conclusion": "failure",
            "html_url": "https://github.com/owner/repo/actions/runs/99",
            "head_sha": COMMIT,
            "head_branch": branch,
            "head_repository": {"owner": {"login": owner}},
            "pull_requests": [],
            **changes,
        }
        event = tmp_path / "event.json"
        event.write_text(json.dumps({"workflow_run": workflow_run}))
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "GITHUB_TOKEN": TOKEN,
            "GITHUB_API_URL": github.url,
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_EVENT_PATH": str(event),
        }
        options = ["--artifact=timbrebench", f"--author={BOT}", f"--key={key}"]
        command = [sys.executable, *(["-c", code] if code else [str(CI / "post_comment.py")]), *options]
        done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    return run


def test_a_comment_is_written_once_and_then_kept_up_to_date(github, comment) -> None:
    assert comment() == (0, "")
    upload(github, zipped(("comparison.json", as_file(comparison(headline="REGRESSED: by more than before")))))
    assert comment() == (0, "")
    (only,) = github.comments
    assert only["body"].startswith(f"{MARKER}\n### timbrebench: REGRESSED\n\nby more than before")
    assert f"Commit {COMMIT[:12]}" in only["body"]
    assert "[this run](https://github.com/owner/repo/actions/runs/99)" in only["body"]


def test_the_earlier_comment_is_found_on_whatever_page_it_is(github, comment) -> None:
    github.page_size = 2
    for number in range(7):
        github.say(f"comment {number}", login="someone")
    github.say(f"{MARKER}\nold")
    github.say("later", login="someone")
    assert comment() == (0, "")
    assert len(github.comments) == 9 and "REGRESSED" in github.comments[7]["body"]


def test_a_comment_of_someone_else_with_our_first_line_is_left_alone(github, comment) -> None:
    github.say(f"{MARKER}\nall is well", login="mallory")
    assert comment()[0] == 0
    assert github.comments[0]["body"] == f"{MARKER}\nall is well"
    assert github.comments[1]["user"]["login"] == BOT


def test_several_comparisons_have_a_comment_each(github, comment) -> None:
    assert comment(key="one")[0] == comment(key="two")[0] == comment(key="one")[0] == 0
    assert [each["body"].split("\n")[0] for each in github.comments] == [
        "<!-- timbrebench-compare one -->",
        "<!-- timbrebench-compare two -->",
    ]


def test_the_uploaded_markdown_is_never_posted(github, comment) -> None:
    assert comment()[0] == 0
    assert "@everyone" not in github.comments[0]["body"]


def test_hostile_names_are_rendered_harmless_and_within_the_limit(github, comment) -> None:
    made = hostile(f"{EVIL} @octocat ![x](http://evil.example/x.png)", rows=40)
    upload(github, zipped(("comparison.json", as_file(made))))
    assert comment()[0] == 0
    body = github.comments[0]["body"]
    assert len(body.encode()) <= 60_000
    assert "@octocat" not in body and "<script" not in body and "<img" not in body and "![" not in body
    assert "http://" not in body


def test_the_token_goes_to_the_api_and_not_to_where_the_artifact_lies(github, comment) -> None:
    assert comment()[0] == 0
    assert github.tokens == [None]


def test_a_next_page_elsewhere_is_not_asked_for(github, comment) -> None:
    github.page_size, github.next_host = 1, "http://localhost:1"
    github.say("one", login="someone")
    github.say("two", login="someone")
    code, told = comment()
    assert code == 2 and "the next page is said to be on localhost" in told


HOSTILE = {
    "not-a-zip": b"hello",
    "empty": zipped(),
    "no-json": zipped(("comparison.md", b"x")),
    "zip-slip": zipped(("../comparison.json", b"{}")),
    "twice-in-two-cases": zipped(
        ("comparison.json", as_file(comparison())), ("COMPARISON.json/../comparison.json", b"")
    ),
    "bomb": zipped(("comparison.json", b" " * (40 << 20))),
    "nan": zipped(("comparison.json", as_file(comparison()).replace(b"0.51", b"NaN"))),
    "twice": zipped(("comparison.json", b'{"verdict": "IMPROVED", "verdict": "REGRESSED"}')),
    "deep": zipped(("comparison.json", b'{"a":' * 100_000)),
    "list": zipped(("comparison.json", b"[]")),
    "other-fields": zipped(("comparison.json", as_file(comparison()).replace(b'"pairs"', b'"extra": 1, "pairs"'))),
    "text-for-number": zipped(("comparison.json", as_file(comparison()).replace(b'"songs":', b'"songs": "4", "x":'))),
    "bool-for-number": zipped(("comparison.json", re.sub(rb'"n": ?12', b'"n": true', as_file(comparison())))),
    "huge-number": zipped(("comparison.json", as_file(comparison()).replace(b"0.51", b"1" * 5000))),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_artifact_is_refused(name) -> None:
    with pytest.raises(DataError) as caught:
        artifact.read(HOSTILE[name])
    assert caught.value.code.startswith(("ci/artifact", "archive/"))


def test_what_our_comparison_writes_is_taken_as_it_is() -> None:
    made = hostile("any text \u202e", rows=2)
    assert artifact.read(zipped(("comparison.json", as_file(made)))) == made


def test_an_old_comment_does_not_stand_for_an_artifact_that_was_refused(github, comment) -> None:
    github.say(f"{MARKER}\nIMPROVED, says an earlier commit")
    upload(github, HOSTILE["zip-slip"])
    code, told = comment()
    assert code == 2
    assert re.fullmatch(r"::error title=timbrebench::.*\(archive/unsafe\)\n", told), told
    (only,) = github.comments
    assert "IMPROVED" not in only["body"] and "what the workflow made cannot be used" in only["body"]
    assert only["body"].startswith(f"{MARKER}\n")


def test_an_artifact_beyond_the_limit_is_not_even_fetched(github, comment) -> None:
    upload(github, github.zip, size_in_bytes=1 << 30)
    assert comment()[0] == 2
    assert "GET /blob" not in github.log


def test_more_bytes_than_the_artifact_said_are_not_read(github, comment) -> None:
    upload(github, b"PK" + bytes(9 << 20), size_in_bytes=100)
    code, told = comment()
    assert code == 2 and "more than 4,194,304 bytes" in told
    assert "sig=secret" not in told


def test_without_an_artifact_an_old_comment_is_replaced_and_none_is_written(github, comment) -> None:
    github.artifacts = []
    assert comment()[0] == 0 and github.comments == []
    github.say(f"{MARKER}\nEQUIVALENT")
    assert comment()[0] == 0
    assert "EQUIVALENT" not in github.comments[0]["body"]
    assert "ended with `failure` and made none" in github.comments[0]["body"]


@pytest.mark.parametrize("stale", [{"expired": True}, {"name": "other"}])
def test_only_the_artifact_that_is_meant_counts(github, comment, stale) -> None:
    upload(github, github.zip, **stale)
    assert comment()[0] == 0 and github.comments == []


def test_the_pull_request_is_the_one_whose_tip_was_measured(github, comment) -> None:
    github.pulls = [
        {"number": 6, "head": {"label": "other:feature", "sha": COMMIT}},
        {"number": 7, "head": {"label": HEAD, "sha": COMMIT}},
    ]
    assert comment()[0] == 0 and len(github.comments) == 1


@pytest.mark.parametrize("changes", [{"head_sha": "b" * 40}, {"event": "push"}, {"head_repository": None}])
def test_where_there_is_no_such_pull_request_nothing_is_said(github, comment, changes) -> None:
    code, told = comment(**changes)
    assert code == 0 and told.startswith("::notice") and github.comments == []


def test_a_branch_may_have_any_name(github, comment) -> None:
    name = "x&state=all?/../#é $(id) `id`"
    github.pulls[0]["head"]["label"] = f"fork:{name}"
    assert comment(head_branch=name)[0] == 0 and len(github.comments) == 1


@pytest.mark.parametrize(
    ("refusal", "code", "exit_code", "said"),
    [
        (Refusal(403, "Resource not accessible by integration"), "ci/forbidden", 2, "pull-requests: write"),
        (Refusal(401, "Bad credentials"), "ci/forbidden", 2, "Bad credentials"),
        (Refusal(403, "slow", {"X-RateLimit-Remaining": "0"}), "ci/rate-limit", 3, "rate limit"),
        (Refusal(429, "slow", {"Retry-After": "60"}), "ci/rate-limit", 3, "rate limit"),
        (Refusal(502, "oops"), "ci/unreachable", 3, "fault"),
        (Refusal(422, "body is too long"), "ci/github", 2, "body is too long"),
        (Refusal(422, "%0A::error::\n::set-output name=x::y"), "ci/github", 2, "%250A::error::"),
    ],
)
def test_what_github_refuses_is_told_with_a_remedy(github, comment, refusal, code, exit_code, said) -> None:
    github.refusals["POST", "issues/7/comments"] = refusal
    found, told = comment()
    assert found == exit_code
    (line,) = told.splitlines()
    assert line.startswith("::error title=timbrebench::") and line.endswith(f"({code})") and said in line
    assert TOKEN not in told


def test_the_job_with_the_token_needs_only_what_it_installs(github, comment) -> None:
    """Every package in that job could use its token, and torch would take minutes to install."""
    pinned = re.findall(r"^([a-z0-9-]+)==", (ROOT / "ci/comment/requirements.txt").read_text("utf-8"), re.MULTILINE)
    known = {*(name.replace("-", "_") for name in pinned), "bench", "reports", *(p.stem for p in CI.glob("*.py"))}
    code = f"""
import runpy, sys
class OnlyPinned:
    def find_spec(self, name, path=None, target=None):
        if not name.startswith("_") and name.partition(".")[0] not in {{*sys.stdlib_module_names, *{sorted(known)!r}}}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, OnlyPinned())
sys.path.insert(0, {str(CI)!r})
runpy.run_path({str(CI / "post_comment.py")!r}, run_name="__main__")
"""
    assert comment(code=code) == (0, "")
    assert len(github.comments) == 1


def test_the_pins_are_those_of_the_lock() -> None:
    assert pins.text() == pins.TARGET.read_text("utf-8"), "run ci/pins.py"
