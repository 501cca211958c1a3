"""Whether a submission has an entry for every edit of the plan, and no other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from bench.identity import sha256_bytes
from bench.store.outcomes import Key, PlanItem
from bench.store.record import plan_bytes
from bench.suite import Suite
from reports.submission.model import SUBMISSION, SUFFIXES, Entry, Submission, member_name
from reports.submission.rules import Findings


def plan_of(suite: Suite, seeds: Iterable[int]) -> list[PlanItem]:
    """Every edit that a submission owes: each task that has audio, once a seed, in a run's order."""
    chosen = tuple(seeds)
    return [
        PlanItem(task=task.id, seed=seed, source=task.source, song=task.song)
        for task in suite.tasks
        if task.source is not None
        for seed in chosen
    ]


def plan_digest(plan: Iterable[PlanItem]) -> str:
    """The hash that `run.json` has of a run's plan."""
    return sha256_bytes(plan_bytes(list(plan)))


def check_claims(submission: Submission, findings: Findings) -> None:
    """The rules that need no suite."""
    card, entries = submission.card, submission.entries
    for key, count in Counter(entry.key for entry in entries).items():
        if count > 1:
            findings.add("plan/twice", _named(key), f"it has {count} entries")
    for seed in sorted({entry.seed for entry in entries} - set(card.seeds)):
        findings.add("seeds/undeclared", f"seed {seed}", f"the card declares {', '.join(map(str, card.seeds))}")
    failed = sum(entry.failed is not None for entry in entries)
    if failed == len(entries):
        findings.add("plan/nothing", SUBMISSION, f"all {failed} edits are declared as failed")
    elif failed:
        findings.add("plan/failures", SUBMISSION, f"{failed} of {len(entries)} edits are declared as failed")
    for entry in entries:
        if entry.member is not None and entry.member not in names_of(entry):
            findings.add(
                "entry/member-name", _named(entry.key), f"{entry.member!r} should be {member_name(*entry.key)!r}"
            )
    _check_base_model(submission, findings)


def check_plan(submission: Submission, suite: Suite, findings: Findings) -> None:
    """The rules that hold the entries against the suite."""
    claim = submission.suite
    if claim.digest != suite.digest:
        findings.add(
            "plan/suite",
            SUBMISSION,
            f"it is of {claim.name}@{claim.version} ({claim.digest[:16]}…), and checked against "
            f"{suite.name}@{suite.version} ({suite.digest[:16]}…)",
        )
    plan = plan_of(suite, submission.card.seeds)
    expected, there = {item.key for item in plan}, {entry.key for entry in submission.entries}
    for item in plan:
        if item.key not in there:
            findings.add("plan/missing", _named(item.key), "it has no entry")
    known = {task for task, _ in expected}
    for entry in submission.entries:
        if entry.task not in known:
            findings.add("plan/unknown", _named(entry.key), "the suite has no such task")
    if submission.plan_sha256 != plan_digest(plan):
        findings.add(
            "plan/digest", SUBMISSION, f"it claims {submission.plan_sha256[:16]}…, and is {plan_digest(plan)[:16]}…"
        )


def check_whole(submission: Submission, findings: Findings) -> None:
    """What can be told of a plan without its suite: every task that is there has every seed."""
    there = {entry.key for entry in submission.entries}
    for task in dict.fromkeys(entry.task for entry in submission.entries):
        for seed in submission.card.seeds:
            if (task, seed) not in there:
                findings.add("plan/missing", _named((task, seed)), "it has no entry")


def names_of(entry: Entry) -> tuple[str, ...]:
    """The names that an entry's member may have."""
    return tuple(member_name(*entry.key, suffix) for suffix in SUFFIXES)


def _check_base_model(submission: Submission, findings: Findings) -> None:
    claim, made = submission.card.base_model, submission.made
    if claim is None:
        return
    if claim.sha256 is None:
        findings.add("card/no-hash", "card.base_model", f"{claim.name!r} may be any weights of that name")
        return
    weights = (made.backbone or {}).get("weights") if made else None
    if isinstance(weights, str) and weights.removeprefix("sha256:") != claim.sha256:
        findings.add(
            "card/base-model", "card.base_model.sha256", f"the card says {claim.sha256[:16]}…, the run {weights[:23]}…"
        )


def _named(key: Key) -> str:
    return f"{key[0]} seed {key[1]}"
