"""The contract of embedders: a network that turns audio (and some, text) into vectors that metrics compare.

A clip is cut into windows by a named *policy*, because published tools differ in it and the numbers move with it:

* `blocks`: windows side by side; a last one shorter than a second is dropped if there is another. Each weighs its
  length in real audio.
* `manor2024`: windows of 10 s every 9 s, the last as short as it comes and weighing as much as the others, as in
  AudioEditingCode and SteerMusic: a clip of 10.0 s gives itself and its last second, one half each.
* `hop1`: windows of 10 s every second, padded with zeros, all of one weight, as in fadtk and kadtk.

Networks that take audio of any length (VGGish, EnCodec) give one row for each of their own frames under any policy.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt

from bench.audio import Clip

Policy = Literal["blocks", "manor2024", "hop1"]
Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Embedding:
    """A clip, embedded.

    Attributes:
        frames: one row a window, (windows, dimensions), as the network gives them.
        weights: of the windows, (windows,), positive.
        stages: inner layers of the network for each window, each (windows, tokens, channels); empty if not asked for.
    """

    frames: Vectors
    weights: npt.NDArray[np.float64]
    stages: tuple[Vectors, ...] = ()


class Embedder(ABC):
    """One network. Made cheaply; weights are loaded by the first call that needs them.

    Attributes:
        name: as registered. version: raised when the same weights give other vectors.
        rate: Hz of the mono audio that it takes.
        reads_text: whether `embed_texts` works.
        inner: whether it can give `stages`.
        licence: of the weights.
        device: where it runs.
    """

    name: ClassVar[str]
    version: ClassVar[int]
    rate: ClassVar[int]
    reads_text: ClassVar[bool] = False
    inner: ClassVar[bool] = False
    licence: ClassVar[str] = "unknown"

    def __init__(self, device: str = "cpu"):
        self.device = device

    @property
    @abstractmethod
    def identity(self) -> str:
        """All that moves its vectors: name, version, checkpoint and its hash. Finds the checkpoint, loads nothing.

        Raises:
            ModelError: if the checkpoint is not on this machine and cannot be fetched; says what to put where.
        """

    @abstractmethod
    def embed(self, clips: Sequence[Clip], *, policy: Policy = "blocks", stages: bool = False) -> list[Embedding]:
        """Clips (mono, at `rate`) as vectors, in batches on the device.

        A clip's vectors do not depend on what else is in the batch (tolerance 1e-5 on one device).

        Raises:
            ModelError: as `identity`, or if the network cannot give `stages`.
        """

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        """Texts as unit vectors of the same space, (texts, dimensions).

        Raises:
            ModelError: as `identity`, or if the network reads no text.
        """
        raise NotImplementedError(f"{self.name} reads no text")
