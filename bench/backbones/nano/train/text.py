"""The text side as it is trained: what the pipeline makes of each prompt alone, for a batch and with gradients.

`AudioLDM2Pipeline` generates the language-of-audio tokens one by one behind a prompt's tokens. In a batch its padding
would stand between the two and shift positions, so here every row's tokens are written right behind its prompt, and
what lies further right is hidden by GPT-2's causal mask. A test compares this with the pipeline.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from diffusers import AudioLDM2ProjectionModel
from torch import nn
from transformers import ClapModel, GPT2Config, GPT2LMHeadModel, RobertaTokenizer, T5Config, T5EncoderModel

from bench.backbones.nano.clap import WIDTH
from bench.backbones.nano.config import (
    CLAP_TOKENS,
    LOA_TOKENS,
    LOA_WIDTH,
    MAX_TOKENS,
    TEXT_WIDTH,
    gpt2_config,
    t5_config,
)
from bench.backbones.nano.tokens import t5_tokenizer


@dataclass(frozen=True)
class Prompted:
    """Prompts encoded: `loa` (n, 8, width), `text` (n, tokens, width), `mask` (n, tokens)."""

    loa: torch.Tensor
    text: torch.Tensor
    mask: torch.Tensor


class TextSide(nn.Module):
    """T5 encoder, projection and GPT-2, trained with the U-Net; CLAP's text tower is given and stays as it is.

    Args:
        clap: nano-clap, trained.
        clap_tokenizer: its tokenizer.
        words: of T5's vocabulary.
        seed: of the first weights.
    """

    def __init__(self, clap: ClapModel, clap_tokenizer: RobertaTokenizer, words: Sequence[str], *, seed: int = 0):
        super().__init__()
        self.tokenizer = t5_tokenizer(words)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.t5 = T5EncoderModel(T5Config(**t5_config(len(self.tokenizer))))
            self.projection = AudioLDM2ProjectionModel(
                text_encoder_dim=WIDTH, text_encoder_1_dim=TEXT_WIDTH, langauge_model_dim=LOA_WIDTH
            )
            self.gpt2 = GPT2LMHeadModel(GPT2Config(**gpt2_config()))
        self._clap = [clap.eval().requires_grad_(False)]  # in a list: no part of this module
        self._clap_tokenizer = clap_tokenizer

    def forward(self, prompts: Sequence[str], gaps: Sequence[int] | None = None) -> Prompted:
        """Encode prompts.

        Args:
            prompts: n texts.
            gaps: for each, how many masked tokens stand behind T5's, as the pipeline puts them behind a negative prompt
                that is shorter than the prompt; none if not given.
        """
        clap = self._clap_vectors(prompts)
        read = self.tokenizer(list(prompts), padding=True, truncation=True, max_length=MAX_TOKENS, return_tensors="pt")
        mask = read["attention_mask"]
        text = self.t5(read["input_ids"], attention_mask=mask)[0]
        loa = self._generate(clap, text, mask.sum(1).tolist(), list(gaps or [0] * len(prompts)))
        return Prompted(loa, text, mask)

    @torch.no_grad()
    def _clap_vectors(self, prompts: Sequence[str]) -> torch.Tensor:
        read = self._clap_tokenizer(
            list(prompts), padding=True, truncation=True, max_length=CLAP_TOKENS, return_tensors="pt"
        )
        made: Any = self._clap[0].get_text_features(read["input_ids"], attention_mask=read["attention_mask"])
        vectors: torch.Tensor = made.pooler_output
        return vectors

    def _generate(self, clap: torch.Tensor, text: torch.Tensor, lengths: list[int], gaps: list[int]) -> torch.Tensor:
        """Eight tokens a row, each the last hidden state behind what stands before it."""
        parts = self.projection
        one, many = parts.projection(clap), parts.projection_1(text)
        room = max(n + gap for n, gap in zip(lengths, gaps, strict=True)) + 5 + LOA_TOKENS
        rows, masks = [], []
        for vector, states, length, gap in zip(one, many, lengths, gaps, strict=True):
            begin = [parts.sos_embed[None], vector[None], parts.eos_embed[None], parts.sos_embed_1[None]]
            row = torch.cat([*begin, states[:length], states.new_zeros(gap, LOA_WIDTH), parts.eos_embed_1[None]])
            seen = [1] * (4 + length) + [0] * gap + [1] * (room - 4 - length - gap)
            rows.append(torch.cat([row, row.new_zeros(room - len(row), LOA_WIDTH)]))
            masks.append(seen)
        sequence, mask = torch.stack(rows), torch.tensor(masks, device=text.device)
        ends = torch.tensor([n + gap + 5 for n, gap in zip(lengths, gaps, strict=True)], device=text.device)
        index = torch.arange(len(rows), device=text.device)
        tokens = []
        for number in range(LOA_TOKENS):
            hidden = self.gpt2.transformer(inputs_embeds=sequence, attention_mask=mask).last_hidden_state
            token = hidden[index, ends + number - 1]
            tokens.append(token)
            here = torch.zeros_like(mask, dtype=torch.bool)
            here[index, ends + number] = True
            sequence = torch.where(here[..., None], token[:, None], sequence)
        return torch.stack(tokens, dim=1)
