"""Recordings in the place of prompts: AudioLDM 2's own road, but for CLAP's tower."""

from __future__ import annotations

from types import SimpleNamespace
from unittest.mock import patch

import numpy as np
import pytest
import torch

from bench.audio import Clip
from bench.backbone import Backbone
from bench.backbones.nano.backbone import UntrainedNano
from bench.errors import UsageError


def noise(seconds: float, rate: int, seed: int, channels: int = 1) -> Clip:
    samples = np.random.default_rng(seed).normal(size=(round(seconds * rate), channels)) * 0.1
    return Clip.of(samples, rate)


def test_with_the_texts_embedding_it_is_the_empty_prompt(nano: UntrainedNano) -> None:
    """All but CLAP's tower is what the pipeline does with a prompt, number for number."""
    pipeline = nano._pipeline
    tokens = pipeline.tokenizer([""], padding="max_length", truncation=True, return_tensors="pt")
    with torch.no_grad():
        text = pipeline.text_encoder.get_text_features(tokens.input_ids, attention_mask=tokens.attention_mask)
    with patch.object(
        pipeline.text_encoder, "get_audio_features", lambda *_, **__: SimpleNamespace(pooler_output=text.pooler_output)
    ):
        found = nano.condition_audio([noise(1, 16_000, 0)])
    empty = nano.condition([""], negative="")
    assert empty.negative is not None
    assert found.negative is not None
    for name, tensor in empty.positive.items():
        torch.testing.assert_close(found.positive[name], tensor, rtol=0, atol=1e-6)
        torch.testing.assert_close(found.negative[name], empty.negative[name], rtol=0, atol=1e-6)


def test_each_recording_is_heard_by_itself(nano: UntrainedNano) -> None:
    clips = [noise(1, 16_000, 0), noise(3, 44_100, 1, channels=2)]
    together = nano.condition_audio(clips)
    assert together.prompts == ("", "")
    assert together.positive["loa"].shape[:2] == (2, 8)
    for row, clip in enumerate(clips):
        alone = nano.condition_audio([clip])
        torch.testing.assert_close(alone.positive["loa"][0], together.positive["loa"][row], rtol=0, atol=1e-5)
    assert (together.positive["loa"][0] - together.positive["loa"][1]).abs().max() > 1e-3


def test_a_long_recording_is_heard_from_its_beginning_not_at_random(nano: UntrainedNano) -> None:
    beginning = noise(10, 48_000, 0)
    longer = Clip.of(np.concatenate([beginning.samples, noise(5, 48_000, 1).samples]), 48_000)
    one, other = (nano.condition_audio([clip]).positive["loa"] for clip in (beginning, longer))
    torch.testing.assert_close(one, other, rtol=0, atol=1e-5)


def test_it_predicts_with_and_without_guidance(nano: UntrainedNano) -> None:
    conditioning = nano.condition_audio([noise(1, 16_000, 0)])
    x = torch.randn(3, 8, 8, 16, generator=torch.Generator().manual_seed(0))
    plain, guided = (nano.predict(x, timestep=500, conditioning=conditioning, guidance=w) for w in (1.0, 3.0))
    empty = nano.predict(x, timestep=500, conditioning=nano.condition([""]))
    torch.testing.assert_close(guided, empty + 3 * (plain - empty), rtol=0, atol=1e-4)
    assert (plain - empty).abs().max() > 1e-4


def test_half_precision_hears_about_the_same(nano: UntrainedNano) -> None:
    clip = noise(1, 16_000, 0)
    half = UntrainedNano.load(dtype="bfloat16").condition_audio([clip]).positive["loa"]
    whole = nano.condition_audio([clip]).positive["loa"]
    assert torch.nn.functional.cosine_similarity(half.float().flatten(), whole.flatten(), dim=0) > 0.98


def test_most_backbones_take_none() -> None:
    class Plain(Backbone):
        name = "plain"

    Plain.__abstractmethods__ = frozenset()
    with pytest.raises(UsageError, match="plain cannot be conditioned on a recording"):
        Plain().condition_audio([])  # type: ignore[abstract]
