"""The constant-Q transform, faster: the same strongest bins as nnAudio's own forward pass."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from played import TUNE, hits, notes
from test_metric_anchors import STEM_FILES

from bench.audio import Clip
from bench.metrics import cqt
from bench.metrics.cqt import HOP, RATE, top1

LINE, DRUMS = notes(TUNE, rate=RATE), hits((0.3, 1.2, 2.5), rate=RATE)


def nn_audio(samples: np.ndarray) -> np.ndarray:
    with torch.inference_mode():
        return np.asarray(cqt._cqt()(torch.from_numpy(samples))[0])


def check(samples: np.ndarray) -> None:
    with torch.inference_mode():
        ours = cqt._magnitude(torch.from_numpy(samples)).numpy()
    theirs = nn_audio(samples)
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs).max() <= 1e-6 * theirs.max()
    assert np.array_equal(top1(samples).bins, theirs.argmax(axis=0))


@pytest.mark.parametrize("length", [HOP, HOP + 1, 33_333, 4 * RATE])
def test_bins_are_those_of_nn_audio(length: int) -> None:
    check(Clip.sum([LINE, DRUMS]).mono[:length].copy())
    check(np.random.default_rng(0).normal(0, 0.1, length).astype(np.float32))
    check(np.zeros(length, np.float32))


@pytest.mark.parametrize("song", sorted(STEM_FILES))
def test_and_on_real_recordings(song: str, shared_data: Path) -> None:
    check(Clip.read(shared_data / "medleydb" / "Audio" / song / f"{song}_MIX.wav").to_mono().resample(RATE).mono)


def test_less_than_a_hop_has_no_frame() -> None:
    assert len(top1(np.ones(HOP - 1, np.float32)).bins) == 0
