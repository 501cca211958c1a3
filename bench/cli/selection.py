"""What several verbs ask in the same words: which suite, which of its tasks, and where its audio is."""

from __future__ import annotations

import fnmatch
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.cli import catalogue
from bench.errors import IncompleteError, UnknownNameError, UsageError, did_you_mean, validated
from bench.suite import Suite, SuiteBuilder, Track, untracked
from bench.task import STEMS, EditTask

VARIABLE = "TIMBREBENCH_TASKS_BUILD_"


# -- suites -----------------------------------------------------------------------------------------------------------


def find_builder(text: str) -> tuple[type[SuiteBuilder], dict[str, str]]:
    """The builder that a name stands for, and the options that its form does: `synth:50@7`, `polyevalprompts:official`.

    A builder that is not registered is named by its path, `package.module:Class`; what stands after the colon is taken
    for a class if it begins with a capital letter.

    Raises:
        UnknownNameError, UsageError: for an unknown suite or form, or a class that cannot be imported.
    """
    registry = catalogue.suites()
    name, colon, form = text.partition(":")
    if name in _registered():
        builder = registry.get(name)
        return builder, builder.shorthand(form) if colon else {}
    return registry.get(text if form[:1].isupper() else name), {}


def build_suite(
    text: str, options: Mapping[str, str], *, configured: Mapping[str, Any] | None = None, track: Track = untracked
) -> Suite:
    """Build a suite by its name, with or without a form, or by its builder's path.

    An option comes from `options` or from the form; else from TIMBREBENCH_TASKS_BUILD_<OPTION>, if that is set; else
    from `configured`, which is what a configuration file says.

    Raises:
        UnknownNameError, UsageError: for an unknown suite, form or option, an option that both the form and `options`
            give, or a value that does not fit.
    """
    builder, form = find_builder(text)
    return builder(_options(builder, text, form, options, configured or {}), track).build()


def open_suite(text: str, roots: Sequence[str] = (), *, track: Track = untracked) -> Suite:
    """A suite by its task file, or by its name, and then it is built. `./synth` is a file where `synth` is a name.

    Raises:
        DataError: if the file is not a task file, or was changed.
        UnknownNameError: if it is neither. UsageError: as `build_suite` and `relocated`.
    """
    name, _, form = text.partition(":")
    path = Path(text)
    if name in _registered() or (form[:1].isupper() and not path.is_file()):
        return relocated(build_suite(text, {}, track=track), roots)
    if not (path.is_file() or path.suffix or len(path.parts) > 1):
        raise UnknownNameError(f"'{text}' is neither a task file nor a suite", remedy=did_you_mean(name, _registered()))
    return relocated(Suite.read(path), roots)


def relocated(suite: Suite, roots: Sequence[str]) -> Suite:
    """The suite with its audio looked for where `--root NAME=FOLDER` says.

    Raises:
        UsageError: for text that is not NAME=FOLDER, or a root that the suite does not have.
    """
    chosen = dict(_pair(text) for text in roots)
    known = sorted(
        {ref.root for ref in suite.sources.values()}
        | {ref.root for task in suite.tasks for ref in (task.true_edit, task.target_audio) if ref is not None}
        | set(suite.roots)
    )
    for name in chosen:
        if name not in known:
            raise UsageError(f"the suite has no root '{name}'", remedy=did_you_mean(name, known), code="bad-root")
    return suite.with_roots({name: Path(folder) for name, folder in chosen.items()})


def _registered() -> list[str]:
    return [entry.name for entry in catalogue.suites().entries()]


def _options(
    builder: type[SuiteBuilder],
    text: str,
    form: Mapping[str, str],
    options: Mapping[str, str],
    configured: Mapping[str, Any],
) -> SuiteBuilder.Options:
    """A builder's options from all places, the strongest last."""
    fields = builder.Options.model_fields
    for key in options:
        if key in form:
            raise UsageError(
                f"{_flag(key)} {options[key]} was given, and '{text}' says it too ({form[key]})",
                remedy=f"Leave one of them away; {builder.name} alone takes every option.",
                code="option-twice",
            )
    variables = {key: VARIABLE + key.upper() for key in fields}
    surrounding = {key: os.environ[name] for key, name in variables.items() if name in os.environ}
    values = {**configured, **surrounding, **form, **options}
    see = f"timbrebench show suite {builder.name}"
    return validated(builder.Options, values, of=f"suite {builder.name}", kind="option", see=see, written=_flag)


def _flag(key: str) -> str:
    return "--" + key.replace("_", "-")


def _pair(text: str) -> tuple[str, str]:
    key, separator, value = text.partition("=")
    if not (separator and key and value):
        raise UsageError(
            f"'{text}' is not NAME=FOLDER", remedy="Write --root medleydb=/data/MedleyDB.", code="bad-root"
        )
    return key, value


# -- tasks ------------------------------------------------------------------------------------------------------------


def pick(
    suite: Suite, *, only: str | None = None, stem: str | None = None, flag: str | None = None
) -> tuple[EditTask, ...]:
    """The tasks whose id matches a shell pattern, of one edited stem, with a flag. May be none, but for the pattern.

    Raises:
        UsageError: if no id matches, or for a stem that is none of the four.
    """
    if stem is not None and stem not in STEMS:
        raise UsageError(f"there is no stem '{stem}'", remedy=f"The stems are {', '.join(STEMS)}.", code="no-stem")
    matching = [task for task in suite.tasks if only is None or fnmatch.fnmatchcase(task.id, only)]
    if only is not None and not matching:
        raise UsageError(
            f"no task matches '{only}'",
            remedy=f"Task ids look like {suite.tasks[0].id}." if suite.tasks else "The suite has no tasks.",
            code="no-match",
        )
    return tuple(
        task for task in matching if (stem is None or task.stem == stem) and (flag is None or flag in task.flags)
    )


def choose_suite(
    tasks: Path | None,
    suite: str | None,
    *,
    only: str | None,
    limit: int | None,
    roots: Sequence[str],
    track: Track = untracked,
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
    whole = Suite.read(tasks) if tasks is not None else build_suite(str(suite), {}, track=track)
    whole = relocated(whole, roots)
    wanted = pick(whole, only=only)
    if not wanted:
        raise UsageError("the suite has no tasks", remedy="Build another suite.", code="no-match")
    absences = whole.select(wanted).absences()
    return whole.select(with_audio(wanted)[:limit]), absences


def with_audio(tasks: Iterable[EditTask]) -> list[EditTask]:
    """Those of the tasks that had audio where the suite was built.

    Raises:
        IncompleteError: if none had.
    """
    wanted = list(tasks)
    there = [task for task in wanted if task.source is not None]
    if not there:
        reasons = Counter(task.absent for task in wanted)
        raise IncompleteError(
            f"none of the {len(wanted)} tasks has audio on this machine",
            where="; ".join(f"{count}: {reason}" for reason, count in list(reasons.items())[:3]),
            remedy="Build the tasks again with the folders of the audio (`timbrebench doctor` lists what is found).",
            code="no-audio",
        )
    return there
