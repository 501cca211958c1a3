"""The CLAP that ships: where it lies, and that it is CLAP."""

from __future__ import annotations

import numpy as np
import pytest

from bench.audio import Clip
from bench.cli import catalogue
from bench.metrics.embedders.nano_clap import NanoClap


@pytest.fixture(scope="module")
def clap() -> NanoClap:
    return NanoClap()


def test_it_lies_where_nano_has_its_text_encoder() -> None:
    from bench.backbones.nano.ship import CLAP, SHIPPED

    assert NanoClap.folder == SHIPPED / CLAP


def test_it_is_registered_and_its_identity_names_its_weights(clap: NanoClap) -> None:
    assert catalogue.embedders().get("nano-clap") is NanoClap
    assert clap.identity.startswith("nano-clap@1[text_encoder sha256:")
    assert "16000 Hz" in clap.identity


def test_texts_and_clips_share_a_space_with_four_stages(clap: NanoClap) -> None:
    texts = clap.embed_texts(["A recording of a violin.", "a theremin and an unheard-of qanun", ""])
    np.testing.assert_allclose(np.linalg.norm(texts, axis=1), 1, atol=1e-4)
    noise = Clip.of(np.random.default_rng(0).normal(scale=0.1, size=160_000).astype(np.float32), 16_000)
    found = clap.embed([noise, Clip.silence(1.0, 16_000)], stages=True)
    assert [each.frames.shape for each in found] == [(1, texts.shape[1])] * 2
    assert len(found[0].stages) == 4


def test_synonyms_are_nearer_than_other_instruments(clap: NanoClap) -> None:
    violin, fiddle, drums, kit = clap.embed_texts(["a violin", "a folk fiddle", "a drum kit", "live acoustic drums"])
    assert min(violin @ fiddle, drums @ kit) > max(violin @ drums, fiddle @ kit)
