"""Excerpts that the user chose: a file that says where those of some songs begin.

Either a mapping from song ids to seconds, in YAML or JSON ::

    musicdelta/reggae: 2.5
    musdb18/zeno-signs: 71

or a suite file of timbrebench, whose sources' songs and starts are taken. Songs that are not in the file follow the
rule.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated

from pydantic import ConfigDict, Field, RootModel

from bench.audio import MAX_SECONDS
from bench.errors import DataError, did_you_mean
from bench.identity import digest
from bench.suite import Suite
from tasks.multitrack.metadata import read_json, read_yaml

_SUITE_START = re.compile(rb'\s*\{\s*"kind"\s*:\s*"suite"')
_REMEDY = "Write one line a song, 'musicdelta/reggae: 2.5', or give a tasks file of timbrebench."

_Seconds = Annotated[float, Field(strict=True, ge=0, le=MAX_SECONDS, allow_inf_nan=False)]


class _Starts(RootModel[dict[Annotated[str, Field(strict=True, min_length=1)], _Seconds]]):
    model_config = ConfigDict(frozen=True)


class Pins(Mapping[str, float]):
    """Start of the excerpt in seconds, by song id.

    Args:
        starts: as they are.
        origin: the file they come from, for messages.

    >>> NO_PINS.get("musicdelta/reggae") is None
    True
    """

    def __init__(self, starts: Mapping[str, float], origin: Path | None = None):
        self._starts = dict(starts)
        self.origin = origin

    def __getitem__(self, song: str) -> float:
        return self._starts[song]

    def __iter__(self) -> Iterator[str]:
        return iter(self._starts)

    def __len__(self) -> int:
        return len(self._starts)

    @cached_property
    def digest(self) -> str:
        """sha256 of the starts, whatever file says them."""
        return digest(self._starts)

    def check(self, songs: Iterable[str]) -> None:
        """Refuse pins of songs that the suite does not have: they would have no effect, and nobody would know.

        Raises:
            DataError: naming one such song, and those most like it.
        """
        known = set(songs)
        unknown = [song for song in self if song not in known]
        if unknown:
            more = f" (and {len(unknown) - 1} more)" if len(unknown) > 1 else ""
            raise DataError(
                f"an excerpt is pinned of '{unknown[0]}'{more}, a song that the suite does not have",
                where=str(self.origin) if self.origin else None,
                remedy=did_you_mean(unknown[0], known),
                code="data/pins-unknown-song",
            )


NO_PINS = Pins({})


def read_pins(path: Path) -> Pins:
    """The pins in a file.

    Args:
        path: a YAML or JSON mapping from song ids to seconds, or a suite file.

    Raises:
        DataError: if the file cannot be read, is neither, gives a song twice, or gives a start that is not a number of
            seconds from 0 on; a suite file also if it was changed after it was written.
    """
    if _is_suite(path):
        return Pins(_of_suite(path), path)
    read = read_json if path.suffix.lower() == ".json" else read_yaml
    return Pins(read(path, _Starts, remedy=_REMEDY, code="data/pins").root, path)


def _is_suite(path: Path) -> bool:
    try:
        with path.open("rb") as handle:
            return _SUITE_START.match(handle.read(100)) is not None
    except OSError:
        return False  # the reader of mappings says why


def _of_suite(path: Path) -> dict[str, float]:
    starts: dict[str, float] = {}
    for ref in Suite.read(path).sources.values():
        start = starts.setdefault(ref.song, ref.excerpt.start_s)
        if start != ref.excerpt.start_s:
            raise DataError(
                f"the suite has two excerpts of '{ref.song}', from {start:g} s and from {ref.excerpt.start_s:g} s on",
                where=str(path),
                remedy=_REMEDY,
                code="data/pins",
            )
    return starts
