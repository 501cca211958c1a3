"""The builder of `synth`. What the suite is and is not, how songs are written and mixed: `docs/synth.md`.

The scores are ours (MIT). The samples are TimGM6mb.sf2 (GPL-2.0), read from the installed `pretty_midi` package and
not shipped here. Whether a sound font's licence reaches music rendered with it is not settled; the safe reading is
that rendered audio which is passed on goes under the same terms, and the sources' `licence` says so.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from bench.errors import DataError, UsageError
from bench.identity import canonical_json
from bench.store import strict_json
from bench.store.atomic import make_folder, write_json
from bench.store.cache import Cache
from bench.suite import Suite, SuiteBuilder
from bench.task import STEMS, AudioRef, EditTask, Excerpt, SourceRef
from tasks import instruments
from tasks.generator import DEFAULT_EDITS, Edit
from tasks.synth.layouts import edit_file, edits_folder, gather, stem_file, stems_folder
from tasks.synth.processes import in_order, usable_cores
from tasks.synth.songs import Song
from tasks.synth.studio import Order, Recording, recorded, sampler

ROOT = "synth"
LICENCE = (
    "scores: MIT (timbrebench); audio rendered with the samples of TimGM6mb.sf2 (GPL-2.0): "
    "treat it as GPL-2.0 if you pass it on"
)

SONGS_A_PROCESS = 4
"""A process takes about as long to start as it takes to render so many songs of a few edits."""

_MARKER = "synth.json"


class Synth(SuiteBuilder):
    """Songs of our own, rendered with sampled instruments, with the true result of every edit."""

    name: ClassVar[str] = "synth"
    version: ClassVar[int] = 2

    class Options(SuiteBuilder.Options):
        """How many songs and edits, which ones, and where the audio goes."""

        songs: int = Field(4, ge=1, le=10_000, description="number of songs; a longer suite begins with a shorter's")
        edits: int = Field(
            DEFAULT_EDITS,
            ge=1,
            le=40,
            description="edits a song, over the stems in turn; fewer where no more are plausible",
        )
        seed: int = Field(0, ge=0, lt=2**53, description="of everything: another seed, other songs")
        duration_s: float = Field(10.0, ge=2.0, le=300.0, description="length of the excerpt, in seconds")
        folder: Path | None = Field(
            None,
            description="folder to write the audio to, as MUSDB18-HQ and MedleyDB have it; default: the cache alone",
        )
        workers: int | None = Field(
            None, ge=1, le=1024, description="processes that render; default: one a core. The result is the same"
        )

    options: Options

    def build(self) -> Suite:
        """Render the songs, unless they are there already, and list their tasks.

        Raises:
            DataError: if the samples are not installed, or `folder` holds something else.
        """
        folder = self.options.folder
        if folder is not None:
            folder = folder.resolve()
            _claim(folder, {"suite": self.name, "version": self.version, **self._rules()})
        listed: list[_Listed] = []
        tree: dict[str, str] = {}
        for recording in self._recordings(folder):
            listed.append(_listed(recording, self.options.duration_s))
            song = recording.song
            tree |= dict.fromkeys((stems_folder(song), edits_folder(song)), recording.root.name)
        root = folder or Cache().directory({"stage": self.name, "tree": tree}, lambda root: gather(root, tree))
        sources = {source.id: source for source, _ in listed}
        tasks = tuple(task for _, tasks in listed for task in tasks)
        return Suite(self.name, self.version, self._rules(), sources, tasks, {ROOT: root})

    @classmethod
    def shorthand(cls, text: str) -> dict[str, str]:
        """`synth:50@7` is 50 songs of seed 7; `synth:50` and `synth:@7` leave the other as it is.

        Raises:
            UsageError: for anything else.

        >>> Synth.shorthand("50@7"), Synth.shorthand("50"), Synth.shorthand("@7")
        ({'songs': '50', 'seed': '7'}, {'songs': '50'}, {'seed': '7'})
        """
        match = re.fullmatch(r"(\d+)?(?:@(\d+))?", text, re.ASCII)
        if match is None or not text:
            raise UsageError(
                f"'{cls.name}:{text}' cannot be read",
                remedy=f"Write {cls.name}:SONGS@SEED, as in {cls.name}:50@7; one of the two may be left out.",
                code="bad-shorthand",
            )
        return {key: value for key, value in zip(("songs", "seed"), match.groups(), strict=True) if value is not None}

    def _recordings(self, folder: Path | None) -> Iterable[Recording]:
        """All songs in order, each rendered unless it is there."""
        chosen = self.options
        orders = [Order(chosen.seed, number, chosen.edits, chosen.duration_s, folder) for number in range(chosen.songs)]
        workers = chosen.workers or min(usable_cores(), math.ceil(len(orders) / SONGS_A_PROCESS))
        return self.track(in_order(recorded, orders, workers=workers), "songs", len(orders))

    def _rules(self) -> dict[str, Any]:
        """All that decides the audio and the tasks."""
        chosen = self.options.model_dump(mode="json", exclude={"folder", "workers"})
        return {**chosen, **sampler(), "instruments": instruments.VERSION}


_Listed = tuple[SourceRef, list[EditTask]]


def _listed(recording: Recording, excerpt_s: float) -> _Listed:
    """A song's source and tasks."""
    edits = recording.song.edits
    return _source(recording, excerpt_s), [_task(recording, edit, excerpt_s) for edit in edits]


