"""PANNs' Cnn14 (32 kHz) and Cnn14_16k, as `frechet-audio-distance` has them: 2048 dimensions a window.

The network's classes are the package's; its `FrechetAudioDistance` is not used, for four reasons: made, it downloads
without a check, moves torch.hub's folder for the whole process and chooses the device itself; and its `get_embeddings`
(0.3.4) puts the vectors of all clips into one long row, so that its distance is one of *one* dimension, and goes on
without the clips that failed. A clip's vector is the same (a test holds it).

Cnn14 was trained on 10 s and takes any length from 0.32 s on; windows shorter than that are padded with zeros.

Source: Kong et al., TASLP 2020; checkpoints: zenodo.org/records/3987831, CC BY 4.0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from bench.audio import Clip
from bench.checkpoints import Checkpoint
from bench.embedder import Embedding, Policy, Vectors
from bench.metrics.embedders.batching import Samples, by_length, by_window, inference, refuse_stages
from bench.metrics.embedders.checkpointed import Checkpointed
from bench.metrics.embedders.laion_package import import_module_of

if TYPE_CHECKING:
    import torch

_ZENODO = "https://zenodo.org/record/3987831/files"
CNN14 = Checkpoint(
    "Cnn14_mAP=0.431.pth",
    f"{_ZENODO}/Cnn14_mAP%3D0.431.pth",
    327_428_481,
    "0dc499e40e9761ef5ea061ffc77697697f277f6a960894903df3ada000e34b31",
    "CC-BY-4.0",
)
CNN14_16K = Checkpoint(
    "Cnn14_16k_mAP=0.438.pth",
    f"{_ZENODO}/Cnn14_16k_mAP%3D0.438.pth",
    358_668_570,
    "e2ee543a27919542c2ea03eabaa70b24dcd4e6c8e05621de6b67a94e4c5058e6",
    "CC-BY-4.0",
)

BATCH = 8
"""Windows in one pass: about 50 MB each."""

MIN_S = 0.32
"""Five halvings of 10 ms frames must leave one."""


class Pann(Checkpointed):
    """Cnn14 at 32 kHz."""

    name = "pann"
    version = 1
    rate = 32_000
    licence = "CC-BY-4.0"
    published = CNN14
    treatment = f"windows of 10 s, zeros below {MIN_S} s"
    # Band edges and window are those that the package passes; the filters themselves are weights of the checkpoint.
    network: ClassVar[str] = "Cnn14"
    front: ClassVar[Mapping[str, int]] = {"window_size": 1024, "hop_size": 320, "fmin": 50, "fmax": 16_000}

    @cached_property
    def _model(self) -> Any:
        return self.ready(build(self.network, self.rate, self.front), self.tensors())

    def embed(self, clips: Sequence[Clip], *, policy: Policy = "blocks", stages: bool = False) -> list[Embedding]:
        """As the contract says: (windows, 2048).

        Raises:
            ModelError: `model/no-stages` if stages are asked for.
        """
        refuse_stages(self.name, stages)
        return by_window(clips, self.rate, policy, BATCH, self._pass)

    def _pass(self, windows: Sequence[Samples]) -> tuple[Vectors, tuple[Vectors, ...]]:
        shortest = round(MIN_S * self.rate)
        filled = [np.pad(window, (0, max(0, shortest - len(window)))) for window in windows]
        return np.stack(by_length(filled, BATCH, self._embedded)), ()

    def _embedded(self, windows: npt.NDArray[np.float32]) -> Vectors:
        import torch

        with inference():
            made: torch.Tensor = self._model(torch.from_numpy(windows).to(self.device))["embedding"]
        return made.cpu().numpy()


class Pann16k(Pann):
    """Cnn14 at 16 kHz, for systems of that rate: nothing above 8 kHz is looked at."""

    name = "pann-16k"
    rate = 16_000
    published = CNN14_16K
    network = "Cnn14_16k"
    front: ClassVar[Mapping[str, int]] = {"window_size": 512, "hop_size": 160, "fmin": 50, "fmax": 8_000}


def build(network: str, rate: int, front: Mapping[str, int]) -> Any:
    """The package's network of random weights; torch's global random numbers are left alone."""
    import torch

    classes = import_module_of("frechet_audio_distance.models.pann")
    with torch.random.fork_rng(devices=[]):
        return getattr(classes, network)(sample_rate=rate, mel_bins=64, classes_num=527, **front)
