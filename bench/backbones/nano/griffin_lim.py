"""A vocoder without weights: log-mel to waveform by mel inversion and the fast Griffin-Lim algorithm.

It stands in for `SpeechT5HifiGan` in an `AudioLDM2Pipeline`: the same call, the same configuration fields, and the
frames of `bench.backbones.mel` (frame k is centred at sample 160 k + 80, n frames are exactly 160 n samples).

Two steps:

1. The linear magnitudes S ≥ 0 with mel(S) ≈ exp(log-mel), by the multiplicative updates of Lee & Seung (NeurIPS 2000)
   for the generalised Kullback-Leibler divergence. Against the squared error, quiet bands count for more.
2. A phase for S by the fast Griffin-Lim algorithm (Perraudin, Balazs & Søndergaard, WASPAA 2013), from a
   phase that is random but always the same.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config

from bench.backbones import mel

_TINY = 1e-12


class GriffinLim(ModelMixin, ConfigMixin):  # type: ignore[misc]
    """Log-mel spectrograms to waveforms, without gradients and always in single precision.

    Rows of a batch do not see each other, and the same input gives the same audio.

    Args:
        sampling_rate: Hz of the waveform; 16000 is the only rate of AudioLDM 2's front end.
        model_in_dim: mel bands.
        upsample_rates: their product is the hop, as in `SpeechT5HifiGanConfig`.
        mel_iterations: multiplicative updates of the magnitudes.
        phase_iterations: projections of Griffin-Lim.
        momentum: α of the fast variant; 0 is plain Griffin-Lim (1984).
        phase_seed: of the phase to start from.
    """

    @register_to_config  # type: ignore[untyped-decorator]
    def __init__(
        self,
        sampling_rate: int = mel.RATE,
        model_in_dim: int = mel.BANDS,
        upsample_rates: Sequence[int] = (mel.HOP,),
        mel_iterations: int = 30,
        phase_iterations: int = 32,
        momentum: float = 0.99,
        phase_seed: int = 0,
    ):
        super().__init__()
        if (sampling_rate, model_in_dim, math.prod(upsample_rates)) != (mel.RATE, mel.BANDS, mel.HOP):
            raise ValueError(
                f"this vocoder inverts {mel.BANDS} bands at {mel.RATE} Hz with hop {mel.HOP}, "
                f"not {model_in_dim} at {sampling_rate} Hz with hop {math.prod(upsample_rates)}"
            )
        # Plain tensors, no buffers: `pipeline.to(torch.bfloat16)` must not round the filters.
        self._filters = mel.filterbank()
        self._window = torch.hann_window(mel.N_FFT)

    @torch.no_grad()
    def forward(self, spectrogram: torch.Tensor) -> torch.Tensor:
        """The waveform of a log-mel spectrogram.

        Args:
            spectrogram: (batch, frames, 64) or (frames, 64), of any floating type, on any device.

        Returns:
            float32 (batch, frames · 160) or (frames · 160,).
        """
        if spectrogram.ndim not in (2, 3) or spectrogram.shape[-1] != mel.BANDS:
            raise ValueError(f"expected (batch, frames, {mel.BANDS}) log-mels, not {tuple(spectrogram.shape)}")
        rows = spectrogram.float().reshape(-1, *spectrogram.shape[-2:])
        # One row at a time: matrix products of another batch size round differently, and 32 iterations amplify that.
        waveforms = torch.stack([self._row(row) for row in rows])
        return waveforms if spectrogram.ndim == 3 else waveforms[0]

    def _row(self, log_mel: torch.Tensor) -> torch.Tensor:
        """(frames, 64) → (frames · 160,)."""
        # The front end clamps at FLOOR: what lies there is silence.
        magnitudes = self.magnitudes((log_mel.exp() - mel.FLOOR).clamp_min(0).T)
        # torch.stft centres frame k at sample 160 k, the front end at 160 k + 80: add a frame at both ends, and drop
        # the first 160 − 80 samples.
        padded = F.pad(magnitudes[None], (1, 1), mode="replicate")[0]
        lead = mel.HOP - mel.HOP // 2
        return self._with_phase(padded)[lead : lead + mel.HOP * log_mel.shape[0]]

    def magnitudes(self, bands: torch.Tensor) -> torch.Tensor:
        """Non-negative linear magnitudes (513, frames) whose mel bands are nearly `bands` (64, frames)."""
        filters = self._filters.to(bands.device)
        weight = filters.sum(0)[:, None] + _TINY  # bins at 0 and 8000 Hz lie in no band
        estimate = filters.T @ bands / (filters.T @ filters.sum(1, keepdim=True) + _TINY)
        for _ in range(self.config.mel_iterations):
            estimate = estimate * (filters.T @ (bands / (filters @ estimate + _TINY))) / weight
        return estimate

    def _with_phase(self, magnitudes: torch.Tensor) -> torch.Tensor:
        """(513, frames) → ((frames − 1) · 160,), whose STFT magnitudes are nearly the given ones."""
        window = self._window.to(magnitudes.device)
        length = (magnitudes.shape[1] - 1) * mel.HOP
        inertia = self.config.momentum / (1 + self.config.momentum)

        def synthesise(phase: torch.Tensor) -> torch.Tensor:
            return torch.istft(magnitudes * phase, mel.N_FFT, mel.HOP, window=window, length=length)

        phase = self._first_phase(magnitudes)
        previous = torch.zeros_like(phase)
        for _ in range(self.config.phase_iterations):
            waveform = synthesise(phase)
            rebuilt = torch.stft(waveform, mel.N_FFT, mel.HOP, window=window, pad_mode="constant", return_complex=True)
            ahead = rebuilt - inertia * previous
            phase, previous = ahead / (ahead.abs() + _TINY), rebuilt
        return synthesise(phase)

    def _first_phase(self, magnitudes: torch.Tensor) -> torch.Tensor:
        """Unit complex numbers, frame by frame the same for every input and on every device."""
        generator = torch.Generator().manual_seed(self.config.phase_seed)
        angle = 2 * math.pi * torch.rand(magnitudes.T.shape, generator=generator).T.to(magnitudes.device)
        return torch.polar(torch.ones_like(angle), angle)
