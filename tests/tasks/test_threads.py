"""A few threads at a time: order, bound and the first error."""

from __future__ import annotations

import threading
import time

import pytest

from tasks.threads import in_order


def test_results_come_in_order_and_no_more_than_the_workers_are_at_work() -> None:
    at_work, most, lock = 0, 0, threading.Lock()

    def work(number: int) -> int:
        nonlocal at_work, most
        with lock:
            at_work += 1
            most = max(most, at_work)
        time.sleep(0.002 * (number % 3))
        with lock:
            at_work -= 1
        return -number

    assert list(in_order(work, range(20), workers=3)) == [-number for number in range(20)]
    assert 1 < most <= 3


def test_the_first_error_in_order_ends_the_work() -> None:
    begun = []

    def work(number: int) -> int:
        begun.append(number)
        time.sleep(0.01)
        raise ValueError(number)

    with pytest.raises(ValueError, match=r"^0$"):
        list(in_order(work, range(1000)))
    assert len(begun) < 10
