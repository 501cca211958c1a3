"""The layouts in which multitracks come, by name, and which of them a folder has.

Another layout is a module with the three functions that `tasks.multitrack.song` describes, and a line here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from bench.errors import DataError
from tasks.multitrack import folder, medleydb, moisesdb, musdb18, slakh2100
from tasks.multitrack.song import Song


@dataclass(frozen=True)
class Layout:
    """One layout.

    Attributes:
        name: what `--layout` calls it; data sets in it are called so, unless it is `folder`.
        looks_like: a file that is there, for messages.
        recognises: whether a folder is laid out this way.
        songs: the names of its songs, sorted.
        read_song: one of them, checked to be complete.
    """

    name: str
    looks_like: str
    recognises: Callable[[Path], bool]
    songs: Callable[[Path], list[str]]
    read_song: Callable[[Path, str], Song]


FOLDER = Layout("folder", "<song>/<stem>.wav", folder.recognises, folder.songs, folder.read_song)
"""The user's own songs: the only layout that does not name a data set."""

LAYOUTS: Mapping[str, Layout] = MappingProxyType(
    {
        layout.name: layout
        for layout in (
            Layout(
                "musdb18hq",
                "test/<track>/mixture.wav",
                musdb18.recognises,
                musdb18.songs,
                musdb18.read_song,
            ),
            Layout(
                "medleydb",
                "Audio/<track>/<track>_METADATA.yaml",
                medleydb.recognises,
                medleydb.songs,
                medleydb.read_song,
            ),
            Layout(
                "slakh2100",
                "test/TrackXXXXX/metadata.yaml",
                slakh2100.recognises,
                slakh2100.songs,
                slakh2100.read_song,
            ),
            Layout(
                "moisesdb",
                "moisesdb_v0.1/<uuid>/data.json",
                moisesdb.recognises,
                moisesdb.songs,
                moisesdb.read_song,
            ),
            FOLDER,
        )
    }
)


def detect(root: Path) -> Layout:
    """The layout of a folder.

    A data set's layout goes before `folder`, which would take most of them for songs of one's own.

    Raises:
        DataError: if it has none, or two; if it is a part of a data set, or the folder around one. The message says
            which folder to give.
    """
    found = list(_recognised(root))
    if len(found) > 1:
        names = " and ".join(layout.name for layout in found)
        raise _not_clear(root, f"it is laid out as {names} at once", "Say which, with --layout NAME.")
    if found:
        return found[0]
    near = next(_nearby(root), None)
    mine = FOLDER.recognises(root)
    if near is not None:
        or_mine = " If these are songs of your own, say --layout folder." if mine else ""
        raise _not_clear(root, f"{near[0]} is laid out as {near[1].name}", f"Give {near[0]} instead.{or_mine}")
    if mine:
        return FOLDER
    looked_for = "; ".join(f"{layout.name}: {layout.looks_like}" for layout in LAYOUTS.values())
    there = "there is no such folder" if not root.is_dir() else f"it holds none of these: {looked_for}"
    raise _not_clear(
        root, there, "Give the folder that holds one of these; docs/multitracks.md has more on your own songs."
    )


def _recognised(root: Path) -> Iterator[Layout]:
    """The data sets' layouts that a folder has."""
    return (layout for layout in LAYOUTS.values() if layout is not FOLDER and layout.recognises(root))


def _nearby(root: Path) -> Iterator[tuple[Path, Layout]]:
    """Where the data set may be, if `root` is a part of it or a folder around it."""
    absolute = root.resolve()
    below = sorted(path for path in root.iterdir() if path.is_dir()) if root.is_dir() else []
    for place in (absolute.parent, absolute.parent.parent, *below):
        yield from ((place, layout) for layout in _recognised(place))


def _not_clear(root: Path, cause: str, remedy: str) -> DataError:
    return DataError(
        f"how this folder is laid out is not clear: {cause}", where=str(root), remedy=remedy, code="data/layout"
    )
