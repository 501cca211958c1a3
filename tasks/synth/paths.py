"""The cheapest path: how lines are found.

A melody is seen as a path through a scale. Every note costs something by itself (does it fit the chord?), every step
from note to note (steps are cheap, leaps are dear), and every turn made of two steps (a leap wants to be recovered).
The line is the path that costs least; variety comes from what the caller adds at random. This is Viterbi's algorithm
on pairs of notes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Costs = npt.NDArray[np.float64]


def cheapest_path(notes: Costs, steps: Sequence[Costs], turns: Sequence[Costs]) -> list[int]:
    """The places, one a note, whose costs add up to least.

    Args:
        notes: shape (notes, places): the cost of each place for each note; infinite where it is not allowed.
        steps: for each note but the first, shape (places, places): the cost of coming from a place to a place.
        turns: for each note but the first two, shape (places, places, places): the cost of two steps in a row.

    Returns:
        For each note its place.
    """
    if len(notes) < 2:
        return [int(np.argmin(row)) for row in notes]
    cost = notes[0][:, None] + steps[0] + notes[1][None, :]
    back: list[npt.NDArray[np.intp]] = []
    for row, step, turn in zip(notes[2:], steps[1:], turns, strict=True):
        onward = cost[:, :, None] + turn
        back.append(np.argmin(onward, axis=0))
        cost = np.min(onward, axis=0) + step + row[None, :]
    before, last = np.unravel_index(int(np.argmin(cost)), cost.shape)
    path = [int(last), int(before)]
    for origins in reversed(back):
        path.append(int(origins[path[-1], path[-2]]))
    return path[::-1]
