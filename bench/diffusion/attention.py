"""Attention positions and the controllers that can take part in them.

A `AttentionSite` says which attention of the network this is: its kind (self, LoA or text), its block, its
place in the order of execution and how often time and frequency were halved before it. A `Controller` is
called at the sites it was installed on with queries, keys and values, and returns the attended values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import torch
import torch.nn.functional as F

Kind = Literal["self", "loa", "text"]
Block = Literal["down", "mid", "up"]


@dataclass(frozen=True)
class AttentionSite:
    """One attention of the network.

    Attributes:
        name: the module's dotted name.
        kind: "self", "loa" (cross-attention to the language-of-audio tokens) or "text" (to the text tokens).
        block: "down", "mid" or "up".
        position: 1, 2, …: the attention position in execution order, as papers number "layers" (16 in AudioLDM 2).
        order: index among all sites in execution order.
        level: how often the latent's time and frequency were halved before it.
        heads: number of heads.
    """

    name: str
    kind: Kind
    block: Block
    position: int
    order: int
    level: int
    heads: int

    def grid(self, time: int, frequency: int) -> tuple[int, int]:
        """(time, frequency) tokens here for a latent of that size; tokens are flattened time-major."""
        for _ in range(self.level):
            time, frequency = -(-time // 2), -(-frequency // 2)
        return time, frequency


@dataclass(frozen=True, eq=False)
class AttentionCall:
    """One attention about to be computed.

    Attributes:
        site, timestep: where and when.
        q, k, v: (rows, heads, tokens, head dim); keys and values have their own number of tokens.
        mask: additive, broadcastable to (rows, heads, queries, keys), or None.
        scale: factor on the logits.
        guided: True if the first half of the rows is unconditional and the second half conditional.
    """

    site: AttentionSite
    timestep: int
    q: torch.Tensor
    k: torch.Tensor
    v: torch.Tensor
    mask: torch.Tensor | None
    scale: float
    guided: bool

    def plain(self) -> torch.Tensor:
        """What the network itself would compute here."""
        return F.scaled_dot_product_attention(self.q, self.k, self.v, attn_mask=self.mask, scale=self.scale)


class Controller(Protocol):
    """Computes the attention at the sites it is installed on."""

    def __call__(self, call: AttentionCall) -> torch.Tensor:
        """The attended values, shaped like `call.q` but with v's head dim."""
        ...
