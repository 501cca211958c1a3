"""Prompts and durations as Stable Audio Open reads them.

The context of cross-attention is T5's states of the prompt, always padded to the tokenizer's full length with zeros,
then two tokens for the seconds at which the audio starts (0) and ends. The two also make the global token that is put
before the latent.

The empty prompt is what the network was trained with for no prompt, and what the pipeline takes if it is given no
negative prompt: a context of zeros, with the durations in the global token alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import torch

from bench.backbone import Conditioning
from bench.backbones.checkpoint import quiet
from bench.backbones.text import text_offsets

CONTEXT, GLOBAL = "context", "global"
"""Names of the tensors of a `Conditioning`: (rows, T5's tokens + 2, width), (rows, 1, 2 · width)."""


class PromptEncoder:
    """Encodes prompts with the text side of a pipeline, each by itself, and remembers the last ones.

    Args:
        pipeline: a `StableAudioPipeline`.
        device: where its models are.
        remember: how many encoded prompts to keep.
    """

    def __init__(self, pipeline: Any, device: torch.device, *, remember: int = 64):
        self._pipeline = pipeline
        self._device = device
        self._row = lru_cache(maxsize=remember)(self._encode)

    def __call__(self, prompts: Sequence[str], negative: str | None, seconds: float) -> Conditioning:
        """The conditioning of some prompts, one row each, all with the same negative prompt (or none) and duration."""
        return Conditioning(
            prompts=tuple(prompts),
            positive=self._stacked(prompts, seconds),
            negative=None if negative is None else self._stacked([negative] * len(prompts), seconds),
            offsets=tuple(text_offsets(self._pipeline.tokenizer, prompt) for prompt in prompts),
        )

    def _stacked(self, prompts: Sequence[str], seconds: float) -> dict[str, torch.Tensor]:
        rows = [self._row(prompt, seconds) for prompt in prompts]
        return {CONTEXT: torch.cat([row[0] for row in rows]), GLOBAL: torch.cat([row[1] for row in rows])}

    @torch.no_grad()
    def _encode(self, prompt: str, seconds: float) -> tuple[torch.Tensor, torch.Tensor]:
        """Context and global token of a prompt, each with a first axis of one."""
        with quiet():  # of a prompt that is too long, the pipeline says what it leaves out
            text = self._pipeline.encode_prompt(prompt, self._device, False)
            start, end = self._pipeline.encode_duration(0.0, seconds, self._device, False, 1)
        context = torch.cat([text, start, end], dim=1)
        return context if prompt else torch.zeros_like(context), torch.cat([start, end], dim=2)
