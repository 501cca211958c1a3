"""The three published ways to cut a clip into windows."""

from __future__ import annotations

import numpy as np
import pytest

from bench.audio import Clip
from bench.embedder import Policy
from bench.errors import AudioError
from bench.metrics.embedders.windows import cut, plan

# Windows as (start, end) in seconds, by length of the clip in seconds.
BLOCKS = {
    0.4: [(0, 0.4)],
    1: [(0, 1)],
    9.99: [(0, 9.99)],
    10: [(0, 10)],
    10.01: [(0, 10)],
    19: [(0, 10), (10, 19)],
    20: [(0, 10), (10, 20)],
    25: [(0, 10), (10, 20), (20, 25)],
}
MANOR = {
    0.4: [(0, 0.4)],
    1: [(0, 1)],
    9.99: [(0, 9.99), (9, 9.99)],
    10: [(0, 10), (9, 10)],
    10.01: [(0, 10), (9, 10.01)],
    19: [(0, 10), (9, 19), (18, 19)],
    20: [(0, 10), (9, 19), (18, 20)],
    25: [(0, 10), (9, 19), (18, 25)],
}


@pytest.mark.parametrize("seconds", BLOCKS)
@pytest.mark.parametrize(("policy", "table"), [("blocks", BLOCKS), ("manor2024", MANOR)])
def test_windows_of_each_length(policy: Policy, table: dict[float, list[tuple[float, float]]], seconds: float) -> None:
    spans = plan(round(seconds * 48_000), 48_000, policy)
    assert [(start / 48_000, end / 48_000) for start, end in spans] == table[seconds]


@pytest.mark.parametrize("seconds", BLOCKS)
def test_hop1_has_a_window_each_second_all_full(seconds: float) -> None:
    windows, weights = cut(Clip.silence(seconds, 1_000), "hop1")
    assert len(windows) == np.ceil(seconds)
    assert {window.length for window in windows} == {10_000}
    assert set(weights) == {1.0}


def test_blocks_weigh_their_length_and_published_windows_one() -> None:
    clip = Clip.silence(25, 1_000)
    assert cut(clip, "blocks")[1] == [10.0, 10.0, 5.0]
    assert cut(clip, "manor2024")[1] == [1.0, 1.0, 1.0]


def test_a_clip_without_samples_has_no_windows() -> None:
    with pytest.raises(AudioError, match="without samples"):
        plan(0, 48_000, "blocks")
