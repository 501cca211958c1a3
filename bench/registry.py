"""Typed, lazy registries of methods, suites, metrics and backbones.

A registry maps a name to ``"package.module:Class"`` and imports it on first use, so that listing names costs
nothing and imports nothing. Three sources fill it: lines in `bench.cli.catalogue` (what ships here), entry
points of installed packages (what others ship), and a dotted ``package.module:Class`` given instead of a name.

>>> from bench.registry import Registry
>>> shapes = Registry("shape", base="builtins:object")
>>> shapes.add("square", "fractions:Fraction", "four equal sides")
>>> shapes.get("square").__name__
'Fraction'
>>> shapes.get("sqare")
Traceback (most recent call last):
bench.errors.UnknownNameError: unknown shape 'sqare'. Did you mean square?
"""

from __future__ import annotations

import importlib
import warnings
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any, Generic, TypeVar

from bench.errors import UnknownNameError, UsageError, did_you_mean

T = TypeVar("T")


@dataclass(frozen=True)
class Entry:
    """One registered name: where its class is, one line on it, and who registered it."""

    name: str
    target: str
    summary: str
    origin: str


class Registry(Generic[T]):
    """Names of one kind of thing, each made real on first use.

    Args:
        kind: what it holds, for messages ("method").
        base: ``"module:Class"`` that every entry must inherit from; imported only when an entry is.
        group: entry-point group in which other packages register theirs.
    """

    def __init__(self, kind: str, *, base: str, group: str | None = None):
        self.kind = kind
        self._base = base
        self._group = group
        self._entries: dict[str, Entry] = {}
        self._scanned = False

    def add(self, name: str, target: str, summary: str, *, origin: str = "timbrebench") -> None:
        """Register ``target`` ("module:Class") under a name. A name can be taken once."""
        if name in self._entries:
            raise UsageError(
                f"the {self.kind} name '{name}' is taken by {self._entries[name].target}",
                remedy=f"Give {target} another name.",
                code="name-taken",
            )
        self._entries[name] = Entry(name, target, summary, origin)

    def entries(self) -> list[Entry]:
        """All entries, by name, plug-ins included. Imports none of them."""
        self._scan()
        return [self._entries[name] for name in sorted(self._entries)]

    def entry(self, name: str) -> Entry:
        """The entry of a name, or of a dotted ``package.module:Class``.

        Raises:
            UnknownNameError: with the nearest names as remedy.
        """
        self._scan()
        if name in self._entries:
            return self._entries[name]
        if ":" in name:
            return Entry(name, name, "given by its dotted path", "command line")
        raise UnknownNameError(f"unknown {self.kind} '{name}'", remedy=did_you_mean(name, self._entries))

    def get(self, name: str) -> type[T]:
        """The class registered under a name, imported now.

        Raises:
            UnknownNameError: for a name nobody registered.
            UsageError: if it cannot be imported, or is not a subclass of the registry's base.
        """
        entry = self.entry(name)
        found = load_object(entry.target, kind=self.kind)
        base = load_object(self._base, kind="base class")
        if not (isinstance(found, type) and issubclass(found, base)):
            raise UsageError(
                f"{entry.target} is not a {self.kind}",
                remedy=f"It must be a subclass of {self._base.replace(':', '.')}.",
                code="wrong-class",
            )
        return found

    def _scan(self) -> None:
        if self._scanned or self._group is None:
            return
        self._scanned = True
        for point in sorted(entry_points(group=self._group), key=lambda p: (p.name, p.value)):
            origin = point.dist.name if point.dist is not None else "an installed package"
            try:
                self.add(point.name, point.value, f"from {origin}", origin=origin)
            except UsageError as error:
                warnings.warn(f"plug-in ignored: {error}", stacklevel=3)


def load_object(target: str, *, kind: str) -> Any:
    """Import ``"package.module:Name"``.

    Raises:
        UsageError: says which part failed. The import error itself stays attached as the cause.
    """
    module_name, _, attribute = target.partition(":")
    try:
        module = importlib.import_module(module_name)
        return getattr(module, attribute)
    except (ImportError, AttributeError) as error:
        raise UsageError(
            f"the {kind} {target} cannot be imported: {error}",
            remedy="Check the path (package.module:Class) and that its package is installed here.",
            code="import-failed",
        ) from error
