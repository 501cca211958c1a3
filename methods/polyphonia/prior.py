"""The acoustic prior G: where in time and frequency the edited stem dominates the mixture.

Paper, eq. 9: the ideal ratio mask in the mel domain,

    G = sqrt( M(|S_tgt|²) / ( M(|S_tgt|²) + M(|S_con|²) ) ),

with M the mel filterbank, S_tgt the edited stem and S_con the sum of the other stems. Each attention level
sees G averaged over the mel cells that its tokens stand for. AudioLDM 2's levels have 8, 4 and 2 frequency
cells, so no mask of this kind can separate more than 8 bands.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F


def ratio_mask(target: torch.Tensor, context: torch.Tensor) -> torch.Tensor:
    """G of eq. 9 from mel energies.

    Args:
        target: mel power of the edited stem.
        context: mel power of the other stems' sum, of the same shape.

    Returns:
        The same shape, in [0, 1]; 0 where both are silent.
    """
    total = target + context
    return torch.where(total > 0, target / total.clamp_min(torch.finfo(total.dtype).tiny), 0.0).sqrt()


def level_gate(mask: torch.Tensor, cell: int) -> torch.Tensor:
    """G for the tokens of one attention level: the mean over square cells, flattened time-major.

    Args:
        mask: (frames, mel bands).
        cell: mel frames (and bands) that a token spans; cells at the end may be smaller.

    Returns:
        (ceil(frames / cell) * ceil(bands / cell),).
    """
    pooled = F.avg_pool2d(mask[None, None], cell, ceil_mode=True, count_include_pad=False)
    return pooled.flatten()
