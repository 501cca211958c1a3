"""Making an entry of a scored run: what has to be true of it, and what is kept.

Where an entry's scores come from decides what it may be called. A run that `submit score` made of an archive, with that
archive beside it to prove it by the hashes of its audio, is *scored*. Anything else is *self-reported*. An audit makes
a scored entry *audited*, if it is of that archive and reproduced it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from bench.errors import DataError, IncompleteError, UsageError
from bench.identity import digest, sha256_bytes, sha256_file
from bench.store.atomic import make_folder, write_bytes
from bench.store.rundir import PLAN, RUN, SUITE
from bench.store.zip_members import FlawError, ZipLimits, ZipMembers
from bench.suite import Suite
from reports.html.players import choose
from reports.leaderboard.records import Added, Audited, Origin
from reports.leaderboard.store import Stored, Writer
from reports.load import RunReport, load
from reports.submission.audit import Audit
from reports.submission.claims import MOST_BYTES, read_claims
from reports.submission.model import SUBMISSION, Card, Submission, SuiteClaim, shown_line
from reports.submission.prints import Fingerprints
from reports.submission.rules import Findings

FINGERPRINTS = "fingerprints.json"
"""Where `timbrebench submit check --entries` looks for them."""

_SCORES = ("summary.json", "corpus.json", "scores.parquet")


@dataclass(frozen=True)
class Given:
    """What comes with a run.

    Attributes:
        card: for a run that has none of its own. archive: the submission that the run was scored from.
        audit: of that archive. fingerprints: of its edits. supersedes: id of an older entry of the same system.
        examples: so many tasks are kept with their audio.
    """

    card: Card | None = None
    archive: Path | None = None
    audit: Path | None = None
    fingerprints: Path | None = None
    supersedes: str | None = None
    examples: int = 0


def add(run_path: Path, store: Path, given: Given | None = None) -> tuple[Stored, bool]:
    """Add a scored run to a store; the store is made if it is not there.

    A run that is there already is not added again, but a new audit of it is.

    Args:
        run_path: the run directory.
        store: folder of the store.
        given: what comes with it.

    Returns:
        The entry as it now stands, and whether it is new.

    Raises:
        IncompleteError: if the run is not scored, or not finished.
        UsageError: if it lacks a card, or the entry that it supersedes is not there.
        DataError: if run, card, archive, audit and fingerprints do not belong together.
        CorruptStoreError: if the store is damaged. LockedError: if another process writes to it.
    """
    given = given or Given()
    run = load(run_path)
    if run.coverage.pending:
        raise IncompleteError(
            f"{run.coverage.pending} of {run.coverage.expected} planned edits were not tried",
            where=str(run_path),
            remedy="Finish the run and score it again: an entry has an outcome for every edit.",
            code="leaderboard/unfinished",
        )
    archive = None if given.archive is None else _Archive.read(given.archive)
    origin: Origin = "self-reported" if archive is None else archive.check(run)
    kept = dict(_kept(run, given, archive))
    body = _added(run, origin, _card(run, given.card, archive), archive, kept)
    audited = None if given.audit is None else _audited(body, given.audit)
    with Writer(store) as writer:
        new = body.entry not in {each.added.entry for each in writer.store.entries()}
        if new:
            body = _superseding(body, given.supersedes, writer)
            _keep(store, body, kept, run, given.examples)
            writer.append(body.model_copy(update={"examples": given.examples}))
        if audited is not None and not any(record.body == audited for record in writer.store.records):
            make_folder(store / "audits")
            assert given.audit is not None
            write_bytes(store / "audits" / f"{audited.audit}.json", given.audit.read_bytes())
            writer.append(audited)
        return writer.store.entry(body.entry), new


# -- what has to be true ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Archive:
    """A submission's archive: its hash, and what it says of itself."""

    path: Path
    sha256: str
    submission: Submission

    @classmethod
    def read(cls, path: Path) -> _Archive:
        findings = Findings()
        try:
            sha256 = sha256_file(path)
            with ZipMembers(path, ZipLimits()) as members:
                data = members.read(SUBMISSION, MOST_BYTES) if SUBMISSION in members else b""
        except (OSError, FlawError) as error:
            raise _unfit(path, f"the archive cannot be read: {error}") from error
        submission = read_claims(data, findings)
        if submission is None:
            raise _unfit(path, f"the archive is no submission: {findings.all()[0].what}")
        return cls(path, sha256, submission)

    def check(self, run: RunReport) -> Origin:
        """See that a run was scored from this archive: the run names the hashes of all edits."""
        content = digest({f"{entry.task} {entry.seed}": entry.sha256 for entry in self.submission.entries})
        config = run.identity.method.config
        if config.get("content") != content or "loudness" not in config:
            raise _unfit(run.path, f"the run was not scored from {self.path.name} by `timbrebench submit score`")
        return "scored"


