"""The noise-level probe (Lee et al., ICASSP 2026): up to which noise level can a classifier tell the instrument?

A small network conditioned on the level is trained on z = z_0 + σ ε at levels of every size, and asked for the
instrument family of notes that it was not trained on. Where its accuracy falls to chance, nothing of the instrument
is left that it could find; an edit that starts there (PnI's t*) cannot leak the source's timbre.

The paper's network and result are not published. Chosen: three residual convolutions over time and frequency, scaled
and shifted by an embedding of log σ, on z / sqrt(1 + σ²); levels from the grid of Karras et al. (2022), so that the
fraction of the grid is PnI's α. Accuracy is the mean over families. Two sets are asked: other notes of the *same*
instruments, and notes of *other* instruments.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

from bench.backbone import Backbone
from bench.diffusion.edm import SIGMA_MAX, SIGMA_MIN, karras_sigmas
from bench.errors import IncompleteError
from bench.identity import derive_seed, digest
from bench.stats.bootstrap import cluster_mean
from bench.suite import Track, untracked
from methods.mi_inpainting.notes import Note, hear

WINDOW = 32
"""Latent frames of a note that the network sees, from where it begins to sound (AudioLDM 2: 1.28 s)."""

HELD_OUT = 0.2
"""Share of each instrument's notes that the network is not trained on."""


@dataclass(frozen=True, eq=False)
class Windows:
    """The beginnings of notes.

    Attributes:
        latents: (notes, channels, `WINDOW`, frequency).
        family: index into the probe's families, (notes,).
        instruments: name of each note's instrument.
        digest: hash of names and audio.
    """

    latents: torch.Tensor
    family: torch.Tensor
    instruments: tuple[str, ...]
    digest: str

    def __len__(self) -> int:
        return len(self.instruments)


@dataclass(frozen=True)
class Point:
    """Accuracy at one level: σ, the fraction α of the grid that is run from there, and the mean with its interval."""

    sigma: float
    alpha: float
    accuracy: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Curve:
    """Accuracy over all levels, from no noise to most, for one set of notes.

    Attributes:
        name: of the set. points: by rising σ.
        notes, instruments: how many.
    """

    name: str
    points: tuple[Point, ...]
    notes: int
    instruments: int

    def at_chance(self, chance: float) -> Point | None:
        """The first level from which on no interval lies above chance; None if there is none."""
        found = None
        for point in reversed(self.points):
            if (point.accuracy if point.low is None else point.low) > chance:
                break
            found = point
        return found


def windows(backbone: Backbone, notes: Sequence[Note], families: Sequence[str], *, track: Track = untracked) -> Windows:
    """Encode notes and cut their beginnings. A note shorter than `WINDOW` is followed by zeros, silent ones left out.

    Raises:
        AudioError: if a note cannot be read. IncompleteError: if none sounds.
    """
    latents, kept, hashes = [], [], []
    for note in track(notes, "notes", len(notes)):
        heard = hear(backbone, note)
        hashes.append([note.name, heard.sha256])
        if heard.sounding.any():
            begin = int(heard.sounding.argmax())
            cut = torch.from_numpy(heard.latent[:, begin : begin + WINDOW])
            latents.append(F.pad(cut, (0, 0, 0, WINDOW - cut.shape[1])))
            kept.append(note)
    if not kept:
        raise IncompleteError("no note sounds", remedy="Give other notes.", code="mi/silent-family")
    places = torch.tensor([list(families).index(note.family) for note in kept])
    instruments = tuple(note.instrument for note in kept)
    return Windows(torch.stack(latents), places, instruments, digest(sorted(hashes)))


def held_out(notes: Sequence[Note], *, seed: int) -> tuple[list[Note], list[Note]]:
    """Notes to train on, and those of the same instruments to ask about (`HELD_OUT` of each, at least one).

    An instrument with a single note is trained on.
    """
    by_instrument: dict[str, list[Note]] = defaultdict(list)
    for note in notes:
        by_instrument[note.instrument].append(note)
    train, ask = [], []
    for name in sorted(by_instrument):
        own = sorted(by_instrument[name], key=lambda note: derive_seed(seed, "held-out", note.name))
        apart = max(1, round(HELD_OUT * len(own))) if len(own) > 1 else 0
        ask += own[:apart]
        train += own[apart:]
    return train, ask


# -- network ------------------------------------------------------------------------------------------------------


