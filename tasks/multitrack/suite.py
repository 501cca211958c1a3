"""The builder of `multitrack`: tasks in the manner of PolyEvalPrompts for any songs that come as stems.

Songs say what plays, at best; they have no prompts. For each stem `tasks.generator` finds instruments that could take
it over, and the words. `docs/multitracks.md` has the layouts, ids and flags.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar, Literal

from pydantic import Field

from bench.errors import AudioError, DataError, UsageError, did_you_mean
from bench.suite import Suite, SuiteBuilder
from bench.task import EditTask, SourceRef, StemName
from tasks import excerpts, generator, instruments
from tasks.excerpts import Cut
from tasks.generator import Edit, Line, Wording
from tasks.multitrack.layouts import FOLDER, LAYOUTS, Layout, detect
from tasks.multitrack.naming import slug
from tasks.multitrack.song import Song
from tasks.threads import in_order

_AUTO = "auto"

GENERATED = "generated-prompts"
"""Flag of all tasks: the prompts were made from the instruments' names, by nobody who heard the song."""

SEVERAL = "several-instruments"
"""Flag of edits of a stem in which several instruments play, all of which one takes over."""

UNKNOWN = "instrument-unknown"
"""Flag of edits of a stem that holds something of which it is not known what it is."""


@dataclass(frozen=True)
class _General:
    """What plays a stem if nobody says: a player for `tasks.generator`, with no more than the stem's name to go by."""

    name: str
    phrases: tuple[str, ...]
    roles: frozenset[instruments.Role] = frozenset()
    low: int = 48
    high: int = 72
    polyphonic: bool = True


_ACCOMPANIMENT = _General("other", ("a mix of instruments", "an instrumental accompaniment"))


@dataclass(frozen=True)
class _Planned:
    """A song with its edits, and its excerpt or the reason why it has none."""

    name: str
    id: str
    song: Song
    lines: Mapping[StemName, Line]
    edits: tuple[Edit, ...]
    wording: Wording
    found: tuple[Cut, SourceRef] | str


