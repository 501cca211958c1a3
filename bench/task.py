"""The contracts of data: EditTask, Source and Suite.

An `EditTask` says what is to be done; a `Source` is the audio it is done to; a `Suite` is a frozen set of
tasks and the sources they need. A suite is a file (JSON lines, see `Suite.lines`): that file and the audio
are all another machine needs to run the same benchmark, and the hashes in it prove that the audio is the same.
Builders in `tasks/` make suites; everything after them reads only what is defined here.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from bench.audio import Clip
from bench.errors import DataError
from bench.identity import digest

StemName = Literal["vocals", "drums", "bass", "other"]
STEMS: tuple[StemName, ...] = get_args(StemName)

FORMAT = "timbrebench-suite@1"


def _inside_root(path: str) -> str:
    """A suite file may come from anyone: its paths must not lead out of the folder that the user named."""
    if not path or ".." in PurePosixPath(path).parts or PurePosixPath(path).is_absolute() or "\\" in path:
        raise ValueError(f"{path!r} is not a path inside the root")
    if PureWindowsPath(path).drive:
        raise ValueError(f"{path!r} is not a path inside the root")
    return path


RelativePath = Annotated[str, AfterValidator(_inside_root)]
"""A path below a root, with forward slashes."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Excerpt(_Record):
    """The piece of a song that is edited; `sha256` is the hash of the mixture and the stems in it (`Source.sha256`)."""

    start_s: float = Field(ge=0)
    duration_s: float = Field(gt=0)
    sha256: str


class SourceRef(_Record):
    """Where a source's audio is: paths relative to a named root (`medleydb`, `synth`, …) that each machine sets.

    `mixture` is a file, or None where the data set declares the mixture to be the sum of its stems. A stem
    may be spread over several files, which are summed. A stem that the song does not have is absent from `stems`.
    """

    id: str
    song: str
    root: str
    mixture: RelativePath | None
    stems: Mapping[StemName, tuple[RelativePath, ...]]
    stem_origin: Literal["true", "separated"] = "true"
    excerpt: Excerpt
    licence: str


class EditTask(_Record):
    """One edit: change `stem` of a source so that the mix is what `target_prompt` says, and leave the rest alone.

    Attributes:
        id: unique and readable, `polyevalprompts/musicdelta/reggae/guitar2violin`.
        suite: name of the suite it belongs to.
        song: the statistical cluster: tasks of one song share their audio and are not independent.
        source: id of its `SourceRef`, or None where the audio is absent (then `absent` says why).
        stem: which of the four stems changes.
        source_prompt: describes the mixture as it is.
        target_prompt: describes the mixture as it should become.
        target_phrase: the words in `target_prompt` that name the new instrument; None if the data name none.
        target_span: [start, end) of `target_phrase` in `target_prompt`, in characters; None if it is not there.
        stem_phrases: for each stem that the target prompt names, its phrase.
        monophonic: whether the edited stem is a single melodic line; None if unknown.
        target_audio: path (in the source's root) of a recording with the wanted timbre, if the suite has one.
        true_edit: path (in the source's root) of the true result, which only synthesised suites have.
        flags: known defects and properties, by which reports can split.
    """

    id: str
    suite: str
    song: str
    source: str | None
    stem: StemName
    source_prompt: str
    target_prompt: str
    target_phrase: str | None = None
    target_span: tuple[int, int] | None = None
    stem_phrases: Mapping[StemName, str] = {}
    monophonic: bool | None = None
    target_audio: RelativePath | None = None
    true_edit: RelativePath | None = None
    flags: tuple[str, ...] = ()
    absent: str | None = None

    @model_validator(mode="after")
    def _consistent(self) -> EditTask:
        if self.target_span is not None:
            start, end = self.target_span
            if not 0 <= start < end <= len(self.target_prompt):
                raise ValueError(f"target_span {self.target_span} is not inside the target prompt")
            if self.target_prompt[start:end].lower() != (self.target_phrase or "").lower():
                raise ValueError(f"target_span does not hold the target phrase {self.target_phrase!r}")
        if (self.source is None) != (self.absent is not None):
            raise ValueError("a task has either a source or a reason why it is absent")
        return self


