"""Labelled notes as a backbone hears them: latent frames of sounding notes, with family and instrument.

Frames more than `FLOOR_DB` below the loudest of their note are silent and left out. Families are balanced: notes are
chosen evenly over the families and, within one, over its instruments (`choose`), and each note gives as many frames as
any other (`gather`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from bench.audio import Clip
from bench.backbone import Backbone
from bench.errors import IncompleteError
from bench.identity import derive_seed, digest
from bench.suite import Track, untracked

FLOOR_DB = -40.0
"""Below the note's loudest frame: choice, the paper says only that frames are not silent."""


@dataclass(frozen=True)
class Note:
    """A recorded note: its name, its instrument, that instrument's family, and the audio file."""

    name: str
    instrument: str
    family: str
    path: Path


@dataclass(frozen=True, eq=False)
class Heard:
    """A note in latent space.

    Attributes:
        latent: (channels, time, frequency).
        sounding: which frames sound, (time,).
        sha256: of the audio.
    """

    latent: npt.NDArray[np.float32]
    sounding: npt.NDArray[np.bool_]
    sha256: str


@dataclass(frozen=True, eq=False)
class Frames:
    """Latent frames of many notes, as many of each note and notes of each family.

    Attributes:
        values: (notes, draws, channels, frequency): frames of a note resemble each other, so they are kept together.
        family: index into `families`, (notes,). instrument: index into `instruments`, (notes,).
        families, instruments: names, sorted.
        digest: hash of the notes' names and audio.
    """

    values: npt.NDArray[np.float32]
    family: npt.NDArray[np.int64]
    instrument: npt.NDArray[np.int64]
    families: tuple[str, ...]
    instruments: tuple[str, ...]
    digest: str


def choose(notes: Sequence[Note], count: int, *, seed: int, even: bool = True) -> tuple[Note, ...]:
    """Some notes: as many of each family, and within a family as evenly over its instruments as they allow.

    Args:
        notes: of two families or more.
        count: at most so many in all.
        seed: of which.
        even: no family gives more than the one with the fewest can; otherwise only that one gives fewer.

    Raises:
        IncompleteError: if there are fewer than two families, or `count` is less than one a family.
    """
    by_family: dict[str, dict[str, list[Note]]] = defaultdict(lambda: defaultdict(list))
    for note in sorted(notes, key=lambda note: note.name):
        by_family[note.family][note.instrument].append(note)
    if len(by_family) < 2 or count < len(by_family):
        raise IncompleteError(
            f"{count} notes of {len(by_family)} families tell nothing about families",
            remedy="Give notes of at least two families, and at least one note a family.",
            code="mi/families",
        )
    each = count // len(by_family)
    if even:
        each = min(each, *(sum(map(len, instruments.values())) for instruments in by_family.values()))
    chosen: list[Note] = []
    for family in sorted(by_family):
        # Each instrument's notes in an order of their own; then all first ones, all second ones, and so on.
        order = [
            (turn, derive_seed(seed, note.name), note)
            for instrument in by_family[family].values()
            for turn, note in enumerate(sorted(instrument, key=lambda note: derive_seed(seed, note.name)))
        ]
        order.sort(key=lambda place: place[:2])
        chosen += [note for _, _, note in order[:each]]
    return tuple(chosen)


def hear(backbone: Backbone, note: Note, *, floor_db: float = FLOOR_DB) -> Heard:
    """Encode a note and find where it sounds.

    Raises:
        AudioError: if its file cannot be used.
    """
    clip = Clip.read(note.path)
    encoded = backbone.encode(clip)
    latent = encoded.latent[0].float().cpu().numpy()
    energy = backbone.mel_energy([clip], gain=encoded.gain)[0].double().cpu()
    return Heard(latent, sounding(energy, latent.shape[1], floor_db=floor_db), clip.sha256)


def sounding(energy: torch.Tensor, frames: int, *, floor_db: float = FLOOR_DB) -> npt.NDArray[np.bool_]:
    """Which latent frames are at most `floor_db` below the loudest; none in digital silence.

    Args:
        energy: on the front end's grid, (whole multiple of `frames`, bands).
        frames: of the latent.
        floor_db: in dB, negative.
    """
    level = energy.reshape(frames, -1).sum(dim=1).numpy()
    return np.asarray((level > 0) & (level >= level.max() * 10 ** (floor_db / 10)))


def gather(
    backbone: Backbone,
    notes: Sequence[Note],
    *,
    per_note: int,
    seed: int,
    floor_db: float = FLOOR_DB,
    track: Track = untracked,
) -> Frames:
    """Sounding frames of notes.

    Args:
        backbone: encodes the notes one by one, so that memory does not grow with their length.
        notes: as `choose` gives them. Silent ones are left out, and so many of the other families.
        per_note: frames of a note, drawn without replacement as far as it has so many, then again.
        seed: of which frames.
        floor_db: see `sounding`.
        track: told how far the encoding is.

    Raises:
        AudioError: if a note cannot be read. IncompleteError: if no note of a family sounds.
    """
    values, kept, hashes = [], [], []
    for note in track(notes, "notes", len(notes)):
        heard = hear(backbone, note, floor_db=floor_db)
        hashes.append([note.name, heard.sha256])
        where = np.flatnonzero(heard.sounding)
        if len(where):
            order = np.random.default_rng(derive_seed(seed, "frames", note.name)).permutation(where)
            values.append(heard.latent[:, np.resize(order, per_note)].transpose(1, 0, 2))
            kept.append(note)
    balanced = _balanced(kept, sorted({note.family for note in notes}))
    families, family = np.unique([kept[place].family for place in balanced], return_inverse=True)
    instruments, instrument = np.unique([kept[place].instrument for place in balanced], return_inverse=True)
    return Frames(
        values=np.stack([values[place] for place in balanced]),
        family=family.astype(np.int64),
        instrument=instrument.astype(np.int64),
        families=tuple(map(str, families)),
        instruments=tuple(map(str, instruments)),
        digest=digest(sorted(hashes)),
    )


def _balanced(notes: Sequence[Note], families: Sequence[str]) -> list[int]:
    """Places of as many notes of each family, the first ones of each: `choose` has them in turns of instruments."""
    places: dict[str, list[int]] = {family: [] for family in families}
    for place, note in enumerate(notes):
        places[note.family].append(place)
    fewest = min(families, key=lambda family: len(places[family]))
    if not places[fewest]:
        raise IncompleteError(
            f"no note of the family '{fewest}' sounds",
            remedy="Leave the family out, or look at its audio.",
            code="mi/silent-family",
        )
    return sorted(place for each in places.values() for place in each[: len(places[fewest])])
