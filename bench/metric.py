"""The contracts of metrics: a number for one edit, or a number for a set of edits.

A metric's *identity* is a string of all that moves its value (version, model and hash, rate, window, gate).
Values with different identities are never put in one column and never compared. What cannot be computed is
`Missing` with a code and a reason: never NaN, 0 or -1, and never silently absent.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from importlib.metadata import version as installed_version
from typing import Any, ClassVar, Literal, TypeVar

import numpy as np
import numpy.typing as npt

from bench.audio import Clip
from bench.embedder import Embedder, Embedding, Policy, Vectors
from bench.errors import AudioError
from bench.task import EditTask, Source

T = TypeVar("T")
Direction = Literal["higher", "lower"]

LENGTH_TOLERANCE_S = 0.05


@dataclass(frozen=True)
class Missing:
    """A value that is not there: `code` for counting, `why` for people."""

    code: str
    why: str


class Needs(StrEnum):
    """What a metric looks at beside the edit. Where a task lacks it, the value is `Missing` without a call."""

    SOURCE = "source"
    STEMS = "stems"
    PROMPT = "prompt"
    REFERENCE = "reference"
    TRUE_EDIT = "true-edit"
    MONOPHONIC = "monophonic-stem"
    DIAGNOSTICS = "diagnostics"


class Features:
    """Memo of what is computed from a clip and used by several metrics or several edits (resampling, a contour).

    Keyed by the clip's content hash and a name that holds every parameter of the feature.
    """

    def __init__(self) -> None:
        self._memo: dict[tuple[str, str], object] = {}
        self._planned: dict[tuple[Embedder, Policy, bool], dict[str, Clip]] = {}

    def get(self, clip: Clip, name: str, compute: Callable[[Clip], T]) -> T:
        """The feature of a clip, computed if this is the first time."""
        key = (clip.sha256, name)
        if key not in self._memo:
            self._memo[key] = compute(clip)
        return self._memo[key]  # type: ignore[return-value]

    def get_all(self, clips: Sequence[Clip], name: str, compute: Callable[[list[Clip]], Iterable[T]]) -> list[T]:
        """The feature of several clips; of all that are not known yet in one call."""
        keys = [(clip.sha256, name) for clip in clips]
        unknown = {key: clip for key, clip in zip(keys, clips, strict=True) if key not in self._memo}
        if unknown:
            self._memo.update(zip(unknown, compute(list(unknown.values())), strict=True))
        return [self._memo[key] for key in keys]  # type: ignore[misc]

    def mono(self, clip: Clip, rate: int) -> Clip:
        """The mean of a clip's channels at `rate` Hz (soxr HQ): where most metrics start."""
        return self.get(clip, f"mono {rate} Hz", lambda whole: whole.to_mono().resample(rate))

    def embedding(
        self, embedder: Embedder, clip: Clip, policy: Policy = "blocks", *, stages: bool = False
    ) -> Embedding:
        """A clip's embedding (mono mean at the embedder's rate, soxr HQ), one pass of the network at most."""
        self.plan(embedder, [clip], policy, stages=stages)
        self.embed_planned()
        known = self._memo[self.mono(clip, embedder.rate).sha256, _embedded(embedder, policy, stages)]
        assert isinstance(known, Embedding)
        return known

    def plan(
        self, embedder: Embedder, clips: Sequence[Clip], policy: Policy = "blocks", *, stages: bool = False
    ) -> None:
        """Say which clips will be asked for, so that `embed_planned` can do them in one batch."""
        planned = self._planned.setdefault((embedder, policy, stages), {})
        planned.update({mono.sha256: mono for mono in (self.mono(clip, embedder.rate) for clip in clips)})

    def embed_planned(self) -> None:
        """Embed all planned clips that are not known yet; those that need inner layers first, as these give both."""
        for (embedder, policy, stages), planned in sorted(self._planned.items(), key=lambda item: not item[0][2]):
            names = [_embedded(embedder, policy, inner) for inner in (stages, False)]
            todo = {key: mono for key, mono in planned.items() if (key, names[0]) not in self._memo}
            made = embedder.embed(list(todo.values()), policy=policy, stages=stages) if todo else []
            for key, embedding in zip(todo, made, strict=True):
                self._memo.update({(key, name): embedding for name in names})
        self._planned.clear()

    def text(self, embedder: Embedder, text: str) -> Vectors:
        """A text as a unit vector, (dimensions,)."""
        key = (text, f"text {embedder.identity}")
        if key not in self._memo:
            self._memo[key] = embedder.embed_texts([text])[0]
        return self._memo[key]  # type: ignore[return-value]

    def clear(self) -> None:
        """Forget all; the scorer calls it between sources."""
        self._memo.clear()


