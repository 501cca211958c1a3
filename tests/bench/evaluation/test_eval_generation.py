"""Generation, judged: a backbone that plays what it is asked for, and one that plays something else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from bench.audio import Clip
from bench.diffusion.schedule import Schedule
from bench.embedder import Embedder, Embedding
from bench.evaluation.generation import Sampling, generation
from bench.evaluation.sounds import TWELVE

SOUNDS = list(TWELVE)


def sine(sound: str) -> np.ndarray:
    """Each sound has a pitch of its own."""
    time = np.arange(81_920) / 16_000
    return 0.3 * np.sin(2 * np.pi * 200 * (SOUNDS.index(sound) + 1) * time).astype(np.float32)


def sound_in(samples: np.ndarray) -> str:
    peak = int(np.argmax(np.abs(np.fft.rfft(samples)))) * 16_000 / len(samples)
    return SOUNDS[min(max(round(peak / 200), 1), 12) - 1]


class Player:
    """A backbone whose latents are the index of the sound that it was asked for."""

    def __init__(self, deaf: bool = False):
        self.deaf, self.prompts = deaf, []

    def encode(self, clip: Clip) -> Any:
        latent = torch.zeros(1, 2, 4, 2)
        self.whole = clip
        return SimpleNamespace(latent=latent, samples=clip.length)

    def condition(self, prompts: Sequence[str], **more: Any) -> Any:
        assert more["negative"] == ""
        self.prompts.append(tuple(prompts))
        return SimpleNamespace(prompts=prompts)

    def schedule(self, steps: int) -> Schedule:
        return Schedule((500,) * steps, np.full(steps, 0.5), 0.5)

    def predict(self, latents: torch.Tensor, *, timestep: int, conditioning: Any, guidance: float) -> torch.Tensor:
        assert guidance == 3.5
        self.asked = conditioning.prompts
        return torch.zeros_like(latents)

    def decode(self, latents: torch.Tensor, *, samples: int) -> list[Clip]:
        if len(latents) == 1:
            return [self.whole]
        assert samples == 81_920
        asked = [next(s for s in SOUNDS if any(p in text for p in TWELVE[s])) for text in self.asked]
        return [Clip.of(sine("harp" if self.deaf else sound), 16_000) for sound in asked]


class Ear(Embedder):
    """Hears which sine it is, and reads which sound a prompt names."""

    name, version, rate, identity = "ear", 1, 16_000, "ear"

    def embed(self, clips: Sequence[Clip], **_: Any) -> list[Embedding]:
        return [Embedding(self._vector(sound_in(clip.mono))[None], np.ones(1)) for clip in clips]

    def embed_texts(self, texts: Sequence[str]) -> np.ndarray:
        return np.stack([self._vector(next(s for s in SOUNDS if any(p in t for p in TWELVE[s]))) for t in texts])

    def _vector(self, sound: str) -> np.ndarray:
        return np.eye(12, dtype=np.float32)[SOUNDS.index(sound)]


class Known:
    """A judge that knows the sines."""

    sounds = tuple(sorted(SOUNDS))

    def log_probabilities(self, waveform: np.ndarray) -> torch.Tensor:
        return torch.eye(12)[self.sounds.index(sound_in(waveform))]


def figures(songs: Any, backbone: Any) -> Mapping[str, Any]:
    found = generation(songs[:1], backbone, Known(), Ear(), Sampling(each=2, steps=2))
    assert set(found.details) <= {figure.name for figure in found.figures}
    return {figure.name: figure for figure in found.figures}


def test_clips_are_named_by_both_and_count_one_by_one(songs) -> None:
    backbone = Player()
    found = figures(songs, backbone)
    for name in ("named right by the judge, of 12", "named right by nano-clap, of 12"):
        assert found[name].value.mean == 1.0
        assert (found[name].value.n, found[name].value.clusters) == (24, 24)
    assert found["silent clips"].value.mean == 0.0
    assert found["level"].value.mean == pytest.approx(-13.5, abs=0.1)
    assert found["frames with a confident pitch"].ceiling.n == 2  # the song's solos of the twelve
    assert len(backbone.prompts) == 2 and all(len(prompts) == 12 for prompts in backbone.prompts)


def test_a_backbone_that_plays_one_thing_is_found_out(songs) -> None:
    found = figures(songs, Player(deaf=True))
    assert found["named right by the judge, of 12"].value.mean == pytest.approx(1 / 12)
    assert found["named right by the judge, of 12"].verdict == "missed"
    assert found["named right by the judge, of 12"].ceiling is not None
    assert found["named right by nano-clap, of 12"].value.mean == pytest.approx(1 / 12)
