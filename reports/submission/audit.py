"""The audit of a submission: some of its tasks, drawn by lot, are edited again here and compared with what it holds.

Which tasks, nobody can know before the archive is finished: the draw depends on its hash. Two edits of one task by one
program differ by rounding, since devices add up in other orders, and samplers carry that on; so they are compared by
sound (log-mel distance) or by waveform (SI-SDR), within a tolerance that the result states.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bench.audio import Clip, Samples
from bench.errors import DataError, UsageError
from bench.identity import derive_seed, sha256_file
from bench.metric import LENGTH_TOLERANCE_S
from bench.metrics.logmel import RATE, log_mel_distance, mel_powers
from bench.store import strict_json
from bench.store.atomic import write_json
from bench.store.rundir import RunDirectory
from bench.store.zip_members import ZipLimits, ZipMembers
from bench.suite import Suite
from reports.submission.copies import residual
from reports.submission.decoder import Decoder, using
from reports.submission.edits import EditError, durations, read_edit
from reports.submission.model import Entry, Submission

SCHEMA: Final = "timbrebench-audit@1"

_CEILING_DB = 100.0

Rerun = Callable[[Suite, int], RunDirectory]
"""Edits the tasks of a (part of a) suite with a seed, and gives the run directory."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Tolerance(_Record):
    """How far two edits of a task may be apart to be the same program's.

    Attributes:
        log_mel_db: `bench.metrics.logmel` distance at most; what a change of 1 dB in every band would make.
        si_sdr_db: or this SI-SDR at least.
        share: of the drawn tasks that must be within.
    """

    log_mel_db: Annotated[float, Field(ge=0)] = 1.0
    si_sdr_db: float = 20.0
    share: Annotated[float, Field(gt=0, le=1)] = 0.9


class Compared(_Record):
    """One task: the edit in the submission against the one made here. `why`: there are no distances."""

    task: str
    seed: int
    log_mel_db: float | None
    si_sdr_db: float | None
    reproduced: bool
    why: str | None = None


class Audit(_Record):
    """`audit.json`.

    Attributes:
        system, version, archive: what was audited; `archive` is its sha256.
        suite_digest: of its suite. draw_seed, drawn, of: the draw, and how many entries there were to draw from.
        identity: of the runs made here (method, configuration, backbone). claim: the same by the submission; None if it
            does not say.
        environment: versions and platform.
        reproduced: the verdict.
    """

    format: Literal["timbrebench-audit@1"] = Field(SCHEMA, alias="schema")
    system: str
    version: str
    archive: str
    suite_digest: str
    draw_seed: int
    drawn: int
    of: int
    tolerance: Tolerance
    identity: Mapping[str, Any]
    claim: Mapping[str, Any] | None
    environment: Mapping[str, Any]
    tasks: tuple[Compared, ...]
    within: int
    reproduced: bool

    def write(self, path: Path) -> None:
        """Write it, atomically."""
        write_json(path, self.model_dump(mode="json", by_alias=True))

    @classmethod
    def read(cls, path: Path) -> Audit:
        """Read it.

        Raises:
            DataError: if the file is not an audit.
        """
        try:
            return cls.model_validate(strict_json.parse_object(path.read_bytes()))
        except (OSError, ValueError, ValidationError) as error:
            raise DataError(
                f"this is not an audit: {error}",
                where=str(path),
                remedy="Make one with `timbrebench submit audit FILE`.",
                code="data/audit",
            ) from error


def draw(submission: Submission, archive: str, count: int, seed: int) -> list[Entry]:
    """So many entries with audio, each of another task as long as there are tasks, in the submission's order.

    Args:
        submission: to draw from.
        archive: sha256 of its archive, on which the draw depends.
        count: how many; all, if there are fewer.
        seed: the auditor's.
    """
    chance = random.Random(derive_seed(seed, archive))
    by_task: dict[str, list[Entry]] = {}
    for entry in submission.entries:
        if entry.member is not None:
            by_task.setdefault(entry.task, []).append(entry)
    names = chance.sample(sorted(by_task), min(count, len(by_task)))
    chosen = {chance.choice(by_task[name]).key for name in names}
    return [entry for entry in submission.entries if entry.key in chosen]


