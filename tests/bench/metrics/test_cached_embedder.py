"""The embedder that remembers: the same vectors, fewer passes, and nothing kept under a wrong name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from little_clap import Deaf, LittleClap
from played import notes

from bench.embedder import Embedding
from bench.metric import Features
from bench.metrics.embedders.cached import Cached
from bench.store.cache import Cache

CLIPS = [notes(pitches, rate=8_000, seconds=1.0) for pitches in ((60,), (64, 67), (72,))]


@pytest.fixture
def cached(tmp_path: Path) -> Cached:
    LittleClap.passes.clear()
    LittleClap.texts.clear()
    return Cached(LittleClap(), Cache(tmp_path))


def equal(first: list[Embedding], second: list[Embedding]) -> bool:
    return all(
        np.array_equal(a.frames, b.frames) and np.array_equal(a.weights, b.weights)
        for a, b in zip(first, second, strict=True)
    )


def test_only_new_clips_are_computed_and_the_order_is_kept(cached: Cached, tmp_path: Path) -> None:
    first = cached.embed(CLIPS[:2])
    again = Cached(LittleClap(), Cache(tmp_path)).embed([CLIPS[2], CLIPS[1], CLIPS[0]])
    assert LittleClap.passes == [2, 1]
    assert equal([again[2], again[1]], first)
    assert equal(again, LittleClap().embed(CLIPS[::-1]))


def test_policies_are_kept_apart(cached: Cached) -> None:
    blocks, hop = cached.embed(CLIPS, policy="blocks"), cached.embed(CLIPS, policy="hop1")
    assert LittleClap.passes == [3, 3]
    assert not equal(blocks, hop)


def test_inner_layers_are_computed_anew_and_their_vectors_kept(cached: Cached) -> None:
    with_stages = cached.embed(CLIPS, stages=True)
    assert len(with_stages[0].stages) == 4
    assert equal(cached.embed(CLIPS), with_stages)
    cached.embed(CLIPS, stages=True)
    assert LittleClap.passes == [3, 3]


def test_embedders_are_kept_apart(cached: Cached, tmp_path: Path) -> None:
    class Other(LittleClap):
        identity = "little-clap@2"

    cached.embed(CLIPS)
    Cached(Other(), Cache(tmp_path)).embed(CLIPS)
    assert LittleClap.passes == [3, 3]


def test_texts_are_computed_once(cached: Cached, tmp_path: Path) -> None:
    first = cached.embed_texts(["a violin", "a cello"])
    again = Cached(LittleClap(), Cache(tmp_path)).embed_texts(["a cello", "a harp", "a violin"])
    assert LittleClap.texts == ["a violin", "a cello", "a harp"]
    assert np.array_equal(again[[2, 0]], first)


def test_a_damaged_entry_is_computed_again(cached: Cached, tmp_path: Path) -> None:
    first = cached.embed(CLIPS[:1])
    (file,) = tmp_path.rglob("*.safetensors")
    file.write_bytes(file.read_bytes()[:-1] + b"\x00")
    assert equal(cached.embed(CLIPS[:1]), first)
    assert LittleClap.passes == [1, 1]


def test_it_declares_what_the_embedder_declares(cached: Cached) -> None:
    for name in ("name", "version", "rate", "reads_text", "inner", "licence", "identity", "device"):
        assert getattr(cached, name) == getattr(LittleClap(), name)
    assert not Cached(Deaf()).inner


def test_features_ask_once_and_plans_are_one_batch(cached: Cached) -> None:
    features = Features()
    features.plan(cached, CLIPS, stages=True)
    features.plan(cached, CLIPS[:1])
    features.embed_planned()
    assert LittleClap.passes == [3], "a pass with stages gives the vectors too"
    for clip in CLIPS:
        assert len(features.embedding(cached, clip, stages=True).stages) == 4
        features.embedding(cached, clip)
    features.embedding(cached, CLIPS[0], "hop1")
    assert LittleClap.passes == [3, 1]
