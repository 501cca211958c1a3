"""How sharp attention is: its normalised entropy, measured beside an edit without changing it.

For a query with attention p over K keys that no mask hides,

    h = −Σ p ln p / ln K,   0 (all on one key) to 1 (uniform),

in float32, with 0 ln 0 = 0. It is averaged over queries and heads, and kept for every row, timestep and site. Where a
gate G says which queries are the target's, the means weighted by G and by 1 − G stand beside the plain one. A site with
a single key has no entropy: its value is NaN here, and None in `summary`.

A fused attention call never has p in memory: every measured attention is computed a second time, one row of the
batch at a time (32 MB at AudioLDM 2's first level).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from bench.diffusion.attention import AttentionCall
from bench.diffusion.control import Chain, Composable, Part, attended

_HIDDEN = -1e3  # AudioLDM 2 hides keys by −10000; what a controller adds is some units of the logits
SPLITS = ("all", "target", "background")


@dataclass(eq=False)
class EntropyRecorder:
    """A controller that leaves the attention to another one and keeps the entropy of what that computes.

    With guidance only the conditional rows are measured.

    Attributes:
        controller: what computes the attention; by default the network's own.
        gates: level → G per query, (rows, queries), for the split into target and background; None: no split.
        rows: (timestep, site name) → (measured rows, 3): plain mean, mean weighted by G, and by 1 − G.
        kinds: site name → "self", "loa" or "text".
    """

    controller: Composable = field(default_factory=Chain)
    gates: Mapping[int, torch.Tensor] | None = None
    rows: dict[tuple[int, str], torch.Tensor] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)

    def __call__(self, call: AttentionCall) -> torch.Tensor:
        """What the controller computes, measured."""
        parts, count = self.controller.parts(call), call.q.shape[0]
        first = count // 2 if call.guided else 0
        gates = None if self.gates is None else self.gates[call.site.level]
        measured = [
            _means(row_entropy(parts, row, call), None if gates is None else gates[row - first])
            for row in range(first, count)
        ]
        self.rows[call.timestep, call.site.name] = torch.stack(measured)
        self.kinds[call.site.name] = call.site.kind
        return attended(parts)

    def array(self) -> npt.NDArray[np.float32]:
        """(rows, timesteps, sites, 3), timesteps from noise to audio, sites as executed; NaN where there is none."""
        timesteps = self.timesteps()
        stacked = torch.stack([torch.stack([self.rows[t, name] for name in self.kinds]) for t in timesteps])
        return np.asarray(stacked.permute(2, 0, 1, 3).cpu().numpy(), np.float32)

    def timesteps(self) -> list[int]:
        """The timesteps measured, descending."""
        return sorted({timestep for timestep, _ in self.rows}, reverse=True)

    def summary(self, row: int) -> dict[str, Any]:
        """The means of a row over the sites of each kind, as JSON values.

        Returns:
            {"timesteps": [...], "self": {"all": [one a timestep], "target": [...], "background": [...]}, …}; target and
            background only where there are gates, None where nothing can be said.
        """
        array = self.array()[row]
        sites = np.array(list(self.kinds.values()))
        splits = SPLITS if self.gates is not None else SPLITS[:1]
        found: dict[str, Any] = {"timesteps": self.timesteps()}
        for kind in dict.fromkeys(self.kinds.values()):
            curves = array[:, sites == kind]
            found[kind] = {split: [_json_mean(step) for step in curves[..., i]] for i, split in enumerate(splits)}
        return found


def compared(edit: EntropyRecorder, row: int, source: EntropyRecorder) -> dict[str, Any]:
    """The entropy of an edit beside its source's, as JSON values.

    Args:
        edit: of a batch.
        row: of the edit in it.
        source: of the source alone, in its inversion.

    Returns:
        {"edit": `summary` of the row, "source": `summary` of the source, "distance": kind → mean over timesteps and
        sites that both have of |H_edit − H_source|}.
    """
    both = [key for key in edit.rows if key in source.rows]
    distances = {key: (edit.rows[key][row, 0] - source.rows[key][0, 0]).abs().cpu().numpy() for key in both}
    kinds = dict.fromkeys(edit.kinds[name] for _, name in both)
    return {
        "edit": edit.summary(row),
        "source": source.summary(0),
        "distance": {
            kind: _json_mean(np.array([distances[key] for key in both if edit.kinds[key[1]] == kind])) for kind in kinds
        },
    }


def row_entropy(parts: Sequence[Part], row: int, call: AttentionCall) -> torch.Tensor:
    """Normalised entropy of one row's attention, per query, mean over heads: (queries,).

    Args:
        parts: what a controller makes of `call`.
        row: of the batch.
        call: as the network made it; its mask says which keys count.
    """
    weights = torch.stack([_weights(part, row) for part in parts]).sum(0)
    mask = call.row(row).mask
    keys = call.k.shape[2] if mask is None else int((mask.amax((0, 1, 2)) > _HIDDEN).sum())
    if keys < 2:
        return torch.full_like(weights[0, :, 0], math.nan)
    entropy: torch.Tensor = torch.special.entr(weights).sum(-1).mean(0) / math.log(keys)
    return entropy


def _weights(part: Part, row: int) -> torch.Tensor:
    """What a part adds to the attention of a row, (heads, queries, keys)."""
    attention = part.call.row(row).weights()[0]
    return attention if part.share is None else part.share[row][None, :, None] * attention


def _means(entropy: torch.Tensor, gate: torch.Tensor | None) -> torch.Tensor:
    """Plain, G-weighted and (1 − G)-weighted mean over queries; NaN where the weights sum to nothing."""
    if gate is None:
        return torch.stack([entropy.mean(), *entropy.new_full((2,), math.nan)])
    weights = torch.stack([torch.ones_like(gate), gate, 1 - gate]).to(entropy)
    return (weights @ entropy) / weights.sum(-1)


def _json_mean(values: npt.NDArray[np.float32]) -> float | None:
    known = values[np.isfinite(values)]
    return round(float(known.mean()), 4) if known.size else None
