"""What a run tells while it works, and who listens: a terminal, a log file, or nobody."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn


@dataclass(frozen=True)
class Step:
    """A stage inside a batch moved on: "editing", 37 of 100."""

    worker: str
    source: str
    stage: str
    done: int
    total: int


@dataclass(frozen=True)
class Finished:
    """An edit is done, or has failed."""

    worker: str
    task: str
    error: str | None = None


@dataclass(frozen=True)
class Note:
    """Something a user should know: a batch was halved, a worker was lost."""

    worker: str
    text: str


Event = Step | Finished | Note


class Listener(Protocol):
    """Hears the events of a run."""

    def start(self, label: str, total: int, done: int) -> None:
        """A run of `total` edits begins, of which `done` were there already."""

    def hear(self, event: Event) -> None:
        """One event."""

    def stop(self) -> None:
        """The run is over."""


class Silent:
    """Hears nothing: for `--quiet`, `--json` and tests."""

    def start(self, label: str, total: int, done: int) -> None:
        """Nothing."""

    def hear(self, event: Event) -> None:
        """Nothing."""

    def stop(self) -> None:
        """Nothing."""


class Lines:
    """Plain lines for logs: one every `every` seconds at most, and every failure and note."""

    def __init__(self, console: Console, every: float = 5.0):
        self._console = console
        self._every = every
        self._label = ""
        self._done = self._total = self._failed = self._before = 0
        self._began = self._told = 0.0

    def start(self, label: str, total: int, done: int) -> None:
        """Say what begins."""
        self._label, self._total, self._done, self._before, self._failed = label, total, done, done, 0
        self._began = self._told = monotonic()

    def hear(self, event: Event) -> None:
        """Print failures and notes at once, progress now and then."""
        if isinstance(event, Note):
            self._print(event.text)
        elif isinstance(event, Step):
            self._tell(f"; {event.source}: {event.stage} {event.done}/{event.total}")
        else:
            self._done += event.error is None
            self._failed += event.error is not None
            if event.error is not None:
                self._print(f"failed: {event.task}: {event.error}")
            # The edits of a batch end together: the line comes after the last, or with the next batch's steps.
            self._tell("", at_once=self._done + self._failed == self._total)

    def stop(self) -> None:
        """Nothing: the last edit printed the last line."""

    def _tell(self, stage: str, *, at_once: bool = False) -> None:
        now = monotonic()
        if at_once or now - self._told >= self._every:
            self._told = now
            self._print(f"{self._done} of {self._total} edits{_failures(self._failed)}{self._left()}{stage}")

    def _left(self) -> str:
        fresh, owed = self._done - self._before, self._total - self._done - self._failed
        if fresh <= 0 or owed <= 0:
            return ""
        return f", about {(monotonic() - self._began) / fresh * owed:.0f} s left"

    def _print(self, text: str) -> None:
        self._console.print(f"{self._label}: {text}", markup=False, highlight=False, soft_wrap=True)


class Bar:
    """A progress bar with the time left, failures so far and, on a GPU, its memory."""

    def __init__(self, console: Console):
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=28),
            MofNCompleteColumn(),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.fields[stage]}", markup=False, style="dim"),
            console=console,
            transient=True,
        )
        self._failed = 0

    def start(self, label: str, total: int, done: int) -> None:
        """Show the bar."""
        self._failed = 0
        self._bar = self._progress.add_task(label, total=total, completed=done, stage="")
        self._progress.start()

    def hear(self, event: Event) -> None:
        """Move the bar."""
        if isinstance(event, Step):
            stage = f"{event.source}: {event.stage} {event.done}/{event.total}"
            self._progress.update(self._bar, stage=f"{stage}{_failures(self._failed)}{_device_memory()}")
        elif isinstance(event, Finished):
            self._failed += event.error is not None
            self._progress.advance(self._bar)
        else:
            self._progress.console.print(event.text, markup=False, highlight=False)

    def stop(self) -> None:
        """Take the bar away."""
        self._progress.stop()


def _failures(count: int) -> str:
    return f", {count} failed" if count else ""


def _device_memory() -> str:
    import torch

    if not torch.cuda.is_available():
        return ""
    free, total = torch.cuda.mem_get_info()
    return f", {(total - free) / 2**30:.1f} of {total / 2**30:.0f} GiB"
