"""Fingerprints: what of a clip stays when it is turned up or down, resampled or sent through MP3.

A print is a bit for each of 32 bands and each twentieth of a second: whether the difference in energy to the next band
grew since the step before (Haitsma and Kalker, ISMIR 2002, eq. 1, with longer steps). A gain leaves it as it is; MP3 at
ordinary rates flips about one bit in twenty. Differences in level do not show in it, so two prints tell whether two
clips are the same recording, and nothing about which is the better edit.

Edits of one task share most of their sound, namely the source, and so most of their bits. Two edits are therefore
compared by what they changed: the bits in which both differ from the source, as a share of those in which either does.
Measured on 12 edits of the synth suite: an edit and its copy in MP3, OGG, 16 kHz, 8 kHz, with noise at -30 dB or 10 ms
late, at least 0.66; edits by different methods, also with one backbone, at most 0.38.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Final, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bench.audio import Clip
from bench.errors import DataError
from bench.store import strict_json
from bench.store.atomic import write_bytes
from bench.store.outcomes import Key

SCHEMA: Final = "timbrebench-fingerprints@1"

RATE = 16_000
BANDS = 33
LOWEST_HZ, HIGHEST_HZ = 100.0, 6000.0
WINDOW, HOP = 4096, 800  # samples
SAME = 0.55
"""Changes in common from which two edits are taken for one."""

FEWEST = 0.02
"""Share of the bits that must be changed for that to be told."""

_MOST_BYTES = 512 << 20

Bits = npt.NDArray[np.bool_]


def print_of(samples: npt.NDArray[np.float32]) -> Bits:
    """The print of mono samples (samples,) at 16 kHz, (steps, 32); no steps for a clip of under 0.31 s.

    >>> tone = np.sin(np.arange(16_000) / 9.0).astype(np.float32)
    >>> print_of(tone).shape, bool((print_of(tone) == print_of(tone / 4)).all())
    ((14, 32), True)
    """
    if len(samples) < WINDOW:
        return np.zeros((0, BANDS - 1), np.bool_)
    frames = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP]
    power = np.square(np.abs(np.fft.rfft(frames * np.hanning(WINDOW), axis=1)))
    edges = np.searchsorted(np.fft.rfftfreq(WINDOW, 1 / RATE), np.geomspace(LOWEST_HZ, HIGHEST_HZ, BANDS + 1))
    energy = np.add.reduceat(power, edges[:-1], axis=1) if len(frames) else power
    energy[:, -1] = power[:, edges[-2] : edges[-1]].sum(axis=1)  # reduceat's last band has no end
    return np.asarray(np.diff(np.diff(energy, axis=1), axis=0) > 0)


def mono(clip: Clip) -> npt.NDArray[np.float32]:
    """A clip's samples as prints want them."""
    return clip.to_mono().resample(RATE).mono


def flipped(one: Bits, other: Bits) -> float:
    """Share of bits in which two prints differ, over the steps that both have; 0 if there are none."""
    steps = min(len(one), len(other))
    return float((one[:steps] != other[:steps]).mean()) if steps else 0.0


def in_common(one: Bits, other: Bits, source: Bits) -> float | None:
    """Changes to the source that two edits share, as a share of those that either made; None if there are too few."""
    steps = min(len(one), len(other), len(source))
    changed, others = one[:steps] != source[:steps], other[:steps] != source[:steps]
    either = int((changed | others).sum())
    if either < FEWEST * changed.size or not either:
        return None
    return float((changed & others).sum()) / either


# -- what an entry store keeps ----------------------------------------------------------------------------------------


class ClipPrint(BaseModel):
    """One edit: the hash of its samples (`Clip.sha256`), and its print as base64 of packed bits, 4 bytes a step."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    task: str
    seed: int
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    bits: str

    @classmethod
    def of(cls, key: Key, sha256: str, bits: Bits) -> ClipPrint:
        """From bits."""
        return cls(
            task=key[0],
            seed=key[1],
            sha256=sha256,
            bits=base64.b64encode(np.packbits(bits, axis=1).tobytes()).decode("ascii"),
        )

    @property
    def array(self) -> Bits:
        """The bits, (steps, 32).

        Raises:
            ValueError: if they are not that.
        """
        packed = np.frombuffer(base64.b64decode(self.bits, validate=True), np.uint8).reshape(-1, (BANDS - 1) // 8)
        return np.unpackbits(packed, axis=1).astype(np.bool_)


class Fingerprints(BaseModel):
    """The prints of all edits of an entry: what later submissions are compared with."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["timbrebench-fingerprints@1"] = Field(SCHEMA, alias="schema")
    system: str
    version: str
    suite_digest: str
    archive: str
    prints: tuple[ClipPrint, ...]

    @cached_property
    def by_task(self) -> Mapping[str, tuple[ClipPrint, ...]]:
        """The prints by task."""
        found: dict[str, list[ClipPrint]] = {}
        for each in self.prints:
            found.setdefault(each.task, []).append(each)
        return {task: tuple(prints) for task, prints in found.items()}

    def write(self, path: Path) -> None:
        """Write them, atomically."""
        write_bytes(path, strict_json.dump(self.model_dump(mode="json", by_alias=True)) + b"\n")

    @classmethod
    def read(cls, path: Path) -> Fingerprints:
        """Read them.

        Raises:
            DataError: if the file is not one of fingerprints.
        """
        try:
            if path.stat().st_size > _MOST_BYTES:
                raise ValueError(f"it has more than {_MOST_BYTES:,} bytes")
            found = cls.model_validate(strict_json.parse_object(path.read_bytes()))
            for each in found.prints:
                _ = each.array
        except (OSError, ValidationError, ValueError) as error:
            raise DataError(
                f"these are not the fingerprints of an entry: {error}",
                where=str(path),
                remedy="Write them with `timbrebench submit check FILE --fingerprints OUT.json`.",
                code="data/fingerprints",
            ) from error
        return found
