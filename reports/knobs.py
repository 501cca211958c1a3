"""In what two runs of one method differ: by a knob of its configuration, or by something else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bench.identity import canonical_json
from reports.load import RunReport

NONE = "none"
_CONFIG = "method.config."


@dataclass(frozen=True)
class Difference:
    """A field of the identity with its two values, as text. `knob`: whether it is one of the method's configuration."""

    name: str
    base: str
    new: str
    knob: bool


def differences(base: RunReport, new: RunReport) -> tuple[Difference, ...]:
    """The fields in which the identities of two runs differ, by name."""
    first, second = leaves(base.directory.identity), leaves(new.directory.identity)
    return tuple(
        Difference(key.removeprefix(_CONFIG), first.get(key, NONE), second.get(key, NONE), key.startswith(_CONFIG))
        for key in sorted(first.keys() | second.keys())
        if first.get(key) != second.get(key)
    )


def leaves(value: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Leaves of nested mappings by dotted key, as text."""
    found: dict[str, str] = {}
    for key, item in value.items():
        if isinstance(item, Mapping):
            found |= leaves(item, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = item if isinstance(item, str) else canonical_json(item)
    return found
