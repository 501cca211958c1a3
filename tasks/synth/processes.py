"""Songs worked on by several processes: composing is Python, and holds its lock."""

from __future__ import annotations

import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import active_children, get_context, parent_process
from multiprocessing.connection import wait
from typing import TypeVar

Given = TypeVar("Given")
Made = TypeVar("Made")


def usable_cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def in_order(work: Callable[[Given], Made], items: Sequence[Given], *, workers: int) -> Iterator[Made]:
    """`map(work, items)` on some processes; on this one alone if there is no more than one item or worker.

    Results come in the order of the items. An error, Ctrl-C, or a caller who stops asking ends the processes at once.

    Args:
        work: a function that other processes can import.
        items: what to work on.
        workers: at most so many processes.
    """
    workers = min(workers, len(items))
    if workers <= 1:
        yield from map(work, items)
        return
    others = set(active_children())
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_as_helper)
    waiting = deque(pool.submit(work, item) for item in items)
    try:
        while waiting:
            yield waiting.popleft().result()
    except BaseException:
        # Not pool.map, nor cancelling: of cancelled futures the pool complains when its processes end (Python 3.11).
        for child in set(active_children()) - others:
            child.terminate()
        raise
    finally:
        pool.shutdown()


def _as_helper() -> None:
    """Set up a process: Ctrl-C is left to the parent, which ends its processes; none outlives it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, daemon=True).start()


def _die_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
