"""The attentions of an AudioLDM 2 U-Net: which is which, and what takes a controller to them.

Every residual layer of a block with attention is followed by a group of `Transformer2DModel`s, one for each entry of
the block's `cross_attention_dim` (published: None, 768, 1024). Such a group is one *position*, numbered 1 to 16 in the
order of execution: down, mid, up. Each transformer has `attn1`, always self-attention, and `attn2`, which is
self-attention again (None), cross-attention to the language-of-audio tokens of GPT-2 (768) or to the text tokens
of T5 (1024). The kind is read off the width of the keys' input, never off an index.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch

from bench.backbones.attention import ControlledProcessor, heads
from bench.diffusion.attention import AttentionSite, Block, Kind
from bench.errors import ModelError


@dataclass(frozen=True)
class _Place:
    """A block of the U-Net: its dotted name, where it lies and how often it has halved the latent's axes."""

    module: Any
    name: str
    block: Block
    level: int


def find_sites(unet: Any, *, loa_width: int, text_width: int) -> tuple[AttentionSite, ...]:
    """All attentions of an `AudioLDM2UNet2DConditionModel`, in the order in which they are executed.

    Args:
        unet: the network.
        loa_width: width of the language-of-audio tokens (GPT-2's hidden size).
        text_width: width of the text tokens (T5's hidden size).

    Raises:
        ModelError: if the two widths are equal, so that the kinds cannot be told apart, or a cross-attention
            reads neither.
    """
    if loa_width == text_width:
        raise ModelError(
            f"language-of-audio and text tokens are both {text_width} wide, so attentions to them look the same",
            remedy="Use a model whose GPT-2 and T5 have different hidden sizes.",
            code="model/ambiguous-attention",
        )
    kinds: dict[int, Kind] = {loa_width: "loa", text_width: "text"}
    sites: list[AttentionSite] = []
    position = 0
    for place in _places(unet):
        transformers = list(getattr(place.module, "attentions", ()))
        group = len(place.module.cross_attention_dim) if transformers else 1
        for index, transformer in enumerate(transformers):
            position += index % group == 0
            for depth, layer in enumerate(transformer.transformer_blocks):
                for which in ("attn1", "attn2"):
                    attention = getattr(layer, which)
                    name = f"{place.name}.attentions.{index}.transformer_blocks.{depth}.{which}"
                    kind = _kind(attention, kinds, name)
                    sites.append(
                        AttentionSite(name, kind, place.block, position, len(sites), place.level, attention.heads)
                    )
    return tuple(sites)


def _places(unet: Any) -> Iterator[_Place]:
    """The U-Net's blocks in the order of execution. Every down block but the last halves time and frequency."""
    lowest = len(unet.down_blocks) - 1
    yield from (_Place(b, f"down_blocks.{i}", "down", i) for i, b in enumerate(unet.down_blocks))
    yield _Place(unet.mid_block, "mid_block", "mid", lowest)
    yield from (_Place(b, f"up_blocks.{i}", "up", lowest - i) for i, b in enumerate(unet.up_blocks))


def _kind(attention: Any, kinds: dict[int, Kind], name: str) -> Kind:
    if not attention.is_cross_attention:
        return "self"
    width = attention.to_k.in_features
    if width not in kinds:
        raise ModelError(
            f"this cross-attention reads tokens {width} wide; text and language-of-audio tokens are {sorted(kinds)}",
            where=name,
            remedy="Check that U-Net, GPT-2 and T5 come from one AudioLDM 2 checkpoint.",
            code="model/unknown-attention",
        )
    return kinds[width]


class AudioLDM2Processor(ControlledProcessor):
    """diffusers' `AttnProcessor2_0` for the attentions of AudioLDM 2, with the attention itself left to a controller.

    Of the options that `AttnProcessor2_0` knows, transformer blocks use none of group norm, spatial norm, key and
    query norm, residual connection and output rescaling; what is left is here.
    """

    def __call__(
        self,
        attn: Any,
        hidden_states: torch.Tensor,
        encoder_hidden_states: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        temb: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Attention of `hidden_states` (rows, tokens, channels) to themselves or to `encoder_hidden_states`."""
        context = hidden_states if encoder_hidden_states is None else encoder_hidden_states
        rows, keys, _ = context.shape
        if attention_mask is not None:
            attention_mask = attn.prepare_attention_mask(attention_mask, keys, rows).view(rows, attn.heads, -1, keys)
        q, k, v = (
            heads(projected, attn.heads)
            for projected in (attn.to_q(hidden_states), attn.to_k(context), attn.to_v(context))
        )
        projection, dropout = attn.to_out
        output: torch.Tensor = dropout(projection(self.attended(q, k, v, attention_mask, attn.scale)))
        return output
