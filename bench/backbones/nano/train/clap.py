"""nano-clap: audio and prompts of the same content come near each other, others apart.

A batch is made of groups of four that differ in one instrument only: the same song, the same notes, the same other
stems, another take of one stem. What tells the four apart is the question of the benchmark: which instrument plays
this part of the mixture? Some groups are solos, some mixtures of two or three stems.

Loss: the symmetric cross-entropy of CLIP, in which equal contents count as equally right; beside it a linear reading of
the instruments from the shared space, one for audio and texts alike, which is thrown away afterwards. Texts begin
alone: the first steps teach the text side which instruments a prompt names, and the audio side then meets a space with
order in it. Without this both sides wait for each other for hundreds of steps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from transformers import ClapModel

from bench.backbones.nano.clap import HOP, RATE, WIDTH, clap_config
from bench.backbones.nano.config import CLAP_TOKENS
from bench.backbones.nano.tokens import clap_tokenizer
from bench.backbones.nano.train.captions import describe
from bench.backbones.nano.train.loop import TrainingTask
from bench.backbones.nano.train.mixtures import Drawn, at_peak, draw_any, draw_mix
from bench.backbones.nano.train.takes import Take, TakenSong, Waveform
from bench.task import STEMS, StemName

GROUPS, ALIKE = 8, 4
SOLO, PARTIAL = 0.3, 0.15
"""Shares of the groups that are solos, and mixtures of two or three stems."""

TEXT_FIRST, TEXTS = 800, 96
"""Steps of texts alone, and how many texts each has."""

SECONDS = 10
READING = 0.5
"""Weight of the linear reading."""

FLOORED, BLURRED = 0.4, 0.3
"""Shares of the spectrograms that are varied."""

_STEM_WEIGHTS: Mapping[StemName, float] = {"vocals": 0.45, "other": 0.35, "bass": 0.1, "drums": 0.1}


class ClapFrontEnd:
    """The log-mels of `ClapFeatureExtractor` for batches, with torch."""

    def __init__(self) -> None:
        from bench.backbones.nano.clap import feature_extractor

        self._filters = torch.from_numpy(feature_extractor().mel_filters_slaney.T).float()
        self._window = torch.hann_window(1024)

    def __call__(self, waves: torch.Tensor) -> torch.Tensor:
        """(n, 160000) → (n, 1, 251, 64), in dB."""
        spectrum = torch.stft(waves, 1024, HOP, window=self._window, center=True, return_complex=True).abs().square()
        power = self._filters @ spectrum
        return 10 * power.clamp_min(1e-10).log10().transpose(1, 2)[:, None]


class Reading(nn.Module):
    """Which sounds are there, read linearly from the shared space."""

    def __init__(self, sounds: int):
        super().__init__()
        self.linear = nn.Linear(WIDTH, sounds)
        nn.init.constant_(self.linear.bias, -3.0)
        self.scale = nn.Parameter(torch.tensor(10.0))

    def forward(self, embedded: torch.Tensor) -> torch.Tensor:
        """Logits (n, sounds) of unit vectors (n, width)."""
        logits: torch.Tensor = self.linear(self.scale * embedded)
        return logits


class ClapTask(TrainingTask):
    """Contrastive training with hard negatives.

    Args:
        songs: to draw from.
        words: of the tokenizer.
        seed: of the first weights.
        groups: of four, a step.
        audio_only: leave the text side as it is, and let the audio side alone go on learning.
    """

    def __init__(
        self,
        songs: Sequence[TakenSong],
        words: Sequence[str],
        *,
        seed: int = 0,
        groups: int = GROUPS,
        audio_only: bool = False,
    ):
        self._songs, self._groups = songs, groups
        self.tokenizer = clap_tokenizer(words)
        self.sounds = sorted({take.sound for song in songs for take in song.takes})
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.clap = ClapModel(clap_config(len(self.tokenizer)))
            reading = Reading(len(self.sounds))
        self._learns_texts = not audio_only
        if audio_only:
            for part in (self.clap.text_model, self.clap.text_projection):
                part.requires_grad_(False)
        self.clap.logit_scale_t.requires_grad_(False)  # only the audio's scale is used here
        self._reading = reading
        self._front_end = ClapFrontEnd()
        self.modules = {"clap": self.clap, "reading": reading}

    def loss(self, step: int, progress: float, rng: np.random.Generator) -> Mapping[str, torch.Tensor]:
        """Cross-entropy both ways, and the linear reading of both."""
        if step < TEXT_FIRST and self._learns_texts:
            return self._texts_alone(rng)
        drawn = [each for _ in range(self._groups) for each in self._group(rng)]
        labels = torch.from_numpy(np.stack([self._labels(each.takes) for each in drawn]))
        audio = self.embed_audio(torch.from_numpy(np.stack([excerpt(each, rng) for each in drawn])), rng)
        text = self.embed_texts([describe(each.takes, rng) for each in drawn])
        logits = self.clap.logit_scale_a.exp().clamp(max=100) * audio @ text.T
        same = (labels @ labels.T == labels.sum(1)) & (labels @ labels.T == labels.sum(1)[:, None])
        targets = same.float() / same.float().sum(1, keepdim=True)
        contrast = (F.cross_entropy(logits, targets) + F.cross_entropy(logits.T, targets)) / 2
        read = sum(self._reading_loss(each, labels) for each in (audio, text))
        right = (logits.argmax(1)[:, None] == torch.arange(len(drawn))) & same
        return {
            "loss": contrast + READING * read,
            "contrast": contrast,
            "reading": read,
            "right": right.any(1).float().mean(),
        }

    def _texts_alone(self, rng: np.random.Generator) -> Mapping[str, torch.Tensor]:
        drawn = [draw_any(self._songs, rng, solo=0.35, full=0.45) for _ in range(TEXTS)]
        labels = torch.from_numpy(np.stack([self._labels(each.takes) for each in drawn]))
        return {"loss": self._reading_loss(self.embed_texts([describe(each.takes, rng) for each in drawn]), labels)}

    def embed_audio(self, waves: torch.Tensor, rng: np.random.Generator | None = None) -> torch.Tensor:
        """Unit vectors (n, width) of clips (n, 160000); with `rng` their spectrograms are varied first."""
        mels = self._front_end(waves)
        if rng is not None:
            mels = varied(mels, rng)
        made: Any = self.clap.get_audio_features(input_features=mels)
        vectors: torch.Tensor = made.pooler_output
        return F.normalize(vectors, dim=-1)

    def embed_texts(self, texts: Sequence[str]) -> torch.Tensor:
        """Unit vectors (n, width)."""
        read = self.tokenizer(list(texts), padding=True, truncation=True, max_length=CLAP_TOKENS, return_tensors="pt")
        made: Any = self.clap.get_text_features(read["input_ids"], attention_mask=read["attention_mask"])
        vectors: torch.Tensor = made.pooler_output
        return F.normalize(vectors, dim=-1)

    def _reading_loss(self, vectors: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        found = F.binary_cross_entropy_with_logits(self._reading(vectors), labels, reduction="none")
        return found.sum() / labels.sum()

    def _labels(self, takes: Sequence[Take]) -> np.ndarray[Any, np.dtype[np.float32]]:
        there = {take.sound for take in takes}
        return np.array([sound in there for sound in self.sounds], np.float32)

    def _group(self, rng: np.random.Generator) -> list[Drawn]:
        """Four clips that differ in the take of one stem."""
        song = self._songs[int(rng.integers(len(self._songs)))]
        stem = STEMS[int(rng.choice(len(STEMS), p=[_STEM_WEIGHTS[each] for each in STEMS]))]
        kind = float(rng.random())
        if kind < SOLO:
            rest: tuple[Take, ...] = ()
        else:
            several = None if kind >= SOLO + PARTIAL else int(rng.integers(2, 4))
            rest = tuple(take for take in draw_mix(song, rng, stems=several).takes if take.stem != stem)
        takes = song.of_stem[stem]
        chosen = rng.permutation(len(takes)) if len(takes) >= ALIKE else rng.integers(len(takes), size=ALIKE)
        return [Drawn(song, (takes[int(i)], *rest)) for i in chosen[:ALIKE]]


def excerpt(drawn: Drawn, rng: np.random.Generator) -> Waveform:
    """Ten seconds of a clip: all of it, or a part of three seconds or more, repeated."""
    whole = SECONDS * RATE
    if rng.random() < 0.6:
        wave = drawn.song.sum(drawn.takes, length=whole)
    else:
        length = int(rng.integers(3 * RATE, whole))
        part = drawn.song.sum(drawn.takes, start=int(rng.integers(drawn.song.length - length)), length=length)
        wave = np.resize(part, whole)
    return at_peak(wave, float(0.5 * 10 ** (rng.uniform(-12, 3) / 20)))


def varied(mels: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """Spectrograms in dB as vocoders leave them: some with a floor of noise, some blurred in time or in pitch."""
    return torch.stack([_blurred(_floored(mel, rng), rng) for mel in mels])


def _floored(mel: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    if rng.random() >= FLOORED:
        return mel
    floor = float(mel.max()) - float(rng.uniform(30, 75))
    noise = torch.from_numpy(rng.standard_normal(mel.shape).astype(np.float32))
    return torch.logaddexp(mel * _NAT, (floor + 4 * noise) * _NAT) / _NAT


def _blurred(mel: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    if rng.random() >= BLURRED:
        return mel
    kernel = (3, 1) if rng.random() < 0.5 else (1, 3)
    return F.avg_pool2d(mel[None], kernel, stride=1, padding=(kernel[0] // 2, kernel[1] // 2))[0]


_NAT = float(np.log(10) / 10)
