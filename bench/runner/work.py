"""The unit of work: all edits of one source, cut into batches that never change.

A batch is the same set of edits in every run of a plan, because floating-point results may depend on what is
computed together: a batch that was interrupted is computed again whole and gives the same audio to the bit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bench.store.rundir import Outcome, PlanItem


@dataclass(frozen=True)
class Group:
    """The edits of one source, in plan order, and which of them are still owed.

    Attributes:
        source: id of the source.
        items: all edits of the source in the plan.
        owed: those without audio. retried: those of `owed` that failed before; they run one by one.
    """

    source: str
    items: tuple[PlanItem, ...]
    owed: frozenset[tuple[str, int]]
    retried: frozenset[tuple[str, int]]

    def batches(self, size: int | None) -> list[tuple[PlanItem, ...]]:
        """Batches with something owed: slices of `items`, then what failed before, one by one."""
        step = size or len(self.items)
        slices = [self.items[i : i + step] for i in range(0, len(self.items), step)]
        fresh = self.owed - self.retried
        whole = [batch for batch in slices if any(item.key in fresh for item in batch)]
        covered = {item.key for batch in whole for item in batch}
        return whole + [(item,) for item in self.items if item.key in self.retried and item.key not in covered]


def groups(plan: Iterable[PlanItem], outcomes: Mapping[tuple[str, int], Outcome]) -> list[Group]:
    """The work that a plan still owes, by source, in plan order."""
    by_source: dict[str, list[PlanItem]] = {}
    for item in plan:
        by_source.setdefault(item.source, []).append(item)
    work = []
    for source, items in by_source.items():
        status = {item.key: outcomes[item.key].status for item in items}
        owed = frozenset(key for key, state in status.items() if state != "generated")
        retried = frozenset(key for key, state in status.items() if state == "failed")
        if owed:
            work.append(Group(source, tuple(items), owed, retried))
    return work
