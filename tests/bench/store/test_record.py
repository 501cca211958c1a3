from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bench.errors import CorruptStoreError, DataError
from bench.identity import digest
from bench.store.record import SCHEMA, RunRecord, differences, plan_bytes

RECORD = RunRecord({"method": {"lam": 0.5}}, {"device": "cpu"}, "p" * 64, "s" * 64)


def test_a_record_comes_back(tmp_path: Path) -> None:
    RECORD.write(tmp_path / "run.json")
    assert RunRecord.read(tmp_path / "run.json") == RECORD
    assert json.loads((tmp_path / "run.json").read_text()) == {
        "schema": SCHEMA,
        "identity": {"method": {"lam": 0.5}},
        "identity_digest": digest({"method": {"lam": 0.5}}),
        "about": {"device": "cpu"},
        "plan_sha256": "p" * 64,
        "suite_digest": "s" * 64,
    }


@pytest.mark.parametrize(
    ("there", "asked", "found"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": {"b": {"c": 1, "d": 2}}}, {"a": {"b": {"c": 2, "d": 2}}}, [("a.b.c", "1", "2")]),
        ({"a": 1}, {"b": 1}, [("a", "1", "absent"), ("b", "absent", "1")]),
        ({"a": {"b": 1}}, {"a": None}, [("a", '{"b":1}', "null")]),
        ({"a": [1, 2]}, {"a": [1, 3]}, [("a", "[1,2]", "[1,3]")]),
        ({"a": 1}, {"a": True}, [("a", "1", "true")]),  # equal in Python, not in JSON
        ({"a": 1}, {"a": 1.0}, [("a", "1", "1.0")]),
    ],
)
def test_differences(there: Any, asked: Any, found: list[tuple[str, str, str]]) -> None:
    assert list(differences(there, asked)) == found


def test_long_values_are_cut() -> None:
    [(_, there, asked)] = differences({"a": "x" * 500}, {"a": ["y"] * 500})
    assert len(there) < 100
    assert len(asked) < 100


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"schema": "timbrebench-run@1"}',
        '{"schema": "timbrebench-run@1", "schema": "x"}',
        "\x00" * 9,
    ],
)
def test_a_record_that_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(CorruptStoreError) as caught:
        RunRecord.read(tmp_path / "run.json")
    assert caught.value.where == str(tmp_path / "run.json")


def test_an_identity_changed_by_hand_is_found(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    RECORD.write(path)
    path.write_text(path.read_text().replace("0.5", "0.6"))
    with pytest.raises(CorruptStoreError, match="identity was changed"):
        RunRecord.read(path)


def test_another_versions_directory_is_not_called_damaged(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    RECORD.write(path)
    path.write_text(path.read_text().replace(SCHEMA, "timbrebench-run@2"))
    with pytest.raises(DataError, match="timbrebench-run@2") as caught:
        RunRecord.read(path)
    assert caught.value.code == "store/schema"


def test_a_plan_has_no_item_twice() -> None:
    from store_samples import make_plan, make_suite

    plan = make_plan(make_suite(2))
    with pytest.raises(DataError, match="'tiny/one/1' with seed 0 twice"):
        plan_bytes([*plan, plan[1]])
