"""Audiobox Aesthetics: how would people rate the edit as a recording, whatever it should have been?

A WavLM with four heads, trained on ratings from 1 to 10:

* content enjoyment (`aesthetics-ce`), content usefulness (`-cu`),
* production complexity (`-pc`), production quality (`-pq`).

It sees neither the prompt nor the source: read a value beside the copy-source control's, which is the source's own.

The mean of the channels at 16 kHz goes through in windows of 10 s side by side, the last one padded with zeros and
masked; a clip's value is the windows' mean by their length, as in the package. The weights are those on the hub
(CC BY 4.0), read as safetensors; the package's own predictor chooses its device itself and is not used.

Source: Tjandra et al., 2025 (arXiv 2502.05139); package `audiobox_aesthetics`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from bench.audio import Clip
from bench.checkpoints import Checkpoint, file_hash, locate
from bench.errors import ModelError
from bench.metric import Case, Missing, NetworkMetric
from bench.metrics.optional import Package
from bench.store import strict_json

PACKAGE = Package(
    "audiobox_aesthetics", ("audiobox_aesthetics", "requests"), "uv pip install audiobox_aesthetics==0.0.4 requests"
)
RATE = 16_000
WINDOW_S = 10
HUB = "https://huggingface.co/facebook/audiobox-aesthetics/resolve/main"

AXES = ("CE", "CU", "PC", "PQ")
Ratings = dict[str, float]
"""By axis."""


class AudioboxAesthetics:
    """The network.

    Args:
        device: where it runs.
        folder: with `model.safetensors` and `config.json`; by default the published ones.
    """

    published: ClassVar[tuple[Checkpoint, Checkpoint]] = (
        Checkpoint(
            "audiobox-aesthetics/model.safetensors",
            f"{HUB}/model.safetensors",
            415_472_992,
            "a5a3c2412649cc2384ec525ffd5180ce6c4778f43bed6108e0a1303de04d014e",
            "CC-BY-4.0",
        ),
        Checkpoint("audiobox-aesthetics/config.json", f"{HUB}/config.json", None, None, "CC-BY-4.0"),
    )
    batch: ClassVar[int] = 8

    def __init__(self, device: str = "cpu", folder: Path | None = None):
        self.device = device
        self._folder = folder

    @cached_property
    def identity(self) -> str:
        """The package, the weights and the configuration by their hashes, and how clips are cut.

        Raises:
            ModelError: `model/missing` if the package is installed and the weights cannot be had.
        """
        if not PACKAGE.installed:
            return PACKAGE.described
        weights, config = (file_hash(path)[:16] for path in self._files)
        return (
            f"{PACKAGE.described} weights sha256:{weights} config sha256:{config}, {RATE} Hz mono soxr HQ, "
            f"windows of {WINDOW_S} s padded with zeros, mean by length"
        )

    def rate(self, clips: Sequence[Clip]) -> list[Ratings]:
        """Ratings of mono clips at 16 kHz, of at least one sample."""
        import torch

        cut = import_module("audiobox_aesthetics.infer").make_inference_batch
        signals = [torch.from_numpy(clip.samples.T.copy()) for clip in clips]
        windows, masks, weights, owners = cut(signals, WINDOW_S, WINDOW_S, sample_rate=RATE)
        model, passes = self._model, []
        with torch.inference_mode():
            for start in range(0, len(windows), self.batch):
                wav, mask = (torch.stack(part[start : start + self.batch]).to(self.device) for part in (windows, masks))
                heads = model({"wav": wav, "mask": mask})
                passes.append(np.stack([heads[axis].float().cpu().numpy() for axis in AXES], axis=1))
        rows, lengths, of = np.concatenate(passes).astype(np.float64), np.asarray(weights), np.asarray(owners)
        means = [np.average(rows[of == clip], axis=0, weights=lengths[of == clip]) for clip in range(len(clips))]
        scales = [model.target_transform[axis] for axis in AXES]
        return [
            {axis: m * scale["std"] + scale["mean"] for axis, m, scale in zip(AXES, mean.tolist(), scales, strict=True)}
            for mean in means
        ]

    @cached_property
    def _files(self) -> tuple[Path, Path]:
        if self._folder is not None:
            return locate(self._folder / "model.safetensors"), locate(self._folder / "config.json")
        weights, config = self.published
        return locate(weights), locate(config)

    @cached_property
    def _model(self) -> Any:
        from safetensors import SafetensorError
        from safetensors.torch import load_model

        weights, config = self._files
        try:
            network = import_module("audiobox_aesthetics.model.aes").AesMultiOutput
            model = network(**strict_json.parse_object(config.read_bytes()))
            load_model(model, weights)
        except (SafetensorError, RuntimeError, OSError, TypeError, ValueError) as error:
            raise ModelError(
                f"Audiobox Aesthetics cannot be loaded: {str(error).splitlines()[0]}",
                where=str(weights),
                remedy="Fetch model.safetensors and config.json again: hf download facebook/audiobox-aesthetics",
                code="model/unreadable",
            ) from error
        return model.eval().to(self.device)


class _Aesthetics(NetworkMetric):
    """One axis of the ratings of the edit."""

    version = 1
    direction = "higher"
    source = "Tjandra et al., 2025 (arXiv 2502.05139), audiobox_aesthetics"
    networks = ("bench.metrics.aesthetics:AudioboxAesthetics",)
    package = PACKAGE
    axis: ClassVar[str]

    def __init__(self, network: AudioboxAesthetics):
        self.network = network

    @property
    def parameters(self) -> str:
        """The network."""
        return self.network.identity

    def prepare(self, cases: Sequence[Case]) -> None:
        """Rate all edits in one batch."""
        if PACKAGE.installed:
            self._rated(cases)

    def score(self, case: Case) -> float | Missing:
        """The rating."""
        if (lost := PACKAGE.missing()) is not None:
            return lost
        [ratings] = self._rated([case])
        return ratings[self.axis]

    def _rated(self, cases: Sequence[Case]) -> list[Ratings]:
        features = cases[0].features
        edits = [features.mono(case.edit, RATE) for case in cases]
        return features.get_all(edits, self.network.identity, self.network.rate)


class ContentEnjoyment(_Aesthetics):
    """CE: how enjoyable it is to listen to."""

    name = "aesthetics-ce"
    axis = "CE"
    summary = "content enjoyment, rated about 1 to 10 by Audiobox Aesthetics"


class ContentUsefulness(_Aesthetics):
    """CU: how useful it is as material for others."""

    name = "aesthetics-cu"
    axis = "CU"
    summary = "content usefulness, rated about 1 to 10 by Audiobox Aesthetics"


class ProductionComplexity(_Aesthetics):
    """PC: how many things sound together; more of it is not better, but other than the source's is a change."""

    name = "aesthetics-pc"
    axis = "PC"
    summary = "production complexity, rated about 1 to 10 by Audiobox Aesthetics"


class ProductionQuality(_Aesthetics):
    """PQ: how well it is recorded and mixed."""

    name = "aesthetics-pq"
    axis = "PQ"
    summary = "production quality, rated about 1 to 10 by Audiobox Aesthetics"
