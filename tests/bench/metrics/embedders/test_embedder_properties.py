"""What holds for every embedder: order, batches, repetition, windows, silence, errors, identity."""

from __future__ import annotations

import numpy as np
import pytest
from clap_samples import MakeClip

from bench.audio import Clip
from bench.embedder import Embedder
from bench.errors import AudioError, UsageError

BY_WINDOW = {"laion-clap": (512, True), "hf-clap": (512, True), "encodec": (128, False)}
"""Dimensions, and whether a row is a window (else a frame, 75 a second)."""


def longest(embedder: Embedder) -> float:
    """Seconds: more than one window where there are any."""
    return 11.5 if BY_WINDOW[embedder.name][1] else 1.5


def test_vectors_do_not_depend_on_the_batch_nor_on_its_order(embedder: Embedder, make_clip: MakeClip) -> None:
    clips = [
        make_clip(embedder.rate, seconds, seed) for seed, seconds in enumerate((0.5, 0.5, 1.2, longest(embedder), 0.7))
    ]
    together = [each.frames for each in embedder.embed(clips)]
    alone = [embedder.embed([clip])[0].frames for clip in clips]
    backwards = [each.frames for each in embedder.embed(clips[::-1])][::-1]
    for index, frames in enumerate(together):
        np.testing.assert_allclose(frames, alone[index], atol=1e-5)
        np.testing.assert_allclose(frames, backwards[index], atol=1e-5)
    assert np.abs(together[0] - together[1]).max() > 1e-3  # they are not all the same


def test_the_same_call_gives_the_same_numbers(embedder: Embedder, make_clip: MakeClip) -> None:
    clips = [make_clip(embedder.rate, seconds, seed) for seed, seconds in enumerate((0.4, 1.0, longest(embedder)))]
    made = []
    for seed in range(2):
        np.random.seed(seed)  # what both CLAPs would draw a part of long audio by
        made.append(np.concatenate([e.frames for e in embedder.embed(clips)]))
    first, second = made
    np.testing.assert_array_equal(first, second)


def test_each_window_is_a_row_of_the_networks_dimensions(embedder: Embedder, make_clip: MakeClip) -> None:
    dimensions, windowed = BY_WINDOW[embedder.name]
    for seconds, windows in ((0.4, 1), (10.01, 1), (11.5, 2)) if windowed else ((0.4, 1), (1.5, 1)):
        made = embedder.embed([make_clip(embedder.rate, seconds)])[0]
        assert made.frames.dtype == np.float32 and made.weights.dtype == np.float64
        assert made.frames.shape == (windows if windowed else round(seconds * 75 + 0.49), dimensions)
        assert len(made.weights) == len(made.frames) and (made.weights > 0).all()
        assert made.stages == ()


def test_policies_cut_differently(embedder: Embedder, make_clip: MakeClip) -> None:
    clip = make_clip(embedder.rate, 1.2)
    counts = {policy: len(embedder.embed([clip], policy=policy)[0].frames) for policy in ("blocks", "hop1")}
    assert counts == ({"blocks": 1, "hop1": 2} if BY_WINDOW[embedder.name][1] else {"blocks": 90, "hop1": 90})


@pytest.mark.parametrize("samples", [np.zeros(24_000), np.zeros(1), np.ones(1)], ids=["silence", "one zero", "one"])
def test_silence_and_a_single_sample_give_finite_vectors(embedder: Embedder, samples: np.ndarray) -> None:
    frames = embedder.embed([Clip.of(samples, embedder.rate)])[0].frames
    assert len(frames) and np.isfinite(frames).all()


def test_nothing_gives_nothing(embedder: Embedder) -> None:
    assert embedder.embed([]) == []


def test_other_audio_is_refused(embedder: Embedder) -> None:
    other = Clip.silence(1.0, embedder.rate, channels=2)
    with pytest.raises(AudioError, match=f"mono audio at {embedder.rate} Hz, not 2 channel"):
        embedder.embed([other])
    with pytest.raises(AudioError, match=r"not 1 channel.* at 8000 Hz"):
        embedder.embed([Clip.silence(1.0, 8_000)])
    with pytest.raises(AudioError, match="NaN or infinite"):
        embedder.embed([Clip.of(np.array([0.0, np.nan]), embedder.rate)])
    with pytest.raises(AudioError, match="without samples"):
        embedder.embed([Clip.of(np.zeros(0), embedder.rate)])


@pytest.mark.parametrize("device", ["gpu", "cuda:99"])
def test_a_device_that_is_not_there_is_named(embedder: Embedder, device: str) -> None:
    source = {"hf-clap": "model"}.get(embedder.name, "checkpoint")
    options = {source: getattr(embedder, source)}
    if hasattr(embedder, "amodel"):
        options["amodel"] = embedder.amodel
    elsewhere = type(embedder)(device, **options)
    with pytest.raises(UsageError, match=f"cannot run on the device '{device}'") as caught:
        elsewhere.embed([Clip.silence(0.1, embedder.rate)])
    assert caught.value.code == "device"
