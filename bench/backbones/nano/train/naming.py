"""The text side before the U-Net: T5 and GPT-2 learn which instruments a prompt names.

Left to the U-Net's loss alone they learn it slowly: whatever the prompt, most of a crop is explained by its neighbours,
and for thousands of steps all prompts have nearly the same language-of-audio tokens. So they are first trained to tell:
a linear reading of the sounds from T5's mean state, and one from the eight tokens. The readings are thrown away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from transformers import ClapModel, RobertaTokenizer

from bench.backbones.nano.config import LOA_TOKENS, LOA_WIDTH, TEXT_WIDTH
from bench.backbones.nano.train.captions import describe
from bench.backbones.nano.train.loop import TrainingTask
from bench.backbones.nano.train.mixtures import draw_any
from bench.backbones.nano.train.takes import TakenSong
from bench.backbones.nano.train.text import TextSide

PROMPTS = 64


class NamingTask(TrainingTask):
    """Which sounds does a prompt name?

    Args:
        songs: whose takes are named.
        clap: nano-clap, trained.
        tokenizer: of its texts.
        words: of T5's vocabulary.
        seed: of the first weights.
    """

    def __init__(
        self,
        songs: Sequence[TakenSong],
        clap: ClapModel,
        tokenizer: RobertaTokenizer,
        words: Sequence[str],
        *,
        seed: int = 0,
    ):
        self._songs = songs
        self._sounds = {sound: i for i, sound in enumerate(sorted({t.sound for song in songs for t in song.takes}))}
        self._text = TextSide(clap, tokenizer, words, seed=seed)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            readings = {
                "t5": nn.Linear(TEXT_WIDTH, len(self._sounds)),
                "loa": nn.Linear(LOA_TOKENS * LOA_WIDTH, len(self._sounds)),
            }
        self._readings = nn.ModuleDict(readings)
        self.modules = {"text": self._text, "readings": self._readings}

    def loss(self, step: int, progress: float, rng: np.random.Generator) -> Mapping[str, torch.Tensor]:
        """Binary cross-entropy of both readings."""
        drawn = [draw_any(self._songs, rng, solo=0.45, full=0.4) for _ in range(PROMPTS)]
        labels = torch.zeros(PROMPTS, len(self._sounds))
        for row, each in enumerate(drawn):
            labels[row, [self._sounds[take.sound] for take in each.takes]] = 1.0
        made = self._text([describe(each.takes, rng) for each in drawn])
        mask = made.mask[..., None].to(made.text)
        read = {
            "t5": self._readings["t5"]((made.text * mask).sum(1) / mask.sum(1)),
            "loa": self._readings["loa"](made.loa.flatten(1)),
        }
        losses = {
            name: F.binary_cross_entropy_with_logits(logits, labels, reduction="sum") / labels.sum()
            for name, logits in read.items()
        }
        return {"loss": torch.stack(list(losses.values())).sum(), **losses}
