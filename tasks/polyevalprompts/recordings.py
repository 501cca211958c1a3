"""The recording of a track, if it is on this machine: its files, and the excerpt of it that is edited."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.task import SourceRef, StemName
from tasks import excerpts
from tasks.multitrack import medleydb, musdb18
from tasks.polyevalprompts.prompts import Track

LICENCES = {
    "prompts": "MIT (Ltx-Leif/polyphonia)",
    "musdb18": musdb18.LICENCE,
    "musicdelta": medleydb.LICENCE,
}
MIXTURES = {
    "musdb18": "MUSDB18-HQ's mixture.wav",
    "musicdelta": "MedleyDB's MIX file, which is not the sum of the stems",
}


@dataclass(frozen=True)
class Recording:
    """The source of a song, and what is known of it.

    Attributes:
        ref: the source.
        silent: the edited stems that are silent in the excerpt.
        monophonic: for each stem, whether it is a single line; None if unknown.
        errata: flags of the data set's own known errors in this track.
    """

    ref: SourceRef
    silent: frozenset[StemName]
    monophonic: Mapping[StemName, bool | None]
    errata: tuple[str, ...]

    def flags(self, stem: StemName) -> frozenset[str]:
        """The flags that the recording gives to an edit of this stem."""
        raised = {"edited-stem-absent": stem not in self.ref.stems, "edited-stem-silent": stem in self.silent}
        return frozenset(self.errata).union(flag for flag, yes in raised.items() if yes)


def find_recording(
    track: Track, roots: Mapping[str, Path], *, edited: Collection[StemName], duration_s: float
) -> Recording | str:
    """A track's recording, or the reason why it is absent.

    Args:
        track: whose recording.
        roots: folders of `musdb18hq` and `medleydb`, as far as they were given.
        edited: the stems that the excerpt must hold, as in `excerpts.cut`.
        duration_s: of the excerpt.

    Raises:
        DataError: if the track is there but not complete.
        AudioError: if a file cannot be used or is shorter than the excerpt.
    """
    in_musdb = track.dataset == "musdb18"
    root, title = ("musdb18hq", "MUSDB18-HQ") if in_musdb else ("medleydb", "MedleyDB")
    if root not in roots:
        return f"{title} audio not given"
    has_song = musdb18.has_song if in_musdb else medleydb.has_song
    if not has_song(roots[root], track.folder):
        return f"{title} audio not found: {track.folder}"
    song = musdb18.read_song(roots[root], track.folder) if in_musdb else medleydb.read_song(roots[root], track.folder)
    assert song.mixture is not None
    cut = excerpts.cut(roots[root], song.mixture, song.stems, edited=edited, duration_s=duration_s)
    ref = SourceRef(
        id=track.song,
        song=track.song,
        root=root,
        mixture=song.mixture,
        stems=song.stems,
        instruments=song.instruments,
        excerpt=cut.excerpt,
        licence=song.licence,
    )
    return Recording(ref, cut.silent, {stem: song.monophonic(stem) for stem in song.stems}, song.flags)
