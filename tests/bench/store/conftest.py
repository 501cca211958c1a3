from __future__ import annotations

from pathlib import Path

import pytest
from store_samples import create

from bench.store.rundir import RunDirectory


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    """A fresh run of three tasks with one seed."""
    return create(tmp_path / "run")
