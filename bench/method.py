"""The contract of a method: what turns a source and its tasks into audio.

A method in its shortest form::

    class Louder(Method):
        name, version = "louder", 1

        class Config(Method.Config):
            gain: float = Field(2.0, description="factor on the mixture")

        def edit(self, prepared, tasks, seeds):
            return [prepared.source.mixture.scaled(self.config.gain) for _ in tasks]

`prepare` runs once a source and is shared by all its tasks, `edit` runs once a batch. Randomness comes only
from the seeds; a task's audio does not depend on what else is in its batch.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from bench.audio import Clip
from bench.backbone import Backbone
from bench.errors import UsageError
from bench.suite import Suite
from bench.task import EditTask, Source

if TYPE_CHECKING:
    from bench.separation import Separator
METHOD_NAME = "names a method"
MethodName = Annotated[str, METHOD_NAME]
"""A knob that names a method: "module:Class", for which the command line takes registered names too."""


class Need(StrEnum):
    """What a method uses. Recorded with every run, so that a table can say what each system was given."""

    STEMS = "stems"
    SOURCE_PROMPT = "source-prompt"
    TARGET_PROMPT = "target-prompt"
    TARGET_AUDIO = "target-audio"
    BACKBONE = "backbone"
    OTHER_SOURCES = "other-sources"
    TRUE_EDIT = "true-edit"


def no_progress(stage: str, done: int, total: int) -> None:
    """The progress callback of whoever does not watch."""


@dataclass
class Context:
    """What a method is given to work with.

    Attributes:
        device: torch device string ("cpu", "cuda:0").
        suite: the suite being run; only methods that declare `Need.OTHER_SOURCES` may look at other sources.
        load_backbone: makes the backbone; called on first use, so methods without one never load torch weights.
        progress: called as `progress(stage, done, total)` inside long operations.
    """

    device: str
    suite: Suite
    load_backbone: Callable[[], Backbone] | None = None
    progress: Callable[[str, int, int], None] = no_progress

    @cached_property
    def backbone(self) -> Backbone:
        """The backbone, loaded now if it was not."""
        if self.load_backbone is None:
            raise UsageError("this method needs a backbone", remedy="Name one with --backbone.", code="no-backbone")
        return self.load_backbone()

    @cached_property
    def separator(self) -> Separator:
        """HT-Demucs, for sources: each is separated once, whichever methods and runs ask for its stems.

        Its weights are loaded when it is first asked for its identity, or for stems.
        """
        from bench.separation import CachedSeparator, HtDemucs

        return CachedSeparator(HtDemucs(self.device))


@dataclass(frozen=True, eq=False)
class Prepared:
    """What `prepare` leaves for `edit`. Methods subclass it to carry more."""

    source: Source


@dataclass(frozen=True, eq=False)
class Decoding:
    """Edits still to be decoded: the runner calls `finish` on another thread while the next batch is edited.

    Attributes:
        finish: decodes them.
        diagnostics: what the method measured beside each edit, one JSON object a task, or none at all. It is journalled
            with the edit.
    """

    finish: Callable[[], list[Clip]]
    diagnostics: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True)
class Cost:
    """Rows that a method sends through the backbone's network.

    Attributes:
        prepare: once a source. edit: once a task. batch: once a batch of tasks.
        backward: of a task's rows, those whose gradient goes back through the network to its input. No weight has a
            gradient, so each takes about as long again as going forward.
    """

    prepare: int = 0
    edit: int = 0
    batch: int = 0
    backward: int = 0


Role = Literal["method", "baseline", "control"]

Presets = Mapping[str, Mapping[str, Any]]
"""Named sets of knobs: name → knob → value."""


class Method(ABC):
    """Base of all methods and baselines.

    Attributes:
        name: as registered. version: raised whenever the same input would give other audio.
        role: what it is in a table; controls are never ranked.
        needs: what it uses, see `Need`.
        status: how it stands to what is published where that is not plain: "re-implementation: …", "ported: …". Every
            table says so.
        presets: named sets of knobs, `published` among them where something is published; other knobs keep their
            defaults.
    """

    name: ClassVar[str]
    version: ClassVar[int]
    role: ClassVar[Role] = "method"
    needs: ClassVar[frozenset[Need]] = frozenset()
    presets: ClassVar[Presets] = {}
    status: ClassVar[str] = ""

    class Config(BaseModel):
        """Every knob, with its published default and where that is published."""

        model_config = ConfigDict(frozen=True, extra="forbid")

    def __init__(self, config: Config, context: Context):
        self.config = config
        self.context = context

    def cost(self) -> Cost:
        """What `run --dry-run` estimates the time from."""
        return Cost()

    def networks(self) -> Mapping[str, str]:
        """Identities of networks beside the backbone on which the audio depends: part of the run's identity.

        So is what the method makes of a backbone that lacks something it was published for.
        """
        return {}

    @classmethod
    def standing(cls, backbone: Backbone | None) -> str:
        """`status` of a run on a backbone, on which it may be something else than what is published."""
        return cls.status

    def prepare(self, source: Source) -> Prepared:
        """All that depends on the source alone."""
        return Prepared(source)

    @abstractmethod
    def edit(self, prepared: Prepared, tasks: Sequence[EditTask], seeds: Sequence[int]) -> list[Clip] | Decoding:
        """The edited mixes of some tasks of the prepared source, in order, one seed a task."""