def _embedded(embedder: Embedder, policy: Policy, stages: bool) -> str:
    return f"{embedder.identity} {policy}{' with stages' if stages else ''}"


@dataclass(frozen=True, eq=False)
class Case:
    """One edit to be measured, with everything a metric may look at.

    Attributes:
        diagnostics: what the method measured beside the edit (`bench.method.Decoding`), as the journal has it.

    Raises:
        AudioError: for an edit without samples, or with NaN or infinite ones, of which some metrics would make a
        number.
    """

    task: EditTask
    source: Source
    edit: Clip
    true_edit: Clip | None = None
    reference: Clip | None = None
    features: Features = field(default_factory=Features)
    diagnostics: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.edit.length == 0 or not np.isfinite(self.edit.samples).all():
            empty = self.edit.length == 0
            raise AudioError(
                f"an edit {'without samples' if empty else 'with NaN or infinite samples'} cannot be measured",
                where=self.task.id,
                remedy="Look for the fault in what produced it.",
                code="audio/empty" if empty else "audio/non-finite",
            )


class Metric(ABC):
    """What both kinds of metric declare.

    Attributes:
        name: as registered; a published quirk has its own name (`cqt1-pcc@steermusic`).
        version: raised whenever the value of the same audio changes.
        direction: which way is better. unit: "" for a pure number. range: of possible values.
        needs: see `Needs`. summary: one line for tables and `timbrebench show`.
        source: the paper or code that defines it. smallest_effect: a difference of means that matters to a listener or
            to the field, in the metric's unit; None if nobody knows.
    """

    name: str
    version: ClassVar[int]
    direction: ClassVar[Direction]
    unit: ClassVar[str] = ""
    range: ClassVar[tuple[float, float]] = (-math.inf, math.inf)
    needs: ClassVar[frozenset[Needs]] = frozenset({Needs.SOURCE})
    summary: ClassVar[str]
    source: ClassVar[str] = ""
    smallest_effect: ClassVar[float | None] = None

    @property
    @abstractmethod
    def parameters(self) -> str:
        """All parameters that move the value, in words: "16 kHz mono, hop 512, gate -40 dB"."""

    @property
    def identity(self) -> str:
        """The metric's identity, `name@version[parameters]`."""
        return f"{self.name}@{self.version}[{self.parameters}]"


class SampleMetric(Metric):
    """One value a task."""

    @abstractmethod
    def score(self, case: Case) -> float | Missing:
        """The value for one edit."""


class NetworkMetric(SampleMetric):
    """One value a task, with the help of a network: measured where the device is, not in the scorer's helpers.

    The scorer hands over all edits of a source before it asks for the first score, so that the network sees them in one
    batch. What it gives stays in `case.features`, for every metric that asks the same.

    Attributes:
        networks: what it is made with, after the embedder if it has one: "module:Class", called with the device.
            Metrics that name one network share it.
    """

    networks: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def prepare(self, cases: Sequence[Case]) -> None:
        """Compute, or plan, what `score` will look for.

        Args:
            cases: at least one, of one source and with its features; none that lacks what the metric needs.
        """


class EmbeddingMetric(NetworkMetric):
    """One value a task, from vectors of an embedder.

    The scorer asks for the `clips` of all edits of a source first and embeds them in one batch; `score` then finds them
    in `case.features`.

    Attributes:
        default_embedder: name of the embedder that it was published with.
        policy: how clips are cut into windows. stages: whether inner layers are needed.
    """

    default_embedder: ClassVar[str] = ""
    policy: ClassVar[Policy] = "blocks"
    stages: ClassVar[bool] = False

    def __init__(self, embedder: Embedder):
        self.embedder = embedder
        self.name = named(type(self).name, embedder)

    @abstractmethod
    def clips(self, case: Case) -> Sequence[Clip] | Missing:
        """The clips that `score` will want embedded, or why there is no value."""

    def prepare(self, cases: Sequence[Case]) -> None:
        """Plan the clips of all cases; the scorer embeds what all metrics plan at once."""
        for case in cases:
            clips = self.clips(case)
            if not isinstance(clips, Missing):
                case.features.plan(self.embedder, clips, self.policy, stages=self.stages)

    def embedded(self, case: Case, clip: Clip) -> Embedding:
        """One of the case's clips, embedded by the metric's own policy."""
        return case.features.embedding(self.embedder, clip, self.policy, stages=self.stages)


