"""Cross-attention maps as two baselines use them: recorded from a source, compared with an edit's, mixed into them.

A map is softmax(q kᵀ s + mask), (rows, heads, queries, tokens): how much each place in the latent looks at each token
of the prompt. Cross-attention has few tokens, so unlike self-attention's its maps are small enough to be made.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F

from bench.backbone import Conditioning
from bench.diffusion.attention import AttentionCall
from bench.diffusion.control import Key


def attend(call: AttentionCall, maps: torch.Tensor) -> torch.Tensor:
    """The values that a map attends to, (rows, heads, queries, head dim)."""
    return maps.to(call.v.dtype) @ call.v


@dataclass(eq=False)
class MapRecorder:
    """A controller that changes nothing and keeps the map of every call.

    Attributes:
        memory: (timestep, site name) → map, (rows, heads, queries, tokens), float32.
    """

    memory: dict[Key, torch.Tensor] = field(default_factory=dict)

    def __call__(self, call: AttentionCall) -> torch.Tensor:
        """Record, then compute what the network would."""
        self.memory[call.timestep, call.site.name] = call.weights().detach()
        return call.plain()


@dataclass(eq=False)
class MapDistance:
    """A controller that changes nothing and adds up how far the maps are from recorded ones, differentiably.

    The distance of a site is Σ (A − A_src)² over queries and tokens, and the mean over heads and over the `copies` rows
    that each edit has (two under guidance: all unconditional rows first). It is summed over sites and edits, so
    the gradient of one edit's latent does not depend on the others.

    Attributes:
        memory: maps of the source, (copies, heads, queries, tokens).
        copies: rows an edit. total: the distance so far.
    """

    memory: Mapping[Key, torch.Tensor]
    copies: int
    total: torch.Tensor | float = 0.0

    def __call__(self, call: AttentionCall) -> torch.Tensor:
        """Compare, then compute what the network would."""
        maps = call.weights()
        source = self.memory[call.timestep, call.site.name].to(maps)
        difference = maps.view(self.copies, -1, *maps.shape[1:]) - source[:, None]
        self.total = self.total + difference.square().sum() / (call.site.heads * self.copies)
        return attend(call, maps)


# -- tokens of two prompts --------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class TokenMap:
    """Which tokens of target prompts stand for which of source prompts.

    Attributes:
        projection: (prompts, source tokens, target tokens): a source's map times it is a map of the target's tokens.
        same: (prompts, target tokens), 1 for tokens that both prompts have.
        swapped: the same for tokens that stand in place of others.
    """

    projection: torch.Tensor
    same: torch.Tensor
    swapped: torch.Tensor


def align(source: Conditioning, target: Conditioning) -> TokenMap:
    """Align the tokens of pairs of prompts, as prompt-to-prompt does (Hertz et al., ICLR 2023).

    Equal tokens stand for each other. Where n tokens are exchanged for m, one by one if n = m; else each of the m
    stands for all n in equal parts of 1/m, so that no attention is lost. Tokens that are only in the target stand
    for none.
    """
    longest = [max(len(row) for row in prompts.offsets) for prompts in (source, target)]
    pairs = len(target.prompts)
    projection = torch.zeros(pairs, *longest)
    same, swapped = torch.zeros(pairs, longest[1]), torch.zeros(pairs, longest[1])
    for row in range(pairs):
        matcher = difflib.SequenceMatcher(None, _tokens(source, row), _tokens(target, row), autojunk=False)
        for kind, a, a_end, b, b_end in matcher.get_opcodes():
            if kind == "equal":
                same[row, b:b_end] = 1.0
            if kind == "replace":
                swapped[row, b:b_end] = 1.0
            if a_end - a == b_end - b:
                projection[row, a:a_end, b:b_end] = torch.eye(b_end - b)
            elif kind == "replace":
                projection[row, a:a_end, b:b_end] = 1 / (b_end - b)
    return TokenMap(projection, same, swapped)


def _tokens(conditioning: Conditioning, row: int) -> list[str]:
    """The text of each token, in lower case; special tokens have none."""
    return [conditioning.prompts[row][start:end].lower() for start, end in conditioning.offsets[row]]


@dataclass(frozen=True, eq=False)
class MapFuser:
    """A controller that mixes a source's maps into the conditional rows of an edit.

    M = M_tgt + r · a ⊙ (M_src P − M_tgt), then each column times its factor. Unconditional rows stay as they are.

    Attributes:
        memory: maps of the source at the current timestep, (edits or twice as many, heads, queries, source tokens).
        projection: P, (edits, source tokens, target tokens).
        mixed: a, 1 for the target's tokens that take part, (edits, target tokens).
        share: r, in [0, 1].
        factors: on the columns, (edits, target tokens).
    """

    memory: Mapping[Key, torch.Tensor]
    projection: torch.Tensor
    mixed: torch.Tensor
    share: float
    factors: torch.Tensor

    @property
    def acts(self) -> bool:
        """Whether it changes anything."""
        return self.share > 0 or bool((self.factors != 1).any())

    def __call__(self, call: AttentionCall) -> torch.Tensor:
        """Attend by the mixed map."""
        maps = call.weights()
        edits, tokens = len(self.mixed), maps.shape[-1]
        source = self.memory[call.timestep, call.site.name][-edits:].to(maps)
        if call.site.kind == "text":
            projection = _padded(self.projection, source.shape[-1], tokens).to(maps)[:, None]
            mixed, factors = (_padded(t, tokens).to(maps)[:, None, None] for t in (self.mixed, self.factors))
            source = source @ projection
        else:  # language-of-audio tokens stand for no words: the maps are mixed as they are
            mixed = factors = maps.new_ones(1)
        target = maps[-edits:]
        fused = (target + self.share * mixed * (source - target)) * factors
        return attend(call, torch.cat([maps[:-edits], fused]))


def _padded(tensor: torch.Tensor, *sizes: int) -> torch.Tensor:
    """The last axes filled up with zeros to some sizes: prompts of a batch are as long as the longest."""
    missing = [size - have for size, have in zip(sizes, tensor.shape[-len(sizes) :], strict=True)]
    return F.pad(tensor, [n for more in reversed(missing) for n in (0, more)])


def cosine_share(progress: float, *, highest: float, lowest: float) -> float:
    """Share r at `progress` (0 to 1) of a window: half a cosine from `highest` to `lowest`, cut to [0, 1]; then 0.

    >>> [round(cosine_share(p, highest=1.0, lowest=-1.0), 3) for p in (0.0, 0.25, 0.5, 0.75, 1.0)]
    [1.0, 0.707, 0.0, 0.0, 0.0]
    """
    if progress >= 1:
        return 0.0
    half_cosine = (1 + math.cos(math.pi * progress)) / 2
    return min(1.0, max(0.0, lowest + (highest - lowest) * half_cosine))
