"""The knobs of MI-guided inpainting, and the paper's settings by name.

The paper's table has six settings, k falling and the clamp growing from 1 to 6, and four extremes; their exact values
are not published. Chosen: k of 0.6, 0.5, 0.4 with clamps of 0.25 and 0.40, which are what the demos and the
listening test were made with (k 0.40-0.65, clamp 0.20-0.40); the paper recommends settings 3 and 4, and "published"
lies between them (k = 50 % as in the text, clamp 0.30 as most demos).

Of the 8 channels of AudioLDM 2, ⌈0.5 · 8⌉ = ⌈0.4 · 8⌉ = 4: settings 5 and 6 are 3 and 4 there, unless unit=cell.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from bench.method import Method
from methods.mi_inpainting.ranking import Unit

_MODEL = {"steps": 30, "guidance": 1.25}
_RECOMMENDED = {**_MODEL, "k": 0.5, "rho": 0.3}

PRESETS: Mapping[str, Mapping[str, Any]] = {
    "published": _RECOMMENDED,
    "setting-1": {**_MODEL, "k": 0.6, "rho": 0.25},
    "setting-2": {**_MODEL, "k": 0.6, "rho": 0.4},
    "setting-3": {**_MODEL, "k": 0.5, "rho": 0.25},
    "setting-4": {**_MODEL, "k": 0.5, "rho": 0.4},
    "setting-5": {**_MODEL, "k": 0.4, "rho": 0.25},
    "setting-6": {**_MODEL, "k": 0.4, "rho": 0.4},
    "high-k": {**_RECOMMENDED, "k": 0.8},
    "low-k": {**_RECOMMENDED, "k": 0.2},
    "long-clamp": {**_RECOMMENDED, "rho": 0.7},
    "short-clamp": {**_RECOMMENDED, "rho": 0.1},
}
"""Published settings by name."""


class MIInpaintingConfig(Method.Config):
    """Published values: the paper and its demos; steps and guidance: Diff-A-Riff, the paper's model."""

    k: float = Field(0.5, ge=0, le=1, description="share of channels that are timbre, those with the highest I_c")
    rho: float = Field(0.3, ge=0, le=1, description="ρ, fraction of the steps, from the first, that are clamped")
    steps: int = Field(30, ge=1, le=999, description="T, steps of the inversion and of the generation")
    guidance: float = Field(1.25, ge=0, description="classifier-free guidance of the generation; 1 turns it off")
    clamp: Literal["inverted", "renoised"] = Field(
        "inverted", description="structure comes from the DDIM inversion, or (RePaint, ablation) the source noised anew"
    )
    sampler: Literal["ddim", "heun"] = Field(
        "ddim", description="DDIM on the network's own grid, or Heun on that of Karras et al. (the paper's family)"
    )
    unit: Unit = Field(
        "channel", description="what k counts: channels, or cells, each frequency row of a channel by itself"
    )
    ranking: Path | None = Field(
        None, exclude=True, description="file of `timbrebench analyse mi`; default: the one that ships for the backbone"
    )
