"""Packing a submission: the audio of every edit of a plan and `submission.json`, in one archive.

The archive depends on nothing but its content: members are stored, sorted, and dated 1980, so that packing twice gives
the same bytes. It appears under its name once it is whole.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.audio import Clip
from bench.errors import CorruptStoreError, DataError, IncompleteError, UsageError
from bench.identity import sha256_bytes, sha256_file
from bench.store import strict_json
from bench.store.outcomes import Key, Outcome, PlanItem
from bench.store.replacing import replacing
from bench.store.rundir import RunDirectory
from bench.suite import Suite, Track, untracked
from reports.submission.header import HeaderError, parse
from reports.submission.model import (
    SCHEMA,
    SUBMISSION,
    Card,
    Entry,
    Made,
    Submission,
    SuiteClaim,
    member_name,
    shown_line,
)
from reports.submission.plan_rules import plan_digest, plan_of

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest that a .zip can say
_MODE = 0o100644 << 16

_Audio = Callable[[], bytes] | str
"""How to get an edit's FLAC file, or why there is none."""


@dataclass(frozen=True)
class Packed:
    """What was packed. `clipped`: samples beyond full scale, which FLAC does not hold, in files that were converted."""

    path: Path
    sha256: str
    size: int
    entries: int
    failed: int
    clipped: int


def pack_run(folder: Path, card: Card, out: Path, *, track: Track = untracked) -> Packed:
    """Pack a run directory.

    Args:
        folder: of a run that has an outcome for every edit of its plan; failed edits are declared as such.
        card: of the system.
        out: the archive; replaced if it is there.
        track: told how many edits are packed.

    Raises:
        UsageError: if the card declares other seeds than the run has.
        IncompleteError: if edits of the plan were not run yet.
        DataError, CorruptStoreError: if it is not a run directory, or damaged.
    """
    run = RunDirectory.open(folder)
    seeds = tuple(dict.fromkeys(item.seed for item in run.plan))
    if set(seeds) != set(card.seeds):
        raise UsageError(
            f"the card declares the seeds {_listed(card.seeds)}, and the run has {_listed(seeds)}",
            where=str(folder),
            remedy="Write the run's seeds into the card.",
            code="submission/seeds",
        )
    outcomes = run.outcomes()
    pending = sum(outcome.status == "pending" for outcome in outcomes.values())
    if pending or plan_digest(run.plan) != plan_digest(plan_of(run.suite, seeds)):
        raise IncompleteError(
            f"{pending} of {len(run.plan)} edits were not run yet" if pending else "the run is of a part of its suite",
            where=str(folder),
            remedy="Give its `timbrebench run` command again: it goes on where it stopped.",
        )
    identity = run.identity
    made = Made(
        timbrebench=str(identity["timbrebench"]), method=identity["method"], backbone=identity.get("backbone") or None
    )
    audio = {key: _of_run(run, key, outcome) for key, outcome in outcomes.items()}
    ordered = card.model_copy(update={"seeds": seeds})
    return _pack(out, ordered, run.suite, made, list(run.plan), audio, track)


def pack_folder(
    files: Mapping[int, Mapping[str, Path]],
    suite: Suite,
    card: Card,
    out: Path,
    *,
    missing: str | None = None,
    track: Track = untracked,
) -> Packed:
    """Pack audio that another program made.

    Args:
        files: by seed and task id. FLAC is packed as it is; all else is converted to it.
        suite: whose tasks they are, those that have audio.
        card: of the system.
        out: the archive; replaced if it is there.
        missing: why some tasks have no file; without it each needs one.
        track: told how many edits are packed.

    Raises:
        DataError: if a file belongs to no task of the suite. IncompleteError: if a task has none, and nobody said why.
        AudioError: if one cannot be read.
    """
    plan = plan_of(suite, card.seeds)
    keys = {item.key for item in plan}
    strange = sorted(
        str(path) for seed, found in files.items() for task, path in found.items() if (task, seed) not in keys
    )
    if strange:
        raise DataError(
            f"{len(strange)} files belong to no task of the suite",
            where=strange[0],
            remedy="Name each file by its task's id (`timbrebench tasks list FILE`), with '/' or '__' in it.",
            code="data/external-names",
        )
    lost = [item for item in plan if item.task not in files.get(item.seed, {})]
    if lost and missing is None:
        raise IncompleteError(
            f"{len(lost)} of {len(plan)} edits have no file",
            where=f"{lost[0].task}, seed {lost[0].seed}",
            remedy="Add them, or declare them as failed with --missing 'the reason'.",
        )
    clipped = [0]
    audio: dict[Key, _Audio] = {}
    for item in plan:
        path = files.get(item.seed, {}).get(item.task)
        audio[item.key] = str(missing) if path is None else _of_file(path, clipped)
    packed = _pack(out, card, suite, None, plan, audio, track)
    return Packed(packed.path, packed.sha256, packed.size, packed.entries, packed.failed, clipped[0])


def _of_run(run: RunDirectory, key: Key, outcome: Outcome) -> _Audio:
    sha = outcome.audio
    if sha is None:
        return str((outcome.error or {}).get("cause") or "it failed")

    def read() -> bytes:
        path = run.audio_path(sha)
        data = path.read_bytes() if path.is_file() else b""
        if sha256_bytes(data) != sha:
            raise CorruptStoreError(
                f"the audio of {key[0]} is missing or damaged",
                where=str(path),
                remedy="Give the `timbrebench run` command again: it makes damaged files anew.",
                code="corrupt/audio",
            )
        return data

    return read


def _of_file(path: Path, clipped: list[int]) -> _Audio:
    def read() -> bytes:
        clip = Clip.read(path)
        data = path.read_bytes()
        try:
            if parse(data).container == "FLAC":
                return data
        except HeaderError:  # pictures and the like in the header: the audio itself could be read
            pass
        clipped[0] += clip.clipped
        return clip.encode()

    return read


def _pack(
    out: Path,
    card: Card,
    suite: Suite,
    made: Made | None,
    plan: Sequence[PlanItem],
    audio: Mapping[Key, _Audio],
    track: Track,
) -> Packed:
    entries: dict[Key, Entry] = {}
    named = sorted((member_name(*item.key), item) for item in plan)
    with replacing(out) as handle, zipfile.ZipFile(handle, "w") as archive:
        for name, item in track(named, "edits", len(named)):
            read = audio[item.key]
            if isinstance(read, str):
                entries[item.key] = Entry(task=item.task, seed=item.seed, failed=shown_line(read))
                continue
            data = read()
            _add(archive, name, data)
            entries[item.key] = Entry(task=item.task, seed=item.seed, member=name, sha256=sha256_bytes(data))
        submission = Submission(
            schema=SCHEMA,
            card=card,
            suite=SuiteClaim(name=suite.name, version=suite.version, digest=suite.digest),
            plan_sha256=plan_digest(plan),
            made=made,
            entries=tuple(entries[item.key] for item in plan),
        )
        _add(archive, SUBMISSION, strict_json.dump(submission.as_json(), indent=1) + b"\n")
    failed = sum(entry.failed is not None for entry in entries.values())
    return Packed(out, sha256_file(out), out.stat().st_size, len(entries), failed, 0)


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    info = zipfile.ZipInfo(name, _EPOCH)
    info.create_system, info.external_attr, info.compress_type = 3, _MODE, zipfile.ZIP_STORED
    archive.writestr(info, data)


def _listed(seeds: Sequence[int]) -> str:
    return ", ".join(map(str, sorted(seeds)))
