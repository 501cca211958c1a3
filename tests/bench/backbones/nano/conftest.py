"""One nano for all tests of this folder: building it is cheap, importing its libraries is not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from diffusers import AudioLDM2Pipeline

    from bench.backbones.nano.backbone import Nano


@pytest.fixture(scope="session")
def pipeline() -> AudioLDM2Pipeline:
    from bench.backbones.nano.build import build_pipeline

    pipeline = build_pipeline(seed=0)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


@pytest.fixture(scope="session")
def nano() -> Iterator[Nano]:
    from bench.backbones.nano.backbone import Nano

    yield Nano.load()
