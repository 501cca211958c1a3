"""What a listening test is about: the systems, and tasks of which every one of them has an edit."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from bench.errors import IdentityError, IncompleteError, UsageError
from bench.identity import derive_seed, digest
from bench.store.rundir import RunDirectory
from bench.suite import Suite
from bench.task import EditTask
from reports.listening_test.design import Kind, System


@dataclass(frozen=True, eq=False)
class Entrant:
    """A system and its run; `audio` has the hash of each of its edits with the test's seed, by task."""

    system: System
    run: RunDirectory
    audio: dict[str, str]


@dataclass(frozen=True, eq=False)
class Candidates:
    """Systems, and the tasks that listeners can be asked about.

    Attributes:
        kind: of test that they allow. suite: of the runs. edit_seed: of the edits.
        tasks: in the suite's order. left_out: number of the others, by reason.
    """

    kind: Kind
    suite: Suite
    edit_seed: int
    entrants: tuple[Entrant, ...]
    tasks: tuple[EditTask, ...]
    left_out: dict[str, int]


def candidates(paths: Sequence[Path], kind: Kind | None) -> Candidates:
    """The systems of some runs, and the tasks of which all have an edit.

    Args:
        paths: run directories of one suite; they need not be scored.
        kind: of the test; None for mushra where every such task has a true edit, else ratings.

    Raises:
        UsageError: if there is no run, or one twice.
        IdentityError: if they are of different suites, or have no seed in common.
        IncompleteError: if no task is left.
        BenchError: what `RunDirectory.open` raises for a folder that is not a run.
    """
    runs = [RunDirectory.open(path) for path in paths]
    _check(runs)
    suite, seed = runs[0].suite, _common_seed(runs)
    entrants = tuple(
        Entrant(_system(number, run, label), run, _edits(run, seed))
        for number, (run, label) in enumerate(zip(runs, _labels(runs), strict=True))
    )
    planned = {item.task for run in runs for item in run.plan}
    reasons = {task.id: _absence(task, entrants) for task in suite.tasks if task.id in planned}
    tasks = tuple(task for task in suite.tasks if task.id in reasons and reasons[task.id] is None)
    decided: Kind = kind or ("mushra" if tasks and all(task.true_edit for task in tasks) else "ratings")
    if decided == "mushra":
        reasons |= {task.id: "it has no true edit" for task in tasks if task.true_edit is None}
        tasks = tuple(task for task in tasks if task.true_edit is not None)
    left_out = Counter(reason for reason in reasons.values() if reason is not None)
    if not tasks:
        raise IncompleteError(
            f"there is nothing to ask listeners about: of {len(reasons)} tasks, none can be heard",
            where="; ".join(f"{count}: {reason}" for reason, count in left_out.items()),
            remedy="Finish the runs (`timbrebench run` goes on where it stopped)"
            + (", or ask for --test ratings, which needs no true edit." if decided == "mushra" else "."),
            code="listening/no-tasks",
        )
    return Candidates(decided, suite, seed, entrants, tasks, dict(left_out))


def draw(tasks: Sequence[EditTask], count: int, seed: int) -> tuple[EditTask, ...]:
    """At most `count` tasks by lot, as many of each song as can be, in the order given."""
    dice = random.Random(derive_seed(seed, "listening", "tasks"))
    songs: dict[str, list[EditTask]] = {}
    for task in tasks:
        songs.setdefault(task.song, []).append(task)
    shuffled = [dice.sample(mine, len(mine)) for mine in dice.sample(list(songs.values()), len(songs))]
    rounds = [task for each in zip_longest(*shuffled) for task in each if task is not None]
    chosen = {task.id for task in rounds[:count]}
    return tuple(task for task in tasks if task.id in chosen)


def _check(runs: Sequence[RunDirectory]) -> None:
    if not runs:
        raise UsageError("there is no run to listen to", remedy="Name at least one run directory.", code="no-runs")
    paths = [run.path.resolve() for run in runs]
    twice = [path for path in paths if paths.count(path) > 1]
    if twice:
        raise UsageError("a run is named twice", where=str(twice[0]), remedy="Name it once.", code="listening/twice")
    for run in runs[1:]:
        if run.suite.digest != runs[0].suite.digest:
            raise IdentityError(
                f"the runs are of different suites: {runs[0].suite.name} and {run.suite.name}, or two builds of one",
                where=f"{runs[0].path} and {run.path}",
                remedy="Name runs of one suite: listeners compare edits of the same task.",
                code="listening/other-suite",
            )


def _common_seed(runs: Sequence[RunDirectory]) -> int:
    common = set.intersection(*({item.seed for item in run.plan} for run in runs))
    if not common:
        raise IdentityError(
            "the runs have no seed in common",
            where=", ".join(str(run.path) for run in runs),
            remedy="Run them with one seed.",
            code="listening/seeds",
        )
    return min(common)


def _system(number: int, run: RunDirectory, label: str) -> System:
    return System(key=f"s{number}", label=label, method=_method(run), run=digest(run.identity))


def _method(run: RunDirectory) -> str:
    method = run.identity.get("method")
    return str(method.get("name", "")) if isinstance(method, dict) else ""


def _labels(runs: Sequence[RunDirectory]) -> list[str]:
    """Names for tables, no two alike: that of the run, with its folder where two have one name, with a number then."""
    names = [str(run.about.get("label") or _method(run) or run.path.name) for run in runs]
    shared = Counter(names)
    told = [f"{name} ({run.path.name})" if shared[name] > 1 else name for name, run in zip(names, runs, strict=True)]
    return [
        f"{name} #{told[: place + 1].count(name)}" if name in told[:place] else name for place, name in enumerate(told)
    ]


def _edits(run: RunDirectory, seed: int) -> dict[str, str]:
    found = run.outcomes().items()
    return {task: outcome.audio for (task, of), outcome in found if of == seed and outcome.audio is not None}


def _absence(task: EditTask, entrants: Sequence[Entrant]) -> str | None:
    """Why a task cannot be asked about; None if it can."""
    if task.source is None:
        return "it has no source"
    lacking = [entrant.system.label for entrant in entrants if task.id not in entrant.audio]
    return f"no edit by {', '.join(lacking)}" if lacking else None
