"""The interpolated attention by concatenated features against the explicit logits, and against plain attention."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

from bench.diffusion.attention import AttentionCall, AttentionSite
from bench.diffusion.control import interpolated_attention

ROWS, HEADS, TOKENS, DIM = 4, 8, 1024, 32  # two guided edits at AudioLDM 2's first level, 10.24 s


def _call() -> tuple[AttentionCall, tuple[torch.Tensor, torch.Tensor], torch.Tensor]:
    draw = torch.Generator().manual_seed(0)
    q, k, v, q_src, k_src = (torch.randn(ROWS, HEADS, TOKENS, DIM, generator=draw) for _ in range(5))
    site = AttentionSite("x", "self", "down", position=1, order=0, level=1, heads=HEADS)
    gate = torch.rand(ROWS, TOKENS, generator=draw)
    return AttentionCall(site, 1, q, k, v, None, DIM**-0.5, guided=True), (q_src[:1], k_src[:1]), gate


def explicit(call: AttentionCall, source: tuple[torch.Tensor, torch.Tensor], gate: torch.Tensor) -> torch.Tensor:
    g = gate[:, None, :, None]
    now, then = (call.scale * q @ k.transpose(-1, -2) for q, k in ((call.q, call.k), source))
    return (g * now + (1 - g) * then).softmax(-1) @ call.v


@pytest.mark.parametrize(
    "work",
    [lambda call, source, gate: call.plain(), interpolated_attention, explicit],
    ids=["plain", "concatenated", "explicit"],
)
def test_attention(benchmark: BenchmarkFixture, work: Callable[..., torch.Tensor]) -> None:
    benchmark.group = "attention, 4 x 8 heads, 1024 tokens, width 32"
    benchmark(work, *_call())
