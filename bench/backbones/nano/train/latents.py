"""Songs as the U-Net sees them: clips encoded once by the trained codec, with what plays in each.

A song becomes `<song>.npy`, float16, (clips, 8, frames / 4, 16), and `<song>.json`, the takes that sound in each clip.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from diffusers import AutoencoderKL

from bench.backbones import mel
from bench.backbones.nano.train.mixtures import Drawn, draw_mix
from bench.backbones.nano.train.takes import Take, TakenSong
from bench.identity import derive_seed
from bench.store import strict_json
from bench.store.atomic import write_bytes, write_json

SOLOS, PARTS, MIXES = 5, 2, 5
"""Clips of a song: single takes, mixtures of two or three stems, whole mixtures (of which the first is the song)."""


@dataclass(frozen=True)
class EncodedSong:
    """A song's encoded clips, and who plays in each."""

    file: Path
    clips: tuple[tuple[Take, ...], ...]

    @cached_property
    def latents(self) -> npt.NDArray[np.float16]:
        """(clips, 8, frames / 4, 16), mapped from the disk."""
        mapped: npt.NDArray[np.float16] = np.load(self.file, mmap_mode="r")
        return mapped


def choose(song: TakenSong, seed: int) -> list[Drawn]:
    """The clips of a song: the song itself, and others drawn."""
    rng = np.random.default_rng(derive_seed(seed, "nano", "latents", song.name))
    own = Drawn(song, tuple(takes[0] for takes in song.of_stem.values()))
    solos = [Drawn(song, (song.takes[int(i)],)) for i in rng.permutation(len(song.takes))[:SOLOS]]
    parts = [draw_mix(song, rng, stems=int(rng.integers(2, 4))) for _ in range(PARTS)]
    return [own, *(draw_mix(song, rng) for _ in range(MIXES - 1)), *parts, *solos]


@torch.no_grad()
def encode_song(song: TakenSong, vae: AutoencoderKL, folder: Path, *, seed: int = 0) -> None:
    """Encode a song's clips, unless they are there."""
    listed = folder / f"{song.file.stem}.json"
    if listed.is_file():
        return
    drawn = choose(song, seed)
    front_end = mel.MelFrontEnd()
    encoded = [
        vae.encode(front_end.log_mel(torch.from_numpy(each.waveform()[None]))[:, None]).latent_dist.mode()[0]
        for each in drawn
    ]
    buffer = io.BytesIO()
    np.save(buffer, torch.stack(encoded).half().numpy())
    write_bytes(listed.with_suffix(".npy"), buffer.getvalue())
    write_json(listed, {"clips": [[take.row for take in each.takes] for each in drawn]})


def read_latents(folder: Path, songs: Sequence[TakenSong]) -> tuple[EncodedSong, ...]:
    """Those of the songs that are encoded."""
    found = []
    for song in songs:
        listed = folder / f"{song.file.stem}.json"
        if listed.is_file():
            clips = strict_json.parse_object(listed.read_bytes())["clips"]
            takes = tuple(tuple(song.takes[row] for row in rows) for rows in clips)
            found.append(EncodedSong(listed.with_suffix(".npy"), takes))
    return tuple(found)
