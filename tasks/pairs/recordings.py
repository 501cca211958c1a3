"""A clip that may be one side of a pair: where its audio is, what plays in it, and which song it is from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from bench.audio import Clip
from bench.task import AudioRef, Excerpt, RelativePath, SourceRef, StemName, audio_digest
from tasks.instruments import Instrument


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Label(_Record):
    """What plays: pairs are balanced over instruments, and prompts say the phrase.

    Attributes:
        instrument: its name in `tasks.instruments`.
        phrase: with its article, `an electric guitar`.
        stem: which of the four stems it is.
    """

    instrument: str
    phrase: str
    stem: StemName


class Place(_Record):
    """Where a clip's audio is: files below a named root, which are summed, from a second on."""

    root: str
    paths: tuple[RelativePath, ...]
    start_s: float
    duration_s: float

    def read(self, folder: Path) -> Clip:
        """The clip, from the folder of its root.

        Raises:
            AudioError: if a file is missing, cannot be used, or is too short.
        """
        read = [Clip.read(folder / path, start_s=self.start_s, duration_s=self.duration_s) for path in self.paths]
        return Clip.sum(read)


class Recording(_Record):
    """A clip that was heard and found fit.

    Attributes:
        song: what it is a part of. Clips of one song are never paired, and are one cluster in statistics.
        label: what plays.
        place: where it is.
        sha256: hash of its samples.
        monophonic: by `tasks.pairs.rules`; None if unknown.
        licence: of the audio.
        flags: properties, by which reports can split.
    """

    song: str
    label: Label
    place: Place
    sha256: str
    source_sha256: str
    monophonic: bool | None
    licence: str
    flags: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        clip: Clip,
        place: Place,
        *,
        song: str,
        label: Label,
        monophonic: bool | None,
        licence: str,
        flags: Sequence[str] = (),
    ) -> Recording:
        """The record of a clip that was read from a place; the rest as the attributes."""
        return cls(
            song=song,
            label=label,
            place=place,
            sha256=clip.sha256,
            source_sha256=audio_digest(clip, {label.stem: clip}),
            monophonic=monophonic,
            licence=licence,
            flags=tuple(flags),
        )

    @property
    def id(self) -> str:
        """`pairs/<song>/<instrument>`, the id of the source that it is. One song has one clip of an instrument."""
        return f"pairs/{self.song}/{self.label.instrument}"

    def source(self, licence: str) -> SourceRef:
        """The clip as a source: its only stem, which is the whole mixture.

        Args:
            licence: of all audio that the source's tasks need.
        """
        stem, place = self.label.stem, self.place
        return SourceRef(
            id=self.id,
            song=self.song,
            root=place.root,
            mixture=None,
            stems={stem: place.paths},
            instruments={stem: (self.label.instrument,)},
            excerpt=Excerpt(start_s=place.start_s, duration_s=place.duration_s, sha256=self.source_sha256),
            licence=licence,
        )

    def reference(self) -> AudioRef:
        """The clip as the recording of a wanted timbre."""
        return AudioRef(**self.place.model_dump(), sha256=self.sha256)


def label_of(instrument: Instrument, phrase: str | None = None) -> Label:
    """The label of an instrument, by its own name if prompts are not to say another."""
    return Label(instrument=instrument.name, phrase=phrase or with_article(instrument.label), stem=instrument.stem)


_UNCOUNTED = ("brass", "beatboxing", "percussion")


def with_article(name: str) -> str:
    """A name as a prompt says it; plurals and what is not counted have no article.

    >>> with_article("oboe"), with_article("ukulele"), with_article("strings"), with_article("double bass")
    ('an oboe', 'a ukulele', 'strings', 'a double bass')
    """
    if name.endswith(_UNCOUNTED) or (name.endswith("s") and not name.endswith("ss")):
        return name
    vowel = name[0] in "aeio" and not name.startswith("eu")
    return f"{'an' if vowel else 'a'} {name}"
