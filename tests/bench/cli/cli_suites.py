"""A suite of short tones with everything a suite can have, which the tests can damage."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
from pydantic import Field

from bench.audio import Clip
from bench.errors import DataError, UsageError
from bench.suite import Suite, SuiteBuilder, Track, untracked
from bench.task import AudioRef, EditTask, Excerpt, SourceRef, StemName, audio_digest

RATE = 8_000
SECONDS = 0.5
STEMS: tuple[StemName, ...] = ("vocals", "bass")
PHRASES = {"vocals": "a bright flute", "bass": "a bowed cello"}


def tone(hz: float) -> Clip:
    """Half a second of a decaying tone, as 16-bit samples can hold it."""
    t = np.arange(round(SECONDS * RATE)) / RATE
    return Clip.of(np.round(8000 * np.exp(-3 * t) * np.sin(2 * np.pi * hz * t)) / 2**15, RATE)


class Tones(SuiteBuilder):
    """Songs of two tones: each stem is edited once, with a true edit and a reference."""

    name: ClassVar[str] = "tones"
    version: ClassVar[int] = 1

    class Options(SuiteBuilder.Options):
        """How many songs, where, and what goes wrong."""

        folder: Path = Field(description="folder for the audio")
        songs: int = Field(2, ge=1, description="number of songs")
        absent: int = Field(0, ge=0, description="how many more songs have no audio")
        song: str = Field("song", description="what songs are called")
        fail: bool = Field(False, description="fail at the last song")

    options: Options

    @classmethod
    def shorthand(cls, text: str) -> dict[str, str]:
        """`tones:5` is five songs."""
        if not text.isdigit():
            raise UsageError(f"'{text}' is no number", remedy="Write tones:5.", code="no-shorthand")
        return {"songs": text}

    @classmethod
    def fetch(cls, origin: str | None, track: Track = untracked) -> Path:
        """Pretends."""
        for _ in track(range(3), "files", 3):
            pass
        return Path(origin or "published")

    def build(self) -> Suite:
        """Write the tones and list the tasks."""
        sources: dict[str, SourceRef] = {}
        tasks: list[EditTask] = []
        for number in self.track(range(self.options.songs), "songs", self.options.songs):
            if self.options.fail and number == self.options.songs - 1:
                raise DataError("the last song is broken", remedy="Mend it.", code="data/broken")
            ref = self._source(number)
            sources[ref.id] = ref
            tasks += [self._task(number, stem, ref.id) for stem in STEMS]
        for number in range(self.options.songs, self.options.songs + self.options.absent):
            tasks += [self._task(number, stem, None) for stem in STEMS]
        roots = {"tones": self.options.folder.resolve()}
        return Suite(self.name, self.version, {"songs": self.options.songs}, sources, tuple(tasks), roots)

    def _write(self, path: str, hz: float) -> Clip:
        file = self.options.folder / path
        if not file.exists():
            tone(hz).write_wav(file)
        return Clip.read(file)

    def _song(self, number: int) -> str:
        return f"{self.options.song}{number}"

    def _source(self, number: int) -> SourceRef:
        stems = {stem: self._write(f"{number}/{stem}.wav", 100 + 50 * number + 300 * i) for i, stem in enumerate(STEMS)}
        mixture = Clip.sum(list(stems.values()))
        mixture.write_wav(self.options.folder / f"{number}/mixture.wav")
        return SourceRef(
            id=self._song(number),
            song=self._song(number),
            root="tones",
            mixture=f"{number}/mixture.wav",
            stems={stem: (f"{number}/{stem}.wav",) for stem in STEMS},
            instruments={"bass": ("electric-bass",)},
            excerpt=Excerpt(start_s=0.0, duration_s=SECONDS, sha256=audio_digest(mixture, stems)),
            licence="CC0",
        )

    def _task(self, number: int, stem: StemName, source: str | None) -> EditTask:
        phrase = PHRASES[stem]
        prompt = f"A recording of {phrase} and a piano."
        start = prompt.index(phrase)
        there = source is not None
        return EditTask(
            id=f"tones/{self._song(number)}/{stem}",
            suite=self.name,
            song=self._song(number),
            source=source,
            stem=stem,
            source_prompt=f"A recording of soulful {stem} and a piano.",
            target_prompt=prompt,
            target_phrase=phrase,
            target_span=(start, start + len(phrase)),
            stem_phrases={stem: phrase},
            source_instrument="electric-bass" if stem == "bass" else None,
            target_instrument=phrase.rsplit(" ", 1)[1],
            monophonic=True,
            true_edit=self._beside(f"{number}/true-{stem}.wav", 900 + 30 * number + len(stem)) if there else None,
            # One recording stands for the timbre in all songs.
            target_audio=self._beside(f"reference-{stem}.wav", 500) if there else None,
            flags=("synthesised", "no-such-flag-anywhere") if stem == "bass" else (),
            absent=None if there else "audio not given",
        )

    def _beside(self, path: str, hz: float) -> AudioRef:
        sha256 = self._write(path, hz).sha256
        return AudioRef(root="tones", paths=(path,), start_s=0.0, duration_s=SECONDS, sha256=sha256)


def paths(folder: Path) -> Sequence[str]:
    """All files below a folder."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
