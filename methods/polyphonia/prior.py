"""The acoustic prior G: where in time and frequency the edited stem dominates the mixture.

Paper, eq. 9: the ideal ratio mask in the mel domain,

    G = sqrt( M(|S_tgt|²) / ( M(|S_tgt|²) + M(|S_con|²) ) ),

with M the mel filterbank, S_tgt the edited stem and S_con the sum of the other stems. The released code divides by
M(|X|²) of the mixture X and clamps; the paper's ablation, G_norm, is the target's own envelope and ignores the rest.

An attention level sees G on its own grid. AudioLDM 2's levels have 8, 4 and 2 frequency cells, so no mask of this kind
can separate more than 8 bands; the released code keeps none of them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F

from bench.task import StemName

_RELEASE_FLOOR = 1e-10  # added to the mixture's energy in the released code


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


def clamped_ratio_mask(target: torch.Tensor, mixture: torch.Tensor) -> torch.Tensor:
    """G of the released code: the ratio to the mixture, which a stem can exceed where stems cancel, clamped to 1.

    Args:
        target: mel power of the edited stem, at its own level.
        mixture: mel power of the mixture, of the same shape and level.

    Returns:
        The same shape, in [0, 1].
    """
    return (target / (mixture + _RELEASE_FLOOR)).clamp(0, 1).sqrt()


def envelope_mask(target: torch.Tensor) -> torch.Tensor:
    """G_norm of the paper's ablation: the target's magnitude, as a part of its largest value in the excerpt.

    Args:
        target: mel power of the edited stem.

    Returns:
        The same shape, in [0, 1]; 0 for silence.
    """
    magnitude = target.sqrt()
    return magnitude / magnitude.max().clamp_min(torch.finfo(magnitude.dtype).tiny)


def stretched(mask: torch.Tensor, frames: int) -> torch.Tensor:
    """A mask (n, bands) over another number of frames, by linear interpolation in time."""
    if mask.shape[0] == frames:
        return mask
    resized = F.interpolate(mask[None, None], (frames, mask.shape[1]), mode="bilinear", align_corners=False)
    return resized[0, 0]


def level_gate(mask: torch.Tensor, cell: tuple[int, int]) -> torch.Tensor:
    """G for the tokens of one attention level: the mean over the cells that they stand for, flattened time-major.

    Args:
        mask: (frames, mel bands).
        cell: mel frames and bands that a token spans; cells at the end may be smaller.

    Returns:
        (ceil(frames / cell[0]) * ceil(bands / cell[1]),).
    """
    return F.avg_pool2d(mask[None, None], cell, ceil_mode=True, count_include_pad=False).flatten()


def level_gate_in_time(mask: torch.Tensor, tokens: int) -> torch.Tensor:
    """G for the tokens of one level as the released code makes it: the mask resized to (tokens, 1), bilinearly.

    No low-pass comes first, so at each token's place in time (tokens are time-major) only the two central bands are
    looked at: of AudioLDM 2's 64, bands 31 and 32, at 1.65 to 1.73 kHz.

    Args:
        mask: (frames, mel bands).
        tokens: of the level.

    Returns:
        (tokens,).
    """
    return F.interpolate(mask[None, None], (tokens, 1), mode="bilinear", align_corners=False).flatten()


def with_prefix(gate: torch.Tensor, prefix: int) -> torch.Tensor:
    """G with queries before the grid's that stand for the whole clip: they are the edit's as much as its largest G.

    So G = 1 everywhere leaves them to the edit and G = 0 to the source, and silence after the clip has no say.

    Args:
        gate: (stems, tokens).
        prefix: how many.

    Returns:
        (stems, prefix + tokens).
    """
    return torch.cat([gate.amax(dim=-1, keepdim=True).expand(-1, prefix), gate], dim=-1)


@dataclass(frozen=True, eq=False)
class Prior:
    """G of every stem of a source.

    Attributes:
        masks: stem → G on the mel grid of the audio, (n, bands); zeros for a stem that the source does not have.
        frames: mel frames that the latent stands for. Where the audio has fewer, G is stretched over them.
        latent: time and frequency cells of the latent.
        axes: what a level sees of G: both axes, or time alone as in the released code.
    """

    masks: Mapping[StemName, torch.Tensor]
    frames: int
    latent: tuple[int, int]
    axes: Literal["time-frequency", "time"]

    def gates(self, stems: Sequence[StemName], grids: Mapping[int, tuple[int, int]]) -> dict[int, torch.Tensor]:
        """G of some stems on the token grids of some levels.

        Args:
            stems: one a task; they may repeat.
            grids: level → (time, frequency) tokens.

        Returns:
            Level → (stems, tokens).
        """
        gates = {stem: {level: self._gate(stem, level, grids[level]) for level in grids} for stem in set(stems)}
        return {level: torch.stack([gates[stem][level] for stem in stems]) for level in grids}

    def _gate(self, stem: StemName, level: int, grid: tuple[int, int]) -> torch.Tensor:
        mask = self.masks[stem]
        if self.axes == "time":
            return level_gate_in_time(mask, math.prod(grid))
        time, frequency = self.latent
        cell = (self.frames // time * 2**level, mask.shape[1] // frequency * 2**level)
        return level_gate(stretched(mask, self.frames), cell)
