"""What became of each planned item, worked out from the journals.

Every worker appends to a journal of its own, so there is an order within a journal and none between journals. The
rules below need no other:

* An *attempt* is a `generated` or a `failed` event of an item.
* A `quarantined` event takes attempts back. It lists, for each worker, how many attempts of the item were in that
  worker's journal when the artifact was found damaged (`void`); that many of them, from the start of each journal, no
  longer count. An attempt that is appended later is beyond these, and counts, also when it made the very same audio.
* An item is `generated` if an attempt that counts generated it (in several journals: the last of the last journal by
  name), else `failed` if one failed, else `pending`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from bench.errors import CorruptStoreError
from bench.store.journal import Event

Key = tuple[str, int]

GENERATED: Final = "generated"
FAILED: Final = "failed"
QUARANTINED: Final = "quarantined"

_NEEDED: Final[Mapping[Any, tuple[str, type]]] = {
    GENERATED: ("audio", str),
    FAILED: ("error", dict),
    QUARANTINED: ("void", dict),
}


@dataclass(frozen=True)
class PlanItem:
    """One expected edit: a task with a seed. `source` and `song` say what it shares with others."""

    task: str
    seed: int
    source: str
    song: str

    @property
    def key(self) -> Key:
        """(task, seed), which is unique in a plan."""
        return self.task, self.seed


@dataclass(frozen=True)
class Outcome:
    """What became of a planned item.

    Attributes:
        status: `pending` (not tried, or its artifact was quarantined), `generated` or `failed`.
        audio: sha256 of the audio file if generated.
        attempts: how often it was generated or failed, the attempts taken back included.
        error: code, cause, where and remedy if failed.
        event: the journal event that decided; None if there is none.
    """

    status: Literal["pending", "generated", "failed"]
    audio: str | None = None
    attempts: int = 0
    error: Mapping[str, Any] | None = None
    event: Mapping[str, Any] | None = None


class Ledger:
    """The journals of a run, sorted by item.

    Args:
        plan: all items.
        journals: the events of each worker, in their order.

    Raises:
        CorruptStoreError: for an event about an item that is not in the plan, or that lacks what its kind needs.
    """

    def __init__(self, plan: Iterable[PlanItem], journals: Mapping[str, Sequence[Event]]):
        self._planned = frozenset(item.key for item in plan)
        self._attempts: defaultdict[Key, defaultdict[str, list[Event]]] = defaultdict(lambda: defaultdict(list))
        self._void: defaultdict[Key, Counter[str]] = defaultdict(Counter)
        self._quarantined: dict[Key, Event] = {}
        for worker in sorted(journals):
            for number, event in enumerate(journals[worker], start=1):
                try:
                    self._enter(worker, event)
                except (KeyError, TypeError, ValueError, AttributeError) as error:
                    raise CorruptStoreError(
                        f"the journal holds an event that does not belong to this run: {error}",
                        where=f"journal/{worker}.jsonl:{number}",
                        remedy="Restore the file from a copy, or remove that line: its task is then done again.",
                        code="corrupt/event",
                    ) from error

    def outcome(self, key: Key) -> Outcome:
        """What became of an item."""
        attempts, void = self._attempts[key], self._void[key]
        count = sum(len(events) for events in attempts.values())
        counting = [event for worker in sorted(attempts) for event in attempts[worker][void[worker] :]]
        generated = [event for event in counting if event["event"] == GENERATED]
        if generated:
            return Outcome(GENERATED, audio=generated[-1]["audio"], attempts=count, event=generated[-1])
        if counting:
            return Outcome(FAILED, error=counting[-1]["error"], attempts=count, event=counting[-1])
        return Outcome("pending", attempts=count, event=self._quarantined.get(key))

    def quarantine(self, item: PlanItem, audio: str, why: str) -> Event:
        """The event that takes back all attempts of an item that the journals hold now."""
        void = {worker: len(events) for worker, events in sorted(self._attempts[item.key].items())}
        return {
            "event": QUARANTINED,
            "task": item.task,
            "seed": item.seed,
            "audio": audio,
            "why": why,
            "void": void,
        }

    def _enter(self, worker: str, event: Event) -> None:
        needed = _NEEDED.get(event["event"])
        if needed is None:
            return
        name, kind = needed
        key = (event["task"], event["seed"])
        if key not in self._planned or type(event["seed"]) is not int:
            raise ValueError(f"{key} is not in the plan")
        if not isinstance(event[name], kind):
            raise TypeError(f"{name!r} is {event[name]!r}")
        if event["event"] == QUARANTINED:
            # `|` keeps the larger count: a later quarantine takes back at least what an earlier one did.
            self._void[key] |= Counter({worker: int(count) for worker, count in event["void"].items()})
            self._quarantined[key] = event
        else:
            self._attempts[key][worker].append(event)
