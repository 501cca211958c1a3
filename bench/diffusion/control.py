"""Attention control: let an edit follow a recorded source, and its prompt, more in some places than in others.

A controller here says what it does as one or two ordinary attentions (`Part`), so controllers can be chained
(`Chain`), chosen by kind of site (`ByKind`) and measured (`bench.diffusion.diagnostics`), and no L × L matrix is ever
built. Polyphonia's three are:

* Interpolation before the softmax (eqs. 10-11). Two logit matrices are mixed, row by row::

      E = G ⊙ (Q Kᵀ s) + (1 − G) ⊙ (Q_src K_srcᵀ s)

  Row i of E is the dot product of [g_i q_i ; (1−g_i) q_src_i] with [k_j ; k_src_j]: one attention over concatenated
  features gives it exactly.
* Interpolation after the softmax, its ablation: A = G ⊙ A_cur + (1 − G) ⊙ A_src, so A V is the same mean of two
  attended values, of the current queries and keys and of the source's.
* Modulation of text attention (eqs. 13-14): λ g mᵀ is added to the logits.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

import torch
import torch.nn.functional as F

from bench.diffusion.attention import AttentionCall, Kind

Key = tuple[int, str]
"""(timestep, name of the site)."""

QueriesAndKeys = tuple[torch.Tensor, torch.Tensor]
"""Of a source: each (1 or rows, heads, tokens, head dim)."""


class SourceMemory(Protocol):
    """Where the queries and keys of a source come from: a dictionary, for instance."""

    def __getitem__(self, key: Key, /) -> QueriesAndKeys:
        """What the source had at a timestep and site."""
        ...


# -- what controllers are made of -----------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Part:
    """One term of a controlled attention.

    Attributes:
        call: the attention to compute.
        share: how much of each query's result it is, (rows, queries); None for all of it.
    """

    call: AttentionCall
    share: torch.Tensor | None = None

    def attended(self) -> torch.Tensor:
        """Its contribution to the attended values."""
        values = self.call.plain()
        return values if self.share is None else self.share.to(values.dtype)[:, None, :, None] * values

    def inside(self, share: torch.Tensor | None) -> Part:
        """This part as part of something that has a share itself."""
        if share is None:
            return self
        return replace(self, share=share if self.share is None else share * self.share)


class Composable(ABC):
    """A controller that says what it does as attentions, whose shares add up to one for every query."""

    @abstractmethod
    def parts(self, call: AttentionCall) -> Sequence[Part]:
        """What is to be computed instead of `call`."""

    def __call__(self, call: AttentionCall) -> torch.Tensor:
        """The attended values."""
        return attended(self.parts(call))


def attended(parts: Sequence[Part]) -> torch.Tensor:
    """The sum of what some parts contribute, (rows, heads, queries, width of v)."""
    first, *others = [part.attended() for part in parts]
    return sum(others, start=first)


@dataclass(frozen=True, eq=False)
class Chain(Composable):
    """Controllers one after the other, each given the attentions that the one before it asks for. Empty: no change."""

    controllers: tuple[Composable, ...] = ()

    def parts(self, call: AttentionCall) -> Sequence[Part]:
        """The parts of the last, with the shares of all."""
        parts = [Part(call)]
        for controller in self.controllers:
            parts = [inner.inside(part.share) for part in parts for inner in controller.parts(part.call)]
        return parts


@dataclass(frozen=True, eq=False)
class ByKind(Composable):
    """One controller for each kind of site; kinds that are not named stay as they are."""

    controllers: Mapping[Kind, Composable]

    def parts(self, call: AttentionCall) -> Sequence[Part]:
        """The parts of the controller of the call's kind."""
        return self.controllers.get(call.site.kind, Chain()).parts(call)


# -- the source -----------------------------------------------------------------------------------------------------


