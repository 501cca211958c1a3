"""nano as a backbone: AudioLDM 2's code paths on a pipeline that needs no download and no GPU."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from bench.backbones.audioldm2 import AudioLDM2
from bench.backbones.nano.build import build_pipeline
from bench.backbones.nano.ship import SHIPPED
from bench.backbones.nano.untrained import untrained_pipeline

UNTRAINED = "its U-Net and text side are random, only its codec is trained"

LICENCE = "MIT; trained on audio rendered with the samples of TimGM6mb.sf2 (GPL-2.0)"


class _Small(AudioLDM2):
    """What nano has beyond AudioLDM 2: a vocoder whose settings are no weights."""

    @property
    def identity(self) -> Mapping[str, Any]:
        """AudioLDM 2's identity, the vocoder's settings, and what tables must say."""
        vocoder = {k: v for k, v in sorted(self._pipeline.vocoder.config.items()) if not k.startswith("_")}
        return {
            **super().identity,
            "caveat": self.caveat,
            "vocoder": vocoder | {"upsample_rates": list(vocoder["upsample_rates"])},
        }


class Nano(_Small):
    """The embedded small AudioLDM 2, trained on rendered songs (`docs/nano.md`).

    Numbers made with it are comparable among themselves only.
    """

    name = "nano"
    caveat = (
        "nano is a small embedded model: its numbers compare with one another, and with those of no other backbone."
    )

    @classmethod
    def load(cls, device: str = "cpu", dtype: str = "float32", model: str | Path = SHIPPED) -> Self:  # type: ignore[override]
        """Load nano.

        Args:
            device: torch device.
            dtype: of the networks: float32, float16 or bfloat16. The vocoder always works in float32.
            model: folder with other weights than the package's, as `timbrebench nano ship` writes them.

        Raises:
            ModelError: if weights are absent or damaged.
            UsageError: for an unknown dtype or a device that is not there.
        """
        name = "nano" if Path(model) == SHIPPED else Path(model).resolve().name
        return cls(build_pipeline(Path(model)), model=name, device=device, dtype=dtype, licence=LICENCE)


class UntrainedNano(_Small):
    """nano's classes and layout, narrower, with random weights: for tests, and to see that a method runs.

    Only the codec is trained. Numbers made with it say nothing.
    """

    name = "nano-untrained"

    @classmethod
    def load(cls, device: str = "cpu", dtype: str = "float32", seed: int = 0) -> Self:  # type: ignore[override]
        """Build it from a seed.

        Args:
            device: torch device.
            dtype: of the networks: float32, float16 or bfloat16. The vocoder always works in float32.
            seed: of the untrained weights.

        Raises:
            ModelError: if the codec's weights are absent or damaged.
            UsageError: for an unknown dtype or a device that is not there.
        """
        pipeline = untrained_pipeline(seed)
        model = f"nano-untrained, seed {seed}"
        return cls(pipeline, model=model, device=device, dtype=dtype, licence=LICENCE, untrained=UNTRAINED)
