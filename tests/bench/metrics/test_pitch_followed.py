"""PESTO asked about voiced frames only gives what PESTO gives."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from played import TUNE, hits, notes

from bench.audio import Clip
from bench.metrics import pitch as pitch_module
from bench.metrics.pitch import LOUDNESS_LUFS, MIN_CONFIDENCE, RATE, pitch

LINE = notes(TUNE, rate=RATE, seconds=2.0)


@pytest.mark.parametrize(
    "clip",
    [LINE, Clip.sum([LINE, hits((0.3, 1.1), rate=RATE, seconds=2.0)]), LINE.fit(3 * RATE)],
    ids=["a line", "a line and noise", "a line and silence"],
)
def test_voiced_frames_have_the_packages_own_pitch_to_the_bit(clip: Clip) -> None:
    assert clip.loudness_lufs is not None
    scaled = clip.scaled(10 ** ((LOUDNESS_LUFS - clip.loudness_lufs) / 20))
    with torch.inference_mode():
        semitones, confidence, _ = pitch_module._pesto()(
            torch.from_numpy(scaled.mono), sr=RATE, convert_to_freq=False, return_activations=False
        )
    found = pitch(clip)
    voiced = confidence.numpy() >= MIN_CONFIDENCE
    assert voiced.any()
    assert np.array_equal(found.voiced, voiced)
    assert np.array_equal(found.cents[voiced], 100.0 * semitones.numpy().astype(np.float64)[voiced])
    assert (found.cents[~voiced] == 0.0).all()


def test_where_nothing_is_voiced_the_encoder_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(pitch_module._pesto().encoder), "forward", None)
    white = Clip.of(np.random.default_rng(0).normal(0, 0.1, RATE), RATE)
    found = pitch(white)
    assert len(found.voiced) == len(found.cents) > 90
    assert not found.voiced.any()
