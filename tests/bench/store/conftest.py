from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from store_samples import create
from web_server import WebServer, serving

from bench.store.rundir import RunDirectory


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    """A fresh run of three tasks with one seed."""
    return create(tmp_path / "run")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[WebServer]:
    """A web server to download from."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serving() as server:
        yield server


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """Where a download goes."""
    return tmp_path / "models" / "weights.bin"
