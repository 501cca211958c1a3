from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from store_samples import failed, generated, make_plan, make_suite

from bench.errors import CorruptStoreError
from bench.store.journal import Event
from bench.store.outcomes import Ledger, Outcome

PLAN = make_plan(make_suite(2), seeds=(0, 1))
ITEM = PLAN[0]
A, B = "aa" * 32, "bb" * 32


def outcome(**journals: list[Event]) -> Outcome:
    return Ledger(PLAN, journals).outcome(ITEM.key)


def test_nothing_is_pending() -> None:
    assert outcome() == Outcome("pending")


def test_other_events_change_nothing() -> None:
    assert outcome(w=[{"event": "prepared", "source": "s/one"}, {"event": "new kind"}]) == Outcome("pending")


def test_a_failure_keeps_its_error_and_the_last_one_counts() -> None:
    result = outcome(w=[failed(ITEM, "first"), failed(ITEM, "second")])
    assert (result.status, result.attempts, result.audio) == ("failed", 2, None)
    assert result.error is not None
    assert result.error["cause"] == "second"


@pytest.mark.parametrize("order", ["before", "after", "other worker before", "other worker after"])
def test_generated_wins_over_failed_in_any_order(order: str) -> None:
    good, bad = generated(ITEM, A), failed(ITEM)
    journals = {
        "before": {"w": [bad, good]},
        "after": {"w": [good, bad]},
        "other worker before": {"w0": [bad], "w1": [good]},
        "other worker after": {"w0": [good], "w1": [bad]},
    }[order]
    result = outcome(**journals)
    assert (result.status, result.audio, result.attempts, result.error) == ("generated", A, 2, None)
    assert result.event == good


def test_items_are_told_apart_by_task_and_seed() -> None:
    ledger = Ledger(PLAN, {"w": [generated(PLAN[0], A), failed(PLAN[3])]})
    statuses = [ledger.outcome(item.key).status for item in PLAN]
    assert statuses == ["generated", "pending", "pending", "failed"]


def test_quarantine_makes_it_pending_until_it_is_generated_again_with_the_same_hash() -> None:
    first: dict[str, list[Event]] = {"w": [generated(ITEM, A)]}
    taken_back = Ledger(PLAN, first).quarantine(ITEM, A, "the file is missing")
    result = outcome(**first, store=[taken_back])
    assert (result.status, result.audio, result.attempts, result.event) == ("pending", None, 1, taken_back)
    again = outcome(w=[generated(ITEM, A), generated(ITEM, A)], store=[taken_back])
    assert (again.status, again.audio, again.attempts) == ("generated", A, 2)


def test_quarantine_does_not_touch_other_items() -> None:
    journals: dict[str, list[Event]] = {"w": [generated(PLAN[0], A), generated(PLAN[1], A)]}
    journals["store"] = [Ledger(PLAN, journals).quarantine(PLAN[0], A, "gone")]
    assert Ledger(PLAN, journals).outcome(PLAN[1].key).status == "generated"


@pytest.mark.parametrize("worker", ["a", "w", "z"])
def test_made_again_by_a_worker_of_any_name(worker: str) -> None:
    """No order between journals is needed: a new journal's name may sort before or after the old one's."""
    journals: dict[str, list[Event]] = {"w": [generated(ITEM, A)]}
    journals["store"] = [Ledger(PLAN, journals).quarantine(ITEM, A, "gone")]
    journals.setdefault(worker, []).append(generated(ITEM, B))
    assert outcome(**journals).audio == B


def test_failures_before_a_quarantine_are_taken_back_too_and_later_ones_count() -> None:
    journals: dict[str, list[Event]] = {"v": [failed(ITEM)], "w": [generated(ITEM, A)]}
    journals["store"] = [Ledger(PLAN, journals).quarantine(ITEM, A, "gone")]
    assert outcome(**journals).status == "pending"
    journals["w"].append(failed(ITEM, "again"))
    result = outcome(**journals)
    assert (result.status, result.attempts) == ("failed", 3)


def test_an_earlier_quarantine_brings_nothing_back() -> None:
    """Whichever of two is read last: here they lie in two journals, the later one in the one that is read first."""
    journals: dict[str, list[Event]] = {"w": [generated(ITEM, A)]}
    earlier = Ledger(PLAN, journals).quarantine(ITEM, A, "gone")
    journals["w"].append(generated(ITEM, B))
    later = Ledger(PLAN, journals).quarantine(ITEM, B, "gone")
    for first, second in ((earlier, later), (later, earlier)):
        assert outcome(**journals, s1=[first], s2=[second]).status == "pending"


class Model:
    """The run as it happened, in one global order: what the journals have to give back without knowing it."""

    def __init__(self) -> None:
        self.journals: dict[str, list[Event]] = {}
        self.status, self.audio = "pending", None
        self.attempts = 0

    def step(self, worker: str, action: str) -> None:
        if action == "quarantine":
            if self.status == "generated":
                event = Ledger(PLAN, self.journals).quarantine(ITEM, str(self.audio), "gone")
                self.journals.setdefault("store", []).append(event)
                self.status, self.audio = "pending", None
            return
        if self.status == "generated":
            return  # a run works on what is not generated yet
        self.attempts += 1
        event = failed(ITEM) if action == "fail" else generated(ITEM, action)
        self.journals.setdefault(worker, []).append(event)
        self.status, self.audio = ("failed", None) if action == "fail" else ("generated", action)


@settings(max_examples=300, deadline=None)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["a", "m", "z"]), st.sampled_from(["fail", A, B, "quarantine"])), max_size=14
    )
)
def test_any_history_is_worked_out_without_its_order(steps: list[tuple[str, str]]) -> None:
    model = Model()
    for worker, action in steps:
        model.step(worker, action)
        result = outcome(**model.journals)
        assert (result.status, result.audio, result.attempts) == (model.status, model.audio, model.attempts)


@pytest.mark.parametrize(
    "change",
    [
        {"task": "of another run"},
        {"seed": 7},
        {"seed": True},
        {"seed": "0"},
        {"task": ["t"]},
        {"audio": None},
        {"event": ["generated"]},
        {"event": "failed", "error": "text"},
        {"event": "quarantined", "void": {"w": "many"}},
    ],
)
def test_an_event_of_another_run_or_without_its_parts_stops_with_its_line(change: dict[str, Any]) -> None:
    with pytest.raises(CorruptStoreError) as caught:
        Ledger(PLAN, {"w": [generated(ITEM, A), generated(ITEM, A) | change]})
    assert caught.value.where == "journal/w.jsonl:2"


@pytest.mark.parametrize("missing", ["event", "task", "seed", "audio"])
def test_an_event_that_lacks_a_field_stops_with_its_line(missing: str) -> None:
    event = generated(ITEM, A)
    del event[missing]
    with pytest.raises(CorruptStoreError) as caught:
        Ledger(PLAN, {"w": [event]})
    assert caught.value.where == "journal/w.jsonl:1"
    assert missing in caught.value.cause
