"""Keep the noise that an inversion predicts near white and normal: pix2pix-zero (Parmar et al., SIGGRAPH 2023).

With m_c,s = the mean over a channel of ε ⊙ (ε shifted by s), along time or along frequency:

    L_ac = Σ_c m_c,s²        (no correlation with itself)
    L_kl = var ε + (mean ε)² − 1 − ln(var ε)        (zero mean, unit variance)

and `rounds` times: ε ← ε − λ_ac ∇L_ac / rolls, for each of `rolls` random shifts; then ε ← ε − λ_kl ∇L_kl.

Like the code of MusicMagus, and unlike the paper, this measures autocorrelation at full resolution alone, not on a
pyramid.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Regularisation:
    """How much. The defaults are those of pix2pix-zero and MusicMagus.

    Attributes:
        rounds, rolls: repetitions, and random shifts in each.
        autocorrelation, divergence: λ_ac and λ_kl; 0 turns a term off.
    """

    rounds: int = 5
    rolls: int = 5
    autocorrelation: float = 20.0
    divergence: float = 20.0

    def __call__(self, eps: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """ε after all rounds.

        Args:
            eps: predicted noise of one latent, (1, channels, time, frequency).
            generator: on the CPU, for the shifts; one a channel and roll, below half the length of the latent.
        """
        for _ in range(self.rounds):
            for _ in range(self.rolls if self.autocorrelation else 0):
                shifts = torch.randint(max(1, eps.shape[2] // 2), (eps.shape[1],), generator=generator).tolist()
                eps = eps - self.autocorrelation / self.rolls * autocorrelation_gradient(eps, shifts)
            if self.divergence:
                eps = eps - self.divergence * divergence_gradient(eps)
        return eps


def autocorrelation_gradient(eps: torch.Tensor, shifts: list[int]) -> torch.Tensor:
    """∇L_ac for one shift a channel, shaped like `eps`: (1, channels, time, frequency)."""
    gradient = torch.zeros_like(eps)
    for channel, shift in enumerate(shifts):
        x = eps[:, channel]
        for axis in (1, 2):
            ahead, behind = torch.roll(x, shift, axis), torch.roll(x, -shift, axis)
            gradient[:, channel] += 2 * (x * ahead).mean() * (ahead + behind) / x.numel()
    return gradient


def divergence_gradient(eps: torch.Tensor) -> torch.Tensor:
    """∇L_kl, shaped like `eps`; the variance is the unbiased one over all elements."""
    mean, variance = eps.mean(), eps.var()
    return 2 * (eps - mean) / (eps.numel() - 1) * (1 - 1 / (variance + 1e-7)) + 2 * mean / eps.numel()
