"""Embedders whose weights are one file."""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from bench.checkpoints import Checkpoint, file_hash, locate
from bench.embedder import Embedder
from bench.errors import ModelError
from bench.metrics.embedders.batching import torch_device
from bench.metrics.embedders.weights import load_tensors

if TYPE_CHECKING:
    import torch


class Checkpointed(Embedder):
    """An embedder that reads a checkpoint.

    Args:
        device: where it runs.
        checkpoint: published, or a file of one's own; by default the class's.
        trusted: hashes of checkpoints whose pickles may be run: see `bench.metrics.embedders.weights`.

    Attributes:
        published: the class's checkpoint.
        treatment: what is done to audio before and after the network, for the identity.
    """

    published: ClassVar[Checkpoint]
    treatment: str

    def __init__(
        self, device: str = "cpu", checkpoint: Checkpoint | Path | None = None, *, trusted: Collection[str] = ()
    ):
        super().__init__(device)
        self.checkpoint = checkpoint or self.published
        self.trusted = trusted

    @cached_property
    def identity(self) -> str:
        """Name, version, checkpoint and its hash, rate, treatment."""
        return (
            f"{self.name}@{self.version}[{self.file.name} sha256:{file_hash(self.file)[:16]}, {self.rate} Hz, "
            f"{self.treatment}]"
        )

    @cached_property
    def file(self) -> Path:
        """The checkpoint's file, found or fetched.

        Raises:
            ModelError: see `bench.checkpoints.locate`.
        """
        return locate(self.checkpoint)

    def tensors(self) -> dict[str, torch.Tensor]:
        """The weights in the file.

        Raises:
            ModelError: see `bench.metrics.embedders.weights.load_tensors`.
        """
        return load_tensors(self.file, file_hash(self.file), trusted=self.trusted)

    def ready(self, network: Any, tensors: dict[str, torch.Tensor]) -> Any:
        """A network on the device and in evaluation mode, every weight of it from the checkpoint, and none left over.

        Raises:
            ModelError: `model/wrong-class` if they are not each other's.
            UsageError: for a device that is not here.
        """
        device = torch_device(self.device)
        try:
            network.load_state_dict(tensors, strict=True)
        except RuntimeError as error:
            first = " ".join(line.strip() for line in str(error).splitlines()[:2])
            raise ModelError(
                f"the checkpoint does not fit {self.name}: {first[:200]}",
                where=str(self.file),
                remedy=f"Give one that was trained as {self.published.file} was, of the same size.",
                code="model/wrong-class",
            ) from error
        return network.to(device).eval()
