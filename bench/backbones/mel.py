"""The log-mel front end that AudioLDM 2 and its vocoder were trained on.

16 kHz, 1024-sample Hann windows every 160 samples (100 frames a second), 64 Slaney-normalised mel bands from 0 to
8000 Hz, natural logarithm of the magnitudes clamped at 1e-5. Frames follow the convention of HiFi-GAN: the signal is
reflected by (window − hop)/2 = 432 samples at both ends and not centred, so that n·160 samples give exactly n
frames and frame k is centred at sample 160 k + 80.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F

RATE = 16_000
N_FFT = 1024
HOP = 160
BANDS = 64
F_MIN, F_MAX = 0.0, 8000.0
FLOOR = 1e-5

PARAMETERS = {
    "rate": RATE, "n_fft": N_FFT, "hop": HOP, "bands": BANDS, "f_min": F_MIN, "f_max": F_MAX, "floor": FLOOR,
}  # fmt: skip
"""All of the above, as JSON values, for identities."""


def filterbank() -> torch.Tensor:
    """The mel filterbank M, (64, 513), on the CPU."""
    from librosa.filters import mel

    return torch.from_numpy(mel(sr=RATE, n_fft=N_FFT, n_mels=BANDS, fmin=F_MIN, fmax=F_MAX, norm="slaney"))


class MelFrontEnd:
    """Log-mel spectrograms and mel power of batched waveforms, on one device."""

    def __init__(self, device: torch.device | str = "cpu"):
        self._filters = filterbank().to(device)
        self._window = torch.hann_window(N_FFT, device=device)

    def log_mel(self, waveform: torch.Tensor) -> torch.Tensor:
        """Natural log of the mel magnitude, clamped at 1e-5.

        Args:
            waveform: (batch, samples) at 16 kHz, at least 433 samples.

        Returns:
            (batch, samples // 160, 64).
        """
        return torch.log(self._mel(self._magnitude(waveform)).clamp_min(FLOOR))

    def mel_power(self, waveform: torch.Tensor) -> torch.Tensor:
        """The power spectrum through the mel filterbank, M(|S|²): what ratio masks in the mel domain are made of.

        Args:
            waveform: (batch, samples) at 16 kHz, at least 433 samples.

        Returns:
            (batch, samples // 160, 64), on the same frames as `log_mel`.
        """
        return self._mel(self._magnitude(waveform).square())

    def _magnitude(self, waveform: torch.Tensor) -> torch.Tensor:
        """(batch, samples) → (batch, bins, frames)."""
        edge = (N_FFT - HOP) // 2
        padded = F.pad(waveform.to(self._window), (edge, edge), mode="reflect")
        return torch.stft(padded, N_FFT, HOP, window=self._window, center=False, return_complex=True).abs()

    def _mel(self, spectrum: torch.Tensor) -> torch.Tensor:
        return (self._filters @ spectrum).transpose(1, 2)
