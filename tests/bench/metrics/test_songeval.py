"""SongEval: the rating network against the published one written out, MuQ as a stand-in unless it is installed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file, save_model
from standins import forget, install
from torch import nn

from bench.audio import Clip
from bench.errors import ModelError
from bench.metric import Missing
from bench.metrics import optional, songeval
from bench.metrics.songeval import AXES, Clarity, Musicality, SongEval, features_of, head_of, ratings

MUQ = """
import torch
from torch import nn

class Layer(nn.Module):
    def __init__(self, index):
        super().__init__()
        self.index = index
        self.step = nn.Parameter(torch.zeros(1))

    def forward(self, hidden_states, attention_mask=None):
        return hidden_states + self.step

class Conformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList(Layer(index) for index in range(12))

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return {"last_hidden_state": x}

class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.conformer = Conformer()

    def preprocessing(self, x, features):
        assert features == ["melspec_2048"]
        return {"melspec_2048": x.unfold(1, 960, 960).abs().mean(-1)}

    def normalize(self, x):
        return {key: value - 0.5 for key, value in x.items()}

    def conv(self, x):
        return x[:, :, None].expand(-1, -1, 16)

class MuQ(nn.Module):
    def __init__(self, config):
        super().__init__()
        assert config["w2v2_config"]["_attn_implementation"] == "eager"
        self.model = Model()
"""


class Published(nn.Module):
    """SongEval's `Generator` (model.py), as two independent ports have it."""

    def __init__(self, width: int, hidden: int, classes: int = 5) -> None:
        super().__init__()
        self.attn = nn.ModuleList(
            [nn.MultiheadAttention(width, num_heads=8, dropout=0.2, batch_first=True) for _ in range(4)]
        )
        self.ffd = nn.Sequential(nn.Linear(width, hidden), nn.ReLU(), nn.Linear(hidden, width))
        self.dropout = nn.Dropout(0.2)
        self.fc = nn.Linear(2 * width, classes)
        self.proj = nn.Tanh()

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        features = self.ffd(features)
        attended = features
        for layer in self.attn:
            attended, _ = layer(attended, attended, attended)
        pooled = torch.concat([attended.mean(dim=1), features.max(dim=1)[0]], dim=1)
        return self.proj(self.fc(self.dropout(pooled))) * 2.0 + 3


def published(width: int = 16, classes: int = 5) -> Published:
    torch.manual_seed(0)
    return Published(width, 32, classes).eval()


def test_ratings_are_those_of_the_published_network() -> None:
    network = published()
    features = torch.randn(2, 50, 16)
    with torch.no_grad():
        ours, theirs = ratings(head_of(network.state_dict()).eval(), features), network(features)
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)
    assert ((ours > 1) & (ours < 5)).all()


@pytest.mark.parametrize("change", ["renamed", "left over", "six axes", "another network"])
def test_every_weight_must_fit(change: str) -> None:
    state = dict(published(classes=6 if change == "six axes" else 5).state_dict())
    if change == "renamed":
        state["attn.3.in_proj_weights"] = state.pop("attn.3.in_proj_weight")
    elif change == "left over":
        state["extra"] = torch.zeros(1)
    elif change == "another network":
        state = {"weight": torch.zeros(2, 2)}
    with pytest.raises((KeyError, RuntimeError, ValueError)):
        head_of(state)


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The three files for the stand-in: each layer of its MuQ adds 1."""
    install(tmp_path / "packages", monkeypatch, "muq", "0.1.0", {"__init__.py": MUQ})
    from muq import MuQ

    folder = tmp_path / "weights"
    for name in ("muq", "songeval"):
        (folder / name).mkdir(parents=True)
    encoder = MuQ({"w2v2_config": {"_attn_implementation": "eager"}})
    for parameter in encoder.parameters():
        nn.init.ones_(parameter)
    save_model(encoder, str(folder / "muq" / "model.safetensors"))
    (folder / "muq" / "config.json").write_text(json.dumps({"w2v2_config": {}}))
    save_file(published().state_dict(), folder / "songeval" / "model.safetensors")
    yield folder
    forget("muq")


def test_features_are_what_the_seventh_layer_takes(files: Path) -> None:
    network = SongEval(folder=files)
    signal = torch.full((1, 9600), 0.75)
    features = features_of(network._muq, signal)
    assert features.shape == (1, 10, 16)
    torch.testing.assert_close(features, torch.full((1, 10, 16), 0.25 + 6))


def test_metrics_share_one_pass_a_clip(files: Path, source, make_case) -> None:
    network = SongEval(folder=files)
    case = make_case(source.mixture)
    values = {metric.axis: metric.score(case) for metric in (Musicality(network), Clarity(network))}
    [rated] = network.rate([case.features.mono(source.mixture, songeval.RATE)])
    assert values == {axis: pytest.approx(rated[axis]) for axis in ("musicality", "clarity")}
    assert tuple(rated) == AXES
    network.rate = None  # type: ignore[assignment, method-assign]
    assert Clarity(network).score(case) == values["clarity"], "it is known"


def test_what_is_too_short(files: Path, make_case) -> None:
    value = Clarity(SongEval(folder=files)).score(make_case(Clip.of(np.ones(100), 16_000)))
    assert isinstance(value, Missing)
    assert value.code == "too-short"


def test_a_git_lfs_pointer_is_told_from_weights(files: Path) -> None:
    (files / "songeval" / "model.safetensors").write_bytes(b"version https://git-lfs.github.com/spec/v1\n" * 4)
    with pytest.raises(ModelError) as caught:
        SongEval(folder=files).rate([Clip.of(np.ones(24_000), 24_000)])
    assert caught.value.code == "model/unreadable"
    assert "Git LFS" in caught.value.remedy


def test_without_the_package_values_are_missing(source, make_case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(optional, "find_spec", lambda name: None)
    metric = Musicality(SongEval())
    value = metric.score(make_case(source.mixture))
    assert isinstance(value, Missing)
    assert value.code == "not-installed"
    assert metric.identity == "songeval-musicality@1[muq not installed]"


@pytest.mark.skipif(find_spec("muq") is None, reason="muq is not installed")
def test_the_real_muq_gives_features_a_frame_every_40_ms() -> None:
    from muq import MuQ

    conformer = {
        "num_attention_heads": 4, "intermediate_size": 64, "hidden_act": "swish", "position_embeddings_type": "rotary",
        "rotary_embedding_base": 10000, "layer_norm_eps": 1e-5, "conformer_conv_dropout": 0.0, "layerdrop": 0.0,
        "attention_dropout": 0.0, "hidden_dropout": 0.0, "activation_dropout": 0.0, "conv_depthwise_kernel_size": 31,
        "max_source_positions": 5000, "num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 4,
        "feat_extract_activation": "gelu", "_attn_implementation": "eager",
    }  # fmt: skip
    stat = {"melspec_2048_mean": 6.0, "melspec_2048_std": 18.0}
    config = {"conv_dim": 32, "encoder_dim": 32, "encoder_depth": 8, "stat": stat, "w2v2_config": conformer}
    with torch.no_grad():
        features = features_of(MuQ(config).eval(), torch.randn(1, 48_000))
    assert features.shape == (1, 50, 32)
