"""Audiobox Aesthetics: equal to the package's own predictor where that is installed; else on a stand-in.

The stand-in has the package's names and shapes: a window's rating is its level, so that every mean can be told.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from standins import forget, install

from bench.audio import Clip
from bench.errors import ModelError
from bench.metric import Missing
from bench.metrics import aesthetics, optional
from bench.metrics.aesthetics import AudioboxAesthetics, ProductionComplexity, ProductionQuality

SCALES = {axis: {"mean": float(index), "std": 2.0} for index, axis in enumerate(aesthetics.AXES)}

INFER = """
import torch

def make_inference_batch(input_wavs, hop_size=10, window_size=10, sample_rate=16000, pad_zero=True):
    wavs, masks, weights, owners = [], [], [], []
    size = window_size * sample_rate
    for owner, wav in enumerate(input_wavs):
        for start in range(0, wav.shape[-1], hop_size * sample_rate):
            part = wav[..., start : start + size]
            weights.append(part.shape[-1] / size)
            owners.append(owner)
            masks.append(torch.arange(size)[None] < part.shape[-1])
            wavs.append(torch.nn.functional.pad(part, (0, size - part.shape[-1])))
    return wavs, masks, weights, owners
"""

MODEL = """
import torch

class AesMultiOutput(torch.nn.Module):
    def __init__(self, target_transform):
        super().__init__()
        self.target_transform = target_transform
        self.gain = torch.nn.Parameter(torch.zeros(1))

    def forward(self, batch):
        level = (batch["wav"].abs() * batch["mask"]).sum((1, 2)) / batch["mask"].sum((1, 2))
        return {axis: self.gain * level for axis in ("CE", "CU", "PC", "PQ")}
"""


@pytest.fixture
def standin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with weights (ratings are ten times the level) for the stand-in package."""
    files = {"__init__.py": "", "infer.py": INFER, "model/__init__.py": "", "model/aes.py": MODEL}
    install(tmp_path / "packages", monkeypatch, "audiobox_aesthetics", "0.0.4", files)
    weights = tmp_path / "weights"
    weights.mkdir()
    save_file({"gain": torch.tensor([10.0])}, weights / "model.safetensors")
    (weights / "config.json").write_text(json.dumps({"target_transform": SCALES}))
    yield weights
    forget("audiobox_aesthetics")


def level(value: float, seconds: float, rate: int = 16_000) -> Clip:
    return Clip.of(np.full(round(seconds * rate), value), rate)


def test_a_clip_is_the_mean_of_its_windows_by_length(standin: Path) -> None:
    long = Clip.of(np.concatenate([level(0.1, 10).mono, level(0.4, 5).mono]), 16_000)
    network = AudioboxAesthetics(folder=standin)
    network.batch = 2  # so that windows of one clip lie in two batches
    first, second = network.rate([long, level(0.3, 3)])
    mean = (1.0 * 10 + 4.0 * 5) / 15
    assert first == pytest.approx({axis: 2 * mean + index for index, axis in enumerate(aesthetics.AXES)}, abs=1e-4)
    assert second["PQ"] == pytest.approx(2 * 3.0 + 3)


def test_metrics_share_one_pass(standin: Path, source, make_case, monkeypatch: pytest.MonkeyPatch) -> None:
    network = AudioboxAesthetics(folder=standin)
    passes: list[int] = []
    rate = network.rate
    monkeypatch.setattr(network, "rate", lambda clips: passes.append(len(clips)) or rate(clips))
    cases = [make_case(source.mixture.scaled(gain)) for gain in (1.0, 0.5)]
    complexity, quality = ProductionComplexity(network), ProductionQuality(network)
    for metric in (complexity, quality):
        metric.prepare(cases)
    values = [[metric.score(case) for metric in (complexity, quality)] for case in cases]
    assert passes == [2]
    assert values[0][1] - values[0][0] == pytest.approx(1.0)  # the axes' scales differ by 1
    assert values[0][0] > values[1][0]


def test_the_identity_names_package_and_weights(standin: Path) -> None:
    metric = ProductionQuality(AudioboxAesthetics(folder=standin))
    assert metric.identity.startswith("aesthetics-pq@1[audiobox_aesthetics 0.0.4 weights sha256:")


@pytest.mark.parametrize("broken", ["weights", "config", "other"])
def test_files_that_do_not_fit(standin: Path, broken: str) -> None:
    if broken == "weights":
        (standin / "model.safetensors").write_bytes(b"version https://git-lfs.github.com/spec/v1")
    elif broken == "config":
        (standin / "config.json").write_text('{"layers": 3}')
    else:
        save_file({"gain": torch.zeros(3)}, standin / "model.safetensors")
    with pytest.raises(ModelError) as caught:
        AudioboxAesthetics(folder=standin).rate([level(0.1, 1)])
    assert caught.value.code == "model/unreadable"


def test_without_the_package_values_are_missing_and_names_are_refused(
    source, make_case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(optional, "find_spec", lambda name: None)
    metric = ProductionQuality(AudioboxAesthetics())
    case = make_case(source.mixture)
    metric.prepare([case])
    value = metric.score(case)
    assert isinstance(value, Missing)
    assert value.code == "not-installed"
    assert "uv pip install audiobox_aesthetics" in value.why
    assert metric.identity == "aesthetics-pq@1[audiobox_aesthetics not installed]"
    with pytest.raises(ModelError) as caught:
        metric.package.require()
    assert caught.value.code == "model/not-installed"


@pytest.mark.skipif(find_spec("audiobox_aesthetics") is None, reason="audiobox_aesthetics is not installed")
def test_it_is_the_packages_own_predictor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a small random network that the package itself saved."""
    from audiobox_aesthetics import infer
    from audiobox_aesthetics.model import aes

    small = {"encoder_layers": 2, "encoder_embed_dim": 32, "encoder_ffn_embed_dim": 64, "encoder_attention_heads": 4}
    conv = {"conv_feature_layers": "[(32,10,5)] + [(32,3,2)] * 4 + [(32,2,2)] * 2"}
    aes.DEFAULT_AUDIO_CFG.update({**small, **conv})
    aes.AesMultiOutput(proj_num_layer=2, nth_layer=3, target_transform=SCALES).save_pretrained(tmp_path)
    load = aes.AesMultiOutput.from_pretrained
    monkeypatch.setattr(aes.AesMultiOutput, "from_pretrained", lambda name: load(tmp_path))
    rng = np.random.default_rng(0)
    clips = [Clip.of(rng.normal(0, 0.1, length), 16_000) for length in (160_000, 250_000, 30_000)]
    batch = [{"path": torch.from_numpy(clip.samples.T.copy()), "sample_rate": 16_000} for clip in clips]
    theirs = infer.AesPredictor(checkpoint_pth=None).forward(batch)
    for ours, expected in zip(AudioboxAesthetics(folder=tmp_path).rate(clips), theirs, strict=True):
        assert ours == pytest.approx(expected, abs=1e-4)