class Classifier(nn.Module):
    """Family of a noised latent, told σ.

    Args:
        channels: of the latent.
        families: how many.
        width: of the convolutions.
    """

    def __init__(self, channels: int, families: int, width: int = 48):
        super().__init__()
        self.level = nn.Sequential(nn.Linear(16, 2 * width), nn.SiLU(), nn.Linear(2 * width, 6 * width))
        self.first = nn.Conv2d(channels, width, 3, padding=1)
        self.blocks = nn.ModuleList(nn.Conv2d(width, width, 3, padding=1) for _ in range(3))
        self.norms = nn.ModuleList(nn.GroupNorm(8, width, affine=False) for _ in range(3))
        self.last = nn.Linear(2 * width, families)

    def forward(self, z: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
        """Logits (batch, families) of z = z_0 + σ ε (batch, channels, time, frequency) at σ (batch,)."""
        film = self.level(_embedding(sigma)).chunk(6, dim=1)
        x = self.first(z / (1 + sigma[:, None, None, None] ** 2).sqrt())
        for index, (block, norm) in enumerate(zip(self.blocks, self.norms, strict=True)):
            scale, shift = (part[:, :, None, None] for part in film[2 * index : 2 * index + 2])
            x = x + block(F.silu(norm(x) * (1 + scale) + shift))
            # Halved while there is something to halve: a codec without a frequency axis has one row.
            x = F.avg_pool2d(x, (min(2, x.shape[2]), min(2, x.shape[3])))
        pooled = torch.cat([x.mean(dim=(2, 3)), x.amax(dim=(2, 3))], dim=1)
        logits: torch.Tensor = self.last(pooled)
        return logits


def _embedding(sigma: torch.Tensor) -> torch.Tensor:
    """Fourier features of log σ / 4, (batch, 16); below the grid's least noise all is one level."""
    position = sigma.clamp(min=SIGMA_MIN).log()[:, None] / 4
    angles = position * 2 ** torch.linspace(-1, 3, 8) * math.pi / 2
    return torch.cat([angles.sin(), angles.cos()], dim=1)


# -- training and asking --------------------------------------------------------------------------------------------


def train(
    data: Windows, families: int, *, steps: int, batch: int = 64, seed: int, track: Track = untracked
) -> Classifier:
    """Train a classifier at noise levels drawn log-uniformly, each family as often as any other.

    The result depends on the seed; the global random state is left alone.

    Args:
        data: to train on.
        families: how many there are.
        steps: of AdamW, with a learning rate falling from 2e-3 in half a cosine.
        batch: notes a step.
        seed: of weights, notes and noise.
        track: told how far it is.

    Raises:
        IncompleteError: if a family has no note.
    """
    rng = torch.Generator().manual_seed(derive_seed(seed, "probe"))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive_seed(seed, "weights"))
        network = Classifier(data.latents.shape[1], families)
    members = [torch.nonzero(data.family == family).flatten() for family in range(families)]
    if not all(len(each) for each in members):
        raise IncompleteError("a family has no note to train on", remedy="Ask for more notes.", code="mi/families")
    optimiser = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    with torch.enable_grad():
        for _ in track(range(steps), "steps", steps):
            family = torch.randint(families, (batch,), generator=rng)
            draws = torch.rand(batch, generator=rng)
            places = torch.stack(
                [members[int(f)][int(d * len(members[int(f)]))] for f, d in zip(family, draws, strict=True)]
            )
            sigma = torch.exp(torch.rand(batch, generator=rng) * math.log(SIGMA_MAX / SIGMA_MIN)) * SIGMA_MIN
            loss = F.cross_entropy(network(_noised(data.latents[places], sigma, rng), sigma), family)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
    return network.eval()


@torch.no_grad()
def ask(network: Classifier, data: Windows, name: str, *, levels: int, draws: int, seed: int) -> Curve:
    """Accuracy without noise and at levels of the grid of Karras et al., with intervals over instruments.

    Args:
        network: trained.
        data: notes that it was not trained on.
        name: of the curve.
        levels: of the grid.
        draws: of noise for each note and level.
        seed: of the noise and the intervals.
    """
    grid = [0.0, *karras_sigmas(levels)[::-1].tolist()]
    points = []
    for number, sigma in enumerate(grid):
        rng = torch.Generator().manual_seed(derive_seed(seed, name, f"level {number}"))
        right = torch.stack([_right(network, data, sigma, rng) for _ in range(draws if sigma > 0 else 1)]).mean(dim=0)
        # Weighted so that the mean over notes is the mean over families.
        found = cluster_mean((right * _family_weights(data.family)).tolist(), data.instruments, seed=seed)
        points.append(
            Point(
                sigma=round(sigma, 6),
                alpha=round(number / levels, 6),
                accuracy=round(found.mean, 6),
                low=None if found.low is None else round(max(0.0, found.low), 6),
                high=None if found.high is None else round(min(1.0, found.high), 6),
            )
        )
    return Curve(name, tuple(points), len(data), len(set(data.instruments)))


def _right(network: Classifier, data: Windows, sigma: float, rng: torch.Generator) -> torch.Tensor:
    """1 where the network names the family, else 0, (notes,)."""
    level = torch.full((len(data),), sigma)
    z = _noised(data.latents, level, rng)
    parts = [network(part, level[: len(part)]).argmax(dim=1) for part in torch.split(z, 256)]
    return (torch.cat(parts) == data.family).float()


def _family_weights(family: torch.Tensor) -> torch.Tensor:
    counts = torch.bincount(family).float()
    return len(family) / (counts[family] * int((counts > 0).sum()))


def _noised(z0: torch.Tensor, sigma: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
    return z0 + sigma[:, None, None, None] * torch.randn(z0.shape, generator=rng)
