"""How far something is: bars on a terminal, elsewhere a plain line now and then."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from bench.suite import Track

T = TypeVar("T")

EVERY_S = 5.0
"""A log gets a line this often, at most."""


@contextmanager
def counted(track: Track, what: str) -> Iterator[Callable[[int, int], None]]:
    """A callback (done, total) that tells `track` how far something is, for code that is no loop over items.

    On leaving, whatever `track` shows is taken away, also if not all was done.
    """
    steps: Iterator[int] | None = None
    at = 0

    def heard(done: int, total: int) -> None:
        nonlocal steps, at
        if steps is None:
            steps = iter(track(range(total), what, total))
            next(steps, None)  # the first is begun
        for _ in range(at, done):
            next(steps, None)
        at = max(at, done)

    try:
        yield heard
    finally:
        if isinstance(steps, Generator):
            steps.close()


class Bars:
    """Bars with the time left, one below the other where one goes on inside another; they go away when done."""

    def __init__(self, console: Console):
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=28),
            MofNCompleteColumn(),
            TimeRemainingColumn(compact=True),
            console=console,
            transient=True,
        )

    def track(self, items: Iterable[T], what: str, total: int) -> Iterator[T]:
        """The items; the bar moves when one is done."""
        bar = self._progress.add_task(what, total=total)
        self._progress.start()
        try:
            for item in items:
                yield item
                self._progress.advance(bar)
        finally:
            self._progress.remove_task(bar)
            if not self._progress.tasks:
                self._progress.stop()


def lined(console: Console, items: Iterable[T], what: str, total: int) -> Iterator[T]:
    """The items, and a line every few seconds and at the end: `12 of 50 songs, about 30 s left`."""
    began = told = monotonic()
    for done, item in enumerate(items, start=1):
        yield item
        now = monotonic()
        if done == total or now - told >= EVERY_S:
            told = now
            left = f", about {(now - began) / done * (total - done):.0f} s left" if done < total else ""
            console.print(f"{done:,} of {total:,} {what}{left}", markup=False, highlight=False, soft_wrap=True)
