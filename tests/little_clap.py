"""An embedder without weights, in the shape of CLAP: vectors of audio and text in one space, and four inner stages."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from itertools import pairwise
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from bench.audio import Clip
from bench.embedder import Embedder, Embedding, Policy, Vectors
from bench.metrics.embedders.windows import SECONDS, cut

RATE, FRAME, BANDS, DIMENSIONS = 8_000, 1024, 24, 16
STAGES = ((39, 8), (26, 12), (13, 16), (6, 24))
"""Tokens and channels of each."""


def unit(vectors: npt.NDArray[np.float64]) -> Vectors:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True), np.float32)


class LittleClap(Embedder):
    """Log band levels of a window, repeated to ten seconds, through fixed random projections.

    Attributes:
        passes: number of clips of each call; texts: texts that were asked for. Both by all instances, for tests.
    """

    name, version, rate, reads_text, inner, licence = "little-clap", 1, RATE, True, True, "none"
    identity = "little-clap@1"
    passes: ClassVar[list[int]] = []
    texts: ClassVar[list[str]] = []

    def embed(self, clips: Sequence[Clip], *, policy: Policy = "blocks", stages: bool = False) -> list[Embedding]:
        self.passes.append(len(clips))
        return [self._embedded(clip, policy, stages) for clip in clips]

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        self.texts.extend(texts)
        seeds = [int.from_bytes(sha256(text.encode()).digest()[:8], "big") for text in texts]
        return unit(np.stack([np.random.default_rng(seed).normal(size=DIMENSIONS) for seed in seeds]))

    def _embedded(self, clip: Clip, policy: Policy, stages: bool) -> Embedding:
        windows, weights = cut(clip, policy)
        levels = np.stack([band_levels(window) for window in windows])
        frames = unit(levels.mean(axis=1) @ projection(0, BANDS, DIMENSIONS))
        return Embedding(frames, np.array(weights), inner(levels) if stages else ())


class Deaf(LittleClap):
    """The same without text and inner stages, as VGGish is."""

    name, identity = "deaf", "deaf@1"
    reads_text, inner = False, False


def projection(seed: int, rows: int, columns: int) -> npt.NDArray[np.float64]:
    return np.random.default_rng(seed).normal(size=(rows, columns)) / np.sqrt(rows)


def band_levels(window: Clip) -> npt.NDArray[np.float64]:
    """Levels in dB, at least 1, (frames, bands), of a window repeated to its full length."""
    samples = np.resize(window.mono, SECONDS * RATE)
    frames = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME) * np.hanning(FRAME)
    power = np.abs(np.fft.rfft(frames)) ** 2
    edges = np.geomspace(4, power.shape[1], BANDS + 1).astype(int)
    bands = np.stack([power[:, low:high].sum(axis=1) for low, high in pairwise(edges)], axis=1)
    return 10 * np.log10(bands + 1e-6) + 61


def inner(levels: npt.NDArray[np.float64]) -> tuple[Vectors, ...]:
    """Rectified projections at ever fewer places in time: one array (windows, tokens, channels) a stage."""
    found = []
    for number, (tokens, channels) in enumerate(STAGES, start=1):
        pieces = np.array_split(levels, tokens, axis=1)
        pooled = np.stack([piece.mean(axis=1) for piece in pieces], axis=1)
        found.append(np.maximum(pooled @ projection(number, BANDS, channels), 0).astype(np.float32))
    return tuple(found)