@dataclass(eq=False)
class SourceRecorder(Composable):
    """A controller that changes nothing and keeps the queries and keys of every call.

    Attributes:
        dtype: what they are kept in; None keeps the network's own.
        place: "device", where the network is, or "cpu": main memory (pinned, if the network is on a GPU, so that it
            need not wait for the copies).
        memory: (timestep, site name) → (queries, keys), each (rows, heads, tokens, head dim).
    """

    dtype: torch.dtype | None = None
    place: Literal["device", "cpu"] = "device"
    memory: dict[Key, QueriesAndKeys] = field(default_factory=dict)

    def parts(self, call: AttentionCall) -> Sequence[Part]:
        """The call as it is, recorded."""
        self.memory[call.timestep, call.site.name] = (self._kept(call.q), self._kept(call.k))
        return (Part(call),)

    def nbytes(self) -> int:
        """Bytes of all that is kept."""
        return sum(tensor.nbytes for pair in self.memory.values() for tensor in pair)

    def _kept(self, tensor: torch.Tensor) -> torch.Tensor:
        dtype = self.dtype or tensor.dtype
        if self.place == "device":
            return tensor.detach().to(dtype, copy=True, memory_format=torch.contiguous_format)
        kept = torch.empty(tensor.shape, dtype=dtype, pin_memory=tensor.is_cuda)
        return kept.copy_(tensor.detach(), non_blocking=True)


def of_source(call: AttentionCall, memory: SourceMemory) -> AttentionCall:
    """The call with the queries and keys of a source in place of its own; values and mask stay."""
    q, k = (
        tensor.to(call.q, non_blocking=True).expand(call.q.shape[0], -1, -1, -1)
        for tensor in memory[call.timestep, call.site.name]
    )
    return replace(call, q=q, k=k)


# -- what Polyphonia does ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Interpolation(Composable):
    """Queries follow the edit where G is 1, a recorded source where it is 0 (Polyphonia, eqs. 10-11).

    Attributes:
        memory: of the source, at the timesteps and sites that will be asked for; it has as many tokens as the edit.
        gates: level → G per query at that level, (tasks, queries), in [0, 1].
        softmax: mix logits "before" the softmax, as published, or attention maps "after" it.
    """

    memory: SourceMemory
    gates: Mapping[int, torch.Tensor]
    softmax: Literal["before", "after"] = "before"

    def parts(self, call: AttentionCall) -> Sequence[Part]:
        """One attention with features twice as wide, or two."""
        gate = _for_rows(self.gates[call.site.level], call)
        source = of_source(call, self.memory)
        if self.softmax == "after":
            return Part(call, gate), Part(source, 1 - gate)
        g = gate.to(call.q.dtype)[:, None, :, None]
        q = torch.cat([g * call.q, (1 - g) * source.q], dim=-1)
        return (Part(replace(call, q=q, k=torch.cat([call.k, source.k], dim=-1))),)


@dataclass(frozen=True, eq=False)
class Modulation(Composable):
    """softmax(E + λ Σ_n g_n m_nᵀ) V: pulls queries where g is high towards some tokens (Polyphonia, eqs. 13-14).

    The paper has one pair of g and m, for the target; the released code one for each stem that the prompt names.

    Attributes:
        gates: level → g per query at that level, (tasks, pairs, queries).
        tokens: m per token, (tasks, pairs, tokens), 1 on the tokens to be favoured; tokens after those get 0.
        strength: timestep → λ, in units of the logits.
    """

    gates: Mapping[int, torch.Tensor]
    tokens: torch.Tensor
    strength: Mapping[int, float]

    def parts(self, call: AttentionCall) -> Sequence[Part]:
        """The call with λ Σ g mᵀ added to its mask."""
        strength = self.strength[call.timestep]
        if strength == 0:
            return (Part(call),)
        gate = _for_rows(self.gates[call.site.level], call)
        tokens = _for_rows(F.pad(self.tokens, (0, call.k.shape[2] - self.tokens.shape[-1])), call)
        bias = (strength * gate.transpose(1, 2) @ tokens)[:, None].to(call.q.dtype)
        return (Part(replace(call, mask=bias if call.mask is None else call.mask + bias)),)


def _for_rows(tasks: torch.Tensor, call: AttentionCall) -> torch.Tensor:
    """One entry a task as one a row. Guidance has unconditional rows, then conditional: both are treated alike."""
    return torch.cat([tasks, tasks]) if call.guided else tasks