def audit(
    path: Path,
    submission: Submission,
    suite: Suite,
    rerun: Rerun,
    *,
    count: int,
    seed: int = 0,
    tolerance: Tolerance | None = None,
    decoder: Decoder | None = None,
) -> Audit:
    """Edit drawn tasks again and compare.

    Args:
        path: of the archive.
        submission: from `Checked.require`.
        suite: with its audio.
        rerun: makes the edits; called once for each seed that was drawn.
        count: how many to draw.
        seed: of the draw.
        tolerance: see `Tolerance`.
        decoder: to decode with; by default one is started.

    Raises:
        UsageError: if there is nothing to draw from.
    """
    allowed = tolerance or Tolerance()
    archive = sha256_file(path)
    drawn = draw(submission, archive, count, seed)
    if not drawn:
        raise UsageError("no edit can be drawn", remedy="Ask for at least one task.", code="nothing-drawn")
    runs = _rerun(drawn, suite, rerun)
    with using(decoder) as listening:
        compared = _compare_all(path, drawn, suite, runs, listening, allowed)
    first = next(iter(runs.values()))
    within = sum(each.reproduced for each in compared)
    return Audit(
        system=submission.card.system,
        version=submission.card.version,
        archive=archive,
        suite_digest=submission.suite.digest,
        draw_seed=seed,
        drawn=len(drawn),
        of=sum(entry.member is not None for entry in submission.entries),
        tolerance=allowed,
        identity={key: first.identity[key] for key in ("timbrebench", "method", "backbone")},
        claim=None if submission.made is None else submission.made.model_dump(mode="json"),
        environment=dict(first.about.get("environment", {})),
        tasks=tuple(compared),
        within=within,
        reproduced=within >= allowed.share * len(drawn),
    )


def _rerun(drawn: Sequence[Entry], suite: Suite, rerun: Rerun) -> dict[int, RunDirectory]:
    runs = {}
    for seed in dict.fromkeys(entry.seed for entry in drawn):
        names = {entry.task for entry in drawn if entry.seed == seed}
        runs[seed] = rerun(suite.select(task for task in suite.tasks if task.id in names), seed)
    return runs


def _compare_all(
    path: Path,
    drawn: Sequence[Entry],
    suite: Suite,
    runs: Mapping[int, RunDirectory],
    decoder: Decoder,
    tolerance: Tolerance,
) -> list[Compared]:
    length_of = durations(suite)
    outcomes = {seed: run.outcomes() for seed, run in runs.items()}
    compared = []
    with ZipMembers(path, ZipLimits()) as members:
        for entry in drawn:
            outcome = outcomes[entry.seed][entry.key]
            if outcome.audio is None:
                why = f"it was not made here: {(outcome.error or {}).get('cause', outcome.status)}"
                compared.append(_unlike(entry, why))
                continue
            try:
                claimed = read_edit(members, decoder, entry, length_of[entry.task])
            except EditError as error:
                compared.append(_unlike(entry, f"{error.code}: {error}"))
                continue
            compared.append(compare(entry, claimed, runs[entry.seed].read_audio(outcome.audio), tolerance))
    return compared


def compare(entry: Entry, claimed: Clip, made: Clip, tolerance: Tolerance) -> Compared:
    """An edit that was submitted against the one that was made here."""
    if abs(claimed.duration_s - made.duration_s) > LENGTH_TOLERANCE_S:
        return _unlike(entry, f"it lasts {claimed.duration_s:.3f} s, and {made.duration_s:.3f} s when made here")
    reference, estimate = (clip.to_mono().resample(RATE) for clip in (made, claimed))
    length = min(reference.length, estimate.length)
    truth, found = reference.fit(length).mono, estimate.fit(length).mono
    if not truth.any() or not found.any():
        return _unlike(entry, "one of the two is silent")
    distance, ratio = log_mel_distance(mel_powers(truth), mel_powers(found)), _si_sdr_db(truth, found)
    near = distance <= tolerance.log_mel_db or ratio >= tolerance.si_sdr_db
    return Compared(
        task=entry.task,
        seed=entry.seed,
        log_mel_db=round(distance, 4),
        si_sdr_db=round(ratio, 3),
        reproduced=near,
    )


def _si_sdr_db(reference: Samples, estimate: Samples) -> float:
    """SI-SDR (Le Roux et al., 2019), cut at ±100 dB; `bench.metrics.waveform` has it too, and takes 9 s to import."""
    left, gain = residual(reference, estimate)
    truth, rest = (float(np.sum(np.square(each, dtype=np.float64))) for each in (reference, left))
    kept, lost = gain**2 * truth, rest
    if kept * 1e-10 >= lost:
        return _CEILING_DB
    return max(-_CEILING_DB, 10 * math.log10(kept / lost)) if kept else -_CEILING_DB


def _unlike(entry: Entry, why: str) -> Compared:
    return Compared(task=entry.task, seed=entry.seed, log_mel_db=None, si_sdr_db=None, reproduced=False, why=why)
