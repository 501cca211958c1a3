"""EnCodec's encoder before quantisation, as `frechet-audio-distance` takes it: 128 dimensions, a row for each frame.

75 rows a second at 24 kHz, 150 at 48 kHz (where mono goes to both channels). Like that package, the 48 kHz network is
given the whole clip as it is, not second by second and levelled as when it codes.

The network is the package `encodec`'s, which `frechet-audio-distance` uses, too; its own class would download, move
torch.hub's folder and choose the device (see `pann`). A clip's rows are the same (a test holds it). Until 0.3.3 that
package took time for dimensions.

Source: Défossez et al., TMLR 2023; the package and its weights are CC BY-NC 4.0.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from bench.audio import Clip
from bench.checkpoints import Checkpoint
from bench.embedder import Embedding, Policy, Vectors
from bench.metrics.embedders.batching import by_length, checked, inference, refuse_stages
from bench.metrics.embedders.checkpointed import Checkpointed

if TYPE_CHECKING:
    import torch

_META = "https://dl.fbaipublicfiles.com/encodec/v0"
ENCODEC_24KHZ = Checkpoint(
    "encodec_24khz-d7cc33bc.th",
    f"{_META}/encodec_24khz-d7cc33bc.th",
    93_171_529,
    "d7cc33bcf1aad7f2dad9836f36431530744abeace3ca033005e3290ed4fa47bf",
    "CC-BY-NC-4.0",
)
ENCODEC_48KHZ = Checkpoint(
    "encodec_48khz-7e698e3e.th", f"{_META}/encodec_48khz-7e698e3e.th", None, "7e698e3e", "CC-BY-NC-4.0"
)

BATCH = 4
"""Clips of one length in one pass: each 10 s take about 180 MB at 24 kHz, 350 MB at 48 kHz."""


class Encodec(Checkpointed):
    """EnCodec at 24 kHz, mono."""

    name = "encodec"
    version = 1
    rate = 24_000
    licence = "CC-BY-NC-4.0"
    published = ENCODEC_24KHZ
    treatment = "encoder frames"
    network: ClassVar[str] = "encodec_model_24khz"

    @cached_property
    def _model(self) -> Any:
        return self.ready(build(self.network), self.tensors())

    def embed(self, clips: Sequence[Clip], *, policy: Policy = "blocks", stages: bool = False) -> list[Embedding]:
        """As the contract says: (frames, 128), under any policy.

        Raises:
            ModelError: `model/no-stages` if stages are asked for.
        """
        refuse_stages(self.name, stages)
        rows = by_length(checked(clips, self.rate), BATCH, self._encoded)
        return [Embedding(frames, np.ones(len(frames))) for frames in rows]

    def _encoded(self, clips: npt.NDArray[np.float32]) -> Vectors:
        import torch

        model = self._model
        audio = torch.from_numpy(clips)[:, None].expand(-1, model.channels, -1)
        with inference():
            made: torch.Tensor = model.encoder(audio.to(self.device))
        return made.transpose(1, 2).contiguous().cpu().numpy()


class Encodec48k(Encodec):
    """EnCodec at 48 kHz, both channels the same."""

    name = "encodec-48k"
    rate = 48_000
    published = ENCODEC_48KHZ
    network = "encodec_model_48khz"


def build(network: str) -> Any:
    """The package's network of random weights; torch's global random numbers are left alone."""
    import torch

    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # it uses what torch is about to rename
        return getattr(import_module("encodec").EncodecModel, network)(pretrained=False)