class Multitrack(SuiteBuilder):
    """Edits of the user's own songs, or of a data set that has stems and no prompts."""

    name: ClassVar[str] = "multitrack"
    version: ClassVar[int] = 1

    class Options(SuiteBuilder.Options):
        """Which songs, and what is asked of them."""

        folder: Path = Field(description="folder of the songs, or the data set's folder")
        layout: Literal["auto", "folder", "musdb18hq", "medleydb", "slakh2100", "moisesdb"] = Field(
            default="auto", description="how the folder is laid out; auto: as it looks"
        )
        name: str | None = Field(
            default=None,
            pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$",
            max_length=64,
            description="name of the data set in ids; default: the layout's, or the folder's for your own songs",
        )
        only: str | None = Field(
            default=None, description="songs whose name this fits, with * and ?: 'test/*' takes Slakh2100's test set"
        )
        edits: int = Field(
            default=generator.DEFAULT_EDITS,
            ge=1,
            le=100,
            description="edits a song, over the stems in turn; a song without so many plausible ones has fewer",
        )
        seed: int = Field(default=0, ge=0, lt=2**53, description="of targets and phrases")
        duration_s: float = Field(default=10.0, gt=0, le=60, description="length of the excerpts in seconds")
        excerpts: Path | None = Field(
            default=None,
            description="file of excerpts to take instead of the rule's: 'song id: start in seconds' a line (YAML or "
            "JSON), or a tasks file; songs that are not in it follow the rule",
        )

    options: Options

    @classmethod
    def shorthand(cls, text: str) -> dict[str, str]:
        """`multitrack:slakh2100` is Slakh2100's layout.

        Raises:
            UsageError: for an unknown layout.
        """
        if text not in LAYOUTS:
            raise UsageError(
                f"suite {cls.name} knows no layout '{text}'", remedy=did_you_mean(text, LAYOUTS), code="bad-shorthand"
            )
        return {"layout": text}

    def build(self) -> Suite:
        """Find the songs, take one excerpt of each and lay out the edits.

        Raises:
            DataError: if the folder's layout is not clear, two songs would have one id, a song is not complete, what
                describes it is malformed, or no song has a plausible edit.
            AudioError: if an audio file cannot be used.
            UsageError: if no song has the wanted name.
        """
        root = self.options.folder.resolve()
        layout = detect(root) if self.options.layout == _AUTO else LAYOUTS[self.options.layout]
        dataset = self.options.name or (slug(root.name) if layout is FOLDER else layout.name)
        ids = _ids(dataset, self._chosen(layout.songs(root)), root)
        pins = excerpts.read_pins(self.options.excerpts) if self.options.excerpts else excerpts.NO_PINS
        pins.check(ids.values())

        def plan(name: str) -> _Planned:
            return self._plan(layout, root, name, ids[name], dataset, pins.get(ids[name]))

        songs = list(self.track(in_order(plan, ids), "songs", len(ids)))
        if not any(song.edits for song in songs):
            raise DataError(
                "no song has a stem that another instrument could plausibly take over",
                where=str(root),
                remedy="Say what the stems are in each song's song.yaml (docs/multitracks.md).",
                code="data/no-edits",
            )
        sources = {song.found[1].id: song.found[1] for song in songs if not isinstance(song.found, str) and song.edits}
        tasks = tuple(self._task(song, edit) for song in songs for edit in song.edits)
        rules = self._rules(layout, songs, pins)
        return Suite(self.name, self.version, rules, sources, tasks, {dataset: root})

    def _chosen(self, names: Sequence[str]) -> list[str]:
        only = self.options.only
        chosen = [name for name in names if only is None or fnmatch.fnmatchcase(name, only)]
        if not chosen:
            raise UsageError(
                f"no song is called '{only}'",
                remedy=f"Names look like '{names[0]}'; * and ? stand for any characters.",
                code="no-match",
            )
        return chosen

    def _plan(self, layout: Layout, root: Path, name: str, id: str, dataset: str, start_s: float | None) -> _Planned:
        song = layout.read_song(root, name)
        lines = {stem: line_of(song, stem) for stem in song.stems}
        key, seed = slug(song.track), self.options.seed
        edits = generator.choose_edits(
            list(lines.values()), list(instruments.table().values()), count=self.options.edits, seed=seed, song=key
        )
        wording = generator.word(list(lines.values()), seed=seed, song=key)
        return _Planned(name, id, song, lines, edits, wording, self._excerpt(root, song, id, dataset, start_s))

    def _excerpt(
        self, root: Path, song: Song, id: str, dataset: str, start_s: float | None
    ) -> tuple[Cut, SourceRef] | str:
        """A song's excerpt, or why it has none. It is the same whichever stems are edited, and however often."""
        try:
            cut = excerpts.cut(root, song, edited=set(song.stems), duration_s=self.options.duration_s, start_s=start_s)
        except AudioError as error:
            if error.code != "audio/too-short":
                raise
            return f"shorter than an excerpt of {self.options.duration_s:g} s: {id}"
        return cut, excerpts.source_ref(song, cut, id=id, root=dataset)

    def _task(self, planned: _Planned, edit: Edit) -> EditTask:
        song, stem, line = planned.song, edit.stem, planned.lines[edit.stem]
        flags = {GENERATED, *song.flags, *stem_flags(song, stem)}
        absent = planned.found if isinstance(planned.found, str) else None
        if not isinstance(planned.found, str):
            flags |= planned.found[0].flags(stem)
        prompt, span = planned.wording.target_prompt(edit)
        return EditTask(
            id=f"{self.name}/{planned.id}/{generator.edit_name(line, edit)}",
            suite=self.name,
            song=planned.id,
            source=None if absent else planned.id,
            stem=stem,
            source_prompt=planned.wording.source_prompt,
            target_prompt=prompt,
            target_phrase=edit.phrase,
            target_span=span,
            stem_phrases=planned.wording.target_phrases(edit),
            source_instrument=line.players[0].name if stem in song.instruments else None,
            target_instrument=edit.target.name,
            monophonic=song.monophonic(stem),
            flags=tuple(sorted(flags)),
            absent=absent,
        )

    def _rules(self, layout: Layout, songs: Sequence[_Planned], pins: excerpts.Pins) -> dict[str, Any]:
        return {
            "layout": layout.name,
            "only": self.options.only,
            "seed": self.options.seed,
            "edits": self.options.edits,
            "fewer_edits": {song.id: len(song.edits) for song in songs if len(song.edits) < self.options.edits},
            "excerpt": excerpts.describe(self.options.duration_s, pins),
            "instruments": instruments.VERSION,
            "licences": sorted({song.song.licence for song in songs}),
            "tracks": {song.id: song.name for song in songs},
            "titles": {song.id: song.song.title for song in songs},
        }


def line_of(song: Song, stem: StemName) -> Line:
    """What a stem plays, as far as it is known.

    Of vocals, drums and bass that nobody names, the stem's own name says enough to replace them. Of `other` it does
    not: that is taken for an accompaniment in chords in the middle range, for which chords must be playable.
    """
    known = [instruments.get(name) for name in song.instruments.get(stem, ())]
    if known:
        return generator.line_of(stem, known)
    if stem == "other":
        return Line(stem, (_ACCOMPANIMENT,), "chords", _ACCOMPANIMENT.low, _ACCOMPANIMENT.high, chords=True)
    return generator.line_of(stem, [instruments.get(stem)])


def stem_flags(song: Song, stem: StemName) -> frozenset[str]:
    """What is to be known of a stem that is edited: whether several instruments play, and whether all are known."""
    names = [file.instrument for file in song.of(stem)]
    unknown = names.count(None)
    several = len(set(names) - {None}) + unknown > 1
    return frozenset(flag for flag, yes in {SEVERAL: several, UNKNOWN: unknown > 0}.items() if yes)


def _ids(dataset: str, names: Sequence[str], root: Path) -> dict[str, str]:
    """The id of each song: `slakh2100/track01876`.

    Raises:
        DataError: if two songs would have one id.
    """
    ids = {name: f"{dataset}/{slug(PurePosixPath(name).name)}" for name in names}
    first: dict[str, str] = {}
    for name, id in ids.items():
        if first.setdefault(id, name) != name:
            raise DataError(
                f"the songs {first[id]!r} and {name!r} would have one id, {id}",
                where=str(root),
                remedy="Rename one of them so that they differ in letters or digits.",
                code="data/songs-one-id",
            )
    return ids
