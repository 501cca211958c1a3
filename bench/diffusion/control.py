"""Attention control by a source: record its queries and keys, then let an edit follow them.

The interpolation of Polyphonia (eqs. 10-11) mixes two logit matrices, row by row, before the softmax::

    E = G ⊙ (Q Kᵀ s) + (1 − G) ⊙ (Q_src K_srcᵀ s)

Row i of E is the dot product of [g_i q_i ; (1−g_i) q_src_i] with [k_j ; k_src_j], so one fused attention call
over concatenated features gives the result exactly, and no L × L matrix is ever built.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F

from bench.diffusion.attention import AttentionCall

Key = tuple[int, str]


@dataclass(eq=False)
class SourceRecorder:
    """A controller that changes nothing and keeps the queries and keys of every call.

    Attributes:
        memory: (timestep, site name) → (queries, keys), each (rows, heads, tokens, head dim).
        dtype: what they are kept in; None keeps the network's own.
    """

    dtype: torch.dtype | None = None
    memory: dict[Key, tuple[torch.Tensor, torch.Tensor]] = field(default_factory=dict)

    def __call__(self, call: AttentionCall) -> torch.Tensor:
        """Record, then compute what the network would."""
        self.memory[call.timestep, call.site.name] = (self._kept(call.q), self._kept(call.k))
        return call.plain()

    def _kept(self, tensor: torch.Tensor) -> torch.Tensor:
        return tensor.detach().to(self.dtype or tensor.dtype, copy=True)


def interpolated_attention(
    call: AttentionCall, source: tuple[torch.Tensor, torch.Tensor], gate: torch.Tensor
) -> torch.Tensor:
    """softmax(G ⊙ E_cur + (1 − G) ⊙ E_src) V, by concatenated features (see the module's docstring).

    Args:
        call: the current attention; its keys and the source's have equally many tokens.
        source: queries and keys of the source, (1 or rows, heads, tokens, head dim).
        gate: G per query, (rows, queries), in [0, 1]: 1 follows the edit, 0 the source.

    Returns:
        (rows, heads, queries, head dim).
    """
    rows, heads, _, dim = call.q.shape
    q_src, k_src = (t.to(call.q.dtype).expand(rows, heads, -1, -1) for t in source)
    g = gate.to(call.q.dtype)[:, None, :, None]
    q = torch.cat([g * call.q, (1 - g) * q_src], dim=-1)
    k = torch.cat([call.k, k_src], dim=-1)
    # Fused kernels want queries, keys and values of one width: pad the values and cut the result.
    v = F.pad(call.v, (0, dim))
    return F.scaled_dot_product_attention(q, k, v, attn_mask=call.mask, scale=call.scale)[..., :dim]


def biased_attention(call: AttentionCall, gate: torch.Tensor, tokens: torch.Tensor, strength: float) -> torch.Tensor:
    """softmax(E + λ g mᵀ) V: pulls the queries where G is high towards some text tokens (Polyphonia, eqs. 13-14).

    Args:
        call: the current cross-attention.
        gate: g per query, (rows, queries).
        tokens: m per key, (rows, keys), 1 on the tokens to be favoured.
        strength: λ, in units of the logits.

    Returns:
        (rows, heads, queries, head dim).
    """
    bias = strength * gate[:, None, :, None] * tokens[:, None, None, :]
    mask = bias.to(call.q.dtype) if call.mask is None else call.mask + bias.to(call.q.dtype)
    return F.scaled_dot_product_attention(call.q, call.k, call.v, attn_mask=mask, scale=call.scale)


@dataclass(frozen=True, eq=False)
class SourceGuide:
    """The controller of an edit that follows a recorded source where G is low, and its text where G is high.

    Attributes:
        memory: what a `SourceRecorder` kept at the same timesteps and sites.
        gates: level → G per query at that level, (tasks, queries).
        tokens: m per text token, (tasks, tokens).
        strength: λ of the text bias.
    """

    memory: Mapping[Key, tuple[torch.Tensor, torch.Tensor]]
    gates: Mapping[int, torch.Tensor]
    tokens: torch.Tensor
    strength: float

    def __call__(self, call: AttentionCall) -> torch.Tensor:
        """Interpolated attention at self and LoA sites, biased attention at text sites."""
        # Under classifier-free guidance the unconditional rows come first; both halves are treated alike.
        copies = 2 if call.guided else 1
        gate = self.gates[call.site.level].repeat(copies, 1)
        if call.site.kind == "text":
            return biased_attention(call, gate, self._padded(call.k.shape[2]).repeat(copies, 1), self.strength)
        return interpolated_attention(call, self.memory[call.timestep, call.site.name], gate)

    def _padded(self, keys: int) -> torch.Tensor:
        return F.pad(self.tokens, (0, keys - self.tokens.shape[1]))
