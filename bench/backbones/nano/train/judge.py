"""The judge: a small classifier that names the sound in a clip, made to measure what nano generates.

It shares nothing with nano-clap: no weights, no text, another front end (log-mels every 10 ms), another loss. It learns
from single takes of the training songs, and is tested on takes of songs that nothing was trained on.

What it must not go by is what a codec, a network or a vocoder changes on the way: level, noise between the partials,
sharpness in time and in pitch, the phase. So each crop is heard relative to its own loudest cell, and is varied in all
of these while it learns (`varied`).

A clip is judged in crops of 2.56 s that overlap by half; the mean of their log-probabilities decides.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from bench.backbones import mel
from bench.backbones.nano.train.loop import TrainingTask
from bench.backbones.nano.train.takes import Take, TakenSong, Waveform
from bench.errors import ModelError
from bench.store import strict_json
from bench.store.atomic import make_folder, write_bytes, write_text

CROP_FRAMES = 256
"""2.56 s."""

CROP = CROP_FRAMES * mel.HOP
BATCH = 32
WIDTHS = (24, 48, 96, 128)
DYNAMICS = 9.0
"""Nats under a crop's loudest cell (78 dB) below which nothing is heard."""

QUIET = 0.1
"""A crop whose peak is under this part of its take's holds a rest or a decay, and is not learned from."""

VERSION = 1
FOLDER = "judge"
"""Beside the weights that ship."""

_WEIGHTS, _CONFIG = "model.safetensors", "config.json"
_TRIES = 8


class Judge(nn.Module):
    """Log-mels of a crop to log-probabilities of sounds.

    Args:
        sounds: names, in the order of the outputs.
    """

    def __init__(self, sounds: Sequence[str]):
        super().__init__()
        self.sounds = tuple(sounds)
        inputs = (1, *WIDTHS[:-1])
        self.stages = nn.Sequential(*(_stage(a, b) for a, b in zip(inputs, WIDTHS, strict=True)))
        bands = mel.BANDS // 2 ** len(WIDTHS)
        self.named = nn.Linear(2 * WIDTHS[-1] * bands, len(self.sounds))

    def forward(self, log_mels: torch.Tensor) -> torch.Tensor:
        """(n, frames, 64) log-mels as `bench.backbones.mel` has them → (n, sounds) logits."""
        loudest = log_mels.amax((1, 2), keepdim=True)
        heard = (log_mels - loudest).clamp_min(-DYNAMICS) * (2 / DYNAMICS) + 1
        found = self.stages(heard[:, None])
        # Over time the mean and the maximum; bands stay apart, since where partials lie is what is to be told.
        pooled = torch.cat([found.mean(2), found.amax(2)], dim=1).flatten(1)
        logits: torch.Tensor = self.named(F.dropout(pooled, 0.2, self.training))
        return logits

    @torch.no_grad()
    def log_probabilities(self, waveform: Waveform) -> torch.Tensor:
        """What a clip of any length sounds like: (sounds,), the mean over its crops.

        Crops in which nothing sounds are left out, unless all are such. A clip shorter than a crop is repeated.

        Args:
            waveform: mono at 16 kHz, (samples,).
        """
        crops = _crops(waveform)
        peaks = np.abs(crops).max(axis=1)
        kept = crops[peaks >= QUIET * peaks.max()]
        log_mels = _front_end(str(self.named.weight.device)).log_mel(torch.from_numpy(kept))
        found: torch.Tensor = self(log_mels).log_softmax(-1).mean(0).cpu()
        return found


@cache
def _front_end(device: str) -> mel.MelFrontEnd:
    return mel.MelFrontEnd(device)


def _stage(inputs: int, outputs: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()
    )


