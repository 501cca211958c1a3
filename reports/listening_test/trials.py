"""The trials of every listener set: who is asked what about which clips, and in which order.

All that is by lot depends on the seed and on nothing else, so the same runs and options give the same test.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from bench.errors import UsageError
from bench.identity import derive_seed, digest
from reports.listening_test import squares
from reports.listening_test.design import CHECK, CHECK_SCALE, QUESTIONS, REFERENCE, Kind, Trial

MOST_CONDITIONS = 12
"""On a page of MUSHRA, hidden reference and anchor included (ITU-R BS.1534-3)."""


def sound_id(seed: int, task: str, condition: str) -> str:
    """A name for a clip that does not tell whose it is.

    >>> sound_id(0, "t", "s0") != sound_id(0, "t", "s1")
    True
    """
    return "x" + digest([seed, "listening", task, condition])[:16]


def check_balance(kind: Kind, conditions: int, heard: int | None, tasks: int) -> int:
    """How many conditions a listener set hears of each task.

    Args:
        kind: of the test.
        conditions: how many there are.
        heard: how many are wanted; None for all.
        tasks: of each set.

    Raises:
        UsageError: if there are too many for a page, or no set could hear each of them equally often.
    """
    if kind == "mushra" and (conditions > MOST_CONDITIONS or heard is not None):
        raise UsageError(
            f"a page of MUSHRA compares all conditions, {MOST_CONDITIONS} at most, and here are {conditions}"
            if heard is None
            else "a page of MUSHRA compares all conditions: --per-task is for the other tests",
            remedy="Name fewer runs, or ask for --test ratings.",
            code="listening/per-task",
        )
    if heard is None or heard == conditions:
        return conditions
    if not 1 <= heard < conditions or tasks % conditions:
        raise UsageError(
            f"with {heard} of {conditions} conditions and {tasks} tasks, no listener hears each equally often",
            remedy=f"Give --per-task from 1 to {conditions}, and if fewer than {conditions}, --tasks a multiple of "
            f"{conditions}; the hidden true edit counts as one.",
            code="listening/per-task",
        )
    return heard


def full_cycle(kind: Kind, conditions: int) -> int:
    """How many listener sets go through all orders. Of MUSHRA, whose pages are shuffled, those of its questions."""
    return len(QUESTIONS[kind]) if kind == "mushra" else squares.full_cycle(conditions)


def trials(
    kind: Kind, conditions: Sequence[str], tasks: Sequence[str], *, sets: int, heard: int, checks: int, seed: int
) -> Iterator[Trial]:
    """All trials, by listener set, in the order in which they are given.

    Args:
        kind: of the test.
        conditions: all that are rated: the systems first.
        tasks: of each set.
        sets: how many there are.
        heard: conditions of each task in a set, as `check_balance` allows them.
        checks: of attention, in each set.
        seed: of all that is by lot.
    """
    for number in range(sets):
        dice = random.Random(derive_seed(seed, "listening", "set", str(number)))
        names = [question.name for question in QUESTIONS[kind]]
        turn = number % len(names)
        for question in names[turn:] + names[:turn]:
            for place, task in enumerate(dice.sample(range(len(tasks)), len(tasks)), start=1):
                order = squares.order(len(conditions), number, task)[:heard]
                told = [(_name(kind, seed, tasks[task], conditions[each]), conditions[each]) for each in order]
                identifier = f"s{number + 1:02d}-{question}-{place:02d}"
                yield Trial(id=identifier, set=number + 1, question=question, task=tasks[task], heard=tuple(told))
        for place in range(1, checks + 1):
            task_, condition = dice.choice(tasks), dice.choice(conditions)
            yield Trial(
                id=f"s{number + 1:02d}-{CHECK}-{place:02d}",
                set=number + 1,
                question=CHECK,
                task=task_,
                heard=((sound_id(seed, task_, condition), condition),),
                expected=dice.randint(*CHECK_SCALE),
            )


def _name(kind: Kind, seed: int, task: str, condition: str) -> str:
    """What a clip is called in the results. webMUSHRA has a name of its own for the hidden reference."""
    return REFERENCE if kind == "mushra" and condition == REFERENCE else sound_id(seed, task, condition)
