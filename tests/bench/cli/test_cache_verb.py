"""`timbrebench cache`: what is there, and how to be rid of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bench.store.cache import Cache


@pytest.fixture
def filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cache:
    """A cache with arrays and a checkpoint of 50 bytes."""
    monkeypatch.setenv("TIMBREBENCH_CACHE_DIR", str(tmp_path / "cache"))
    cache = Cache()
    cache.put({"stage": "test"}, {"a": np.zeros(3)})
    cache.checkpoints.mkdir(parents=True)
    (cache.checkpoints / "weights.safetensors").write_bytes(bytes(50))
    return cache


def test_checkpoints_are_told_apart(cli: Callable, filled: Cache) -> None:
    told = json.loads(cli("cache", "info", "--json").out)
    assert (told["entries"], told["checkpoints"], told["checkpoint_bytes"]) == (1, 1, 50)
    assert told["bytes"] + 50 == filled.size()
    assert "1 checkpoints, 0.0 MB" in cli("cache", "info").out


def test_checkpoints_stay_unless_they_are_asked_for(cli: Callable, filled: Cache) -> None:
    assert "1 checkpoints, 0.0 MB stay (--checkpoints)" in " ".join(cli("cache", "clear").out.split())
    assert len(filled.entries()) == 2, "nothing is deleted without --yes"
    cli("cache", "clear", "--yes")
    assert [entry.kind for entry in filled.entries()] == ["checkpoint"]
    told = json.loads(cli("cache", "clear", "--yes", "--checkpoints", "--json").out)
    assert (told["entries"], told["bytes"], told["deleted"]) == (1, 50, True)
    assert filled.entries() == []


def test_an_empty_cache_speaks_of_no_checkpoints(
    cli: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIMBREBENCH_CACHE_DIR", str(tmp_path / "empty"))
    assert "checkpoints" not in cli("cache", "info").out
    assert "checkpoints" not in cli("cache", "clear").out