def _crops(waveform: Waveform) -> Waveform:
    """(crops, samples); the last one ends with the clip."""
    whole = waveform if len(waveform) >= CROP else np.resize(waveform, CROP)
    starts = sorted({*range(0, len(whole) - CROP + 1, CROP // 2), len(whole) - CROP})
    crops: Waveform = np.stack([whole[start : start + CROP] for start in starts]).astype(np.float32)
    return crops


class JudgeTask(TrainingTask):
    """Cross-entropy of the sounds of single takes, every sound as often as any other.

    Args:
        songs: to draw from.
        seed: of the first weights.
        batch: crops a step.
    """

    def __init__(self, songs: Sequence[TakenSong], *, seed: int = 0, batch: int = BATCH):
        self._of_sound: dict[str, list[tuple[TakenSong, Take]]] = {}
        for song in songs:
            for take in song.takes:
                self._of_sound.setdefault(take.sound, []).append((song, take))
        self._sounds, self._batch = sorted(self._of_sound), batch
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.judge = Judge(self._sounds)
        self.modules = {"judge": self.judge}

    def loss(self, step: int, progress: float, rng: np.random.Generator) -> Mapping[str, torch.Tensor]:
        """Cross-entropy, and the share that is named right."""
        right = torch.from_numpy(rng.integers(len(self._sounds), size=self._batch))
        waves = np.stack([self._crop(self._sounds[int(index)], rng) for index in right])
        logits = self.judge(varied(_front_end("cpu").log_mel(torch.from_numpy(waves)), rng))
        found = F.cross_entropy(logits, right, label_smoothing=0.05)
        return {"loss": found, "right": (logits.argmax(1) == right).float().mean()}

    def _crop(self, sound: str, rng: np.random.Generator) -> Waveform:
        """2.56 s of a take in which it sounds, at a random level."""
        takes = self._of_sound[sound]
        song, take = takes[int(rng.integers(len(takes)))]
        row = song.samples[take.row]
        loud = QUIET * max(float(np.abs(row[::8]).max()), 1.0)
        for _ in range(_TRIES):
            start = int(rng.integers(song.length - CROP + 1))
            crop = row[start : start + CROP].astype(np.float32)
            if np.abs(crop).max() >= loud:
                break
        level = 0.5 * 10 ** (rng.uniform(-24, 3) / 20)
        scaled: Waveform = crop * np.float32(level / max(float(np.abs(crop).max()), 1.0))
        return scaled


def varied(log_mels: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """Log-mels (n, frames, 64) as codecs and vocoders leave them.

    Some are blurred in time or in pitch; in some each cell is louder or softer by chance, as a wrong phase makes it;
    some get a floor of noise, some a slope over the bands. All of it by chance, each for itself.
    """
    return torch.stack([_varied(each, rng) for each in log_mels])


def _varied(log_mel: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    if rng.random() < 0.35:
        width = int(rng.choice((3, 5)))
        kernel = (width, 1) if rng.random() < 0.6 else (1, 3)
        log_mel = F.avg_pool2d(log_mel[None], kernel, 1, (kernel[0] // 2, kernel[1] // 2), count_include_pad=False)[0]
    if rng.random() < 0.5:
        log_mel = log_mel + float(rng.uniform(0.05, 0.5)) * _normal(log_mel, rng)
    if rng.random() < 0.5:
        floor = float(log_mel.max()) - float(rng.uniform(3.5, 8.5))
        log_mel = torch.logaddexp(log_mel, floor + 0.5 * _normal(log_mel, rng))
    if rng.random() < 0.3:
        log_mel = log_mel + torch.linspace(-1, 1, mel.BANDS) * float(rng.uniform(-1, 1))
    return log_mel


def _normal(like: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    return torch.from_numpy(rng.standard_normal(tuple(like.shape), np.float32))


def write_judge(judge: Judge, folder: Path) -> None:
    """Write a judge: half-precision weights, and the sounds that it knows."""
    from safetensors.torch import save

    make_folder(folder)
    state = judge.state_dict()
    weights = {name: (v.half() if v.is_floating_point() else v).contiguous() for name, v in state.items()}
    write_bytes(folder / _WEIGHTS, save(weights))
    write_text(folder / _CONFIG, json.dumps({"version": VERSION, "sounds": list(judge.sounds)}, indent=1) + "\n")


def read_judge(folder: Path) -> Judge:
    """A judge that `write_judge` wrote, in float32 and evaluation mode.

    Raises:
        ModelError: if its files are absent, damaged or of another version.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        config = strict_json.parse_object((folder / _CONFIG).read_bytes())
        if config["version"] != VERSION:
            raise ValueError(f"version {config['version']}, not {VERSION}")
        judge = Judge([str(sound) for sound in config["sounds"]])
        weights = load((folder / _WEIGHTS).read_bytes())
        judge.load_state_dict(weights)  # into float32: the parameters keep their type
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise ModelError(
            f"the weights of the judge cannot be read: {str(error).splitlines()[0] if str(error) else error!r}",
            where=str(folder),
            remedy="Install timbrebench again, or train it: `timbrebench nano train judge`.",
            code="model/nano-judge",
        ) from error
    return judge.eval()
