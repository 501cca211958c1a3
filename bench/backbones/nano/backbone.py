"""nano as a backbone: AudioLDM 2's code paths on a pipeline that needs no download and no GPU."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from bench.backbones.audioldm2 import AudioLDM2
from bench.backbones.nano.build import build_pipeline

UNTRAINED = "its U-Net and text side are random, only its codec is trained"


class Nano(AudioLDM2):
    """The embedded small AudioLDM 2. Its codec is trained, its U-Net and text side are not (`docs/nano.md`).

    Numbers made with it are comparable among themselves only.
    """

    name = "nano"

    @classmethod
    def load(cls, device: str = "cpu", dtype: str = "float32", seed: int = 0) -> Self:  # type: ignore[override]
        """Build nano from a seed.

        Args:
            device: torch device.
            dtype: of the networks: float32, float16 or bfloat16. The vocoder always works in float32.
            seed: of the untrained weights.

        Raises:
            ModelError: if the codec's weights are not installed.
            UsageError: for an unknown dtype or a device that is not there.
        """
        return cls(
            build_pipeline(seed),
            model=f"nano, seed {seed}",
            device=device,
            dtype=dtype,
            licence="MIT",
            untrained=UNTRAINED,
        )

    @property
    def identity(self) -> Mapping[str, Any]:
        """AudioLDM 2's identity, and the vocoder's settings, which are no weights."""
        vocoder = {k: v for k, v in sorted(self._pipeline.vocoder.config.items()) if not k.startswith("_")}
        return {
            **super().identity,
            "vocoder": vocoder | {"upsample_rates": list(vocoder["upsample_rates"])},
        }
