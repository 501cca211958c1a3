"""The attentions of Stable Audio Open's transformer, and what takes a controller to them.

Every layer has `attn1`, self-attention among one global token (time and durations) and the latent's frames, and
`attn2`, from these to the text. A layer is one *position*.

A stack of layers has no down, middle and up. So that methods written for a U-Net find what they ask for, the first
third of the layers is called "down", the second "mid" and the last "up": early, middle and late. Nothing is published
about how they compare to the blocks of a U-Net.
"""

from __future__ import annotations

from typing import Any

import torch

from bench.backbones.attention import ControlledProcessor, heads
from bench.diffusion.attention import AttentionSite, Block, Kind

_BLOCKS: tuple[Block, ...] = ("down", "mid", "up")
_KINDS: tuple[tuple[str, Kind], ...] = (("attn1", "self"), ("attn2", "text"))


def find_sites(transformer: Any) -> tuple[AttentionSite, ...]:
    """All attentions of a `StableAudioDiTModel`, in the order in which they are executed."""
    layers = transformer.transformer_blocks
    return tuple(
        AttentionSite(
            name=f"transformer_blocks.{layer}.{which}",
            kind=kind,
            block=_BLOCKS[len(_BLOCKS) * layer // len(layers)],
            position=layer + 1,
            order=len(_KINDS) * layer + place,
            level=0,
            heads=getattr(layers[layer], which).heads,
            prefix=1,
        )
        for layer in range(len(layers))
        for place, (which, kind) in enumerate(_KINDS)
    )


class StableAudioProcessor(ControlledProcessor):
    """diffusers' `StableAudioAttnProcessor2_0` with the attention itself left to a controller.

    The controller sees queries and keys after their rotation by place (RoPE), and keys and values of text attention,
    which has fewer of them, repeated for every head. Options that the transformer's layers do not use (masks, norms of
    queries and keys, residual connection, output rescaling) are left out.
    """

    def __call__(
        self,
        attn: Any,
        hidden_states: torch.Tensor,
        encoder_hidden_states: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        rotary_emb: tuple[torch.Tensor, torch.Tensor] | None = None,
    ) -> torch.Tensor:
        """Attention of `hidden_states` (rows, tokens, channels) to themselves or to `encoder_hidden_states`."""
        context = hidden_states if encoder_hidden_states is None else encoder_hidden_states
        q = heads(attn.to_q(hidden_states), attn.heads)
        width = q.shape[-1]
        k, v = (
            heads(projected, projected.shape[-1] // width) for projected in (attn.to_k(context), attn.to_v(context))
        )
        if k.shape[1] != attn.heads:
            k, v = (each.repeat_interleave(attn.heads // each.shape[1], dim=1) for each in (k, v))
        if rotary_emb is not None:
            q, k = rotated(q, rotary_emb), rotated(k, rotary_emb)
        projection, dropout = attn.to_out
        output: torch.Tensor = dropout(projection(self.attended(q, k, v, None, width**-0.5)))
        return output


def rotated(x: torch.Tensor, rotary: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
    """Queries or keys (rows, heads, tokens, width), the first features of each turned by its place."""
    from diffusers.models.embeddings import apply_rotary_emb

    turning = rotary[0].shape[-1]
    turned = apply_rotary_emb(x[..., :turning].float(), rotary, use_real=True, use_real_unbind_dim=-2)
    return torch.cat([turned, x[..., turning:].float()], dim=-1).to(x.dtype)
