import librosa
import numpy as np
import pytest
import torch

from bench.backbones import mel


@pytest.fixture(scope="module")
def front_end() -> mel.MelFrontEnd:
    return mel.MelFrontEnd()


def waveform(samples: int = 16_000, seed: int = 0) -> np.ndarray:
    t = np.arange(samples) / mel.RATE
    tone = 0.3 * np.sin(2 * np.pi * 440 * t) + 0.1 * np.sin(2 * np.pi * 3000 * t)
    return (tone + 0.01 * np.random.default_rng(seed).standard_normal(samples)).astype(np.float32)


def spectrum(y: np.ndarray) -> np.ndarray:
    """|STFT| frame by frame with numpy, from the definition."""
    padded = np.pad(y.astype(np.float64), 432, mode="reflect")
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(1024) / 1024)
    frames = [padded[k * 160 : k * 160 + 1024] * window for k in range(len(y) // 160)]
    return np.abs(np.fft.rfft(frames, axis=1))


BANK = librosa.filters.mel(sr=16_000, n_fft=1024, n_mels=64, fmin=0.0, fmax=8000.0)


def test_log_mel_is_what_numpy_and_librosa_compute(front_end: mel.MelFrontEnd) -> None:
    y = waveform()
    expected = np.log(np.maximum(spectrum(y) @ BANK.T, 1e-5))
    np.testing.assert_allclose(front_end.log_mel(torch.from_numpy(y)[None])[0], expected, atol=2e-3)


def test_mel_power_is_the_power_spectrum_through_the_filterbank(front_end: mel.MelFrontEnd) -> None:
    y = waveform()
    expected = spectrum(y) ** 2 @ BANK.T
    np.testing.assert_allclose(front_end.mel_power(torch.from_numpy(y)[None])[0], expected, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("samples", [640, 16_000, 160_000, 163_840, 16_100])
def test_there_are_100_frames_a_second(front_end: mel.MelFrontEnd, samples: int) -> None:
    y = torch.from_numpy(waveform(samples))[None]
    assert front_end.log_mel(y).shape == front_end.mel_power(y).shape == (1, samples // 160, 64)


def test_a_batch_is_its_rows(front_end: mel.MelFrontEnd) -> None:
    rows = torch.stack([torch.from_numpy(waveform(seed=seed)) for seed in range(3)])
    batch = front_end.log_mel(rows)
    for row, expected in zip(rows, batch, strict=True):
        torch.testing.assert_close(front_end.log_mel(row[None])[0], expected, rtol=0, atol=1e-5)


def test_silence_is_the_floor(front_end: mel.MelFrontEnd) -> None:
    assert torch.equal(front_end.log_mel(torch.zeros(1, 1600)), torch.full((1, 10, 64), 1e-5).log())


def test_a_tone_peaks_in_its_band_and_a_click_in_its_frame(front_end: mel.MelFrontEnd) -> None:
    centres = librosa.mel_frequencies(n_mels=66, fmin=0.0, fmax=8000.0)[1:-1]
    tone = torch.sin(2 * torch.pi * 1000.0 * torch.arange(16_000) / 16_000)[None]
    assert abs(centres[int(front_end.mel_power(tone)[0, 50].argmax())] - 1000.0) < 60.0
    click = torch.zeros(1, 16_000)
    click[0, 160 * 40 + 80] = 1.0
    assert int(front_end.mel_power(click)[0].sum(dim=1).argmax()) == 40, "frame k is centred at sample 160 k + 80"
