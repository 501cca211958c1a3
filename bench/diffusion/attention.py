"""Attention positions and the controllers that can take part in them.

A `AttentionSite` says which attention of the network this is: its kind (self, LoA or text), its block, its
place in the order of execution and how often time and frequency were halved before it. A `Controller` is
called at the sites it was installed on with queries, keys and values, and returns the attended values.
`bench.diffusion.control` has controllers, and how to combine them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
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
        block: "down", "mid" or "up"; in a stack of layers without them, its first, second and last third.
        position: 1, 2, …: the attention position in execution order, as papers number "layers" (16 in AudioLDM 2).
        order: index among all sites in execution order.
        level: how often the latent's time and frequency were halved before it.
        heads: number of heads.
        prefix: queries that come before the grid's tokens and stand for the whole clip (Stable Audio Open: 1).
    """

    name: str
    kind: Kind
    block: Block
    position: int
    order: int
    level: int
    heads: int
    prefix: int = 0

    def grid(self, time: int, frequency: int) -> tuple[int, int]:
        """(time, frequency) tokens here for a latent of that size, after the prefix; they are flattened time-major."""
        for _ in range(self.level):
            time, frequency = -(-time // 2), -(-frequency // 2)
        return time, frequency


def select(
    sites: Iterable[AttentionSite],
    *,
    kinds: tuple[Kind, ...] = ("self", "loa", "text"),
    blocks: tuple[Block, ...] = ("down", "mid", "up"),
    positions: Collection[int] | None = None,
) -> tuple[AttentionSite, ...]:
    """The sites of some kinds, blocks and positions (None: all), in their order.

    Polyphonia takes the blocks `("down",)`, Melodia the self-attentions at positions `range(8, 15)`.
    """
    return tuple(
        site
        for site in sites
        if site.kind in kinds and site.block in blocks and (positions is None or site.position in positions)
    )


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
        """The attended values, (rows, heads, queries, width of v): what the network itself computes from these."""
        width = self.v.shape[-1]
        # Fused kernels want queries, keys and values of one width: pad the values, and cut the result.
        v = self.v if width == self.q.shape[-1] else F.pad(self.v, (0, self.q.shape[-1] - width))
        attended = F.scaled_dot_product_attention(self.q, self.k, v, attn_mask=self.mask, scale=self.scale)
        return attended[..., :width]

    def row(self, index: int) -> AttentionCall:
        """One row of the batch as a call of its own."""
        rows = slice(index, index + 1)
        mask = self.mask if self.mask is None or self.mask.shape[0] == 1 else self.mask[rows]
        return replace(self, q=self.q[rows], k=self.k[rows], v=self.v[rows], mask=mask)

    def weights(self) -> torch.Tensor:
        """softmax(q kᵀ · scale + mask), (rows, heads, queries, keys), in float32.

        The network never makes this matrix: at AudioLDM 2's first level a row of it takes 32 MB. Ask row by row.
        """
        logits = self.scale * self.q.float() @ self.k.float().transpose(-1, -2)
        return (logits if self.mask is None else logits + self.mask.float()).softmax(-1)


class Controller(Protocol):
    """Computes the attention at the sites it is installed on."""

    def __call__(self, call: AttentionCall) -> torch.Tensor:
        """The attended values, shaped like `call.q` but with v's head dim."""
        ...
