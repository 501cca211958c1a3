from __future__ import annotations

import shutil
import subprocess
import sys

import pytest
import torch

from bench.backbones.audioldm2.load import MODELS, tensors_hash
from bench.backbones.mel import MelFrontEnd
from bench.backbones.nano import build
from bench.backbones.nano.ship import SHIPPED
from bench.backbones.nano.untrained import untrained_pipeline
from bench.errors import ModelError
from tasks.synth.mixing import mix
from tasks.synth.songs import compose

HASH_IN_A_NEW_PROCESS = """
import torch
torch.manual_seed(1234)
from bench.backbones.audioldm2.load import tensors_hash
from bench.backbones.nano.untrained import untrained_pipeline
print(tensors_hash(untrained_pipeline(0)))
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
    other = untrained_pipeline(seed=1)
    assert torch.equal(torch.get_rng_state(), state)
    assert tensors_hash(other) != tensors_hash(pipeline)
    assert all(torch.equal(a, b) for a, b in zip(other.vae.parameters(), pipeline.vae.parameters(), strict=True))


def test_small(pipeline) -> None:
    size = sum(t.numel() * t.element_size() for name in MODELS for t in getattr(pipeline, name).state_dict().values())
    assert size < 40e6


def test_codec_reconstructs_music_into_unit_variance_latents(pipeline) -> None:
    """Far below the error of a model that only knows the mean spectrum."""
    song = compose(12, 0, edits=1, seconds=5.0)
    audio = torch.from_numpy(mix(song, 5.0, 4.0).mixture.window(0.0, 4.0).to_mono().resample(16_000).mono.copy())
    log_mel = MelFrontEnd().log_mel((0.5 * audio / audio.abs().max())[None])
    with torch.no_grad():
        latent = pipeline.vae.encode(log_mel[:, None]).latent_dist.mode()
        decoded = pipeline.vae.decode(latent).sample[:, 0]
    assert latent.shape == (1, 8, 100, 16)
    error = (decoded - log_mel).abs().mean()
    assert error < 0.2
    assert error < 0.5 * (log_mel - log_mel.mean((0, 1))).abs().mean()
    stds = latent.std((0, 2, 3))
    assert all(0.6 < std < 1.5 or std < 0.2 for std in stds)
    assert (stds > 0.6).sum() >= 6


def test_missing_weights_are_named(tmp_path) -> None:
    shutil.copytree(SHIPPED, tmp_path / "nano")
    (tmp_path / "nano/unet/diffusion_pytorch_model.safetensors").unlink()
    with pytest.raises(ModelError) as caught:
        build.build_pipeline(tmp_path / "nano")
    assert caught.value.code == "model/nano-weights"
    assert "unet" in str(caught.value)


def test_shipped_weights_are_small_and_whole() -> None:
    """Issue: no more than 40 MB in half precision; and what is read is what a plain pipeline would hold."""
    assert sum(path.stat().st_size for path in SHIPPED.rglob("*.safetensors")) <= 40e6
    pipeline = build.build_pipeline()
    assert pipeline.scheduler.config.prediction_type == "v_prediction"
    assert not pipeline.scheduler.config.clip_sample
