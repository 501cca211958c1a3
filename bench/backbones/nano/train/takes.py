"""Rendered songs as training material: what `timbrebench nano data` writes, read without loading it into memory.

A song is `<song>.npy`, int16 mono at 16 kHz, (takes, samples), and `<song>.json`, which says what each row is: first
the song's own four stems, then stems of the same song played by other instruments. Rows of different stems may be
added.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.errors import DataError
from bench.store import strict_json
from bench.task import STEMS, StemName

RATE = 16_000

Waveform = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Take:
    """One stem of a song played by one instrument.

    Attributes:
        row: in the song's samples.
        stem: which of the four.
        sound: what plays, one of the sampler's names.
        phrases: how prompts may call it, with article or adjective.
        names: other names of the instrument, bare.
        monophonic: whether it plays one note at a time.
        notes: onset and duration in seconds, MIDI pitch.
    """

    row: int
    stem: StemName
    sound: str
    phrases: tuple[str, ...]
    names: tuple[str, ...]
    monophonic: bool
    notes: tuple[tuple[float, float, int], ...] = field(repr=False)


@dataclass(frozen=True)
class TakenSong:
    """A song's takes. The first four are the song as it is, one a stem, in the order of `STEMS` or another."""

    name: str
    genre: str
    takes: tuple[Take, ...]
    file: Path

    @cached_property
    def samples(self) -> npt.NDArray[np.int16]:
        """All rows, (takes, samples), mapped from the disk."""
        mapped: npt.NDArray[np.int16] = np.load(self.file, mmap_mode="r")
        return mapped

    @cached_property
    def of_stem(self) -> Mapping[StemName, tuple[Take, ...]]:
        """The takes of each stem, the song's own first."""
        return {stem: tuple(take for take in self.takes if take.stem == stem) for stem in STEMS}

    @property
    def length(self) -> int:
        """Samples of a take."""
        return int(self.samples.shape[1])

    def sum(self, takes: Sequence[Take], *, start: int = 0, length: int | None = None) -> Waveform:
        """Some takes added, from sample `start` on, (length,)."""
        stop = self.length if length is None else start + length
        total = np.zeros(stop - start, np.float32)
        for take in takes:
            total += self.samples[take.row, start:stop]
        return total / np.float32(32767)


def read_takes(folder: Path) -> tuple[TakenSong, ...]:
    """The songs of a folder, in the order of their names.

    Raises:
        DataError: if there is none, or a list is damaged.
    """
    songs = tuple(_read(path) for path in sorted(folder.glob("*.json")))
    if not songs:
        raise DataError(
            "no rendered songs are there",
            where=str(folder),
            remedy="Render some: `timbrebench nano data --songs 600 --out FOLDER`.",
            code="nano/no-takes",
        )
    return songs


def _read(path: Path) -> TakenSong:
    try:
        read = strict_json.parse_object(path.read_bytes())
        takes = tuple(
            Take(
                row=row,
                stem=each["stem"],
                sound=each["sound"],
                phrases=tuple(each["phrases"]),
                names=tuple(each["names"]),
                monophonic=each["monophonic"],
                notes=tuple((float(on), float(lasts), int(pitch)) for on, lasts, pitch in each["notes"]),
            )
            for row, each in enumerate(read["takes"])
        )
        return TakenSong(read["song"], read["genre"], takes, path.with_suffix(".npy"))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            "the list of a song's takes cannot be read",
            where=str(path),
            remedy="Delete it and render it again with `timbrebench nano data`.",
            code="nano/takes-damaged",
        ) from error
