"""Prompts as AudioLDM 2 reads them: T5 states, and the language-of-audio tokens that GPT-2 makes of CLAP and T5.

Every prompt is encoded by itself, as `AudioLDM2Pipeline` does with a single prompt. In a batch, T5's right padding
would stand between a prompt and GPT-2's generated tokens and shift their positions, so a prompt's language-of-audio
tokens would depend on the length of its neighbours. Rows are padded afterwards, and the padding is masked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
import torch.nn.functional as F

from bench.audio import Clip
from bench.backbone import Conditioning, Span
from bench.backbones.text import text_offsets

LOA, TEXT, TEXT_MASK = "loa", "text", "text_mask"
"""Names of the tensors of a `Conditioning`: (rows, 8, GPT-2 width), (rows, tokens, T5 width), (rows, tokens)."""

Tensors = Mapping[str, torch.Tensor]


@dataclass(frozen=True, eq=False)
class _Row:
    """One encoded prompt; tensors have a first axis of one."""

    positive: Tensors
    negative: Tensors | None
    offsets: tuple[Span, ...]


class PromptEncoder:
    """Encodes prompts with the text side of a pipeline, and remembers the last ones.

    Args:
        pipeline: an `AudioLDM2Pipeline`.
        device: where its models are.
        remember: how many encoded prompts to keep.
    """

    def __init__(self, pipeline: Any, device: torch.device, *, remember: int = 64):
        self._pipeline = pipeline
        self._device = device
        self._row = lru_cache(maxsize=remember)(self._encode)

    def __call__(self, prompts: Sequence[str], negative: str | None) -> Conditioning:
        """The conditioning of some prompts, one row each, all with the same negative prompt (or none)."""
        rows = [self._row(prompt, negative) for prompt in prompts]
        negatives = [row.negative for row in rows if row.negative is not None]
        return Conditioning(
            prompts=tuple(prompts),
            positive=_stack([row.positive for row in rows]),
            negative=_stack(negatives) if negatives else None,
            offsets=tuple(row.offsets for row in rows),
        )

    def of_audio(self, clips: Sequence[Clip]) -> Conditioning:
        """The conditioning of some recordings, one row each, with the empty prompt as negative.

        What AudioLDM 2 makes of the empty prompt, but GPT-2 continues CLAP's embedding of the recording (its first
        10 s) where that of the prompt would stand. Both are unit vectors of one space.
        """
        empty = self._row("", None)
        rows = [{**empty.positive, LOA: self._loa(self._clap(clip), empty)} for clip in clips]
        return Conditioning(
            prompts=("",) * len(rows),
            positive=_stack(rows),
            negative=_stack([empty.positive] * len(rows)),
            offsets=(empty.offsets,) * len(rows),
        )

    @torch.no_grad()
    def _clap(self, clip: Clip) -> torch.Tensor:
        """CLAP's embedding of a recording, (1, width)."""
        extractor, clap = self._pipeline.feature_extractor, self._pipeline.text_encoder
        mono = clip.to_mono().resample(extractor.sampling_rate)
        # Cut here, because the extractor would take ten seconds of its own choosing from a longer clip, at random.
        mono = mono.fit(min(mono.length, int(extractor.max_length_s * extractor.sampling_rate)))
        read = extractor(mono.mono, sampling_rate=extractor.sampling_rate, return_tensors="pt")
        features = read["input_features"].to(self._device, clap.dtype)
        found = clap.get_audio_features(features, is_longer=read["is_longer"].to(self._device))
        embedding: torch.Tensor = found.pooler_output
        return embedding

    @torch.no_grad()
    def _loa(self, clap: torch.Tensor, text: _Row) -> torch.Tensor:
        """Language-of-audio tokens of an embedding and of T5's states, (1, 8, GPT-2 width)."""
        mask = text.positive[TEXT_MASK]
        projected = self._pipeline.projection_model(
            hidden_states=clap[:, None],
            hidden_states_1=text.positive[TEXT],
            attention_mask=mask.new_ones((1, 1)),
            attention_mask_1=mask,
        )
        tokens: torch.Tensor = self._pipeline.generate_language_model(
            projected.hidden_states, attention_mask=projected.attention_mask, max_new_tokens=None
        )
        return tokens

    @torch.no_grad()
    def _encode(self, prompt: str, negative: str | None) -> _Row:
        """What the pipeline itself computes for this single prompt.

        The pipeline pads the negative prompt to the T5 length of the prompt (and cuts it there).
        """
        guided = negative is not None
        text, mask, loa = self._pipeline.encode_prompt(prompt, self._device, 1, guided, negative_prompt=negative)
        tensors = {LOA: loa, TEXT: text, TEXT_MASK: mask}
        return _Row(
            positive={name: tensor[-1:] for name, tensor in tensors.items()},
            negative={name: tensor[:1] for name, tensor in tensors.items()} if guided else None,
            offsets=text_offsets(self._pipeline.tokenizer_2, prompt),
        )


def _stack(rows: Sequence[Tensors]) -> dict[str, torch.Tensor]:
    """Rows of one token sequence each as one batch: text padded at the end with zeros that the mask hides."""
    longest = max(row[TEXT].shape[1] for row in rows)
    padding = [longest - row[TEXT].shape[1] for row in rows]
    return {
        LOA: torch.cat([row[LOA] for row in rows]),
        TEXT: torch.cat([F.pad(row[TEXT], (0, 0, 0, pad)) for row, pad in zip(rows, padding, strict=True)]),
        TEXT_MASK: torch.cat([F.pad(row[TEXT_MASK], (0, pad)) for row, pad in zip(rows, padding, strict=True)]),
    }
