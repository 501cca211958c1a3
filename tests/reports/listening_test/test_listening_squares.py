"""The order in which systems are heard is balanced, and so is how often each is."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest

from bench.errors import UsageError
from reports.listening_test import squares
from reports.listening_test.design import CHECK
from reports.listening_test.trials import check_balance, full_cycle, trials


@pytest.mark.parametrize("k", [1, 2, 3, 4, 5, 6, 9])
def test_each_condition_in_each_place_and_after_each_other(k: int) -> None:
    orders = [order for square in squares.williams(k) for order in square]
    assert all(sorted(order) == list(range(k)) for order in orders)
    for square in squares.williams(k):
        assert all(sorted(order[place] for order in square) == list(range(k)) for place in range(k))
    followers = Counter(pair for order in orders for pair in pairwise(order))
    assert len(followers) == k * (k - 1)
    assert len(set(followers.values())) <= 1


@pytest.mark.parametrize(("k", "heard"), [(2, 1), (3, 2), (4, 3), (5, 2)])
def test_each_set_hears_each_system_equally_often_and_each_task_is_heard_from_each(k: int, heard: int) -> None:
    conditions, tasks = [f"s{n}" for n in range(k)], [f"t{n}" for n in range(2 * k)]
    sets = full_cycle("ratings", k)
    made = [
        trial
        for trial in trials("ratings", conditions, tasks, sets=sets, heard=heard, checks=2, seed=5)
        if trial.question == "tta"
    ]
    for number in range(1, sets + 1):
        mine = Counter(condition for trial in made if trial.set == number for _, condition in trial.heard)
        assert set(mine.values()) == {2 * heard}
        assert len(mine) == k
    per_task = Counter((trial.task, condition) for trial in made for _, condition in trial.heard)
    assert len(per_task) == k * 2 * k
    assert len(set(per_task.values())) == 1
    first = Counter(trial.heard[0][1] for trial in made)
    assert len(set(first.values())) == 1


def test_the_same_seed_gives_the_same_test_and_another_seed_another() -> None:
    def made(seed: int) -> list[object]:
        return list(
            trials("mushra", ["s0", "s1", "reference", "anchor"], ["a", "b", "c"], sets=3, heard=4, checks=2, seed=seed)
        )

    assert made(1) == made(1)
    assert made(1) != made(2)
    questions = [
        list(dict.fromkeys(t.question for t in made(1) if t.set == n and t.question != CHECK)) for n in (1, 2, 3)
    ]
    assert sorted(order[0] for order in questions) == ["content", "quality", "timbre"]


@pytest.mark.parametrize(
    ("kind", "conditions", "heard", "tasks"),
    [("mushra", 13, None, 10), ("mushra", 4, 2, 4), ("ratings", 4, 2, 10), ("mos", 3, 5, 6)],
)
def test_designs_without_balance_are_refused(kind: str, conditions: int, heard: int | None, tasks: int) -> None:
    with pytest.raises(UsageError) as caught:
        check_balance(kind, conditions, heard, tasks)
    assert caught.value.code == "listening/per-task"
    assert check_balance("ratings", 4, 2, 8) == 2
