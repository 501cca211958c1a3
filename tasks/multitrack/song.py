"""A multitrack recording, whatever the data set: its mixture, its stem files and what plays in them.

A *layout* is a module of this package with three functions, which read no samples:

* `recognises(root)`: whether a folder is laid out this way;
* `songs(root)`: the names of its tracks, sorted;
* `read_song(root, name)`: one of them, checked to be complete.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bench.task import STEMS, StemName


@dataclass(frozen=True)
class StemFile:
    """One stem recording.

    Attributes:
        path: relative to the root, with forward slashes.
        stem: which of the four stems it belongs to.
        instrument: what plays, a name in `tasks.instruments`; None if it is not told, or not in that table.
        single_line: whether it is one melodic line, one note at a time; None if the instrument does not tell.
    """

    path: str
    stem: StemName
    instrument: str | None = None
    single_line: bool | None = None


@dataclass(frozen=True)
class Song:
    """One multitrack.

    Attributes:
        track: its name in the data set.
        title: for people; may be the same.
        mixture: path relative to the root; None where the mixture is the sum of the stems.
        files: the stem recordings, in the data set's order; several of one stem are summed.
        licence: of the audio.
        flags: known errors and properties, which all its tasks carry.
    """

    track: str
    title: str
    mixture: str | None
    files: tuple[StemFile, ...]
    licence: str
    flags: tuple[str, ...] = ()

    @property
    def stems(self) -> Mapping[StemName, tuple[str, ...]]:
        """The files of each of the four stems; a stem that the song does not have is absent."""
        return _by_stem({stem: tuple(file.path for file in self.of(stem)) for stem in STEMS})

    @property
    def instruments(self) -> Mapping[StemName, tuple[str, ...]]:
        """The known instruments of each stem, each once, in the order of the files."""
        found = {stem: dict.fromkeys(file.instrument for file in self.of(stem)) for stem in STEMS}
        return _by_stem({stem: tuple(name for name in names if name) for stem, names in found.items()})

    def of(self, stem: StemName) -> list[StemFile]:
        """The files of one stem."""
        return [file for file in self.files if file.stem == stem]

    def monophonic(self, stem: StemName) -> bool | None:
        """Whether a stem is one melodic line, one note at a time; None if it is not told.

        Several recordings are taken for several lines, even if they never sound together.
        """
        lines = [file.single_line for file in self.of(stem)]
        if len(lines) > 1 or False in lines:
            return False
        return True if lines == [True] else None


def _by_stem(found: Mapping[StemName, tuple[str, ...]]) -> dict[StemName, tuple[str, ...]]:
    return {stem: values for stem, values in found.items() if values}