def _card(run: RunReport, given: Card | None, archive: _Archive | None) -> Card | None:
    """The one card that there is.

    Raises:
        UsageError: if there is none, and the run needs one. DataError: if there are two, or it is another run's.
    """
    about = run.directory.about.get("submission")
    try:
        own = [Card.model_validate_json(json.dumps(about["card"]))] if isinstance(about, Mapping) else []
    except (ValidationError, KeyError) as error:
        raise _unfit(run.path, "the card in the run's description cannot be read") from error
    cards = [*own, *([given] if given else []), *([archive.submission.card] if archive else [])]
    if run.about.role == "control":
        return None
    if not cards:
        raise UsageError(
            f"the run {run.label} has no card: who made it, from what, and in which division it stands",
            where=str(run.path),
            remedy="Give --card card.yaml; `docs/submissions.md` has one to copy.",
            code="leaderboard/no-card",
        )
    if any(card != cards[0] for card in cards):
        raise _unfit(run.path, "the cards of run, archive and --card differ")
    if sorted(cards[0].seeds) != sorted(run.identity.seeds):
        raise _unfit(run.path, f"the card declares the seeds {cards[0].seeds}, and the run has {run.identity.seeds}")
    return cards[0]


def _audited(body: Added, path: Path) -> Audited:
    audit = Audit.read(path)
    if body.archive is None or audit.archive != body.archive or audit.suite_digest != body.suite.digest:
        raise _unfit(path, "the audit is not of this entry's archive and suite")
    limits = audit.tolerance
    return Audited(
        entry=body.entry,
        audit=sha256_file(path),
        reproduced=audit.reproduced,
        within=audit.within,
        drawn=audit.drawn,
        of=audit.of,
        tolerance=f"{limits.share:.0%} within log-mel {limits.log_mel_db:g} dB or SI-SDR {limits.si_sdr_db:g} dB",
    )


def _superseding(body: Added, older: str | None, writer: Writer) -> Added:
    """The record with the id of the older entry, if that may be superseded by it."""
    if older is None:
        return body
    stored = writer.store.entry(older)
    card = stored.added.card
    if card is None or body.card is None or card.system != body.card.system or stored.superseded_by or stored.withdrawn:
        raise UsageError(
            f"the entry {older} cannot be superseded: it is of another system, superseded already, or withdrawn",
            where=str(writer.path),
            remedy="Leave --supersedes out, or name the system's current entry.",
            code="leaderboard/supersedes",
        )
    return body.model_copy(update={"supersedes": older})


# -- what is kept -----------------------------------------------------------------------------------------------------


def _added(
    run: RunReport, origin: Origin, card: Card | None, archive: _Archive | None, kept: Mapping[str, bytes]
) -> Added:
    files = {name: sha256_bytes(data) for name, data in kept.items()}
    card_json = card.model_dump(mode="json") if card else None
    sha256 = archive.sha256 if archive else None
    suite = run.identity.suite
    return Added(
        entry=digest({"run": run.digest, "card": card_json, "archive": sha256, "files": files})[:16],
        label=shown_line(run.label)[:80],
        role=run.about.role,
        origin=origin,
        card=card,
        run=run.digest,
        suite=SuiteClaim(name=shown_line(suite.name), version=suite.version, digest=suite.digest),
        seeds=run.identity.seeds,
        archive=sha256,
        files=files,
    )


def _kept(run: RunReport, given: Given, archive: _Archive | None) -> Iterator[tuple[str, bytes]]:
    """The run directory but for its audio, and the fingerprints.

    The suite loses its roots: a store is published, and where audio lay on one machine is nobody's business.
    """
    for name in (RUN, PLAN, *_SCORES):
        yield name, (run.path / name).read_bytes()
    yield SUITE, "".join(f"{line}\n" for line in _rootless(run.directory.suite).lines()).encode()
    for path in sorted((run.path / "journal").glob("*.jsonl")):
        yield f"journal/{path.name}", path.read_bytes()
    if given.fingerprints is not None:
        prints = Fingerprints.read(given.fingerprints)
        if archive is None or prints.archive != archive.sha256:
            raise _unfit(given.fingerprints, "the fingerprints are not of this entry's archive")
        yield FINGERPRINTS, given.fingerprints.read_bytes()


def _keep(store: Path, body: Added, kept: Mapping[str, bytes], run: RunReport, examples: int) -> None:
    """Write an entry's folder. Without its record, which comes after, it counts as nothing and is written again."""
    folder = store / "entries" / body.entry
    make_folder(folder / "journal")
    for name, data in kept.items():
        write_bytes(folder / name, data)
    outcomes, seed = run.outcomes, min(run.identity.seeds)
    for task in sorted(example_tasks(run, examples)):
        sha = outcomes[task, seed].audio
        if sha is not None:
            source = run.directory.audio_path(sha)
            target = folder / source.relative_to(run.path)
            make_folder(target.parent)
            write_bytes(target, source.read_bytes())


def example_tasks(run: RunReport, limit: int) -> frozenset[str]:
    """The tasks whose players an entry's page has: as `reports.html.examples.listen` chooses them."""
    seed = min(run.identity.seeds)
    songs: dict[str, list[str]] = {}
    for item in run.plan:
        if item.seed == seed:
            songs.setdefault(item.song, []).append(item.task)
    return frozenset(choose(songs, limit))


def _rootless(suite: Suite) -> Suite:
    return Suite(suite.name, suite.version, suite.rules, suite.sources, suite.tasks)


def _unfit(where: Path, cause: str) -> DataError:
    return DataError(
        cause,
        where=str(where),
        remedy="Give the files of one submission: its archive, the run that `submit score` made of it, its audit.",
        code="leaderboard/unfit",
    )
