"""A suite: a frozen set of tasks and the sources they need; and what builds one.

A suite is a file (JSON lines, see `Suite.lines`): that file and the audio are all another machine needs to run the same
benchmark, and the hashes in it prove that the audio is the same.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict

from bench.audio import Clip
from bench.errors import DataError, UsageError
from bench.identity import digest
from bench.task import AudioRef, EditTask, Source, SourceRef, read_stems

FORMAT = "timbrebench-suite@2"

T = TypeVar("T")


@dataclass(frozen=True)
class Suite:
    """A frozen set of tasks and their sources.

    Attributes:
        name: `polyevalprompts`, `synth`, …
        version: of the builder's rules; a change of any rule changes it.
        rules: what was decided in building it (excerpt rule, view, seed, …), for people and for the digest.
        sources, tasks: in their fixed order.
        roots: folder of each root on the machine that built the suite; not part of the digest.
    """

    name: str
    version: int
    rules: Mapping[str, Any]
    sources: Mapping[str, SourceRef]
    tasks: tuple[EditTask, ...]
    roots: Mapping[str, Path] = field(default_factory=dict)

    def __post_init__(self) -> None:
        twice = [name for name, count in Counter(task.id for task in self.tasks).items() if count > 1]
        lost = sorted({task.source for task in self.tasks if task.source is not None} - set(self.sources))
        if twice or lost:
            what = f"task {twice[0]} is there twice" if twice else f"source {lost[0]} is not there"
            raise DataError(
                f"the suite '{self.name}' is inconsistent: {what}",
                remedy="Build the tasks again; if that does not help, the builder has a fault.",
                code="data/inconsistent-suite",
            )

    @cached_property
    def digest(self) -> str:
        """sha256 of everything but `roots`: two suites with one digest are the same benchmark."""
        return digest(
            {
                "format": FORMAT,
                "name": self.name,
                "version": self.version,
                "rules": dict(self.rules),
                "sources": [ref.model_dump(mode="json") for ref in self.sources.values()],
                "tasks": [task.model_dump(mode="json") for task in self.tasks],
            }
        )

    @property
    def available(self) -> tuple[EditTask, ...]:
        """The tasks whose audio is there."""
        return tuple(task for task in self.tasks if task.source is not None)

    def absences(self) -> dict[str, int]:
        """Number of absent tasks by reason."""
        return dict(Counter(task.absent for task in self.tasks if task.absent is not None))

    def select(self, tasks: Iterable[EditTask]) -> Suite:
        """The same suite with fewer tasks, and only the sources these need."""
        kept = tuple(tasks)
        needed = {task.source for task in kept}
        sources = {key: ref for key, ref in self.sources.items() if key in needed}
        return Suite(self.name, self.version, self.rules, sources, kept, self.roots)

    def with_roots(self, roots: Mapping[str, Path]) -> Suite:
        """The same suite, its audio looked for in other folders."""
        return Suite(self.name, self.version, self.rules, self.sources, self.tasks, {**self.roots, **roots})

    # -- audio ------------------------------------------------------------------------------------------------

    def open(self, source_id: str) -> Source:
        """Read a source's audio and check that it is the audio the suite was built from.

        Raises:
            DataError: if its root is not known, or the mixture's hash differs.
            AudioError: if a file is missing or cannot be used.
        """
        ref = self.sources[source_id]
        root = self._root(ref.root, ref.id)
        mixture, stems = read_stems(root, ref.mixture, ref.stems, ref.excerpt.start_s, ref.excerpt.duration_s)
        source = Source(ref.id, ref.song, mixture, stems, ref.stem_origin)
        if source.sha256 != ref.excerpt.sha256:
            raise _differs(f"{ref.id} in {root}")
        return source

    def true_edit(self, task: EditTask) -> Clip | None:
        """The true result of a task over its excerpt, where the suite has one; errors as of `open`."""
        return self._beside(task, task.true_edit)

    def target_audio(self, task: EditTask) -> Clip | None:
        """The recording of the wanted timbre, where the suite has one; errors as of `open`."""
        return self._beside(task, task.target_audio)

    def _beside(self, task: EditTask, ref: AudioRef | None) -> Clip | None:
        if ref is None:
            return None
        root = self._root(ref.root, task.id)
        clip = ref.read(root)
        if clip.sha256 != ref.sha256:
            raise _differs(str(root / ref.paths[0]))
        return clip

    def _root(self, name: str, where: str) -> Path:
        if name not in self.roots:
            raise DataError(
                f"the folder of '{name}' audio is not known",
                where=where,
                remedy=f"Give it with --root {name}=FOLDER.",
                code="data/no-root",
            )
        return Path(self.roots[name])

    # -- file -------------------------------------------------------------------------------------------------

    def lines(self) -> list[str]:
        """The suite as JSON lines: a header, the sources, the tasks."""
        header = {
            "kind": "suite",
            "format": FORMAT,
            "name": self.name,
            "version": self.version,
            "rules": dict(self.rules),
            "digest": self.digest,
            "tasks": len(self.tasks),
            "available": len(self.available),
            "absent": self.absences(),
            "roots": {name: str(path) for name, path in self.roots.items()},
        }
        records = [header]
        records += [{"kind": "source", **ref.model_dump(mode="json")} for ref in self.sources.values()]
        records += [{"kind": "task", **task.model_dump(mode="json")} for task in self.tasks]
        return [json.dumps(record, ensure_ascii=False, allow_nan=False) for record in records]

    @classmethod
    def read(cls, path: Path) -> Suite:
        """Read a suite file and verify its digest.

        Raises:
            DataError: if the file is missing, malformed (with the line), or not what its digest says.
        """
        try:
            # Not splitlines(): a prompt may hold U+2028 and its like, which JSON does not escape.
            lines = path.read_text(encoding="utf-8").rstrip("\n").split("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(
                f"cannot read the tasks file: {error}",
                where=str(path),
                remedy="Build one with `timbrebench tasks build SUITE --out FILE`.",
                code="data/no-suite",
            ) from error
        header: dict[str, Any] = {}
        sources: dict[str, SourceRef] = {}
        tasks: list[EditTask] = []
        for number, line in enumerate(lines, start=1):
            try:
                record = json.loads(line)
                kind = record.pop("kind")
                if kind == "suite" and number == 1 and record["format"] == FORMAT:
                    header = record
                elif kind == "source" and header:
                    sources[record["id"]] = SourceRef(**record)
                elif kind == "task" and header:
                    tasks.append(EditTask(**record))
                else:
                    raise ValueError(f"unexpected {kind!r} record; this version reads {FORMAT}")
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
                raise _malformed(path, number, error) from error
        try:
            roots = {name: Path(folder) for name, folder in header["roots"].items()}
            suite = cls(header["name"], header["version"], header["rules"], sources, tuple(tasks), roots)
            intact = suite.digest == header["digest"]
        except DataError as error:
            error.where = str(path)
            raise
        except (KeyError, AttributeError, TypeError, ValueError) as error:  # ValueError: NaN in the rules
            raise _malformed(path, 1, error) from error
        if not intact:
            raise DataError(
                "the tasks file was changed or cut after it was written (its digest differs)",
                where=str(path),
                remedy="Build it again, or fetch it again.",
                code="data/suite-changed",
            )
        return suite


def _differs(where: str) -> DataError:
    return DataError(
        "the audio is not the audio that these tasks were built from (its hash differs)",
        where=where,
        remedy="Point the root at the original data, or build the tasks again.",
        code="data/audio-differs",
    )


def _malformed(path: Path, line: int, error: Exception) -> DataError:
    return DataError(
        f"not a tasks file: {error}",
        where=f"{path}:{line}",
        remedy="Build one with `timbrebench tasks build SUITE --out FILE`.",
        code="data/malformed-suite",
    )


class Track(Protocol):
    """How a builder tells how far it is: it goes through `items` by way of this, as with `tqdm`."""

    def __call__(self, items: Iterable[T], what: str, total: int) -> Iterable[T]:
        """The same items; `what` is one word for them all (songs, files), `total` their number."""


def untracked(items: Iterable[T], what: str, total: int) -> Iterable[T]:
    """Tells nobody."""
    return items


class SuiteBuilder(ABC):
    """Makes a `Suite` from data on this machine. One class per data set, in `tasks/`.

    Args:
        options: what the user chose.
        track: told how far the building is.
    """

    name: ClassVar[str]
    version: ClassVar[int]

    class Options(BaseModel):
        """What a user can choose; every field is an option of `timbrebench tasks build NAME`."""

        model_config = ConfigDict(frozen=True, extra="forbid")

    def __init__(self, options: Options, track: Track = untracked):
        self.options = options
        self.track = track

    @abstractmethod
    def build(self) -> Suite:
        """Build the suite.

        Raises:
            DataError, AudioError: if the data are not there or not what they should be.
        """

    @classmethod
    def shorthand(cls, text: str) -> dict[str, str]:
        """The options that a name with a colon stands for: `synth:50@7` is 50 songs of seed 7.

        Args:
            text: what stands after the colon.

        Raises:
            UsageError: if the suite has no such form, or `text` does not fit it.
        """
        raise UsageError(
            f"suite {cls.name} has no form '{cls.name}:{text}'",
            remedy=f"Write {cls.name}; `timbrebench show suite {cls.name}` lists its options.",
            code="no-shorthand",
        )

    @classmethod
    def fetch(cls, origin: str | None, track: Track = untracked) -> Path:
        """Get what can be downloaded of the suite's data into the cache, verified, and say where it is.

        Args:
            origin: a folder or URL to take it from; default: where it is published.
            track: told how far the download is.

        Raises:
            UsageError: if nothing of this suite can be downloaded.
            DataError: if it cannot be reached, or is not what it should be.
        """
        raise UsageError(
            f"there is nothing to fetch for suite {cls.name}",
            remedy=f"`timbrebench show suite {cls.name}` says where its data come from.",
            code="nothing-to-fetch",
        )
