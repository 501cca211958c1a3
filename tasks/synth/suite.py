"""The builder of `synth`: tasks with ground truth, on any machine, from nothing but installed packages.

Each song has four stems. Those called `vocals` are sung by two voices of the sampler, on one vowel: a lead that stands
for a singer, and prompts call it wordless. What the suite is for: a whole run without any data set, and the one thing
that no recorded data set has, the true result of each edit (`EditTask.true_edit`): the same performance of the part by
the target instrument, in the same place and at the same loudness, with the other stems bit for bit as they were. What
it is not: sampled instruments are cleaner and more alike than recordings, so that a number on `synth` says little
about the number on real music.

The scores are ours (MIT). The samples are TimGM6mb.sf2 (GPL-2.0), read from the installed `pretty_midi` package and
not shipped here. Whether a sound font's licence reaches music rendered with it is not settled; the safe reading is
that rendered audio which is passed on goes under the same terms, and the sources' `licence` says so.
"""

from __future__ import annotations

from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from bench.audio import Clip
from bench.errors import DataError
from bench.identity import canonical_json, sha256_file
from bench.store import strict_json
from bench.store.atomic import make_folder, write_json
from bench.store.cache import Cache
from bench.suite import Suite, SuiteBuilder
from bench.task import STEMS, AudioRef, EditTask, Excerpt, SourceRef, audio_digest, read_stems
from tasks.synth.layouts import musdb_file, true_edit_file, write_song, write_true_edit
from tasks.synth.mixing import mix, true_edit
from tasks.synth.render import FADE_S, soundfont
from tasks.synth.songs import MAX_EDITS, Edit, Song, compose

ROOT = "synth"
LICENCE = (
    "scores: MIT (timbrebench); audio rendered with the samples of TimGM6mb.sf2 (GPL-2.0): "
    "treat it as GPL-2.0 if you pass it on"
)
TAIL_S = FADE_S + 1.0
"""The music goes on for this long after the excerpt, and fades out."""

_MARKER = "synth.json"


class Synth(SuiteBuilder):
    """Original pieces, rendered with sampled instruments, with the true edit of every task."""

    name: ClassVar[str] = "synth"
    version: ClassVar[int] = 1

    class Options(SuiteBuilder.Options):
        """How many songs and edits, which ones, and where the audio goes."""

        songs: int = Field(4, ge=1, le=10_000, description="number of songs; a longer suite begins with a shorter's")
        edits: int = Field(3, ge=1, le=MAX_EDITS, description="edits a song, over the stems in turn")
        seed: int = Field(0, ge=0, lt=2**53, description="of performances, variations, targets and phrases")
        duration_s: float = Field(10.0, ge=2.0, le=300.0, description="length of the excerpt, in seconds")
        folder: Path | None = Field(None, description="folder for the audio; default: the cache")

    options: Options

    def build(self) -> Suite:
        """Render the songs, unless they are there already, and list their tasks.

        Raises:
            DataError: if the samples are not installed, `folder` holds something else, or a song does not have so
                many plausible edits.
        """
        root = self._rendered()
        songs = self._songs()
        sources = [self._source(song, root) for song in songs]
        tasks = [self._task(song, edit, root) for song in songs for edit in song.edits]
        return Suite(
            self.name, self.version, self._rules(), {ref.id: ref for ref in sources}, tuple(tasks), {ROOT: root}
        )

    def _songs(self) -> list[Song]:
        seconds = self.options.duration_s + TAIL_S
        count, edits, seed = self.options.songs, self.options.edits, self.options.seed
        return [compose(seed, index, edits=edits, seconds=seconds) for index in range(count)]

    def _rules(self) -> dict[str, Any]:
        """All that decides the audio and the tasks."""
        return {
            **self.options.model_dump(mode="json", exclude={"folder"}),
            "soundfont": sha256_file(soundfont()),
            "tinysoundfont": installed_version("tinysoundfont"),
        }

    # -- audio ------------------------------------------------------------------------------------------------

    def _rendered(self) -> Path:
        """The folder with the audio, rendered now if need be."""
        key = {"stage": self.name, "version": self.version, **self._rules()}
        if self.options.folder is None:
            return Cache().directory(key, self._render)
        folder = self.options.folder.resolve()
        if _marked(folder, key):
            return folder
        make_folder(folder)
        if any(folder.iterdir()):
            raise DataError(
                "the folder for the audio is not empty, and what it holds is not this suite, whole",
                where=str(folder),
                remedy="Choose a new folder, or empty this one.",
                code="synth/folder-taken",
            )
        self._render(folder)
        write_json(folder / _MARKER, key)  # last: a folder without it is not whole
        return folder

    def _render(self, root: Path) -> None:
        excerpt = self.options.duration_s
        seconds = excerpt + TAIL_S
        for song in self._songs():
            source = mix(song, seconds, excerpt)
            write_song(root, song, source)
            for edit in song.edits:
                write_true_edit(root, song, edit, true_edit(song, source, edit, seconds, excerpt))

    def _source(self, song: Song, root: Path) -> SourceRef:
        mixture = musdb_file(song, "mixture")
        stems = {stem: (musdb_file(song, stem),) for stem in STEMS}
        sha256 = audio_digest(*read_stems(root, mixture, stems, 0.0, self.options.duration_s))
        return SourceRef(
            id=_song_id(song),
            song=_song_id(song),
            root=ROOT,
            mixture=mixture,
            stems=stems,
            excerpt=Excerpt(start_s=0.0, duration_s=self.options.duration_s, sha256=sha256),
            licence=LICENCE,
        )

    def _task(self, song: Song, edit: Edit, root: Path) -> EditTask:
        prompt, span = song.target_prompt(edit)
        path, seconds = true_edit_file(song, edit), self.options.duration_s
        true = Clip.read(root / path, duration_s=seconds)
        return EditTask(
            id=f"{_song_id(song)}/{song.edit_name(edit)}",
            suite=self.name,
            song=_song_id(song),
            source=_song_id(song),
            stem=edit.stem,
            source_prompt=song.source_prompt,
            target_prompt=prompt,
            target_phrase=edit.phrase,
            target_span=span,
            stem_phrases=song.target_phrases(edit),
            monophonic=song.score.parts[edit.stem].monophonic,
            true_edit=AudioRef(root=ROOT, paths=(path,), start_s=0.0, duration_s=seconds, sha256=true.sha256),
            flags=("synthesised",),
        )


def _song_id(song: Song) -> str:
    return f"{Synth.name}/{song.slug}"


def _marked(folder: Path, key: dict[str, Any]) -> bool:
    """Whether a folder holds the audio of this key, rendered to the end."""
    try:
        found = strict_json.parse_object((folder / _MARKER).read_bytes())
    except (OSError, ValueError):
        return False
    return canonical_json(found) == canonical_json(key)
