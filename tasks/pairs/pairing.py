"""Who is paired with whom: evenly over pairs of instruments, and over the clips of each.

The instruments are put in a circle, in an order drawn by the seed. In each round every instrument is the context once,
and the reference is the one so many places further on; the distances, too, come in an order drawn by the seed. So any
whole number of rounds has every instrument equally often on either side, and n(n-1) pairs in n-1 rounds have every
ordered pair of n instruments once. Then it begins again.

Within a pair of instruments the clip least recently used is taken on either side, so a clip is used again only after
all others of its instrument that fit. Two clips of one song never meet, and no two clips meet twice.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import TypeVar

import numpy as np

from bench.identity import derive_seed
from tasks.pairs.recordings import Recording

Pair = tuple[Recording, Recording]
"""Context and reference."""

_T = TypeVar("_T")


def choose_pairs(
    contexts: Sequence[Recording], references: Sequence[Recording], count: int, *, seed: int
) -> list[Pair]:
    """Pairs by the rule above; fewer than asked if there are no more. Of the same clips, a smaller
    number's are the first of a larger's.

    Args:
        contexts: the clips that may be edited.
        references: the clips whose timbre may be wanted: all contexts, and more. Those of an instrument are taken in
            the order in which they stand here.
        count: how many pairs.
        seed: of the circle and the distances.
    """
    rng = np.random.default_rng(derive_seed(seed, "pairs", "order"))
    order = _Waiting(contexts, references)
    circle = _shuffled(sorted({each.label.instrument for each in references}), rng)
    distances = _shuffled(range(1, len(circle)), rng)
    pairs: list[Pair] = []
    exhausted: set[tuple[str, str]] = set()
    while len(pairs) < count and len(exhausted) < len(circle) * len(distances):
        for names in _lap(circle, distances):
            if names in exhausted or len(pairs) == count:
                continue
            pair = order.next(*names)
            if pair is None:
                exhausted.add(names)
            else:
                pairs.append(pair)
    return pairs


def possible_pairs(contexts: Sequence[Recording], references: Sequence[Recording]) -> int:
    """How many pairs of clips there are that differ in song and instrument."""
    songs = Counter(each.song for each in references)
    names = Counter(each.label.instrument for each in references)
    both = Counter((each.song, each.label.instrument) for each in references)
    barred = (songs[c.song] + names[c.label.instrument] - both[c.song, c.label.instrument] for c in contexts)
    return len(contexts) * len(references) - sum(barred)


def _lap(circle: Sequence[str], distances: Sequence[int]) -> Iterator[tuple[str, str]]:
    for distance in distances:
        for place, name in enumerate(circle):
            yield name, circle[(place + distance) % len(circle)]


class _Waiting:
    """The clips of each instrument in the order of their next use, on either side."""

    def __init__(self, contexts: Sequence[Recording], references: Sequence[Recording]):
        self._clips: dict[str, list[Recording]] = defaultdict(list)
        for each in references:
            self._clips[each.label.instrument].append(each)
        self._may_be_context = {each.id for each in contexts}
        self._met: set[tuple[str, str]] = set()

    def next(self, context_name: str, reference_name: str) -> Pair | None:
        """The pair of clips of two instruments that have waited longest; None if all that may meet have met."""
        for context in self._clips[context_name]:
            if context.id not in self._may_be_context:
                continue
            for reference in self._clips[reference_name]:
                if context.song != reference.song and (context.id, reference.id) not in self._met:
                    self._use(context, reference)
                    return context, reference
        return None

    def _use(self, *pair: Recording) -> None:
        self._met.add((pair[0].id, pair[1].id))
        for clip in pair:
            waiting = self._clips[clip.label.instrument]
            waiting.remove(clip)
            waiting.append(clip)


def _shuffled(items: Sequence[_T], rng: np.random.Generator) -> list[_T]:
    return [items[i] for i in rng.permutation(len(items))]
