"""Names for runs in one table: the label each was given, told apart where two are the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from reports.knobs import leaves

if TYPE_CHECKING:
    from reports.load import RunReport

_SHOWN_FIELDS = 4


def distinct_labels(runs: Sequence[RunReport]) -> list[str]:
    """One label a run, in order, no two alike.

    Runs of one label are told apart by the fields of their identity that differ (``polyphonia (lam=0.5)``); where
    that is not enough, by their folder, then by a number.
    """
    labels = []
    for run in runs:
        twins = [other.directory.identity for other in runs if other.label == run.label]
        labels.append(_with(run.label, _differences(run.directory.identity, twins)))
    shared = Counter(labels)
    labels = [_with(name, run.path.name) if shared[name] > 1 else name for name, run in zip(labels, runs, strict=True)]
    seen: Counter[str] = Counter()
    for number, label in enumerate(labels):
        seen[label] += 1
        if seen[label] > 1:
            labels[number] = f"{label} #{seen[label]}"
    return labels


def _with(label: str, more: str) -> str:
    return f"{label} ({more})" if more else label


def _differences(identity: Mapping[str, Any], twins: Sequence[Mapping[str, Any]]) -> str:
    """``key=value`` of an identity's fields that are not the same in all twins."""
    flat = [leaves(twin) for twin in twins]
    mine = leaves(identity)
    keys = sorted({key for fields in flat for key in fields if any(f.get(key) != fields[key] for f in flat)})
    shown = [f"{key.removeprefix('method.config.')}={mine.get(key, 'none')}" for key in keys[:_SHOWN_FIELDS]]
    return ", ".join([*shown, "…"] if len(keys) > _SHOWN_FIELDS else shown)
