"""The check of a submission: every rule, all findings at once. What authors run, and what a leaderboard runs.

A submission is a .zip file of audio and `submission.json` from someone who may want to harm whoever opens it. None of
it is extracted: members are read one at a time, by the names that its own plan gives, and their audio is decoded in a
process apart (`reports.submission.decoder`). Every rule is in `reports.submission.rules`.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from bench.errors import UsageError
from bench.identity import sha256_file
from bench.store.zip_members import FlawError, ZipLimits, ZipMembers
from bench.suite import Suite, Track, untracked
from reports.submission.audio_rules import AudioRules, in_source_order
from reports.submission.claims import MOST_BYTES, read_claims
from reports.submission.decoder import Decoder, using
from reports.submission.model import SUBMISSION, CheckResult, Entry, InvalidSubmissionError, Submission
from reports.submission.plan_rules import check_claims, check_plan, check_whole, names_of, plan_of
from reports.submission.prints import Fingerprints
from reports.submission.rules import Findings

_ARCHIVES = frozenset({".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".zst"})


@dataclass(frozen=True)
class Checked:
    """What came of a check.

    Attributes:
        result: to be shown and kept.
        fingerprints: of the edits that could be heard, for an entry store; None if there is no submission.json.
    """

    result: CheckResult
    fingerprints: Fingerprints | None

    def require(self) -> Submission:
        """The submission, if it was accepted.

        Raises:
            InvalidSubmissionError: if not.
        """
        errors = [finding for finding in self.result.findings if finding.severity == "error"]
        if errors or self.result.submission is None:
            first = errors[0]
            more = f" and {len(errors) - 1} more" if len(errors) > 1 else ""
            raise InvalidSubmissionError(
                f"the submission breaks {len(errors)} rules, first {first.code}: {first.what}",
                where=f"{first.where or self.result.file}{more}",
                remedy="`timbrebench submit check FILE` lists all of them.",
            )
        return self.result.submission


def check(
    path: Path,
    suite: Suite | None = None,
    others: Sequence[Fingerprints] = (),
    *,
    decoder: Decoder | None = None,
    limits: ZipLimits | None = None,
    track: Track = untracked,
) -> Checked:
    """Apply every rule to a submission.

    Args:
        path: of the archive.
        suite: whose plan it has to fulfil, with the tasks that have audio only; without it, what needs it is not
            checked, and a warning says so.
        others: fingerprints of entries that it must not be a copy of.
        decoder: to decode with; by default one is started.
        limits: of the archive.
        track: told how many entries were heard.

    Raises:
        UsageError: if there is no such file.
    """
    if not path.is_file():
        cause = "this is not a file" if path.exists() else "there is no such file"
        raise UsageError(cause, where=str(path), remedy="Give a file from `timbrebench submit pack`.", code="no-file")
    findings = Findings()
    with ExitStack() as stack:
        members = stack.enter_context(ZipMembers(path, limits or ZipLimits()))
        for flaw in members.flaws:
            findings.add(f"archive/{flaw.code}", flaw.name, flaw.what)
        submission = _claims(members, findings)
        if submission is None:
            _check_names(members, (), findings)
            return Checked(_result(path, findings, None), None)
        _check_names(members, submission.entries, findings)
        check_claims(submission, findings)
        if suite is None:
            check_whole(submission, findings)
            findings.add("check/no-suite", path.name, "plan, lengths and copies were not checked")
        else:
            check_plan(submission, suite, findings)
        listening = stack.enter_context(using(decoder))
        rules = AudioRules(members, listening, suite, others, findings)
        entries = _to_hear(submission, suite, members)
        for entry in track(entries, "edits", len(entries)):
            rules.hear(entry)
        rules.conclude(sum(entry.member is not None for entry in submission.entries))
        _tell_limits(rules, listening, findings)
        return _concluded(path, findings, submission, rules)


def _claims(members: ZipMembers, findings: Findings) -> Submission | None:
    if SUBMISSION not in members:
        if not findings.any_error or members.names:
            findings.add("json/missing", SUBMISSION, "it is not in the archive, or not usable there")
        return None
    try:
        data = members.read(SUBMISSION, MOST_BYTES)
    except FlawError as error:
        large = error.flaw.code == "too-large"
        findings.add("json/too-large" if large else f"archive/{error.flaw.code}", SUBMISSION, error.flaw.what)
        return None
    return read_claims(data, findings)


def _to_hear(submission: Submission, suite: Suite | None, members: ZipMembers) -> list[Entry]:
    """The entries of the plan whose members can be read, each once, those of one source together."""
    planned = None if suite is None else {item.key for item in plan_of(suite, submission.card.seeds)}
    usable = {
        entry.key: entry
        for entry in submission.entries
        if entry.member in names_of(entry) and entry.member in members and (planned is None or entry.key in planned)
    }
    return in_source_order(list(usable.values()), suite)


def _check_names(members: ZipMembers, entries: Sequence[Entry], findings: Findings) -> None:
    """Members that the plan does not name, and those that it names and are not there."""
    named = {entry.member for entry in entries if entry.member is not None}
    for name in members.names:
        if PurePosixPath(name).suffix.lower() in _ARCHIVES:
            findings.add("archive/nested", name, "it is an archive itself")
        elif name != SUBMISSION and entries and name not in named:
            findings.add("archive/unexpected", name, "no entry names it")
    for entry in entries:
        if entry.member is not None and entry.member not in members:
            there = "is not usable" if entry.member in members.names else "is not there"
            findings.add("archive/missing", entry.member, f"the member of {entry.task} seed {entry.seed} {there}")


def _tell_limits(rules: AudioRules, decoder: Decoder, findings: Findings) -> None:
    if rules.unreachable:
        source, why = next(iter(rules.unreachable.items()))
        findings.add("check/no-source", source, f"{len(rules.unreachable)} sources cannot be read, first: {why}")
    if decoder.unlimited:
        findings.add("check/limits", "", f"the decoder runs without limits on {', '.join(sorted(decoder.unlimited))}")


def _concluded(path: Path, findings: Findings, submission: Submission, rules: AudioRules) -> Checked:
    result = _result(path, findings, submission, decoded=len(rules.prints), copies=rules.copies)
    card = submission.card
    kept = Fingerprints(
        system=card.system,
        version=card.version,
        suite_digest=submission.suite.digest,
        archive=result.sha256,
        prints=tuple(rules.prints),
    )
    return Checked(result, kept)


def _result(
    path: Path, findings: Findings, submission: Submission | None, decoded: int = 0, copies: float | None = None
) -> CheckResult:
    entries = submission.entries if submission else ()
    return CheckResult(
        file=str(path),
        sha256=sha256_file(path),
        findings=findings.all(),
        submission=submission,
        decoded=decoded,
        failed=sum(entry.failed is not None for entry in entries),
        copies=copies,
    )
