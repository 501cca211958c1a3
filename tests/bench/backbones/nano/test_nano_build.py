from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from bench.backbones.audioldm2.load import MODELS, tensors_hash
from bench.backbones.mel import MelFrontEnd
from bench.backbones.nano import build
from bench.backbones.nano.corpus import Note, Piece, render
from bench.errors import ModelError

HASH_IN_A_NEW_PROCESS = """
import torch
torch.manual_seed(1234)
from bench.backbones.audioldm2.load import tensors_hash
from bench.backbones.nano.build import build_pipeline
print(tensors_hash(build_pipeline(0)))
"""


def test_the_published_pipeline_runs(pipeline) -> None:
    audio = pipeline("a violin and drums", num_inference_steps=2, audio_length_in_s=2.56).audios
    assert audio.shape == (1, 40_960)
    assert 1e-4 < abs(audio).max() < 10


@pytest.mark.slow  # imports the libraries a second time
def test_weights_are_the_same_in_every_process(pipeline) -> None:
    command = [sys.executable, "-c", HASH_IN_A_NEW_PROCESS]
    output = subprocess.run(command, capture_output=True, text=True, check=True, timeout=240).stdout
    assert output.strip() == tensors_hash(pipeline)


def test_the_seed_changes_the_weights_and_the_global_state_stays(pipeline) -> None:
    state = torch.get_rng_state()
    other = build.build_pipeline(seed=1)
    assert torch.equal(torch.get_rng_state(), state)
    assert tensors_hash(other) != tensors_hash(pipeline)
    assert all(torch.equal(a, b) for a, b in zip(other.vae.parameters(), pipeline.vae.parameters(), strict=True))


def test_small(pipeline) -> None:
    size = sum(t.numel() * t.element_size() for name in MODELS for t in getattr(pipeline, name).state_dict().values())
    assert size < 40e6


def test_codec_reconstructs_music_into_unit_variance_latents(pipeline) -> None:
    """Far below the error of a model that only knows the mean spectrum."""
    keys = [60, 64, 67, 72, 71, 67, 64, 62]
    notes = [Note(0.5 * i, 0.45, 0, key, 100) for i, key in enumerate(keys)]
    notes += [Note(i, 0.9, 1, key - 24, 100) for i, key in enumerate(keys[::2])]
    audio = torch.from_numpy(render(Piece(tuple(sorted(notes)), {0: 40, 1: 33}), 4.0))
    log_mel = MelFrontEnd().log_mel((0.5 * audio / audio.abs().max())[None])
    with torch.no_grad():
        latent = pipeline.vae.encode(log_mel[:, None]).latent_dist.mode()
        decoded = pipeline.vae.decode(latent).sample[:, 0]
    assert latent.shape == (1, 8, 100, 16)
    error = (decoded - log_mel).abs().mean()
    assert error < 0.3
    assert error < 0.5 * (log_mel - log_mel.mean((0, 1))).abs().mean()
    assert 0.6 < latent.std() * pipeline.vae.config.scaling_factor < 1.5


def test_missing_codec_weights_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setattr(build, "VAE_DIRECTORY", tmp_path / "vae")
    with pytest.raises(ModelError) as caught:
        build.load_vae()
    assert caught.value.code == "model/nano-codec"
    assert str(tmp_path) in str(caught.value)
