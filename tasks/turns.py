"""Taking from several rows in turn, so that what comes first is spread evenly over them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def in_turn(rows: Iterable[Iterable[T]]) -> Iterator[T]:
    """The first of each row, then the second of each, and so on, until all are exhausted. Rows may be endless.

    >>> "".join(in_turn(["abc", "d", "ef"]))
    'adebfc'
    """
    waiting = [iter(row) for row in rows]
    while waiting:
        going = []
        for row in waiting:
            for item in row:
                yield item
                going.append(row)
                break
        waiting = going
