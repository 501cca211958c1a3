"""VGGish, as `frechet-audio-distance` takes it: 128 dimensions for each 0.96 s, before the last ReLU, without PCA.

That package has no code of it: its class has torch.hub fetch `harritaylor/torchvggish` as it is on that day, and run
it. Here the same code comes from the package `torchvggish` if it is installed, else from a copy of the repository,
`torchvggish` in the folder that `TIMBREBENCH_CHECKPOINTS` names or torch.hub's own; nothing is fetched but the weights.

Clips shorter than 0.975 s (one example) are padded with zeros. A rest shorter than an example is not looked at.

Source: Hershey et al., ICASSP 2017; weights ported by H. Taylor (torchvggish), Apache-2.0.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cached_property
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from bench.audio import Clip
from bench.checkpoints import Checkpoint, checkpoint_folders, torch_hub_folder
from bench.embedder import Embedding, Policy, Vectors
from bench.errors import ModelError
from bench.metrics.embedders.batching import Samples, checked, inference, refuse_stages
from bench.metrics.embedders.checkpointed import Checkpointed

VGGISH = Checkpoint(
    "vggish-10086976.pth",
    "https://github.com/harritaylor/torchvggish/releases/download/v0.1/vggish-10086976.pth",
    None,
    "10086976245803799d9194e9a73d9b6c1549c71d1b80106f5cade5608a561f4b",
    "Apache-2.0",
)

BATCH = 64
"""Examples in one pass: about 3 MB each."""

EXAMPLE = 15_600
"""Samples of one example: 96 frames of 25 ms every 10 ms."""


class VGGish(Checkpointed):
    """VGGish."""

    name = "vggish"
    version = 1
    rate = 16_000
    licence = "Apache-2.0"
    published = VGGISH
    treatment = "examples of 0.96 s, no PCA, no last ReLU"

    @cached_property
    def file(self) -> Path:
        """The checkpoint's file.

        Raises:
            ModelError: also if the code is not on this machine.
        """
        find_code()
        return super().file

    @cached_property
    def _model(self) -> Any:
        model = self.ready(network(), self.tensors())
        model.embeddings = model.embeddings[:-1]  # the last ReLU
        return model

    def embed(self, clips: Sequence[Clip], *, policy: Policy = "blocks", stages: bool = False) -> list[Embedding]:
        """As the contract says: (examples, 128), under any policy.

        Raises:
            ModelError: `model/no-stages` if stages are asked for.
        """
        refuse_stages(self.name, stages)
        examples = [self._examples(samples) for samples in checked(clips, self.rate)]
        if not examples:
            return []
        rows = self._embedded(np.concatenate(examples))
        parts = np.split(rows, np.cumsum([len(each) for each in examples])[:-1])
        return [Embedding(part, np.ones(len(part))) for part in parts]

    def _examples(self, samples: Samples) -> Vectors:
        """Log-mels of a clip, (examples, 1, 96, 64)."""
        filled = np.pad(samples, (0, max(0, EXAMPLE - len(samples))))
        made = import_code("vggish_input").waveform_to_examples(filled.astype(np.float64), self.rate)
        return np.asarray(made.detach().numpy(), np.float32)

    def _embedded(self, examples: Vectors) -> Vectors:
        import torch

        model, parts = self._model, []
        for start in range(0, len(examples), BATCH):
            with inference():
                part = model(torch.from_numpy(examples[start : start + BATCH]).to(self.device))
            parts.append(part.cpu().numpy())
        return np.concatenate(parts)


def network() -> Any:
    """The code's network of random weights; torch's global random numbers are left alone."""
    import torch

    # What the released package has in `torchvggish.torchvggish`, the repository has in `torchvggish.vggish`.
    import_code()
    where = "vggish" if find_spec("torchvggish.vggish") else "torchvggish"
    with torch.random.fork_rng(devices=[]):
        return import_code(where)._vgg()


def import_code(module: str = "") -> ModuleType:
    """torchvggish, or one of its modules.

    Raises:
        ModelError: as `find_code`.
    """
    folder = find_code()
    path = list(sys.path)
    try:
        if folder is not None:
            sys.path.insert(0, str(folder))
        return import_module(f"torchvggish.{module}" if module else "torchvggish")
    finally:
        sys.path[:] = path


def find_code() -> Path | None:
    """The copy of torchvggish's repository to use; None if the package is installed.

    Raises:
        ModelError: `model/missing` if there is neither.
    """
    if "torchvggish" in sys.modules or find_spec("torchvggish") is not None:
        return None
    copies = [folder / "torchvggish" for folder in checkpoint_folders()]
    copies.append(torch_hub_folder() / "harritaylor_torchvggish_master")
    for copy in copies:
        if (copy / "torchvggish" / "vggish_input.py").is_file():
            return copy
    raise ModelError(
        "the code of VGGish is not on this machine",
        where="torchvggish",
        remedy="Install it with `pip install torchvggish==0.2`, or clone github.com/harritaylor/torchvggish to "
        f"{copies[0]}.",
        code="model/missing",
    )
