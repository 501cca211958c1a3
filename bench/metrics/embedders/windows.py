"""How a clip is cut into windows for networks of a fixed input length: the policies of `bench.embedder`.

>>> plan(160_000, 16_000, "blocks"), plan(160_000, 16_000, "manor2024")
([(0, 160000)], [(0, 160000), (144000, 160000)])
"""

from __future__ import annotations

from bench.audio import Clip
from bench.embedder import Policy
from bench.errors import AudioError

SECONDS = 10
"""Length of a window: what CLAP's audio encoders take."""

MIN_TAIL_S = 1.0

Span = tuple[int, int]


def plan(length: int, rate: int, policy: Policy) -> list[Span]:
    """The windows of a clip, [start, end) in samples; the last may be shorter than the others.

    Args:
        length: of the clip, in samples.
        rate: in Hz.
        policy: see `bench.embedder`.

    Raises:
        AudioError: for a clip without samples.
    """
    if length < 1:
        raise AudioError("a clip without samples", remedy="Give audio of at least one sample.", code="audio/empty")
    window = SECONDS * rate
    hop = {"blocks": window, "manor2024": 9 * rate, "hop1": rate}[policy]
    spans = [(start, min(start + window, length)) for start in range(0, length, hop)]
    if policy == "blocks" and len(spans) > 1 and spans[-1][1] - spans[-1][0] < MIN_TAIL_S * rate:
        spans.pop()
    return spans


def cut(clip: Clip, policy: Policy) -> tuple[list[Clip], list[float]]:
    """A clip's windows, and what each weighs.

    `hop1` pads with zeros to full length. Otherwise the last window is as short as it comes: what a network does to
    short input (CLAP repeats it) is its own.
    """
    spans = plan(clip.length, clip.rate, policy)
    windows = [Clip(clip.samples[start:end], clip.rate) for start, end in spans]
    if policy == "hop1":
        windows = [window.fit(SECONDS * clip.rate) for window in windows]
    weights = [window.length / clip.rate if policy == "blocks" else 1.0 for window in windows]
    return windows, weights
