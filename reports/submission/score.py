"""A run directory from a submission's audio, to be scored like any other run.

It is the run that `--method external` would make of the same files, but for two things. Its audio comes out of an
archive that nobody trusts, decoded apart. And every edit is brought to the loudness of its source, by at most 6 dB:
several metrics, and every listener, prefer what is louder, and a system must not win by a gain (`loudness-change` then
shows what is left beyond the 6 dB). What was done to each edit is in the journal, as `gain_db`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import __version__
from bench.audio import Clip
from bench.errors import CorruptStoreError
from bench.identity import digest
from bench.runner.spec import environment
from bench.store.journal import Journal
from bench.store.rundir import RunDirectory
from bench.store.zip_members import ZipLimits, ZipMembers
from bench.suite import Suite, Track, untracked
from reports.submission.audio_rules import in_source_order
from reports.submission.decoder import Decoder, using
from reports.submission.edits import EditError, durations, read_edit
from reports.submission.model import Entry, Submission
from reports.submission.plan_rules import plan_of

MAX_GAIN_DB = 6.0

LOUDNESS = f"BS.1770 of the mono mean, to the source's, at most {MAX_GAIN_DB:g} dB, no sample beyond full scale"
"""What is done to edits, for the identity of a run whose edits it was done to."""

_WORKER = "submission"


def to_run(
    path: Path,
    submission: Submission,
    suite: Suite,
    out: Path,
    *,
    absences: Mapping[str, int] | None = None,
    decoder: Decoder | None = None,
    track: Track = untracked,
) -> RunDirectory:
    """Make the run directory of an accepted submission, or go on with one that was interrupted.

    Args:
        path: of the archive.
        submission: what it says of itself, from `Checked.require`.
        suite: whose plan it fulfils, with its audio.
        out: the run directory.
        absences: number of tasks of the full suite without audio, by reason.
        decoder: to decode with; by default one is started.
        track: told how many edits are there.

    Raises:
        IdentityError: if the directory holds another run. LockedError: if it is at work.
        CorruptStoreError: if the archive is not the one that was checked.
        DataError, AudioError: if a source's audio is not here.
    """
    with RunDirectory.lock(out):
        run = RunDirectory.create_or_resume(
            out,
            identity=_identity(submission, suite),
            about=_about(submission, suite, absences or {}),
            plan=plan_of(suite, submission.card.seeds),
            suite=suite,
        )
        run.quarantine_corrupt()
        there = {key for key, outcome in run.outcomes().items() if outcome.audio is not None}
        entries = [entry for entry in in_source_order(submission.entries, suite) if entry.key not in there]
        with ZipMembers(path, ZipLimits()) as members, run.journal(_WORKER) as journal, using(decoder) as listening:
            _fill(run, journal, members, listening, track(entries, "edits", len(entries)))
    return run


def level(edit: Clip, source: Clip) -> tuple[Clip, float]:
    """An edit at the loudness of its source, and the gain that this took, in dB.

    The gain is at most `MAX_GAIN_DB` either way, never makes a sample clip, and is 0 where either has no loudness.
    """
    found, wanted = edit.to_mono().loudness_lufs, source.to_mono().loudness_lufs
    if found is None or wanted is None:
        return edit, 0.0
    gain_db = max(-MAX_GAIN_DB, min(MAX_GAIN_DB, wanted - found))
    if gain_db > 0:
        gain_db = max(0.0, min(gain_db, -20 * math.log10(edit.peak)))
    return edit.scaled(10 ** (gain_db / 20)), gain_db


def _fill(run: RunDirectory, journal: Journal, members: ZipMembers, decoder: Decoder, entries: Any) -> None:
    """Put the edits into the run: audio first, then its event."""
    length_of, tasks = durations(run.suite), {task.id: task for task in run.suite.tasks}
    source_id, mixture = "", Clip.silence(0.0, 1)
    for entry in entries:
        if entry.failed is not None:
            journal.append({"event": "failed", "task": entry.task, "seed": entry.seed, "error": _declared(entry)})
            continue
        needed = str(tasks[entry.task].source)
        if needed != source_id:
            source_id, mixture = needed, run.suite.open(needed).mixture
        levelled, gain_db = level(_read(members, decoder, entry, length_of[entry.task]), mixture)
        journal.append(
            {
                "event": "generated",
                "task": entry.task,
                "seed": entry.seed,
                "audio": run.put_audio(levelled),
                "rate": levelled.rate,
                "samples": levelled.length,
                "channels": levelled.channels,
                "clipped": levelled.clipped,
                "diagnostics": {"gain_db": round(gain_db, 4)},
            }
        )


def _read(members: ZipMembers, decoder: Decoder, entry: Entry, duration_s: float) -> Clip:
    try:
        if entry.member is None or entry.member not in members:
            raise EditError("archive/missing", "it is not there")
        return read_edit(members, decoder, entry, duration_s)
    except EditError as error:
        raise CorruptStoreError(
            f"the archive is not the one that was checked: {error}",
            where=str(entry.member),
            remedy="Leave the file alone while it is scored, and check it again.",
            code=error.code,
        ) from error


def _declared(entry: Entry) -> dict[str, Any]:
    return {
        "code": "submission/declared-failed",
        "cause": str(entry.failed),
        "where": None,
        "remedy": "Only the submission's authors can make it.",
    }


def _identity(submission: Submission, suite: Suite) -> dict[str, Any]:
    """As of a run of `external` on the same files, and how their loudness was changed."""
    content = digest({f"{entry.task} {entry.seed}": entry.sha256 for entry in submission.entries})
    return {
        "timbrebench": __version__,
        "method": {
            "name": "external",
            "version": 1,
            "target": "baselines.external:External",
            "config": {"content": content, "loudness": LOUDNESS},
            "networks": {},
        },
        "backbone": None,
        "suite": {"name": suite.name, "version": suite.version, "digest": suite.digest},
        "seeds": list(submission.card.seeds),
    }


def _about(submission: Submission, suite: Suite, absences: Mapping[str, int]) -> dict[str, Any]:
    card = submission.card
    licences = sorted({ref.licence for ref in suite.sources.values()})
    return {
        "label": f"{card.system} {card.version}",
        "role": "method",
        "status": f"submitted to the {card.division} division; scored from its audio, at the source's loudness",
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "needs": ["stems"] if card.division == "oracle" else [],
        "absences": dict(absences),
        "licences": [*licences, f"edits: {card.licence}"],
        "devices": [],
        "environment": environment(),
        "submission": {"card": card.model_dump(mode="json"), "made": submission.made and submission.made.model_dump()},
    }
