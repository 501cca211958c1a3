"""The contracts of data: `EditTask` says what is to be done, `Source` is the audio it is done to.

Both are named in a suite (`bench/suite.py`). Builders in `tasks/` make them; everything after reads only what is
defined here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from bench.audio import Clip
from bench.identity import digest

StemName = Literal["vocals", "drums", "bass", "other"]
STEMS: tuple[StemName, ...] = get_args(StemName)


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

    Attributes:
        instruments: for each stem whose instruments are known, their names in `tasks.instruments`.
        stem_sum_sdr_db: how near the sum of the stems is to the mixture over the excerpt: 10 log10(Σ mix² /
            Σ (mix - Σ stems)²), rounded to 0.01 dB; None where they are equal to the last bit,
            and for a silent mixture.
    """

    id: str
    song: str
    root: str
    mixture: RelativePath | None
    stems: Mapping[StemName, tuple[RelativePath, ...]]
    stem_origin: Literal["true", "separated"] = "true"
    instruments: Mapping[StemName, tuple[str, ...]] = {}
    stem_sum_sdr_db: float | None = None
    excerpt: Excerpt
    licence: str


class AudioRef(_Record):
    """Audio that a task has beside its source: the files at `paths` below `root`, summed, from `start_s` on.

    `sha256` is the hash of the samples (`Clip.sha256`), which is verified whenever the audio is read.
    """

    root: str
    paths: tuple[RelativePath, ...] = Field(min_length=1)
    start_s: float = Field(ge=0)
    duration_s: float = Field(gt=0)
    sha256: str

    def read(self, root: Path) -> Clip:
        """The audio, not verified: `Suite.true_edit` and `Suite.target_audio` do that.

        Raises:
            AudioError: if a file is missing, cannot be used, or is too short.
        """
        return Clip.sum([Clip.read(root / p, start_s=self.start_s, duration_s=self.duration_s) for p in self.paths])


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
        source_instrument, target_instrument: names in `tasks.instruments`, by which reports can split; None if unknown.
        monophonic: whether the edited stem is a single melodic line; None if unknown.
        target_audio: a recording with the wanted timbre, if the suite has one.
        true_edit: the true result, which only synthesised suites have.
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
    source_instrument: str | None = None
    target_instrument: str | None = None
    monophonic: bool | None = None
    target_audio: AudioRef | None = None
    true_edit: AudioRef | None = None
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

    @cached_property
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