def read_stems(
    root: Path, mixture: str | None, stems: Mapping[StemName, Sequence[str]], start_s: float, duration_s: float
) -> tuple[Clip, dict[StemName, Clip]]:
    """The mixture and the stems of an excerpt; files of one stem are summed, and so is a mixture that has no file.

    Raises:
        AudioError: if a file is missing, cannot be used, or is too short for the excerpt.
    """
    read = {
        name: Clip.sum([Clip.read(root / path, start_s=start_s, duration_s=duration_s) for path in paths])
        for name, paths in stems.items()
    }
    if mixture is None:
        return Clip.sum(list(read.values())), read
    return Clip.read(root / mixture, start_s=start_s, duration_s=duration_s), read


def audio_digest(mixture: Clip, stems: Mapping[StemName, Clip]) -> str:
    """Hash of a mixture and its stems: the identity of a source's audio."""
    return digest({"mixture": mixture.sha256, "stems": {name: clip.sha256 for name, clip in stems.items()}})


@dataclass(frozen=True, eq=False)
class Source:
    """The audio of a source, in memory: the mixture's excerpt and its stems over the same excerpt."""

    id: str
    song: str
    mixture: Clip
    stems: Mapping[StemName, Clip]
    stem_origin: Literal["true", "separated"] = "true"

    @property
    def sha256(self) -> str:
        """Hash of the mixture and of every stem: the identity of the source's audio."""
        return audio_digest(self.mixture, self.stems)

    def background(self, stem: StemName) -> Clip:
        """The sum of all stems but one; silence if there is no other.

        The sum of stems is not the mixture in every data set (MedleyDB masters its mixes): see `docs/data.md`.
        """
        others = [clip for name, clip in self.stems.items() if name != stem]
        if others:
            return Clip.sum(others)
        return Clip.silence(self.mixture.duration_s, self.mixture.rate, self.mixture.channels)


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
        root = self._root(ref)
        mixture, stems = read_stems(root, ref.mixture, ref.stems, ref.excerpt.start_s, ref.excerpt.duration_s)
        source = Source(ref.id, ref.song, mixture, stems, ref.stem_origin)
        if source.sha256 != ref.excerpt.sha256:
            raise DataError(
                "the audio is not the audio that these tasks were built from (its hash differs)",
                where=f"{ref.id} in {root}",
                remedy="Point the root at the original data, or build the tasks again.",
                code="data/audio-differs",
            )
        return source

    def true_edit(self, task: EditTask) -> Clip | None:
        """The true result of a task over its excerpt, where the suite has one."""
        return self._beside(task, task.true_edit)

    def target_audio(self, task: EditTask) -> Clip | None:
        """The recording of the wanted timbre, where the suite has one."""
        return self._beside(task, task.target_audio)

    def _beside(self, task: EditTask, path: str | None) -> Clip | None:
        if path is None or task.source is None:
            return None
        ref = self.sources[task.source]
        return Clip.read(self._root(ref) / path, start_s=ref.excerpt.start_s, duration_s=ref.excerpt.duration_s)

    def _root(self, ref: SourceRef) -> Path:
        if ref.root not in self.roots:
            raise DataError(
                f"the folder of '{ref.root}' audio is not known",
                where=ref.id,
                remedy=f"Give it with --root {ref.root}=FOLDER.",
                code="data/no-root",
            )
        return Path(self.roots[ref.root])

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


def _malformed(path: Path, line: int, error: Exception) -> DataError:
    return DataError(
        f"not a tasks file: {error}",
        where=f"{path}:{line}",
        remedy="Build one with `timbrebench tasks build SUITE --out FILE`.",
        code="data/malformed-suite",
    )


class SuiteBuilder(ABC):
    """Makes a `Suite` from data on this machine. One class per data set, in `tasks/`."""

    name: ClassVar[str]
    version: ClassVar[int]

    class Options(BaseModel):
        """What a user can choose; every field is an option of `timbrebench tasks build NAME`."""

        model_config = ConfigDict(frozen=True, extra="forbid")

    def __init__(self, options: Options):
        self.options = options

    @abstractmethod
    def build(self) -> Suite:
        """Build the suite.

        Raises:
            DataError, AudioError: if the data are not there or not what they should be.
        """
