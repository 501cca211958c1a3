from __future__ import annotations

from pathlib import Path

import pytest

from bench.suite import Suite
from tasks.synth.suite import Synth


@pytest.fixture(scope="session")
def synth_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where `synth_suite` is rendered. Shared: nobody changes it."""
    return tmp_path_factory.mktemp("synth") / "audio"


@pytest.fixture(scope="session")
def synth_suite(synth_folder: Path) -> Suite:
    """4 songs, 4 edits each: one a stem."""
    return Synth(Synth.Options(songs=4, edits=4, duration_s=6.0, folder=synth_folder)).build()
