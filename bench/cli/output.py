"""What the command line prints, and how: for people, as JSON, or nothing but results."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import typer
from rich.console import Console

from bench.errors import BenchError

if TYPE_CHECKING:
    from bench.cli.tracking import Bars

T = TypeVar("T")


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
    _bars: Bars | None = field(default=None, init=False)
    _gathered: list[Any] | None = field(default=None, init=False)

    def track(self, items: Iterable[T], what: str, total: int) -> Iterable[T]:
        """The items, telling how far one is with them: a `bench.suite.Track`. Silent with `--quiet` or `--json`."""
        if self.quiet or self.json:
            return items
        from bench.cli.tracking import Bars, lined

        if not self.progress.is_terminal:
            return lined(self.progress, items, what, total)
        self._bars = self._bars or Bars(self.progress)
        return self._bars.track(items, what, total)

    def say(self, text: str) -> None:
        """A line on the way; not with `--quiet` or `--json`."""
        if not (self.quiet or self.json):
            _print(self.progress, text)

    @contextmanager
    def together(self) -> Iterator[None]:
        """What is given inside comes out as one JSON list at the end, with `--json`; otherwise nothing changes."""
        self._gathered, outer = [], self._gathered
        try:
            yield
        finally:
            gathered, self._gathered = self._gathered, outer
            if self.json and gathered:
                self.give(gathered)

    def give(self, value: Any, *human: Any) -> None:
        """The result: `value` as JSON with `--json`, else each of `human` (text or a rich renderable)."""
        if self.json and self._gathered is not None:
            self._gathered.append(value)
            return
        if self.json:
            sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
            return
        for part in human:
            if isinstance(part, str):
                _print(self.result, part)
            else:
                self.result.print(part)

    def fail(self, error: BenchError) -> None:
        """An error on one screen: what happened, where, what to do."""
        if self.json:
            sys.stdout.write(json.dumps({"error": error.as_dict()}, ensure_ascii=False) + "\n")
            return
        self.progress.print("[bold red]error[/]", end=" ")
        _print(self.progress, error.cause)
        if error.where:
            _print(self.progress, f"where {error.where}")
        _print(self.progress, f"   do {error.remedy}")
        self.progress.print(f" code {error.code}", style="dim", markup=False, highlight=False)


def output(context: typer.Context) -> Output:
    """The output that the global options asked for."""
    found = context.find_root().obj
    assert isinstance(found, Output)
    return found


def _print(console: Console, text: str) -> None:
    """Print lines as they are, but for control characters: names come from data sets, and terminals obey those."""
    from reports.escape import clean

    harmless = "\n".join(map(clean, text.split("\n")))
    console.print(harmless, markup=False, highlight=False, soft_wrap=True)
