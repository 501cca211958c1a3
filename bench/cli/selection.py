"""What several verbs ask in the same words: which tasks, on which roots."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from bench.cli import catalogue
from bench.errors import IncompleteError, UsageError, did_you_mean
from bench.suite import Suite

VARIABLE = "TIMBREBENCH_TASKS_BUILD_"


def build_suite(name: str, options: Mapping[str, str]) -> Suite:
    """Build a registered suite; what `options` leaves out comes from TIMBREBENCH_TASKS_BUILD_<OPTION>, if it is set.

    Raises:
        UnknownNameError, UsageError: for an unknown suite or option, or a value that does not fit.
    """
    builder = catalogue.suites().get(name)
    fields = builder.Options.model_fields
    variables = {key: VARIABLE + key.upper() for key in fields}
    given = {key: os.environ[name] for key, name in variables.items() if name in os.environ}
    for key in options:
        if key not in fields:
            raise UsageError(
                f"suite {name} has no option --{key.replace('_', '-')}",
                remedy=did_you_mean(key, fields),
                code="unknown-option",
            )
    try:
        chosen = builder.Options.model_validate({**given, **options})
    except ValidationError as error:
        first = error.errors()[0]
        option = "--" + ".".join(str(part) for part in first["loc"]).replace("_", "-")
        raise UsageError(
            f"suite {name}: {option}: {first['msg']}",
            remedy=f"See `timbrebench show suite {name}` for its options.",
            code="bad-option",
        ) from error
    return builder(chosen).build()


def choose_suite(
    tasks: Path | None, suite: str | None, *, only: str | None, limit: int | None, roots: Sequence[str]
) -> tuple[Suite, dict[str, int]]:
    """The tasks to run, and how many are left out for want of audio, by reason.

    Raises:
        IncompleteError: if nothing is left to run.
    """
    if (tasks is None) == (suite is None):
        raise UsageError(
            "which tasks? Both --tasks and --suite were given" if tasks else "which tasks?",
            remedy="Give --suite NAME (`timbrebench list suites`), or --tasks FILE from `timbrebench tasks build`.",
            code="which-tasks",
        )
    whole = Suite.read(tasks) if tasks is not None else build_suite(str(suite), {})
    whole = whole.with_roots({name: Path(folder) for name, folder in map(_pair, roots)})
    wanted = [task for task in whole.tasks if only is None or fnmatch.fnmatchcase(task.id, only)]
    if not wanted:
        raise UsageError(
            f"no task matches '{only}'" if only else "the suite has no tasks",
            remedy=f"Task ids look like {whole.tasks[0].id}." if whole.tasks else "Build another suite.",
            code="no-match",
        )
    absences = whole.select(wanted).absences()
    there = [task for task in wanted if task.source is not None][:limit]
    if not there:
        raise IncompleteError(
            f"none of the {len(wanted)} tasks has audio on this machine",
            where="; ".join(f"{count}: {reason}" for reason, count in list(absences.items())[:3]),
            remedy="Build the tasks again with the folders of the audio (`timbrebench doctor` lists what is found).",
            code="no-audio",
        )
    return whole.select(there), absences


def _pair(text: str) -> tuple[str, str]:
    key, separator, value = text.partition("=")
    if not separator:
        raise UsageError(
            f"'{text}' is not NAME=FOLDER", remedy="Write --root medleydb=/data/MedleyDB.", code="bad-root"
        )
    return key, value
