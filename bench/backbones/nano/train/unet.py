"""The U-Net and the text side, together: denoising of latents under prompts.

The network predicts v = sqrt(ᾱ) ε − sqrt(1−ᾱ) x (Salimans & Ho, ICLR 2022) on the published schedule; loss: mean
square. Timesteps are stratified over the batch. One prompt in ten is empty, for guidance. Crops are short at first, and
later as long as the clips that are edited: attention must have met such lengths.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from diffusers import AudioLDM2UNet2DConditionModel, DDIMScheduler
from transformers import ClapModel, RobertaTokenizer

from bench.backbones.nano.config import scheduler_config, unet_config
from bench.backbones.nano.train.captions import describe
from bench.backbones.nano.train.latents import EncodedSong, read_latents
from bench.backbones.nano.train.loop import TrainingTask
from bench.backbones.nano.train.takes import TakenSong
from bench.backbones.nano.train.text import Prompted, TextSide

EMPTY = 0.1
"""Share of prompts that are empty."""

TOKENS = 768
"""Latent frames of a batch: 24 crops of 32, 12 of 64, 6 of 128, 3 of 250."""

LENGTHS = (32, 64, 128, 250)
_SHARES = ((0.0, (0.80, 0.20, 0.00, 0.00)), (0.3, (0.50, 0.35, 0.10, 0.05)), (0.7, (0.25, 0.35, 0.20, 0.20)))
"""From which share of the steps on, which share of the batches has crops of each length."""

RESCAN = 500
"""Steps between looks for more encoded songs."""

QUARTERS = 4


class UnetTask(TrainingTask):
    """Denoising under prompts.

    Args:
        songs: rendered songs.
        folder: where their latents are; songs that are encoded while training goes on are taken in.
        clap, tokenizer: nano-clap, trained.
        words: of T5's vocabulary.
        seed: of the first weights.
        frames: latent frames of a batch.
    """

    def __init__(
        self,
        songs: Sequence[TakenSong],
        folder: Path,
        clap: ClapModel,
        tokenizer: RobertaTokenizer,
        words: Sequence[str],
        *,
        seed: int = 0,
        frames: int = TOKENS,
    ):
        self._songs, self._folder, self._frames = songs, folder, frames
        self._encoded: tuple[EncodedSong, ...] = ()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self._unet = AudioLDM2UNet2DConditionModel(**unet_config()).to(memory_format=torch.channels_last)
        self._text = TextSide(clap, tokenizer, words, seed=seed)
        scheduler = DDIMScheduler(**scheduler_config("v_prediction"))
        self._alphas = scheduler.alphas_cumprod
        self.modules = {"unet": self._unet, "text": self._text}

    def loss(self, step: int, progress: float, rng: np.random.Generator) -> Mapping[str, torch.Tensor]:
        """Mean square error of v; beside it that of each quarter of the timesteps, low noise first."""
        if step % RESCAN == 0 or not self._encoded:
            self._encoded = read_latents(self._folder, self._songs)
        latents, prompts = self._batch(length_at(progress, rng), rng)
        timesteps = self._timesteps(len(latents), rng)
        alpha = self._alphas[timesteps][:, None, None, None]
        noise = torch.from_numpy(rng.standard_normal(tuple(latents.shape), np.float32))
        noisy = alpha.sqrt() * latents + (1 - alpha).sqrt() * noise
        wanted = alpha.sqrt() * noise - (1 - alpha).sqrt() * latents
        found = self._predict(noisy, timesteps, self._encode(prompts, rng))
        errors = (found - wanted).square().mean(dim=(1, 2, 3))
        quarter = timesteps * QUARTERS // len(self._alphas)
        shown = {f"q{n}": errors[quarter == n].mean() for n in range(QUARTERS) if bool((quarter == n).any())}
        return {"loss": errors.mean(), **shown}

    def _encode(self, prompts: Sequence[str], rng: np.random.Generator) -> tuple[Prompted, torch.Tensor]:
        """Each different prompt once, and which row belongs to each of `prompts`."""
        once = sorted(set(prompts))
        gaps = [int(rng.integers(0, 30)) if prompt == "" else 0 for prompt in once]
        return self._text(once, gaps), torch.tensor([once.index(prompt) for prompt in prompts])

    def _predict(
        self, noisy: torch.Tensor, timesteps: torch.Tensor, prompted: tuple[Prompted, torch.Tensor]
    ) -> torch.Tensor:
        text, rows = prompted
        made: torch.Tensor = self._unet(
            noisy,
            timesteps,
            encoder_hidden_states=text.loa[rows],
            encoder_hidden_states_1=text.text[rows],
            encoder_attention_mask_1=text.mask[rows],
            return_dict=False,
        )[0]
        return made

    def _batch(self, length: int, rng: np.random.Generator) -> tuple[torch.Tensor, list[str]]:
        """Crops (n, 8, length, 16) and their prompts; each clip gives two crops, if there is room for two."""
        count = max(1, self._frames // length)
        clips = -(-count // 2)
        crops, prompts = [], []
        for _ in range(clips):
            song = self._encoded[int(rng.integers(len(self._encoded)))]
            chosen = int(rng.integers(len(song.clips)))
            prompt = "" if rng.random() < EMPTY else describe(song.clips[chosen], rng)
            for _ in range(2):
                start = int(rng.integers(song.latents.shape[2] - length + 1))
                crops.append(torch.from_numpy(song.latents[chosen, :, start : start + length].astype(np.float32)))
                prompts.append(prompt)
        return torch.stack(crops[:count]), prompts[:count]

    def _timesteps(self, count: int, rng: np.random.Generator) -> torch.Tensor:
        """One in each of `count` equal parts of the schedule, in any order."""
        places = (rng.permutation(count) + rng.random(count)) / count
        return torch.from_numpy((places * len(self._alphas)).astype(np.int64))


def length_at(progress: float, rng: np.random.Generator) -> int:
    """The length of a batch's crops."""
    shares = next(shares for start, shares in reversed(_SHARES) if progress >= start)
    return int(rng.choice(LENGTHS, p=shares))
