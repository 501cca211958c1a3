"""The tiny Stable Audio Open, saved and read back from disk."""

from __future__ import annotations

from pathlib import Path

import pytest
from diffusers import StableAudioPipeline
from tiny_stable_audio import pipeline

from bench.backbones.stable_audio import StableAudio
from bench.method import Context
from bench.suite import Suite


@pytest.fixture(scope="session")
def sao_pipeline() -> StableAudioPipeline:
    """The pipeline that the checkpoint was saved from: the reference. Only to be read."""
    return pipeline()


@pytest.fixture(scope="session")
def sao_checkpoint(tmp_path_factory: pytest.TempPathFactory, sao_pipeline: StableAudioPipeline) -> Path:
    folder = tmp_path_factory.mktemp("checkpoints") / "tiny-stable-audio"
    sao_pipeline.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def sao(sao_checkpoint: Path) -> StableAudio:
    return StableAudio.load(sao_checkpoint)


@pytest.fixture
def sao_context(sao: StableAudio) -> Context:
    return Context("cpu", Suite("tones", 1, {}, {}, ()), lambda: sao)
