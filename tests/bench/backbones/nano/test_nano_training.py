from __future__ import annotations

import numpy as np
import pytest
import torch

from bench.backbones.nano.corpus import DRUM_CHANNEL, Note, Piece, clips, random_piece, render
from bench.backbones.nano.train_vae import corpus_mels, evaluate, new_vae, standardise, train


def test_a_seed_gives_the_same_clips() -> None:
    first, again, other = (list(clips(seed, count=3, seconds=1.0)) for seed in (5, 5, 6))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not any(np.array_equal(a, b) for a, b in zip(first, other, strict=True))
    assert all(clip.shape == (16_000,) and 0.0 < np.abs(clip).max() <= 0.5001 for clip in first)


def test_notes_sound_when_and_as_high_as_written() -> None:
    audio = render(Piece((Note(0.5, 0.4, 0, 69, 100),), {0: 73}), 1.2)
    assert np.abs(audio[:7900]).max() < 1e-4 < np.abs(audio[8000:]).max()
    spectrum = np.abs(np.fft.rfft(audio[9600:14_400] * np.hanning(4800)))
    assert np.argmax(spectrum) * 16_000 / 4800 == pytest.approx(440, abs=5)


def test_pieces_stay_in_the_midi_range_and_vary() -> None:
    rng = np.random.default_rng(0)
    pieces = [random_piece(rng, 10.0) for _ in range(50)]
    keys = {note.key for piece in pieces for note in piece.notes}
    assert 20 <= min(keys) < max(keys) <= 108
    assert {len(piece.programs) for piece in pieces} >= {1, 2, 3}
    assert any(DRUM_CHANNEL in piece.programs for piece in pieces)


def test_training_lowers_the_error() -> None:
    mels = corpus_mels(seed=0, count=2)
    before, _ = evaluate(new_vae(0), mels)
    after, _ = evaluate(train(mels, steps=15, batch=2, seed=0), mels)
    assert after < 0.9 * before


def test_standardising_changes_the_latents_and_not_the_codec() -> None:
    mels = corpus_mels(seed=1, count=2)
    vae = new_vae(0).eval()
    with torch.no_grad():
        vae.quant_conv.bias[:8] += 3.0
    error, latents = evaluate(vae, mels)
    standardise(vae, latents)
    same, standardised = evaluate(vae, mels)
    assert same == pytest.approx(error, abs=1e-4)
    torch.testing.assert_close(standardised.mean((0, 2, 3)), torch.zeros(8), atol=1e-2, rtol=0)
    torch.testing.assert_close(standardised.std((0, 2, 3)), torch.ones(8), atol=1e-2, rtol=0)
