"""By what a report can be split: groups of tasks by an attribute, or by a flag."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from bench.errors import UsageError, did_you_mean
from bench.task import EditTask
from reports.escape import clean

Keys = Callable[[EditTask], Collection[str | None]]
"""The names of the groups a task is in; None for the group of those that have no name for it."""

FLAG = "flag"
_NO_FLAG = (None,)


@dataclass(frozen=True)
class TaskGroup:
    """The tasks that have something in common, by id."""

    name: str
    tasks: frozenset[str]


@dataclass(frozen=True)
class Grouping:
    """Tasks in groups.

    Attributes:
        by: as the user writes it: ``stem``, ``flag:separator-seen``.
        title: the same for a heading.
        groups: the largest first, then by name; what has no name last. None is empty.
        overlapping: whether a task is in several groups.
    """

    by: str
    title: str
    groups: tuple[TaskGroup, ...]
    overlapping: bool


@dataclass(frozen=True)
class _Attribute:
    """What `group` looks at. `nameless` is the name of the group without one."""

    title: str
    keys: Keys
    nameless: str = "unknown"


def _single_line(task: EditTask) -> Collection[str | None]:
    return (None if task.monophonic is None else "single line" if task.monophonic else "polyphonic",)


_ATTRIBUTES: Mapping[str, _Attribute] = {
    "stem": _Attribute("By stem", lambda task: (task.stem,)),
    "song": _Attribute("By song", lambda task: (task.song,)),
    "source-instrument": _Attribute("By source instrument", lambda task: (task.source_instrument,)),
    "target-instrument": _Attribute("By target instrument", lambda task: (task.target_instrument,)),
    "monophonic": _Attribute("By whether the edited stem is a single line", _single_line),
    FLAG: _Attribute("By flag", lambda task: frozenset(task.flags) or _NO_FLAG, "no flag"),
}

SPLITS = (*_ATTRIBUTES, f"{FLAG}:NAME")
"""All that a report can be split by."""


def group(tasks: Iterable[EditTask], by: str) -> Grouping:
    """Put tasks into groups.

    Args:
        tasks: of one suite.
        by: one of `SPLITS`; with ``flag:NAME``, the groups are the tasks with that flag and those without.

    Raises:
        UsageError: if there is no such split.
    """
    attribute = _attribute(by)
    members: dict[str | None, set[str]] = {}
    total = 0
    for task in tasks:
        total += 1
        for key in attribute.keys(task):
            members.setdefault(key, set()).add(task.id)
    ranked = sorted(members.items(), key=lambda item: (item[0] is None, -len(item[1]), item[0] or ""))
    named = (TaskGroup(attribute.nameless if key is None else key, frozenset(ids)) for key, ids in ranked)
    return Grouping(by, attribute.title, tuple(named), sum(map(len, members.values())) > total)


def check(splits: Iterable[str], tasks: Collection[EditTask]) -> None:
    """See that there is something to split by.

    Raises:
        UsageError: for a split that there is not, or a flag that none of the tasks has.
    """
    for by in splits:
        _attribute(by)
        kind, _, flag = by.partition(":")
        flags = {known for task in tasks for known in task.flags}
        if kind == FLAG and flag and flag not in flags:
            raise UsageError(
                f"no task of these runs has the flag '{clean(flag)}'",
                where=f"--split {clean(by)}",
                remedy=did_you_mean(clean(flag), map(clean, flags)) if flags else "These tasks have no flags.",
                code="unknown-flag",
            )


def _attribute(by: str) -> _Attribute:
    kind, separator, flag = by.partition(":")
    if kind == FLAG and flag:
        name = f"with {flag}"
        return _Attribute(
            f"With and without {flag}", lambda task: (name if flag in task.flags else None,), f"without {flag}"
        )
    if separator or kind not in _ATTRIBUTES:
        raise UsageError(
            f"a report cannot be split by '{clean(by)}'",
            where=f"--split {clean(by)}",
            remedy=did_you_mean(clean(by), SPLITS),
            code="unknown-split",
        )
    return _ATTRIBUTES[kind]
