"""What a run directory says it is (`run.json`, `plan.jsonl`), and how it differs from what is asked for."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.errors import CorruptStoreError, DataError, IdentityError
from bench.identity import canonical_json, digest, sha256_bytes
from bench.store import strict_json
from bench.store.atomic import write_json
from bench.store.outcomes import PlanItem

SCHEMA = "timbrebench-run@1"

_SHOWN = 80


@dataclass(frozen=True)
class RunRecord:
    """The content of `run.json`.

    Attributes:
        identity: all that decides the audio (method, config, backbone, suite, code version, …). A run directory
            is resumed only with an equal one (equal canonical JSON).
        about: what is worth knowing but decides nothing (machine, versions of libraries, licences, …), as it was
            when the directory was made.
        plan_sha256: of the bytes of `plan.jsonl`.
        suite_digest: `Suite.digest` of `suite.jsonl`.
    """

    identity: Mapping[str, Any]
    about: Mapping[str, Any]
    plan_sha256: str
    suite_digest: str

    def write(self, path: Path) -> None:
        """Write `run.json`."""
        write_json(path, {"schema": SCHEMA, "identity_digest": digest(self.identity), **asdict(self)})

    @classmethod
    def read(cls, path: Path) -> RunRecord:
        """Read `run.json`.

        Raises:
            CorruptStoreError: if it cannot be read, or was changed by hand.
            DataError: if another version of timbrebench wrote it.
        """
        try:
            value = strict_json.parse_object(path.read_bytes())
            if value["schema"] != SCHEMA:
                raise DataError(
                    f"the run directory has the format {value['schema']!r}; this version reads {SCHEMA}",
                    where=str(path),
                    remedy="Use the version of timbrebench that made it, or choose another --out.",
                    code="store/schema",
                )
            record = cls(value["identity"], value["about"], value["plan_sha256"], value["suite_digest"])
            if digest(record.identity) != value["identity_digest"]:
                raise ValueError("the identity was changed (its digest differs)")
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CorruptStoreError(
                f"the run's description cannot be used: {error}",
                where=str(path),
                remedy="Restore the file from a copy, or choose another --out.",
                code="corrupt/run-json",
            ) from error
        return record


def plan_bytes(plan: Sequence[PlanItem]) -> bytes:
    """`plan.jsonl` of a plan.

    Raises:
        DataError: if a (task, seed) is planned twice.
    """
    seen = set()
    for item in plan:
        if item.key in seen:
            raise DataError(
                f"the plan has task {item.task!r} with seed {item.seed} twice",
                where="plan",
                remedy="Give each task an id of its own and each seed once.",
                code="store/planned-twice",
            )
        seen.add(item.key)
    return b"".join(strict_json.dump(asdict(item)) + b"\n" for item in plan)


def read_plan(path: Path, sha256: str) -> tuple[PlanItem, ...]:
    """Read `plan.jsonl` and check its hash.

    Raises:
        CorruptStoreError: if it is not the file that was written.
    """
    try:
        data = path.read_bytes()
        if sha256_bytes(data) != sha256:
            raise ValueError("it was changed after it was written (its hash differs)")
        return tuple(PlanItem(**strict_json.parse_object(line)) for line in data.split(b"\n")[:-1])
    except (OSError, ValueError, TypeError) as error:
        raise CorruptStoreError(
            f"the run's plan cannot be used: {error}",
            where=str(path),
            remedy="Restore the file from a copy, or choose another --out.",
            code="corrupt/plan",
        ) from error


def check_same_run(path: Path, there: RunRecord, asked: RunRecord, plans: tuple[Sequence[PlanItem], ...]) -> None:
    """Refuse to resume another run.

    Args:
        path: of the directory.
        there: what it holds.
        asked: what is asked for.
        plans: the plan there and the plan asked for, to say how they differ.

    Raises:
        IdentityError: with every field that differs and both its values.
    """
    found = [f"{name} ({old} there, {new} asked for)" for name, old, new in differences(there.identity, asked.identity)]
    if there.suite_digest != asked.suite_digest:
        found.append(f"suite digest ({there.suite_digest[:16]}… there, {asked.suite_digest[:16]}… asked for)")
    if there.plan_sha256 != asked.plan_sha256:
        old, new = ({item.key for item in plan} for plan in plans)
        found.append(
            f"plan ({len(old)} (task, seed) there, {len(new)} asked for; "
            f"{len(old - new)} only there, {len(new - old)} only asked for)"
        )
    if found:
        raise IdentityError(
            f"the run directory holds another run; it differs in {'; '.join(found)}",
            where=str(path),
            remedy="Choose another --out, or ask for the same options as before.",
        )


def differences(there: Any, asked: Any, name: str = "") -> Iterator[tuple[str, str, str]]:
    """Every field in which two JSON values differ: its dotted path, and both values as (shortened) JSON.

    Objects are compared field by field, everything else as a whole, by canonical JSON.

    >>> list(differences({"a": {"x": 1, "y": 2}}, {"a": {"x": 1, "y": 3}, "b": None}))
    [('a.y', '2', '3'), ('b', 'absent', 'null')]
    """
    if isinstance(there, Mapping) and isinstance(asked, Mapping):
        for field in sorted({*there, *asked}):
            path = f"{name}.{field}" if name else str(field)
            if field not in there:
                yield path, "absent", _shown(asked[field])
            elif field not in asked:
                yield path, _shown(there[field]), "absent"
            else:
                yield from differences(there[field], asked[field], path)
    elif canonical_json(there) != canonical_json(asked):
        yield name, _shown(there), _shown(asked)


def as_json(value: Mapping[str, Any]) -> dict[str, Any]:
    """A value as it comes back from a file: tuples become lists, names become strings."""
    result: dict[str, Any] = json.loads(canonical_json(value))
    return result


def _shown(value: Any) -> str:
    text = canonical_json(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
