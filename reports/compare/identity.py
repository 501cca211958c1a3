"""In what two runs differ, and in what they may.

The question of a comparison is what a change of the *method* does. So its name, version, knobs and networks may differ,
as may the version of timbrebench. What was edited (suite, plan), with which luck (seeds) and on which model (backbone)
must be one thing, unless the user allows a field to differ; a metric's identity always.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from bench.errors import UsageError, did_you_mean
from bench.store.record import differences
from reports.compare.model import FieldDifference
from reports.load import Estimate, RunReport

MAY_DIFFER = ("timbrebench", "method")
MUST_AGREE = ("suite", "plan", "seeds", "backbone")

Allowed = Collection[str]


def check_allowed(allowed: Allowed, *runs: RunReport) -> None:
    """See that the fields that are allowed to differ are fields of a run.

    Raises:
        UsageError: for one that is not, with the nearest.
    """
    known = {"plan", *MUST_AGREE, *MAY_DIFFER, *(field for run in runs for field in run.directory.identity)}
    for field in allowed:
        if field.partition(".")[0] not in known:
            raise UsageError(
                f"runs have no field '{field}'",
                where="--allow",
                remedy=did_you_mean(field, known),
                code="unknown-field",
            )


def run_differences(base: RunReport, new: RunReport, allowed: Allowed) -> tuple[FieldDifference, ...]:
    """The fields in which two runs differ, those that forbid a comparison first."""
    found = [*_fields(base, new, allowed), *_plans(base, new, allowed)]
    return tuple(sorted(found, key=lambda each: each.allowed))


def metric_difference(name: str, base: Estimate, new: Estimate, *, gated: bool) -> FieldDifference | None:
    """How the identities of a metric differ, if they do: what each has that the other has not.

    Args:
        name: of the metric.
        base: in one run.
        new: in the other.
        gated: whether the gate needs it; else the runs can be compared without it.
    """
    if base.identity == new.identity:
        return None
    parts = [_parts(each.identity) for each in (base, new)]
    own = [[part for part in mine if part not in other] for mine, other in (parts, parts[::-1])]
    texts = [", ".join(part) or "no more" for part in own]
    return FieldDifference(field=f"metric {name}", base=texts[0], new=texts[1], allowed=not gated)


def seed_pairs(base: RunReport, new: RunReport) -> tuple[tuple[int, int], ...]:
    """Which seed of the new run stands beside which of the base run: the same, or where these differ by rank."""
    ours, theirs = sorted(base.identity.seeds), sorted(new.identity.seeds)
    return tuple(zip(ours, theirs, strict=True)) if len(ours) == len(theirs) else ()


def _fields(base: RunReport, new: RunReport, allowed: Allowed) -> Iterator[FieldDifference]:
    for field, ours, theirs in differences(base.directory.identity, new.directory.identity):
        if field == "seeds" and set(base.identity.seeds) == set(new.identity.seeds):
            continue
        may = _within(field, (*MAY_DIFFER, *allowed)) or (field == "backbone" and "null" in (ours, theirs))
        if field == "seeds" and not seed_pairs(base, new):
            may = False  # seeds can only stand beside each other if there are equally many
        yield FieldDifference(field=field, base=ours, new=theirs, allowed=may)


def _plans(base: RunReport, new: RunReport, allowed: Allowed) -> Iterator[FieldDifference]:
    ours, theirs = ({item.task for item in run.plan} for run in (base, new))
    if ours != theirs:
        texts = [
            f"{len(mine)} tasks, {len(mine - other)} only here" for mine, other in ((ours, theirs), (theirs, ours))
        ]
        yield FieldDifference(field="plan", base=texts[0], new=texts[1], allowed=_within("plan", allowed))


def _within(field: str, prefixes: Collection[str]) -> bool:
    return any(field == prefix or field.startswith(f"{prefix}.") for prefix in prefixes)


def _parts(identity: str) -> list[str]:
    """``name@1[16 kHz, gate -40 dB]`` as ``["name@1", "16 kHz", "gate -40 dB"]``."""
    head, _, parameters = identity.partition("[")
    return [head, *(part.strip() for part in parameters.removesuffix("]").split(","))]
