"""A scored run as reports see it: who made it, what was measured, and where its audio is.

A report never scores. What it shows comes from a run directory's identity, its plan, and the files that scoring
leaves there (`summary.json`, `corpus.json`, `scores.parquet`); a run without them is refused with the command
that makes them.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bench.errors import CorruptStoreError, IncompleteError
from bench.identity import digest
from bench.store import strict_json
from bench.store.outcomes import Key
from bench.store.rundir import Outcome, PlanItem, RunDirectory

if TYPE_CHECKING:
    import pandas as pd

    from bench.task import EditTask

Role = Literal["method", "baseline", "control"]

_Model = TypeVar("_Model", bound=BaseModel)


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, allow_inf_nan=False)


class Estimate(_Record):
    """One metric over one run: a mean (or a corpus value) with its 95 % interval, and what it rests on.

    Attributes:
        mean: None where nothing could be measured. low, high: None with fewer than two songs.
        n: edits measured. songs: songs they belong to. missing: edits not measured, by code.
        corpus: whether it is one value for all edits of a run.
        reasons: why, by code, where `RunReport.scores` does not say it (of corpus values).
        reference_n, floor: of corpus values, the clips in the reference set, and the value of two halves of it.
    """

    name: str
    identity: str
    direction: Literal["higher", "lower"]
    unit: str = ""
    summary: str = ""
    mean: float | None
    low: float | None = None
    high: float | None = None
    n: int
    songs: int
    missing: Mapping[str, int] = {}
    corpus: bool = False
    reasons: Mapping[str, str] = {}
    reference_n: int | None = None
    floor: float | None = None


class _MissingValue(_Record):
    code: str
    why: str


class _CorpusValue(_Record):
    """A metric with one value for all edits of a run."""

    name: str
    identity: str
    direction: Literal["higher", "lower"]
    unit: str = ""
    summary: str = ""
    value: float | None
    low: float | None = None
    high: float | None = None
    n: int
    reference_n: int | None = None
    floor: float | None = None
    missing: _MissingValue | None = None

    def estimate(self, songs: int) -> Estimate:
        """The same as an `Estimate`: the value in the place of the mean."""
        missing = {self.missing.code: self.n} if self.missing else {}
        reasons = {self.missing.code: self.missing.why} if self.missing else {}
        shared = self.model_dump(exclude={"value", "missing"})
        return Estimate(mean=self.value, songs=songs, missing=missing, corpus=True, reasons=reasons, **shared)


class _Method(_Record):
    name: str
    version: int | str
    config: Mapping[str, Any] = {}


class _Backbone(_Record):
    name: str
    untrained: str = ""
    caveat: str = ""


class _Suite(_Record):
    name: str
    version: int
    digest: str


class Identity(_Record):
    """What a table says about a run's identity. All of it is in `RunReport.directory.identity`."""

    method: _Method
    backbone: _Backbone | None = None
    suite: _Suite
    seeds: tuple[int, ...]


class About(_Record):
    """What a table says about a run besides. `needs`: what the system was given. `licences`: of the audio."""

    label: str = ""
    role: Role = "method"
    status: str = ""
    needs: tuple[str, ...] = ()
    licences: tuple[str, ...] = ()


class Coverage(_Record):
    """How much of the plan there is.

    Attributes:
        absent: tasks of the suite that have no audio and were never planned; None in a part of a run, which does not
            tell to which part they would belong.
        absences: number of the whole suite's absent tasks by reason.
    """

    expected: int
    generated: int
    failed: int = 0
    pending: int = 0
    absent: int | None = 0
    absences: Mapping[str, int] = {}


class Summary(_Record):
    """`summary.json`."""

    format: Literal["timbrebench-summary@1"] = Field(alias="schema")
    run: str
    scored: str
    plan: Coverage
    songs: int
    metrics: tuple[Estimate, ...]


class _Corpus(_Record):
    format: Literal["timbrebench-corpus@1"] = Field(alias="schema")
    metrics: tuple[_CorpusValue, ...]


@dataclass(frozen=True)
class Clipping:
    """Samples that were beyond full scale and are lost in the files of a run, of `samples` in all channels."""

    clipped: int
    samples: int


