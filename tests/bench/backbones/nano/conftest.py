"""One untrained nano for all tests of this folder: building it is cheap, importing its libraries is not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from diffusers import AudioLDM2Pipeline

    from bench.backbones.nano.backbone import UntrainedNano


@pytest.fixture(scope="session")
def pipeline() -> AudioLDM2Pipeline:
    from bench.backbones.nano.untrained import untrained_pipeline

    pipeline = untrained_pipeline(seed=0)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


@pytest.fixture(scope="session")
def nano() -> Iterator[UntrainedNano]:
    from bench.backbones.nano.backbone import UntrainedNano

    yield UntrainedNano.load()