def _source(recording: Recording, excerpt_s: float) -> SourceRef:
    song = recording.song
    return SourceRef(
        id=_id(song),
        song=_id(song),
        root=ROOT,
        mixture=stem_file(song, "mixture"),
        stems={stem: (stem_file(song, stem),) for stem in STEMS},
        instruments={stem: (song.score.parts[stem].sound.instrument,) for stem in STEMS},
        excerpt=Excerpt(start_s=0.0, duration_s=excerpt_s, sha256=recording.hashes.source),
        licence=LICENCE,
    )


def _task(recording: Recording, edit: Edit, excerpt_s: float) -> EditTask:
    song = recording.song
    prompt, span = song.wording.target_prompt(edit)
    part, name = song.score.parts[edit.stem], song.edit_name(edit)
    background = tuple(stem_file(song, stem) for stem in STEMS if stem != edit.stem)
    return EditTask(
        id=f"{_id(song)}/{name}",
        suite=Synth.name,
        song=_id(song),
        source=_id(song),
        stem=edit.stem,
        source_prompt=song.wording.source_prompt,
        target_prompt=prompt,
        target_phrase=edit.phrase,
        target_span=span,
        stem_phrases=song.wording.target_phrases(edit),
        source_instrument=part.sound.instrument,
        target_instrument=song.sound_of(edit).instrument,
        monophonic=part.monophonic,
        true_edit=AudioRef(
            root=ROOT,
            paths=(edit_file(song, edit), *background),
            start_s=0.0,
            duration_s=excerpt_s,
            sha256=recording.hashes.true_edits[name],
        ),
        flags=("synthesised",),
    )


def _id(song: Song) -> str:
    return f"{Synth.name}/{song.name}"


def _claim(folder: Path, key: Mapping[str, Any]) -> None:
    """Make a folder this suite's, unless it is already.

    Raises:
        DataError: if it holds something else.
    """
    make_folder(folder)
    try:
        found = strict_json.parse_object((folder / _MARKER).read_bytes())
    except (OSError, ValueError):
        found = None
    if found is not None and canonical_json(found) == canonical_json(key):
        return
    if any(folder.iterdir()):
        raise DataError(
            "the folder for the audio is not empty, and what it holds is not this suite",
            where=str(folder),
            remedy="Choose a new folder, or empty this one.",
            code="synth/folder-taken",
        )
    write_json(folder / _MARKER, key)
