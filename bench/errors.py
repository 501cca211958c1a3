"""Every error a user can meet: what happened, where, and what to do about it.

An error has a *code* (stable, for scripts and tests), a *cause* (one sentence), a *where* (file, line,
task or field) and a *remedy* (what to type or change). The command line prints these three lines and no
traceback; `--debug` shows the traceback too. The exit code says which kind of failure it was:

====  =====================================================
0     fine
1     a regression was found (`compare`)
2     the request or its input is wrong
3     incomplete, or nothing could be measured
4     two things are not comparable
5     invalid submission
70    a fault of timbrebench itself
====  =====================================================
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar

if TYPE_CHECKING:
    from pydantic import BaseModel

Model = TypeVar("Model", bound="BaseModel")


class BenchError(Exception):
    """Base of all errors that timbrebench raises on purpose."""

    code: str = "internal"
    exit_code: ClassVar[int] = 70

    def __init__(self, cause: str, *, remedy: str, where: str | None = None, code: str | None = None):
        super().__init__(cause)
        self.cause = cause
        self.remedy = remedy
        self.where = where
        if code is not None:
            self.code = code

    def __str__(self) -> str:
        place = f" [{self.where}]" if self.where else ""
        return f"{self.cause}{place}. {self.remedy}"

    def __reduce__(self) -> tuple[Any, ...]:
        # Keyword-only arguments do not survive the default: an error must come back whole from another process.
        return _rebuilt, (type(self), self.cause, self.remedy, self.where, self.code)

    def as_dict(self) -> dict[str, Any]:
        """The error as the command line's `--json` prints it."""
        return {"code": self.code, "cause": self.cause, "where": self.where, "remedy": self.remedy}


def _rebuilt(kind: type[BenchError], cause: str, remedy: str, where: str | None, code: str) -> BenchError:
    return kind(cause, remedy=remedy, where=where, code=code)


class UsageError(BenchError):
    """The request itself is wrong: an option, a name, a combination."""

    code = "usage"
    exit_code = 2


class UnknownNameError(UsageError):
    """A method, suite, metric or backbone that is not registered."""

    code = "unknown-name"


class AudioError(BenchError):
    """An audio file that cannot be used. Codes: see `docs/audio.md`."""

    code = "audio"
    exit_code = 2


class DataError(BenchError):
    """A data set, prompt file or manifest that is absent, malformed or not what it was."""

    code = "data"
    exit_code = 2


class ModelError(BenchError):
    """Model weights that are absent, or of a class that the backbone cannot use."""

    code = "model"
    exit_code = 2


class LockedError(BenchError):
    """Another process is writing to this run directory."""

    code = "locked"
    exit_code = 2


class IdentityError(BenchError):
    """The run directory holds another run than the one asked for."""

    code = "identity"
    exit_code = 2


class CorruptStoreError(BenchError):
    """A run directory is damaged in a way that no interrupted write explains."""

    code = "corrupt"
    exit_code = 3


class IncompleteError(BenchError):
    """Results are missing, or there was nothing to measure."""

    code = "incomplete"
    exit_code = 3


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A remedy for an unknown name: the nearest known ones, else all of them."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    if near:
        return f"Did you mean {' or '.join(near)}?"
    return f"Known: {', '.join(names)}." if names else "None is registered."


def validated(
    model: type[Model],
    values: Mapping[str, Any],
    *,
    of: str,
    kind: Literal["knob", "option"],
    see: str,
    written: Callable[[str], str] = str,
) -> Model:
    """What a user wrote, as the model that declares it: a method's knobs, a suite's options.

    Args:
        model: what there is to be set.
        values: by name.
        of: whose it is, as an error begins: "sdedit", "suite synth".
        kind: what its parts are called.
        see: the command that shows them.
        written: how a name is written where the user gave it.

    Raises:
        UsageError: `unknown-setting` (or `-option`) with the nearest name, `bad-setting` for a value that does not fit.
    """
    from pydantic import ValidationError

    code = "setting" if kind == "knob" else kind
    for name in values:
        if name not in model.model_fields:
            raise UsageError(
                f"{of} has no {kind} '{written(name)}'",
                remedy=did_you_mean(name, model.model_fields),
                code=f"unknown-{code}",
            )
    try:
        return model.model_validate(dict(values))
    except ValidationError as error:
        first = error.errors()[0]
        name = written(".".join(map(str, first["loc"]))) if first["loc"] else ""
        given = "" if first["type"] == "missing" or not name else f"={first['input']!r}"
        cause = ": ".join(part for part in (of, name + given, first["msg"]) if part)
        raise UsageError(cause, remedy=f"See `{see}` for what there is, and its ranges.", code=f"bad-{code}") from error
