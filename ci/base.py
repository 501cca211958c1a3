"""Step 1: the commit to compare with, a checkout of it, and the key under which its run is cached.

For a pull request that is the first parent of the merge commit that GitHub tests: the tip of the base branch that the
change was merged onto, so that the two runs differ by the change alone. For a push it is the commit itself, whose run
is made and cached for the pull requests to come.
"""

from __future__ import annotations

import argparse
import os
import subprocess
from pathlib import Path

from workflow import leave, output

from bench.errors import UsageError
from bench.identity import digest, sha256_file

MEASURED_ALONE = ("push", "schedule", "workflow_dispatch")


def main() -> int:
    """Find the base, check it out, tell where."""
    options = _options()
    event = os.environ.get("GITHUB_EVENT_NAME", "push")
    commit = find(options.repository, event)
    _git(options.repository, "worktree", "add", "--force", "--detach", str(options.out), commit)
    output("commit", commit)
    output("compare", "false" if event in MEASURED_ALONE else "true")
    output("key", f"timbrebench-{cache_key(commit, options.of)}")
    return 0


def find(repository: Path, event: str) -> str:
    """The base commit's hash.

    Raises:
        UsageError: `ci/event` for an event that this cannot be safe or meaningful for; `ci/history` if the parent
            of the merge commit was not fetched.
    """
    if event in MEASURED_ALONE:
        return _git(repository, "rev-parse", "HEAD")
    if event != "pull_request":
        raise UsageError(
            f"a comparison cannot be made on the event '{event}'",
            where="on: of the workflow",
            remedy="Use pull_request (and push, to cache the base). Never pull_request_target: this step runs the code "
            "of the pull request, and there it would have the repository's secrets.",
            code="ci/event",
        )
    parents = _git(repository, "cat-file", "-p", "HEAD").partition("\n\n")[0].count("\nparent ")
    if parents != 2 or not _has(repository, "HEAD^1"):
        raise UsageError(
            "the base of the pull request is not in the checkout",
            where=str(repository),
            remedy="Check out the merge commit with its parents: actions/checkout without `ref`, `fetch-depth: 2`.",
            code="ci/history",
        )
    return _git(repository, "rev-parse", "HEAD^1")


def cache_key(commit: str, of: list[str]) -> str:
    """A hash of all that decides the base's run: its commit, what is measured how, and our own version."""
    lock = sha256_file(Path(__file__).resolve().parents[1] / "uv.lock")
    return digest({"commit": commit, "of": of, "lock": lock, "ref": os.environ.get("GITHUB_ACTION_REF", "")})[:32]


def _has(repository: Path, revision: str) -> bool:
    command = ["git", "-C", str(repository), "cat-file", "-e", f"{revision}^{{commit}}"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _git(repository: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(["git", "-C", str(repository), *arguments], capture_output=True, text=True, check=True)
    except subprocess.CalledProcessError as error:
        raise UsageError(
            f"git {arguments[0]} failed: {error.stderr.strip()}",
            where=str(repository),
            remedy="Check out the repository before this step.",
            code="ci/git",
        ) from error
    return done.stdout.strip()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repository", type=Path, default=Path.cwd(), help="checkout of the merge commit")
    parser.add_argument("--out", type=Path, required=True, help="where the base is checked out")
    parser.add_argument("of", nargs="*", help="all else that decides the run: method, suite, options, …")
    return parser.parse_args()


if __name__ == "__main__":
    leave(main)
