from __future__ import annotations

from pathlib import Path

import pytest

from bench.suite import Suite
from tasks.synth.suite import Synth


@pytest.fixture(scope="session")
def synth_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the default suite is rendered. Shared: nobody changes it."""
    return tmp_path_factory.mktemp("synth") / "audio"


@pytest.fixture(scope="session")
def synth_suite(synth_folder: Path) -> Suite:
    """The default suite: 4 songs, 3 edits each."""
    return Synth(Synth.Options(folder=synth_folder)).build()
