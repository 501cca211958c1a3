from __future__ import annotations

import itertools

import numpy as np
import pytest

from tasks.synth.paths import cheapest_path


@pytest.mark.parametrize("count", [0, 1, 2, 3, 6])
def test_no_path_is_cheaper(count: int) -> None:
    places = 4
    rng = np.random.default_rng(count)
    notes = rng.random((count, places))
    steps = [rng.random((places, places)) for _ in range(count - 1)]
    turns = [rng.random((places, places, places)) for _ in range(count - 2)]

    def cost(path: tuple[int, ...]) -> float:
        return (
            sum(row[a] for row, a in zip(notes, path, strict=True))
            + sum(step[a, b] for step, (a, b) in zip(steps, itertools.pairwise(path), strict=True))
            + sum(
                turn[a, b, c]
                for turn, (a, b, c) in zip(turns, zip(path, path[1:], path[2:], strict=False), strict=True)
            )
        )

    found = tuple(cheapest_path(notes, steps, turns))
    assert len(found) == count
    assert cost(found) == pytest.approx(min(map(cost, itertools.product(range(places), repeat=count))))


def test_what_is_not_allowed_is_not_taken() -> None:
    notes = np.array([[0.0, np.inf], [np.inf, 0.0], [0.0, np.inf]])
    flat = np.zeros((2, 2))
    assert cheapest_path(notes, [flat, flat], [np.zeros((2, 2, 2))]) == [0, 1, 0]