@dataclass(frozen=True, eq=False)
class RunReport:
    """A scored run.

    Attributes:
        directory: the run itself, for its audio and all that is not here.
        identity, about: what `run.json` says, as far as reports show it.
        coverage: of its plan. songs: in its plan. scored: when, in ISO 8601.
        estimates: sample metrics, then corpus metrics, in the order they were scored.
    """

    directory: RunDirectory
    identity: Identity
    about: About
    coverage: Coverage
    songs: int
    scored: str
    estimates: tuple[Estimate, ...]

    @property
    def path(self) -> Path:
        """The run directory's folder."""
        return self.directory.path

    @property
    def label(self) -> str:
        """Its name in tables, chosen by who ran it; not unique."""
        return self.about.label or self.identity.method.name

    @property
    def untrained(self) -> bool:
        """Whether the backbone has random weights, so that its numbers say nothing about the method."""
        return self.identity.backbone is not None and bool(self.identity.backbone.untrained)

    @cached_property
    def digest(self) -> str:
        """Hash of the whole identity: equal for two runs of the same thing."""
        return digest(self.directory.identity)

    @property
    def only(self) -> str:
        """The pattern by which its tasks were chosen for a report; empty for a whole run."""
        return ""

    @cached_property
    def plan(self) -> tuple[PlanItem, ...]:
        """Every (task, seed) expected, in order."""
        return self.directory.plan

    @cached_property
    def plan_digest(self) -> str:
        """Hash of the planned (task, seed) pairs: only runs of one plan stand in one table."""
        return digest(sorted([item.task, item.seed] for item in self.plan))

    @cached_property
    def tasks(self) -> Mapping[str, EditTask]:
        """The planned tasks by id, in the plan's order: what there is to know of an edit beside its values.

        Raises:
            CorruptStoreError: if the plan and the run's copy of its suite do not fit together.
        """
        known = {task.id: task for task in self.directory.suite.tasks}
        try:
            return {item.task: known[item.task] for item in self.plan}
        except KeyError as error:
            raise CorruptStoreError(
                f"the plan has a task that the run's suite does not have: {error.args[0]}",
                where=str(self.path),
                remedy="Restore the run directory from a copy.",
                code="corrupt/plan",
            ) from error

    @cached_property
    def outcomes(self) -> Mapping[Key, Outcome]:
        """What has become of every planned edit by now, which may be more than was scored."""
        return self.directory.outcomes()

    @cached_property
    def scores(self) -> pd.DataFrame:
        """One row per planned edit and metric, read on first use; columns as in `load_scores`."""
        return load_scores(self.path)

    @cached_property
    def statuses(self) -> Mapping[Key, str]:
        """What had become of every planned edit when it was scored: ``generated``, ``failed`` or ``pending``."""
        edits = self.scores.drop_duplicates(["task", "seed"])
        scored = edits["missing"].where(edits["audio"].isna(), "generated")
        by_now = {key: outcome.status for key, outcome in self.outcomes.items()}
        return by_now | dict(zip(zip(edits["task"], edits["seed"], strict=True), scored, strict=True))

    @cached_property
    def clipping(self) -> Clipping | None:
        """Samples lost to clipping, as the journal counted them; None if it did not."""
        events = [outcome.event or {} for outcome in self.outcomes.values() if outcome.status == "generated"]
        if not events or not all("clipped" in event for event in events):
            return None
        samples = sum(event["samples"] * event["channels"] for event in events)
        return Clipping(sum(event["clipped"] for event in events), samples)


def load(path: Path) -> RunReport:
    """Read a scored run.

    Raises:
        IncompleteError: if it was not scored, or its scores are of another run.
        CorruptStoreError: if its summary is not what `timbrebench score` writes.
        BenchError: what `RunDirectory.open` raises for a folder that is not a run.
    """
    directory = RunDirectory.open(path)
    summary = _read(path, "summary.json", Summary)
    if summary.run != digest(directory.identity):
        raise _unscored(path, "the scores in this run directory are of another run")
    corpus = _read(path, "corpus.json", _Corpus)
    try:
        identity, about = Identity.model_validate(directory.identity), About.model_validate(directory.about)
    except ValidationError as error:
        raise CorruptStoreError(
            f"the run's description lacks what a report needs ({_problem(error)})",
            where=str(path / "run.json"),
            remedy="Run it again with this version of timbrebench.",
            code="corrupt/run-json",
        ) from error
    return RunReport(
        directory=directory,
        identity=identity,
        about=about,
        coverage=summary.plan,
        songs=summary.songs,
        scored=summary.scored,
        estimates=(*summary.metrics, *(value.estimate(summary.songs) for value in corpus.metrics)),
    )


def load_scores(path: Path) -> pd.DataFrame:
    """The long table of a run: one row per planned edit and metric.

    Columns: task, song, source, stem, seed, metric, identity, direction, unit, value (null where missing), missing
    (code or null), why (or null), audio (content hash or null).

    Raises:
        IncompleteError: if the run was not scored.
        CorruptStoreError: if the file is not a Parquet table.
    """
    import pandas as pd
    import pyarrow as pa

    file = path / "scores.parquet"
    if not file.is_file():
        raise _unscored(path, "the run has no scores")
    try:
        return pd.read_parquet(file)
    except (OSError, pa.ArrowException) as error:
        raise _damaged(file, error) from error


def _read(path: Path, name: str, model: type[_Model]) -> _Model:
    file = path / name
    try:
        return model.model_validate(strict_json.parse_object(file.read_bytes()))
    except FileNotFoundError as error:
        raise _unscored(path, f"the run has no scores ({name} is not there)") from error
    except (ValueError, OSError) as error:
        raise _damaged(file, error) from error


def _unscored(path: Path, cause: str) -> IncompleteError:
    return IncompleteError(
        cause, where=str(path), remedy=f"Score it first: timbrebench score {path}", code="incomplete/not-scored"
    )


def _problem(error: Exception) -> str:
    """What is wrong, in one line: the first of pydantic's findings, or the error's own words."""
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors(include_url=False)[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"


def _damaged(file: Path, error: Exception) -> CorruptStoreError:
    return CorruptStoreError(
        f"the scores cannot be read ({_problem(error)})",
        where=str(file),
        remedy=f"They can be made again: timbrebench score {file.parent}",
        code="corrupt/scores",
    )


class _Callable(ModuleType):
    """This module, callable: `reports.load(RUN)` is the frame of a run, `reports.load.load` reads it for a report."""

    def __call__(self, run: str | Path, *more: str | Path) -> pd.DataFrame:
        """See `reports.frames.load`."""
        from reports.frames import load as frame

        return frame(run, *more)


# A package's attribute and its module of the same name are one thing, so the module itself must be what is called.
sys.modules[__name__].__class__ = _Callable