@dataclass(frozen=True, eq=False)
class Frames:
    """The vectors of a set of clips.

    Attributes:
        values: (rows, dimensions), float64. clips: which clip each row is of, (rows,). songs: of each clip, (clips,).
    """

    values: npt.NDArray[np.float64]
    clips: npt.NDArray[np.int64]
    songs: tuple[str, ...]


class CorpusMetric(Metric):
    """One value for the set of a run's edits, against a reference set, in an embedder's space.

    The scorer goes through the run once, source by source, keeps nothing but vectors, and then asks for the distance:
    of the whole sets, of resampled ones for the interval, and of two halves of the reference for the floor.

    Attributes:
        default_embedder: name of the embedder that it was published with.
        policy: how clips are cut into windows.
    """

    default_embedder: ClassVar[str] = ""
    policy: ClassVar[Policy] = "blocks"

    def __init__(self, embedder: Embedder):
        self.embedder = embedder
        self.name = named(type(self).name, embedder)

    def evaluated(self, case: Case) -> Clip | Missing:
        """What of a case goes into the evaluated set: the edit, unless the metric looks at a part of it."""
        return case.edit

    @abstractmethod
    def reference(self, case: Case) -> Clip | Missing:
        """What of a case goes into the reference set. Equal clips (15 edits share a source) count once."""

    @abstractmethod
    def distance(self, evaluated: Frames, reference: Frames) -> float | Missing:
        """The value."""


def named(name: str, embedder: Embedder) -> str:
    """A metric's name with its embedder's, `fad:vggish`. The published pairing may be registered under a name alone."""
    return f"{name}:{embedder.name}"


def unmet(metric: Metric, case: Case) -> Missing | None:
    """Why a metric cannot be asked about this case, if it cannot."""
    stem, source = case.task.stem, case.source
    state = "polyphonic" if case.task.monophonic is False else "not known to be monophonic"
    reasons = (
        (Needs.TRUE_EDIT, case.true_edit is None, "no-true-edit", "this task has no true edit"),
        (Needs.REFERENCE, case.reference is None, "no-reference", "this task has no reference audio"),
        (Needs.STEMS, stem not in source.stems, "no-stem", f"the source has no {stem} stem"),
        (
            Needs.STEMS,
            source.stem_origin != "true",
            "separated-stems",
            "the source's stems were separated from the mixture, they are not true stems",
        ),
        (Needs.MONOPHONIC, case.task.monophonic is not True, "not-monophonic", f"the edited stem is {state}"),
        (Needs.DIAGNOSTICS, not case.diagnostics, "no-diagnostics", "the method measured nothing beside this edit"),
    )
    lacking = (Missing(code, why) for need, lacks, code, why in reasons if need in metric.needs and lacks)
    return next(lacking, None)


def checked(value: float | Missing) -> float | Missing:
    """A metric's value, with a non-finite number turned into `Missing`."""
    if isinstance(value, Missing) or math.isfinite(value):
        return value
    return Missing("non-finite", f"the metric gave {value}")


def length_mismatch(edit: Clip, reference: Clip) -> Missing | None:
    """Why an edit cannot be compared frame by frame: it is over 50 ms longer or shorter than its reference."""
    if abs(edit.duration_s - reference.duration_s) <= LENGTH_TOLERANCE_S + 1e-9:
        return None
    return Missing(
        "length-mismatch", f"the edit lasts {edit.duration_s:.3f} s where {reference.duration_s:.3f} s were expected"
    )


def library(name: str) -> str:
    """An installed library with its version ("librosa 0.11.0"), for the identity of a metric whose value it moves."""
    return f"{name} {installed_version(name)}"
