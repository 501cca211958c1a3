"""The stages of training, each with its task, its settings and what it leaves behind.

    vae ──▶ latents ──▶ unet (with T5, projection and GPT-2)
    clap ──▶ text ──────▶ │
                          ▼
    judge               shipped/

Each stage has a folder of its own in the workplace, and goes on there where it was stopped. `ship` writes the averaged
weights as the package has them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import torch

from bench.backbones import mel
from bench.backbones.nano import ship
from bench.backbones.nano.train import judge
from bench.backbones.nano.train.clap import ClapTask
from bench.backbones.nano.train.judge import JudgeTask
from bench.backbones.nano.train.latents import choose, encode_song
from bench.backbones.nano.train.loop import Settings, Trainer, TrainingTask, read_checkpoint
from bench.backbones.nano.train.naming import NamingTask
from bench.backbones.nano.train.takes import TakenSong, read_takes
from bench.backbones.nano.train.unet import UnetTask
from bench.backbones.nano.train.vae import VaeTask, standardise
from bench.errors import DataError, UsageError, did_you_mean
from bench.store.atomic import make_folder

TAKES, LATENTS, MADE = "takes", "latents", "made"
"""Folders of the workplace: rendered songs, their latents, and weights as the package has them."""

SETTINGS: Mapping[str, Settings] = MappingProxyType({
    "vae": Settings(steps=5_200, rate=1.5e-3, warmup=50, decay=0.6, average=0.995, weight_decay=0.0),
    "clap": Settings(steps=2_560, rate=1e-3, warmup=200, decay=0.4, average=0.998, weight_decay=0.02),
    "clap-audio": Settings(steps=8_000, rate=1e-3, warmup=200, decay=0.4, average=0.998, weight_decay=0.02),
    "text": Settings(steps=900, rate=2e-3, warmup=50, decay=0.4, average=0.98, weight_decay=0.0),
    "unet": Settings(steps=4_250, rate=1e-3, warmup=200, decay=0.3, average=0.999, betas=(0.9, 0.99)),
    "judge": Settings(steps=900, rate=2e-3, decay=0.5, average=0.995),
})  # fmt: skip
"""Of each stage, in the order in which they are trained. `clap-audio` goes on with nano-clap's audio side alone."""

STANDARDISING_SONGS = 12

_Item = TypeVar("_Item")
Track = Callable[[Iterable[_Item], str, int], Iterable[_Item]]


def task_of(stage: str, workplace: Path, words: Sequence[str], *, seed: int = 0) -> TrainingTask:
    """What a stage trains.

    Args:
        stage: one of `SETTINGS`.
        workplace: with rendered songs in `takes`, and what earlier stages left.
        words: of the tokenizers.
        seed: of the first weights.

    Raises:
        UsageError: for an unknown stage.
        DataError: if songs, latents or an earlier stage are not there.
    """
    if stage not in SETTINGS:
        raise UsageError(f"unknown stage '{stage}'", remedy=did_you_mean(stage, SETTINGS), code="nano/stage")
    songs = read_takes(workplace / TAKES)
    if stage == "vae":
        return VaeTask(songs, seed=seed)
    if stage == "judge":
        return JudgeTask(songs, seed=seed)
    clap = ClapTask(songs, words, seed=seed, audio_only=stage == "clap-audio")
    if stage == "clap":
        return clap
    clap.load_state(_averages(workplace, "clap"))
    if stage == "clap-audio":
        return clap
    if stage == "text":
        return NamingTask(songs, clap.clap, clap.tokenizer, words, seed=seed)
    unet = UnetTask(songs, workplace / LATENTS, clap.clap, clap.tokenizer, words, seed=seed)
    unet.load_state({"text": _averages(workplace, "text")["text"]})
    return unet


def train(
    stage: str,
    workplace: Path,
    words: Sequence[str],
    *,
    steps: int | None = None,
    seed: int = 0,
    rank: int = 0,
    processes: int = 1,
) -> Trainer:
    """Train a stage from where it is to its last step.

    Args:
        stage: as of `task_of`.
        workplace: likewise.
        words: likewise.
        steps: other than the stage's own.
        seed: of first weights and draws.
        rank: the number of this process among those that train together.
        processes: how many those are (`bench.backbones.nano.train.parallel`).
    """
    settings = (
        replace(SETTINGS[stage], seed=seed) if steps is None else replace(SETTINGS[stage], seed=seed, steps=steps)
    )
    task = task_of(stage, workplace, words, seed=seed)
    trainer = Trainer(task, settings, workplace / stage, rank=rank, processes=processes)
    trainer.run()
    return trainer


def encode(workplace: Path, *, folder: Path, track: Track[TakenSong]) -> None:
    """Encode the songs of a workplace with a codec that was shipped to `folder`; those that are there are left."""
    vae = ship.read_part("vae", folder)
    songs = read_takes(workplace / TAKES)
    make_folder(workplace / LATENTS)
    for song in track(songs, "songs", len(songs)):
        encode_song(song, vae, workplace / LATENTS)


def write(stage: str, workplace: Path, folder: Path, words: Sequence[str]) -> Mapping[str, Any]:
    """Write a stage's averaged weights into `folder`, as the package has them; facts about them.

    Raises:
        DataError: if the stage has no checkpoint.
    """
    averages = _averages(workplace, stage)
    ship.write_words(words, folder)
    task: Any = task_of(stage, workplace, words)
    task.load_state(averages)
    if stage == "vae":
        vae = task.modules["vae"].eval()
        facts = _standardised(vae, read_takes(workplace / TAKES)[:STANDARDISING_SONGS])
        ship.write_part("vae", vae, folder)
        return facts
    if stage == "judge":
        judge.write_judge(task.judge, folder / judge.FOLDER)
        return {}
    if stage.startswith("clap"):
        ship.write_clap(task.clap.eval(), task.tokenizer, folder)
        return {}
    text = task.modules["text"]
    ship.write_part("unet", task.modules["unet"], folder)
    for name, module in (
        ("text_encoder_2", text.t5),
        ("projection_model", text.projection),
        ("language_model", text.gpt2),
    ):
        ship.write_part(name, module, folder)
    return {}


@torch.no_grad()
def _standardised(vae: Any, songs: Sequence[TakenSong]) -> Mapping[str, Any]:
    """Standardise a codec on some songs; the deviations of its channels before and after, and the error."""
    front_end = mel.MelFrontEnd()
    waves = [each.waveform() for song in songs for each in choose(song, 1)[::3]]
    mels = [front_end.log_mel(torch.from_numpy(wave[None]))[:, None] for wave in waves]

    def encoded() -> torch.Tensor:
        return torch.cat([vae.encode(each).latent_dist.mode() for each in mels])

    latents = encoded()
    before = latents.std(dim=(0, 2, 3)).tolist()
    standardise(vae, latents)
    errors = [float((vae.decode(vae.encode(each).latent_dist.mode()).sample - each).abs().mean()) for each in mels]
    return {"stds before": before, "stds": encoded().std(dim=(0, 2, 3)).tolist(), "l1": sum(errors) / len(errors)}


def _averages(workplace: Path, stage: str) -> Mapping[str, Any]:
    # nano-clap's audio side may have been trained further by itself.
    stages = ("clap-audio", "clap") if stage == "clap" else (stage,)
    for each in stages:
        found = read_checkpoint(workplace / each)
        if found is not None:
            averages: Mapping[str, Any] = found["averages"]
            return averages
    raise DataError(
        f"the stage '{stage}' has not been trained here",
        where=str(workplace / stage),
        remedy=f"Train it first: `timbrebench nano train {stage}`.",
        code="nano/untrained",
    )
