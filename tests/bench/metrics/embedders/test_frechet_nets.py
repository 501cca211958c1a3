"""PANN, EnCodec and VGGish, against `frechet-audio-distance`'s own way with a clip."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from clap_samples import MakeClip

from bench.audio import Clip
from bench.embedder import Embedder
from bench.errors import ModelError
from bench.metrics.embedders import encodec as encodec_file
from bench.metrics.embedders import pann as pann_file
from bench.metrics.embedders import vggish as vggish_file
from bench.metrics.embedders.encodec import Encodec, Encodec48k
from bench.metrics.embedders.laion_package import import_module_of
from bench.metrics.embedders.pann import Pann, Pann16k
from bench.metrics.embedders.vggish import VGGish


def theirs(model_name: str, model: Any, clip: Clip) -> np.ndarray:
    """A clip's vectors by the package; its constructor, which downloads, is passed by."""
    package = import_module_of("frechet_audio_distance.fad").FrechetAudioDistance
    made = package.__new__(package)
    made.model_name, made.model, made.device, made.verbose = model_name, model, torch.device("cpu"), False
    with torch.no_grad():
        return np.asarray(made.get_embeddings([clip.samples[:, 0]], clip.rate))


def test_encodec_gives_the_packages_frames(encodec: Encodec, make_clip: MakeClip) -> None:
    clip = make_clip(24_000, 1.3)
    expected = theirs("encodec", encodec._model, clip)
    np.testing.assert_allclose(encodec.embed([clip])[0].frames, expected, atol=1e-6)


def test_encodec_at_48_khz_hears_mono_on_both_channels(tmp_path: Path, make_clip: MakeClip) -> None:
    torch.save(encodec_file.build(Encodec48k.network).state_dict(), tmp_path / "encodec.th")
    embedder, clip = Encodec48k(checkpoint=tmp_path / "encodec.th"), make_clip(48_000, 0.5)
    frames = embedder.embed([clip])[0].frames
    assert frames.shape == (75, 128)
    np.testing.assert_allclose(frames, theirs("encodec", embedder._model, clip), atol=1e-5)


def test_identity_changes_with_the_weights(encodec: Encodec, tmp_path: Path) -> None:
    weights = encodec.tensors()
    next(iter(weights.values())).add_(1)
    torch.save(weights, tmp_path / "encodec.th")
    other = Encodec(checkpoint=tmp_path / "encodec.th").identity
    assert other != encodec.identity
    assert other.split(" sha256:")[0] == encodec.identity.split(" sha256:")[0] == "encodec@1[encodec.th"


def test_inner_layers_and_texts_are_not_theirs_to_give(encodec: Encodec) -> None:
    with pytest.raises(ModelError, match="encodec gives no inner layers") as caught:
        encodec.embed([Clip.silence(1.0, 24_000)], stages=True)
    assert caught.value.code == "model/no-stages"
    assert not encodec.reads_text and not encodec.inner


@pytest.mark.parametrize(
    ("kind", "file"),
    [
        (Pann, "Cnn14_mAP=0.431.pth (327.4 MB)"),
        (Pann16k, "Cnn14_16k_mAP=0.438.pth (358.7 MB)"),
        (Encodec, "encodec_24khz-d7cc33bc.th (93.2 MB)"),
        (Encodec48k, "encodec_48khz-7e698e3e.th"),
    ],
)
def test_offline_each_names_its_file(
    kind: type[Embedder], file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(ModelError) as caught:
        _ = kind().identity
    assert caught.value.cause.startswith(f"the checkpoint {file} is not on this machine")


def test_a_checkpoint_of_another_network_is_refused(encodec: Encodec) -> None:
    other = Encodec48k(checkpoint=encodec.checkpoint)
    with pytest.raises(ModelError, match="does not fit encodec-48k"):
        other.embed([Clip.silence(0.1, 48_000)])


@pytest.mark.slow
@pytest.mark.parametrize("kind", [Pann, Pann16k])
def test_pann_gives_the_packages_vectors(kind: type[Pann], tmp_path: Path, make_clip: MakeClip) -> None:
    torch.save({"model": pann_file.build(kind.network, kind.rate, kind.front).state_dict()}, tmp_path / "cnn14.pth")
    embedder = kind(checkpoint=tmp_path / "cnn14.pth")
    clips = [make_clip(kind.rate, seconds, seed) for seed, seconds in enumerate((0.4, 2.0, 2.0, 11.5, 0.1))]
    made = embedder.embed(clips)
    assert [each.frames.shape for each in made] == [(n, 2048) for n in (1, 1, 1, 2, 1)]
    for clip, each in zip(clips[:3], made, strict=False):
        np.testing.assert_allclose(each.frames[0], theirs("pann", embedder._model, clip), atol=1e-5)
        np.testing.assert_allclose(embedder.embed([clip])[0].frames, each.frames, atol=1e-5)
    assert np.isfinite(embedder.embed([Clip.silence(1.0, kind.rate)])[0].frames).all()
    both = [clip.samples[:, 0] for clip in clips[1:3]]
    package = import_module_of("frechet_audio_distance.fad").FrechetAudioDistance
    whole = package.__new__(package)
    whole.model_name, whole.model, whole.device, whole.verbose = "pann", embedder._model, torch.device("cpu"), False
    assert whole.get_embeddings(both, kind.rate).shape == (2 * 2048,)  # why its class is not used


def test_vggish_without_its_code_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.delitem(sys.modules, "torchvggish", raising=False)
    monkeypatch.setattr(vggish_file, "find_spec", lambda name: None)
    with pytest.raises(ModelError, match="the code of VGGish is not on this machine") as caught:
        _ = VGGish().identity
    assert "pip install torchvggish==0.2" in caught.value.remedy
    copy = tmp_path / "hub" / "harritaylor_torchvggish_master"
    (copy / "torchvggish").mkdir(parents=True)
    (copy / "torchvggish" / "vggish_input.py").touch()
    assert vggish_file.find_code() == copy
    with pytest.raises(ModelError, match=r"the checkpoint vggish-10086976.pth is not on this machine"):
        _ = VGGish().identity


@pytest.mark.slow
def test_vggish_gives_the_packages_examples(tmp_path: Path, make_clip: MakeClip) -> None:
    pytest.importorskip("torchvggish", reason="the code of VGGish is not installed")
    network = vggish_file.network()
    torch.save(network.state_dict(), tmp_path / "vggish.pth")
    embedder = VGGish(checkpoint=tmp_path / "vggish.pth")
    clips = [make_clip(16_000, seconds, seed) for seed, seconds in enumerate((0.4, 0.975, 3.0, 10.0))]
    made = embedder.embed(clips)
    assert [each.frames.shape for each in made] == [(n, 128) for n in (1, 1, 3, 10)]
    inputs = vggish_file.import_code("vggish_input")
    for clip, each in zip(clips[1:], made[1:], strict=True):
        with torch.no_grad():
            network.eval()
            before_relu = network.embeddings[:-1]
            features = network.features(inputs.waveform_to_examples(clip.samples[:, 0], 16_000))
            expected = before_relu(features.permute(0, 2, 3, 1).flatten(1))
        np.testing.assert_allclose(each.frames, expected.numpy(), atol=1e-5)
        np.testing.assert_allclose(embedder.embed([clip])[0].frames, each.frames, atol=1e-5)
    assert np.isfinite(embedder.embed([Clip.silence(1.0, 16_000)])[0].frames).all()
