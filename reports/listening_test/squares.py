"""Who hears what, in which order: Williams' Latin squares, balanced also for what is heard just before.

Source: Williams, "Experimental designs balanced for the estimation of residual effects of treatments", Australian
Journal of Scientific Research A 2 (1949).
"""

from __future__ import annotations


def williams(conditions: int) -> list[list[tuple[int, ...]]]:
    """Orders of conditions 0 … k - 1: one square of k orders for even k, two for odd k.

    In each square every condition is in every place once; over all of them every condition follows every other
    equally often.

    >>> williams(4)
    [[(0, 1, 3, 2), (1, 2, 0, 3), (2, 3, 1, 0), (3, 0, 2, 1)]]
    >>> [len(square) for square in williams(3)]
    [3, 3]
    """
    ups, downs = iter(range(1, conditions)), iter(range(conditions - 1, 0, -1))
    first = [0, *(next(ups if place % 2 else downs) for place in range(1, conditions))]
    square = [tuple((each + row) % conditions for each in first) for row in range(conditions)]
    return [square] if conditions % 2 == 0 or conditions == 1 else [square, [order[::-1] for order in square]]


def full_cycle(conditions: int) -> int:
    """How many listener sets it takes for every task to come in every order.

    >>> full_cycle(4), full_cycle(3)
    (4, 6)
    """
    return sum(map(len, williams(conditions)))


def order(conditions: int, listeners: int, task: int) -> tuple[int, ...]:
    """The order of conditions for a listener set and a task, both counted from 0.

    Any `conditions` tasks that follow each other, from a multiple of it on, go through the orders of one square: each
    condition is once in each place. So is a task over the listener sets of a `full_cycle`.

    >>> [order(2, 0, task) for task in range(2)], [order(2, 1, task) for task in range(2)]
    ([(0, 1), (1, 0)], [(1, 0), (0, 1)])
    """
    squares = williams(conditions)
    square = squares[(listeners + task // conditions) % len(squares)]
    return square[(listeners + task) % conditions]
