"""Round trips of codecs whose losses are known."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from bench.backbones.nano.griffin_lim import GriffinLim
from bench.evaluation.codec import Codec, codec


class Perfect(nn.Module):
    """Loses nothing, but for what it is told to add."""

    def __init__(self, added: float = 0.0, scrambled: bool = False):
        super().__init__()
        self._added, self._scrambled = added, scrambled

    def encode(self, log_mels: torch.Tensor) -> SimpleNamespace:
        return SimpleNamespace(latent_dist=SimpleNamespace(mode=lambda: log_mels))

    def decode(self, latents: torch.Tensor) -> SimpleNamespace:
        out = latents + self._added
        return SimpleNamespace(sample=out.flip(-1) if self._scrambled else out)


def figures(songs, vae: nn.Module) -> dict:
    found = codec(songs[:2], Codec(vae, GriffinLim()))
    return {figure.name: figure for figure in found.figures} | found.details


def test_a_perfect_codec_reaches_its_ceiling(songs) -> None:
    found = figures(songs, Perfect())
    for name in ("log-mel L1, solos", "log-mel L1, mixtures"):
        assert found[name].value.mean == 0.0 and found[name].verdict == "held"
    pitched = found["pitch within 50 cents"]
    assert pitched.value.mean == pitched.ceiling.mean > 0.8
    lost = found["onset F1 lost"]
    assert lost.value.mean == lost.ceiling.mean
    assert len(found["latent_channel_std"]) == 1


def test_what_a_codec_adds_is_its_error_and_costs_no_pitch(songs) -> None:
    found = figures(songs, Perfect(added=0.5))
    assert found["log-mel L1, solos"].value.mean == pytest.approx(0.5)
    assert found["log-mel L1, solos"].verdict == "missed"
    assert found["pitch within 50 cents"].verdict == "held"


def test_a_codec_that_turns_bands_upside_down_loses_the_pitch(songs) -> None:
    found = figures(songs, Perfect(scrambled=True))
    assert found["pitch within 50 cents"].value.mean < 0.2
    assert found["pitch within 50 cents"].verdict == "missed"
