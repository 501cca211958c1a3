"""Classifier-free guidance (Ho & Salimans, 2022): a prompt's effect on the prediction, made larger.

    ε_w(x, t) = ε(x, t, ∅) + w (ε(x, t, c) − ε(x, t, ∅))

∅ is the empty prompt, or a negative prompt that the edit is to move away from. The network sees two rows for one, but
for w = 1, which is the prompt alone. An empty prompt with ∅ itself as negative is the same for every w: give it w = 1.
"""

from __future__ import annotations

from typing import Protocol, TypeVar

import torch

from bench.diffusion.samplers import Predict

ConditioningT_contra = TypeVar("ConditioningT_contra", contravariant=True)


class Network(Protocol[ConditioningT_contra]):
    """What guidance needs of a backbone (`bench.backbone.Backbone`)."""

    def predict(
        self, latents: torch.Tensor, *, timestep: int, conditioning: ConditioningT_contra, guidance: float = 1.0
    ) -> torch.Tensor:
        """The noise ε in latents at a timestep."""
        ...


def guided(
    backbone: Network[ConditioningT_contra], conditioning: ConditioningT_contra, guidance: float = 1.0
) -> Predict:
    """A backbone with its prompts and guidance w, as samplers and inversions take it."""

    def predict(latents: torch.Tensor, timestep: int) -> torch.Tensor:
        return backbone.predict(latents, timestep=timestep, conditioning=conditioning, guidance=guidance)

    return predict


def rows(guidance: float) -> int:
    """Rows that the network sees for each latent.

    >>> rows(1.0), rows(3.5)
    (1, 2)
    """
    return 1 if guidance == 1.0 else 2
