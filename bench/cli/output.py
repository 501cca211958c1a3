"""What the command line prints, and how: for people, as JSON, or nothing but results."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from typing import Any

import typer
from rich.console import Console

from bench.errors import BenchError


@dataclass
class Output:
    """Where a verb's words go.

    Results go to standard output, everything said on the way to standard error: `timbrebench … > file` keeps
    the result alone.
    """

    json: bool = False
    quiet: bool = False
    debug: bool = False
    result: Console = field(default_factory=lambda: Console(soft_wrap=False))
    progress: Console = field(default_factory=lambda: Console(stderr=True))

    def say(self, text: str) -> None:
        """A line on the way; not with `--quiet` or `--json`."""
        if not (self.quiet or self.json):
            self.progress.print(text, markup=False, highlight=False, soft_wrap=True)

    def give(self, value: Any, *human: Any) -> None:
        """The result: `value` as JSON with `--json`, else each of `human` (text or a rich renderable)."""
        if self.json:
            sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
            return
        for part in human:
            if isinstance(part, str):
                self.result.print(part, markup=False, highlight=False, soft_wrap=True)
            else:
                self.result.print(part)

    def fail(self, error: BenchError) -> None:
        """An error on one screen: what happened, where, what to do."""
        if self.json:
            sys.stdout.write(json.dumps({"error": error.as_dict()}, ensure_ascii=False) + "\n")
            return
        self.progress.print("[bold red]error[/]", end=" ")
        self.progress.print(error.cause, markup=False, highlight=False, soft_wrap=True)
        if error.where:
            self.progress.print(f"where {error.where}", markup=False, highlight=False, soft_wrap=True)
        self.progress.print(f"   do {error.remedy}", markup=False, highlight=False, soft_wrap=True)
        self.progress.print(f" code {error.code}", style="dim", markup=False, highlight=False)


def output(context: typer.Context) -> Output:
    """The output that the global options asked for."""
    found = context.find_root().obj
    assert isinstance(found, Output)
    return found
