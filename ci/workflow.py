"""What a step of a GitHub workflow says: annotations, outputs, the summary, and errors on one line.

Steps print what the code under test made, and the runner obeys lines of their output that start with `::`. So every
text that is not ours is cleaned and escaped before it is printed.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from bench.errors import BenchError
from reports.escape import clean

_NAME = re.compile(r"[a-z][a-z0-9-]*")


def annotate(kind: str, text: str) -> None:
    """Print a `notice`, `warning` or `error` that the pull request and the log show."""
    sys.stdout.write(f"::{kind} title=timbrebench::{_escaped(text)}\n")
    sys.stdout.flush()


def output(name: str, value: str) -> None:
    """Set an output of the step: one line, in the file that the runner names (nowhere outside a workflow).

    Raises:
        ValueError: for a name or value that would be more than one line of that file.
    """
    if not _NAME.fullmatch(name) or clean(value) != value:
        raise ValueError(f"{name!r} = {value!r} is not one line")
    _append("GITHUB_OUTPUT", f"{name}={value}\n")


def summary(text: str) -> None:
    """Add Markdown to the page of the workflow run."""
    _append("GITHUB_STEP_SUMMARY", f"{text}\n")


def call(command: Sequence[str], more: Mapping[str, str] | None = None) -> int:
    """Print a command, run it, and return its exit code.

    Args:
        command: and its arguments.
        more: variables of its environment. PYTHONPATH is not among them: what is under test may be timbrebench itself,
            and must not be replaced by ours.
    """
    sys.stdout.write(f"$ {shlex.join(command)}\n")
    sys.stdout.flush()
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(command, env={**inherited, **(more or {})}, check=False).returncode


def leave(step: Callable[[], int]) -> NoReturn:
    """Run a step and exit with its code; an error of ours becomes an annotation and its exit code."""
    try:
        code = step()
    except BenchError as error:
        annotate("error", f"{error} ({error.code})")
        code = error.exit_code
    sys.exit(code)


def _append(variable: str, text: str) -> None:
    if path := os.environ.get(variable):
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(text)


def _escaped(text: str) -> str:
    # `clean` leaves one line without control characters; %25 first, or what follows would be decoded twice.
    return clean(text).replace("%", "%25")
