"""PolyEvalPrompts, the edits with which Polyphonia was evaluated: 50 tracks of MUSDB18's test set, 28 of MusicDelta.

The prompts are the official ones (github.com/Ltx-Leif/polyphonia), their defects are flags; the recordings are those on
this machine, ten seconds a song. `docs/data.md` has ids, views, flags and the rule that chooses the ten seconds.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from bench.identity import digest
from bench.suite import Suite, SuiteBuilder
from bench.task import EditTask, SourceRef
from tasks import excerpts
from tasks.polyevalprompts.defects import (
    corrected_stem,
    edit_flags,
    official_stem,
    songs_with_shared_prompts,
)
from tasks.polyevalprompts.prompts import SEPARATOR_SEEN, Track, find_span, read_tracks
from tasks.polyevalprompts.recordings import LICENCES, MIXTURES, Recording, find_recording

_EDITED_STEM = {
    "official": "the release's: 'vocals2', 'drums2' or 'bass2' in the task's key, else other",
    "corrected": "the release's, but where that stem's phrase did not change and one other stem's did, that stem",
}


class PolyEvalPrompts(SuiteBuilder):
    """All 1,170 tasks; those whose audio is given have a source, the others a reason for its absence."""

    name: ClassVar[str] = "polyevalprompts"
    version: ClassVar[int] = 2

    class Options(SuiteBuilder.Options):
        """Where the data are, how the edited stem is told, and how long the excerpts are."""

        prompts: Path = Field(description="folder that holds musdb18_test/ and musicdelta/ with the prompt files")
        view: Literal["official", "corrected"] = Field(
            default="official",
            description="edited stem: official, by the task's key as in the release; corrected, by the changed phrase",
        )
        musdb: Path | None = Field(default=None, description="MUSDB18-HQ's folder, the one that holds test/")
        medleydb: Path | None = Field(default=None, description="MedleyDB's folder, the one that holds Audio/")
        duration_s: float = Field(default=10.0, gt=0, le=60, description="length of the excerpts in seconds")

    options: Options

    def build(self) -> Suite:
        """Read the prompts, find the audio, choose one excerpt a song and lay out the tasks.

        Raises:
            DataError: if tracks or edits are missing or too many, a prompt file is malformed, or a track's audio is
                there but not complete.
            AudioError: if an audio file cannot be used or is shorter than an excerpt.
        """
        tracks = list(read_tracks(self.options.prompts))
        shared = songs_with_shared_prompts(tracks)
        sources: dict[str, SourceRef] = {}
        tasks: list[EditTask] = []
        for track in tracks:
            found = self._recording(track)
            if isinstance(found, Recording):
                sources[found.ref.id] = found.ref
            flags = {"prompts-shared-with-another-song"} if track.song in shared else set()
            tasks += [self._task(track, key, found, flags) for key in track.edits]
        return Suite(self.name, self.version, self._rules(tracks), sources, tuple(tasks), self._roots())

    def _roots(self) -> dict[str, Path]:
        folders = {"musdb18hq": self.options.musdb, "medleydb": self.options.medleydb}
        return {root: folder.resolve() for root, folder in folders.items() if folder is not None}

    def _recording(self, track: Track) -> Recording | str:
        """A track's audio, or why it is absent. The excerpt is the same in both views, so that they can be compared."""
        edited = {official_stem(key) for key in track.edits} | {corrected_stem(track, key) for key in track.edits}
        return find_recording(track, self._roots(), edited=edited, duration_s=self.options.duration_s)

    def _task(self, track: Track, key: str, found: Recording | str, song_flags: set[str]) -> EditTask:
        recording, absent = (found, None) if isinstance(found, Recording) else (None, found)
        stem = corrected_stem(track, key) if self.options.view == "corrected" else official_stem(key)
        flags = song_flags | edit_flags(track, key, stem)
        if recording is not None:
            flags |= recording.flags(stem)
        if track.folder in SEPARATOR_SEEN:
            flags |= {"separator-seen"}
        prompts = track.edits[key]
        phrases = prompts.phrases()
        phrase = phrases.get(stem)
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
            monophonic=recording.monophonic.get(stem) if recording else None,
            flags=tuple(sorted(flags)),
            absent=absent,
        )

    def _rules(self, tracks: list[Track]) -> dict[str, Any]:
        return {
            "view": self.options.view,
            "edited_stem": _EDITED_STEM[self.options.view],
            "mixture": MIXTURES,
            "excerpt": excerpts.describe(self.options.duration_s),
            "licences": LICENCES,
            "prompts_sha256": digest({track.path: track.sha256 for track in tracks}),
            "tracks": {track.song: track.folder for track in tracks},
        }
