"""The second job: one comment on the pull request that says what its comparison found, kept up to date.

It runs on `workflow_run`, in the base repository, with a token that may write. So it executes nothing from the pull
request, believes only GitHub's own event for what pull request it is, and takes nothing from the artifact but numbers
and names that fit our schema, which our own code renders.
"""

from __future__ import annotations

import argparse
import os
import re
from dataclasses import dataclass
from pathlib import Path

from artifact import download, find
from github import GitHub
from workflow import annotate, leave

from bench.errors import DataError, UsageError
from bench.store import strict_json
from reports.compare.markdown import marker, render_markdown
from reports.escape import markdown

LIMIT_BYTES = 60_000
_FRAME_BYTES = 1_000
"""Room for the lines around the comparison."""

_SHA = re.compile(r"[0-9a-f]{40,64}")


@dataclass(frozen=True)
class Triggered:
    """What GitHub's event says of the workflow run that ended.

    Attributes:
        run: its number. url: of its page. conclusion: `success`, `failure`, …
        head: `owner:branch` that the pull request comes from. commit: its tip when the run began.
    """

    run: int
    url: str
    conclusion: str
    head: str
    commit: str


def main() -> int:
    """Find the pull request, read the comparison, write the comment."""
    options = _options()
    triggered = read_event(Path(_variable("GITHUB_EVENT_PATH")))
    if triggered is None:
        annotate("notice", "the workflow run was not on a pull request: nothing to comment on")
        return 0
    api = os.environ.get("GITHUB_API_URL", "https://api.github.com")
    with GitHub(api, _variable("GITHUB_TOKEN"), _variable("GITHUB_REPOSITORY")) as github:
        number = pull_request(github, triggered)
        if number is None:
            annotate("notice", "no open pull request has this commit at its tip: nothing to comment on")
            return 0
        sticky = Sticky(github, number, marker(options.key), options.author)
        return _tell(sticky, github, triggered, options)


def _tell(sticky: Sticky, github: GitHub, triggered: Triggered, options: argparse.Namespace) -> int:
    """Post the comparison; where there is none, an earlier comment must not stand as if it were about this commit."""
    try:
        artifact = find(github, triggered.run, options.artifact)
        if artifact is None:
            sticky.replace(_without(triggered, f"the workflow ended with `{triggered.conclusion}` and made none"))
            annotate("notice", f"the workflow run has no artifact '{options.artifact}'")
            return 0
        comparison = download(github, artifact)
    except DataError as error:
        if not error.code.startswith(("ci/artifact", "archive/")):
            raise
        sticky.replace(_without(triggered, "what the workflow made cannot be used"))
        raise
    text = render_markdown(comparison, limit_bytes=LIMIT_BYTES - _FRAME_BYTES, key=options.key)
    sticky.put(f"{text.rstrip()}\n\n{_source(triggered)}\n")
    return 0


def read_event(path: Path) -> Triggered | None:
    """The event; None if the run was not on a pull request.

    Raises:
        UsageError: `ci/event` if this is no `workflow_run`.
    """
    event = strict_json.parse_object(path.read_bytes())
    run = event.get("workflow_run")
    if not isinstance(run, dict):
        raise UsageError(
            "this step needs the event workflow_run",
            where="on: of the workflow",
            remedy="Use the workflow in docs/examples/ci/timbrebench-comment.yml.",
            code="ci/event",
        )
    if run["event"] != "pull_request" or not run.get("head_repository"):
        return None
    if not _SHA.fullmatch(run["head_sha"]):
        raise UsageError("the event has no commit", where=str(path), remedy="Run the job again.", code="ci/event")
    head = f"{run['head_repository']['owner']['login']}:{run['head_branch']}"
    return Triggered(int(run["id"]), str(run["html_url"]), str(run["conclusion"]), head, run["head_sha"])


def pull_request(github: GitHub, triggered: Triggered) -> int | None:
    """The open pull request whose tip is the commit that was measured, by GitHub's own records.

    `workflow_run.pull_requests` is empty for forks, and a number in the artifact could be any.

    Raises:
        BenchError: as `GitHub` does.
    """
    for each in github.list("pulls", state="open", head=triggered.head):
        if each["head"]["sha"] == triggered.commit:
            return int(each["number"])
    return None


class Sticky:
    """Our one comment on a pull request, known by its first line and by who wrote it.

    By who wrote it, too: anyone can write a comment with our first line, and could change it after we did.
    """

    def __init__(self, github: GitHub, number: int, first_line: str, author: str):
        self._github, self._number, self._first_line, self._author = github, number, first_line, author

    def put(self, text: str) -> None:
        """Write the comment, or change it.

        Raises:
            BenchError: as `GitHub` does.
        """
        earlier = self._find()
        if earlier is None:
            self._github.change("POST", f"issues/{self._number:d}/comments", {"body": text})
        else:
            self._github.change("PATCH", f"issues/comments/{earlier:d}", {"body": text})

    def replace(self, text: str) -> None:
        """Change the comment if there is one.

        Raises:
            BenchError: as `GitHub` does.
        """
        if (earlier := self._find()) is not None:
            text = f"{self._first_line}\n{text}"
            self._github.change("PATCH", f"issues/comments/{earlier:d}", {"body": text})

    def _find(self) -> int | None:
        for comment in self._github.list(f"issues/{self._number:d}/comments"):
            ours = (comment.get("user") or {}).get("login") == self._author
            if ours and str(comment.get("body") or "").split("\n", 1)[0].rstrip("\r") == self._first_line:
                return int(comment["id"])
        return None


def _without(triggered: Triggered, why: str) -> str:
    return f"**timbrebench: no comparison** of this commit: {why}.\n\n{_source(triggered)}\n"


def _source(triggered: Triggered) -> str:
    """Where the numbers come from. The address is GitHub's; it stands in the text only if it looks like one."""
    plain = re.fullmatch(r"https?://[A-Za-z0-9.:/_-]{1,200}", triggered.url)
    where = f"[this run]({triggered.url})" if plain else markdown(triggered.url)
    return (
        f"Commit {triggered.commit[:12]}, measured by the pull request's own code in {where}, where there is also the "
        "page to listen to."
    )


def _variable(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise UsageError(
            f"{name} is not set",
            where="environment of the step",
            remedy="Use the action in ci/comment, or set it as its action.yml does.",
            code="ci/environment",
        )
    return value


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--artifact", required=True, help="name of the artifact")
    parser.add_argument("--author", required=True, help="who our token writes as")
    parser.add_argument("--key", default="", help="tells several comparisons of one pull request apart")
    return parser.parse_args()


if __name__ == "__main__":
    leave(main)
