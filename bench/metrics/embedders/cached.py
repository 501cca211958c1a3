"""An embedder that remembers: vectors of clips and texts come from the cache where they were computed before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from bench.audio import Clip
from bench.embedder import Embedder, Embedding, Policy, Vectors
from bench.identity import sha256_bytes
from bench.store.cache import Arrays, Cache


class Cached(Embedder):
    """Another embedder, its vectors kept under the hash of the audio and of all that moves them.

    Inner layers are a thousand times larger than vectors and are computed anew.
    """

    name = "cached"
    version = 1
    rate = 0

    def __init__(self, inner: Embedder, cache: Cache | None = None):
        super().__init__(inner.device)
        self.wrapped = inner
        self.cache = cache or Cache()
        # What a class declares of itself, this one has from what it wraps.
        self.__dict__.update(
            name=inner.name, version=inner.version, rate=inner.rate, reads_text=inner.reads_text, inner=inner.inner,
            licence=inner.licence,
        )  # fmt: skip

    @property
    def identity(self) -> str:
        """The inner embedder's."""
        return self.wrapped.identity

    def embed(self, clips: Sequence[Clip], *, policy: Policy = "blocks", stages: bool = False) -> list[Embedding]:
        """As the inner embedder; only clips that the cache does not have are computed."""
        if stages:
            return self._computed(clips, policy, stages=True)
        keys = [self._key(clip.sha256, policy) for clip in clips]
        found = [self.cache.get(key) for key in keys]
        todo = [clip for clip, arrays in zip(clips, found, strict=True) if arrays is None]
        fresh = iter(self._computed(todo, policy, stages=False) if todo else [])
        return [next(fresh) if a is None else Embedding(a["frames"], a["weights"]) for a in found]

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        """As the inner embedder; only texts that the cache does not have are computed."""
        keys = [self._key(sha256_bytes(text.encode()), "text") for text in texts]
        found: list[Arrays | None] = [self.cache.get(key) for key in keys]
        todo = [index for index, arrays in enumerate(found) if arrays is None]
        if todo:
            for index, vector in zip(todo, self.wrapped.embed_texts([texts[i] for i in todo]), strict=True):
                arrays: Arrays = {"vector": vector}
                found[index] = arrays
                self.cache.put(keys[index], arrays)
        return np.stack([arrays["vector"] for arrays in found if arrays is not None])

    def _computed(self, clips: Sequence[Clip], policy: Policy, *, stages: bool) -> list[Embedding]:
        made = self.wrapped.embed(clips, policy=policy, stages=stages)
        for clip, embedding in zip(clips, made, strict=True):
            arrays: Arrays = {"frames": embedding.frames, "weights": embedding.weights}
            self.cache.put(self._key(clip.sha256, policy), arrays)
        return made

    def _key(self, content: str, policy: str) -> dict[str, Any]:
        return {"stage": "embedding", "version": 1, "embedder": self.identity, "policy": policy, "content": content}
