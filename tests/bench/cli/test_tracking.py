"""How far something is: callbacks told to the same bars and lines as loops."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

import pytest

from bench.cli.tracking import counted
from bench.suite import untracked

T = TypeVar("T")


class Told:
    """A track that notes when each item was done."""

    def __init__(self) -> None:
        self.done: list[int] = []
        self.about: tuple[str, int] | None = None
        self.ended = False

    def __call__(self, items: Iterable[T], what: str, total: int) -> Iterator[T]:
        self.about = (what, total)
        try:
            for number, item in enumerate(items, start=1):
                yield item
                self.done.append(number)
        finally:
            self.ended = True


def test_each_call_moves_it_on_and_the_last_ends_it() -> None:
    told = Told()
    with counted(told, "edits measured") as heard:
        assert told.about is None, "nothing is shown before there is a number"
        for done, expected in ((0, []), (2, [1, 2]), (2, [1, 2]), (3, [1, 2, 3])):
            heard(done, 4)
            assert told.done == expected
        assert told.about == ("edits measured", 4)
        assert not told.ended
        heard(4, 4)
        assert told.ended
    assert told.done == [1, 2, 3, 4]


def test_nothing_to_do_ends_at_once() -> None:
    told = Told()
    with counted(told, "edits measured") as heard:
        heard(0, 0)
        assert told.ended


def test_what_is_shown_goes_away_when_the_work_fails() -> None:
    """A bar that stayed would write over the error."""
    told = Told()
    with pytest.raises(OSError, match="disk"), counted(told, "edits measured") as heard:
        heard(1, 4)
        raise OSError("disk full")
    assert told.ended
    assert told.done == [1]


def test_a_silent_track_is_fine() -> None:
    with counted(untracked, "edits measured") as heard:
        heard(3, 3)
