"""Songs worked on by a few threads at a time: libsndfile and numpy leave Python's lock alone while they work."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

SONGS_IN_FLIGHT = 2
"""How many songs are in memory at once, unless a caller says otherwise; see `tasks.excerpts.cutting` for how large."""

Given = TypeVar("Given")
Found = TypeVar("Found")


def in_order(
    work: Callable[[Given], Found], items: Iterable[Given], *, workers: int = SONGS_IN_FLIGHT
) -> Iterator[Found]:
    """`map(work, items)`, with no more than `workers` items worked on at a time.

    Results come in the order of the items, whatever is ready first, and so does the first error. After it, or when the
    caller stops asking, no further item is begun.

    >>> list(in_order(abs, [-3, 2, -1]))
    [3, 2, 1]
    """
    pool = ThreadPoolExecutor(workers, thread_name_prefix="songs")
    try:
        yield from pool.map(work, items)
    finally:
        pool.shutdown(cancel_futures=True)
