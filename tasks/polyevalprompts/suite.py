"""PolyEvalPrompts, the edits with which Polyphonia was evaluated: 50 tracks of MUSDB18's test set, 28 of MusicDelta.

The prompts are the official ones (github.com/Ltx-Leif/polyphonia), their defects are flags; the recordings are those on
this machine, ten seconds a song. `docs/data.md` has ids, views, flags and the rule that chooses the ten seconds.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any, ClassVar, Literal, get_args

from pydantic import Field

from bench.errors import DataError, UsageError, did_you_mean
from bench.identity import digest
from bench.suite import Suite, SuiteBuilder, untracked
from bench.suite import Track as Tracker
from bench.task import EditTask
from tasks import excerpts, instruments
from tasks.multitrack.medleydb import SEPARATOR_SEEN
from tasks.polyevalprompts.defects import (
    corrected_stem,
    edit_flags,
    named_instruments,
    official_stem,
    songs_with_shared_prompts,
)
from tasks.polyevalprompts.fetch import fetch, fetched, manifest
from tasks.polyevalprompts.prompts import Track, find_span, read_tracks
from tasks.polyevalprompts.recordings import (
    LICENCES,
    MEDLEYDB_PATH,
    MIXTURES,
    MUSDB_PATH,
    Recording,
    find_recording,
    find_roots,
)
from tasks.threads import in_order

View = Literal["official", "corrected"]

_EDITED_STEM = {
    "official": "the release's: 'vocals2', 'drums2' or 'bass2' in the task's key, else other",
    "corrected": "the release's, but where that stem's phrase did not change and one other stem's did, that stem",
}


class PolyEvalPrompts(SuiteBuilder):
    """All 1,170 tasks; those whose audio is given have a source, the others a reason for its absence."""

    name: ClassVar[str] = "polyevalprompts"
    version: ClassVar[int] = 3

    class Options(SuiteBuilder.Options):
        """Where the data are, how the edited stem is told, and how long the excerpts are."""

        prompts: Path | None = Field(
            default=None,
            description="folder that holds musdb18_test/ and musicdelta/ with the prompt files; default: what "
            "`timbrebench tasks fetch polyevalprompts` has put into the cache",
        )
        view: View = Field(
            default="official",
            description="edited stem: official, by the task's key as in the release; corrected, by the changed phrase",
        )
        musdb: Path | None = Field(
            default=None,
            description=f"MUSDB18-HQ's folder, the one that holds test/; default: the variable {MUSDB_PATH}",
        )
        medleydb: Path | None = Field(
            default=None,
            description=f"MedleyDB's folder, the one that holds Audio/; default: the variable {MEDLEYDB_PATH}",
        )
        duration_s: float = Field(default=10.0, gt=0, le=60, description="length of the excerpts in seconds")
        excerpts: Path | None = Field(
            default=None,
            description="file of excerpts to take instead of the rule's: 'song id: start in seconds' a line (YAML or "
            "JSON), or a tasks file; songs that are not in it follow the rule",
        )

    options: Options

    @classmethod
    def shorthand(cls, text: str) -> dict[str, str]:
        """`polyevalprompts:corrected` is the corrected view.

        Raises:
            UsageError: for any other view.
        """
        if text not in get_args(View):
            raise UsageError(
                f"suite {cls.name} has no view '{text}'",
                remedy=did_you_mean(text, get_args(View)),
                code="bad-shorthand",
            )
        return {"view": text}

    @classmethod
    def fetch(cls, origin: str | None, track: Tracker = untracked) -> Path:
        """The prompt files into the cache; errors as of `tasks.polyevalprompts.fetch.fetch`."""
        return fetch(origin, track)

    def build(self) -> Suite:
        """Read the prompts, find the audio, take one excerpt a song and lay out the tasks.

        Raises:
            DataError: if the prompts are not on this machine, tracks or edits are missing or too many, a prompt file or
                the file of excerpts is malformed, or a track's audio is there but not complete.
            AudioError: if an audio file cannot be used or is shorter than an excerpt.
        """
        tracks = list(read_tracks(self._prompts()))
        pins = excerpts.read_pins(self.options.excerpts) if self.options.excerpts else excerpts.NO_PINS
        pins.check(track.song for track in tracks)
        roots = find_roots(self.options.musdb, self.options.medleydb)

        def find(track: Track) -> Recording | str:
            # The excerpt is the same in both views, so that they can be compared.
            edited = {official_stem(key) for key in track.edits} | {corrected_stem(track, key) for key in track.edits}
            duration_s, start_s = self.options.duration_s, pins.get(track.song)
            return find_recording(track, roots, edited=edited, duration_s=duration_s, start_s=start_s)

        recordings = list(self.track(in_order(find, tracks), "songs", len(tracks)))
        sources = {found.ref.id: found.ref for found in recordings if isinstance(found, Recording)}
        shared = songs_with_shared_prompts(tracks)
        tasks = [
            self._task(track, key, found, _song_flags(track, shared))
            for track, found in zip(tracks, recordings, strict=True)
            for key in track.edits
        ]
        return Suite(self.name, self.version, self._rules(tracks, pins), sources, tuple(tasks), roots)

    def _prompts(self) -> Path:
        """The folder with the prompts: the one given, else the one that was fetched."""
        folder = self.options.prompts or fetched()
        if folder is None:
            raise DataError(
                "the prompts of PolyEvalPrompts are not on this machine",
                remedy="Run `timbrebench tasks fetch polyevalprompts`, or give --prompts FOLDER: the folder "
                "PolyEvalPrompts of github.com/Ltx-Leif/polyphonia.",
                code="data/no-prompts",
            )
        return folder

    def _task(self, track: Track, key: str, found: Recording | str, song_flags: frozenset[str]) -> EditTask:
        recording, absent = (found, None) if isinstance(found, Recording) else (None, found)
        stem = corrected_stem(track, key) if self.options.view == "corrected" else official_stem(key)
        flags = song_flags | edit_flags(track, key, stem)
        if recording is not None:
            flags |= recording.flags(stem)
        prompts = track.edits[key]
        phrases = prompts.phrases()
        phrase = phrases.get(stem)
        source_instrument, target_instrument = named_instruments(track, key)
        return EditTask(
            id=f"{self.name}/{track.song}/{key}",
            suite=self.name,
            song=track.song,
            source=recording.ref.id if recording else None,
            stem=stem,
            source_prompt=prompts.source,
            target_prompt=prompts.target,
            target_phrase=phrase,
            target_span=find_span(prompts.target, phrase) if phrase else None,
            stem_phrases=phrases,
            source_instrument=source_instrument,
            target_instrument=target_instrument,
            monophonic=recording.song.monophonic(stem) if recording else None,
            flags=tuple(sorted(flags)),
            absent=absent,
        )

    def _rules(self, tracks: list[Track], pins: excerpts.Pins) -> dict[str, Any]:
        return {
            "view": self.options.view,
            "edited_stem": _EDITED_STEM[self.options.view],
            "mixture": MIXTURES,
            "excerpt": excerpts.describe(self.options.duration_s, pins),
            "instruments": instruments.VERSION,
            "licences": LICENCES,
            "prompts_sha256": digest({track.path: track.sha256 for track in tracks}),
            "tracks": {track.song: track.folder for track in tracks},
        }


def _song_flags(track: Track, shared: Collection[str]) -> frozenset[str]:
    """The flags of all edits of a song, wherever its audio is."""
    released = manifest().files.get(track.path)
    raised = {
        "prompts-not-as-released": released is None or released.sha256 != track.sha256,
        "prompts-shared-with-another-song": track.song in shared,
        "separator-seen": track.folder in SEPARATOR_SEEN,
    }
    return frozenset(flag for flag, yes in raised.items() if yes)
