from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from bench.backbones.mel import FLOOR, HOP, MelFrontEnd
from bench.backbones.nano.griffin_lim import GriffinLim
from tasks.synth.render import render
from tasks.synth.scores import Note, Part
from tasks.synth.sounds import SOUNDS

MELODY = (220.0, 330.0, 440.0, 261.6)
NOTE_SECONDS = 0.6


@pytest.fixture(scope="module")
def vocoder() -> GriffinLim:
    return GriffinLim()


@pytest.fixture(scope="module")
def melody() -> torch.Tensor:
    """Four decaying notes of eight harmonics each, (samples,)."""
    t = np.arange(round(NOTE_SECONDS * 16_000)) / 16_000
    envelope = np.exp(-3 * t) * np.minimum(1, t / 0.01)
    notes = [envelope * sum(np.sin(2 * np.pi * k * f * t) / k for k in range(1, 9)) for f in MELODY]
    audio = np.concatenate(notes)
    return torch.from_numpy((0.5 * audio / np.abs(audio).max()).astype(np.float32))


def _pitch(note: torch.Tensor) -> float:
    """Frequency of the highest autocorrelation peak between 100 and 600 Hz, with parabolic interpolation."""
    x = note.double().numpy()
    correlation = np.correlate(x, x, "full")[len(x) - 1 :]
    first, last = 16_000 // 600, 16_000 // 100
    lag = first + int(np.argmax(correlation[first:last]))
    a, b, c = correlation[lag - 1 : lag + 2]
    return 16_000 / (lag + 0.5 * (a - c) / (a - 2 * b + c))


def test_round_trip_keeps_the_mel(vocoder: GriffinLim) -> None:
    """Of a rendered piano."""
    notes = tuple(Note(0.6 * i, 0.55, key, 100) for i, key in enumerate((57, 64, 69, 60)))
    audio = torch.from_numpy(render(Part("other", SOUNDS["piano"], notes), 2.4).to_mono().resample(16_000).mono)
    front_end = MelFrontEnd()
    log_mel = front_end.log_mel((0.5 * audio / audio.abs().max())[None])
    assert (front_end.log_mel(vocoder(log_mel)) - log_mel).abs().mean() < 0.22


def test_round_trip_keeps_the_pitch(vocoder: GriffinLim, melody: torch.Tensor) -> None:
    rebuilt = vocoder(MelFrontEnd().log_mel(melody[None]))[0]
    length = round(NOTE_SECONDS * 16_000)
    for index, frequency in enumerate(MELODY):
        note = rebuilt[index * length + 1600 : (index + 1) * length - 1600]
        assert abs(1200 * math.log2(_pitch(note) / frequency)) < 50


def test_round_trip_keeps_time(vocoder: GriffinLim) -> None:
    """A click comes back where it was: no offset of half a hop."""
    audio = torch.zeros(1, 16_000)
    audio[0, 8000:8016] = 0.5
    energy = vocoder(MelFrontEnd().log_mel(audio))[0].square()
    centre = (energy * torch.arange(len(energy))).sum() / energy.sum()
    assert abs(centre.item() - 8008) < 40


@pytest.mark.parametrize("frames", [1, 2, 5, 64])
def test_length_is_frames_times_hop(vocoder: GriffinLim, frames: int) -> None:
    log_mel = torch.full((2, frames, 64), -3.0)
    assert vocoder(log_mel).shape == (2, frames * HOP)
    assert vocoder(log_mel[0]).shape == (frames * HOP,)


def test_rows_do_not_see_each_other(vocoder: GriffinLim, melody: torch.Tensor) -> None:
    log_mel = MelFrontEnd().log_mel(torch.stack([melody, 0.1 * melody.flip(0), torch.zeros_like(melody)]))
    together = vocoder(log_mel)
    for row, alone in zip(log_mel, together, strict=True):
        torch.testing.assert_close(vocoder(row), alone, rtol=0, atol=1e-5)


def test_same_input_same_audio(melody: torch.Tensor) -> None:
    log_mel = MelFrontEnd().log_mel(melody[None])
    torch.manual_seed(1)
    first = GriffinLim()(log_mel)
    torch.manual_seed(2)
    assert torch.equal(first, GriffinLim()(log_mel))


def test_silence_stays_silent(vocoder: GriffinLim) -> None:
    assert vocoder(torch.full((50, 64), math.log(FLOOR))).abs().max() < 1e-4


def test_half_precision_input_and_module(melody: torch.Tensor) -> None:
    """`pipeline.to(bfloat16)` reaches the vocoder too; filters must not be rounded by it."""
    log_mel = MelFrontEnd().log_mel(melody[None])
    audio = GriffinLim().to(torch.bfloat16)(log_mel)
    assert audio.dtype == torch.float32
    assert torch.equal(audio, GriffinLim()(log_mel))


def test_other_shapes_and_settings_are_refused(vocoder: GriffinLim) -> None:
    with pytest.raises(ValueError, match="80"):
        vocoder(torch.zeros(1, 10, 80))
    with pytest.raises(ValueError, match="22050"):
        GriffinLim(sampling_rate=22_050)
