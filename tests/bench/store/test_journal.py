from __future__ import annotations

import errno
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.errors import CorruptStoreError, IncompleteError
from bench.store.journal import Journal, read_events

EVENTS: list[dict[str, Any]] = [
    {"event": "prepared", "source": "s/one"},
    {"event": "generated", "task": "t/Øre", "seed": 0, "audio": "ab" * 32},
    {"event": "failed", "task": "t/2", "seed": 1, "error": {"cause": 'it said "no"\n\tand left', "where": None}},
]

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
texts = st.text(st.characters(codec=None))  # lone surrogates included: file names that are not UTF-8
values = st.recursive(
    scalars | texts, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=6
)


def write(path: Path, events: list[dict[str, Any]]) -> bytes:
    with Journal(path) as journal:
        for event in events:
            journal.append(event)
    return path.read_bytes()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=st.lists(st.dictionaries(texts, values, max_size=3), max_size=4))
def test_what_is_appended_is_read(tmp_path: Path, events: list[dict[str, Any]]) -> None:
    path = tmp_path / "j.jsonl"
    path.unlink(missing_ok=True)
    write(path, events)
    assert read_events(path) == events


def test_one_event_one_line(tmp_path: Path) -> None:
    data = write(tmp_path / "j.jsonl", EVENTS)
    assert data.count(b"\n") == len(EVENTS)
    assert data.endswith(b"}\n")


def test_appends_go_on_after_those_of_an_earlier_process(tmp_path: Path) -> None:
    write(tmp_path / "j.jsonl", EVENTS[:1])
    write(tmp_path / "j.jsonl", EVENTS[1:])
    assert read_events(tmp_path / "j.jsonl") == EVENTS


def test_a_torn_tail_at_every_byte_is_ignored_and_repaired(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    data = write(path, EVENTS)
    before_last = len(write(tmp_path / "shorter.jsonl", EVENTS[:-1]))
    for cut in range(before_last, len(data)):
        path.write_bytes(data[:cut])
        assert read_events(path) == EVENTS[:-1], cut
        assert path.read_bytes() == data[:cut], "reading must not write"
        write(path, EVENTS[-1:])
        assert path.read_bytes() == data, cut


@pytest.mark.parametrize("tail", [b"\x00" * 40, b'\x00\x00\x00"seed":1}\n', b'{"event":"genera\xc3\n', b"17\n"])
def test_a_last_line_of_rubbish_is_a_torn_tail(tmp_path: Path, tail: bytes) -> None:
    path = tmp_path / "j.jsonl"
    data = write(path, EVENTS)
    path.write_bytes(data + tail)
    assert read_events(path) == EVENTS
    write(path, [])
    assert path.read_bytes() == data


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"   ",
        b"{",
        b"[1]",
        b"17",
        b"null",
        b'{"a": "\xff"}',
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 1e999}',
        b'{"a": 1, "a": 1}',
        b'{"b": {"a": 1, "a": 2}}',
        b'{"a": 1} {"b": 2}',
        b"[" * 100_000,
        b'{"a": ' + b"9" * 5_000 + b"}",
    ],
)
def test_damage_in_the_middle_stops_with_file_and_line(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "j.jsonl"
    first, second, third = write(path, EVENTS).splitlines(keepends=True)
    path.write_bytes(first + damage + b"\n" + second + third)
    for use in (read_events, Journal):
        with pytest.raises(CorruptStoreError) as caught:
            use(path)
        assert caught.value.where == f"{path}:2"
        assert path.read_bytes() == first + damage + b"\n" + second + third, "evidence must stay"


def test_a_torn_tail_excuses_no_damage_before_it(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    path.write_bytes(b'{"a": 1}\nrubbish\n{"a": 2')
    for use in (read_events, Journal, read_events):
        with pytest.raises(CorruptStoreError) as caught:
            use(path)
        assert caught.value.where == f"{path}:2"


@pytest.mark.parametrize("event", [{"a": float("nan")}, {"a": object()}, {1: "a", "1": "b"}, [1]])
def test_an_event_that_would_not_come_back_is_refused(tmp_path: Path, event: Any) -> None:
    path = tmp_path / "j.jsonl"
    with Journal(path) as journal:
        journal.append(EVENTS[0])
        with pytest.raises((TypeError, ValueError)):
            journal.append(event)
        journal.append(EVENTS[1])
    assert read_events(path) == EVENTS[:2]


@pytest.mark.parametrize("truncate_fails", [False, True])
def test_a_full_disk_leaves_the_journal_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, truncate_fails: bool
) -> None:
    path = tmp_path / "j.jsonl"
    real = os.write
    calls: list[int] = []

    def half_then_full(descriptor: int, data: memoryview) -> int:
        calls.append(len(data))
        if len(calls) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, bytes(data)[: len(data) // 2])

    def refuse(descriptor: int, length: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with Journal(path) as journal:
        journal.append(EVENTS[0])
        before = path.read_bytes()
        monkeypatch.setattr(os, "write", half_then_full)
        if truncate_fails:
            monkeypatch.setattr(os, "ftruncate", refuse)
        with pytest.raises(IncompleteError) as caught:
            journal.append(EVENTS[1])
        assert caught.value.code == "store/disk-full"
        assert read_events(path) == EVENTS[:1]
        assert truncate_fails or path.read_bytes() == before
        monkeypatch.undo()
        journal.append(EVENTS[2])  # room again
    assert read_events(path) == [EVENTS[0], EVENTS[2]]


def test_each_append_is_one_write_and_synced_before_it_returns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    write_, fsync = os.write, os.fsync
    monkeypatch.setattr(os, "write", lambda *args: calls.append("write") or write_(*args))
    monkeypatch.setattr(os, "fsync", lambda *args: calls.append("fsync") or fsync(*args))
    with Journal(tmp_path / "j.jsonl") as journal:
        assert calls == ["fsync"], "the new name in its folder"
        calls.clear()
        journal.append(EVENTS[2])
        assert calls == ["write", "fsync"]


def test_threads_share_a_journal(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    with Journal(path) as journal:

        def work(worker: int) -> None:
            for index in range(20):
                journal.append({"worker": worker, "index": index, "filler": "x" * 200 * worker})

        threads = [threading.Thread(target=work, args=(worker,)) for worker in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    events = read_events(path)
    assert len(events) == 120
    for worker in range(6):
        assert [event["index"] for event in events if event["worker"] == worker] == list(range(20))


def test_a_missing_journal_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(CorruptStoreError, match="No such file"):
        read_events(tmp_path / "j.jsonl")
