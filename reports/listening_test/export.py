"""From runs to a listening test on disk: stimuli, one webMUSHRA configuration for each listener set, and the design.

::

    DIR/design.json                    who is behind which sound: not for listeners
    DIR/configs/<name>/set01.yaml …    to be copied into webMUSHRA's configs/
    DIR/configs/<name>/stimuli/*.wav
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.audio import Clip
from bench.errors import UsageError
from bench.identity import sha256_bytes
from bench.store.atomic import make_folder, write_bytes, write_text
from bench.suite import Track, untracked
from bench.task import EditTask
from reports.listening_test import webmushra
from reports.listening_test.choose import Candidates, candidates, draw
from reports.listening_test.design import ANCHOR, FILE, REFERENCE, SOURCE, Design, Item, Kind, Sound
from reports.listening_test.stimuli import Matched, low_anchor, matched, prepared
from reports.listening_test.trials import check_balance, full_cycle, sound_id, trials

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")  # as webMUSHRA's service leaves it when it makes a folder of it
_LONGEST_NAME = 40

RATES = (44_100, 48_000)
"""In Hz, of files that webMUSHRA plays."""


@dataclass(frozen=True)
class Options:
    """What there is to choose.

    Attributes:
        kind: of test; None for mushra where all tasks have a true edit, else ratings.
        tasks: that each listener hears. sets: of listeners; None for as many as the orders need.
        heard: systems, of each task, that a listener hears; None for all. checks: of attention, for each listener.
        rate: of the files in Hz, one of `RATES`: that of the listeners' sound card.
        lufs: loudness. seconds: at most, for each clip; BS.1534 and webMUSHRA want no more than 12.
        name: of the test. seed: of all that is by lot.
    """

    kind: Kind | None = None
    tasks: int = 10
    sets: int | None = None
    heard: int | None = None
    checks: int = 3
    rate: int = 48_000
    lufs: float = -23.0
    seconds: float = 12.0
    name: str = "listening"
    seed: int = 0


def export(runs: Sequence[Path], out: Path, options: Options, *, track: Track = untracked) -> Design:
    """Write a listening test.

    Args:
        runs: directories of one suite, one a system; scores are not needed.
        out: a folder that is not there yet, or is empty, or holds an export that was interrupted.
        options: see there.
        track: told how far it is, in tasks.

    Raises:
        UsageError: for a name or rate that will not do, a design that cannot be balanced, or a folder that is in use.
        IdentityError, IncompleteError: if the runs cannot be heard side by side.
        AudioError, DataError, CorruptStoreError: if audio is not here, or not what it was.
    """
    _check(out, options)
    found = candidates(runs, options.kind)
    chosen = draw(found.tasks, options.tasks, options.seed)
    conditions = _conditions(found, chosen)
    heard = check_balance(found.kind, len(conditions), options.heard, len(chosen))
    stimuli = out / webmushra.FOLDER / options.name / webmushra.SOUNDS
    make_folder(stimuli)
    made = [_item(found, conditions, task, options, stimuli) for task in track(chosen, "tasks", len(chosen))]
    sets = options.sets or full_cycle(found.kind, len(conditions))
    names = [task.id for task in chosen]
    asked = trials(
        found.kind, conditions, names, sets=sets, heard=heard, checks=options.checks, seed=options.seed
    )  # fmt: skip
    design = Design(
        name=options.name,
        kind=found.kind,
        seed=options.seed,
        edit_seed=found.edit_seed,
        sets=sets,
        rate=options.rate,
        lufs=options.lufs,
        suite=f"{found.suite.name}@{found.suite.version}",
        suite_digest=found.suite.digest,
        systems=tuple(entrant.system for entrant in found.entrants),
        items=tuple(item for item, _ in made),
        sounds=tuple(sound for _, sounds in made for sound in sounds),
        trials=tuple(asked),
        left_out=found.left_out,
    )
    for number in range(1, sets + 1):
        write_text(stimuli.parent / webmushra.config_name(number), webmushra.config(design, number))
    design.write(out)  # last: a folder without it is unfinished
    return design


def _check(out: Path, options: Options) -> None:
    if not _NAME.fullmatch(options.name) or len(options.name) > _LONGEST_NAME:
        raise UsageError(
            f"{options.name!r} cannot be the name of a test",
            remedy=f"Use lower-case letters, digits and single hyphens, at most {_LONGEST_NAME}.",
            code="listening/name",
        )
    if options.rate not in RATES:
        raise UsageError(
            f"browsers and webMUSHRA want another rate than {options.rate} Hz",
            remedy=f"Give {' or '.join(map(str, RATES))}, whichever the listeners' sound cards run at.",
            code="listening/rate",
        )
    used = out.exists() and (not out.is_dir() or (out / FILE).exists() or _foreign(out, options.name))
    if used:
        raise UsageError(
            "the folder is in use; a test that has listeners must not change",
            where=str(out),
            remedy="Choose another --out.",
            code="listening/in-use",
        )


def _foreign(out: Path, name: str) -> bool:
    """Whether a folder holds anything but what an interrupted export of the same name leaves."""
    below = out / webmushra.FOLDER
    others = [path for path in out.iterdir() if path != below]
    return bool(others) or (below.is_dir() and any(path.name != name for path in below.iterdir()))


def _conditions(found: Candidates, chosen: Sequence[EditTask]) -> list[str]:
    """What is rated: the systems; the true edit where every task has one; the anchor of MUSHRA."""
    keys = [entrant.system.key for entrant in found.entrants]
    if all(task.true_edit is not None for task in chosen):
        keys.append(REFERENCE)
    return [*keys, ANCHOR] if found.kind == "mushra" else keys


def _item(
    found: Candidates, conditions: Sequence[str], task: EditTask, options: Options, folder: Path
) -> tuple[Item, list[Sound]]:
    """Write the clips of a task."""
    seconds = min(found.suite.sources[str(task.source)].excerpt.duration_s, options.seconds)
    read = _clips(found, conditions, task)
    clips = {condition: prepared(clip, options.rate, seconds) for condition, clip in read.items()}
    if ANCHOR in conditions:
        clips[ANCHOR] = low_anchor(clips[REFERENCE])
    levelled, lufs = matched(clips, options.lufs)
    sounds = [_written(made, task, condition, options.seed, folder) for condition, made in levelled.items()]
    item = Item(
        task=task.id,
        song=task.song,
        stem=task.stem,
        phrase=task.target_phrase or task.target_instrument or task.target_prompt,
        target_prompt=task.target_prompt,
        seconds=seconds,
        lufs=round(lufs, 4),
    )
    return item, sounds


def _clips(found: Candidates, conditions: Sequence[str], task: EditTask) -> dict[str, Clip]:
    """What is read of a task, at the rates and lengths that it has; the source only where it stands beside."""
    clips = {entrant.system.key: entrant.run.read_audio(entrant.audio[task.id]) for entrant in found.entrants}
    true_edit = found.suite.true_edit(task) if REFERENCE in conditions else None
    if true_edit is not None:
        clips[REFERENCE] = true_edit
    if found.kind == "ratings":
        clips[SOURCE] = found.suite.open(str(task.source)).mixture
    return clips


def _written(made: Matched, task: EditTask, condition: str, seed: int, folder: Path) -> Sound:
    data = made.clip.encode(container="WAV", subtype="PCM_16")
    identifier = sound_id(seed, task.id, condition)
    write_bytes(folder / f"{identifier}.wav", data)
    return Sound(
        id=identifier,
        task=task.id,
        condition=condition,
        gain_db=round(made.gain_db, 4),
        matched=made.exact,
        sha256=sha256_bytes(data),
    )
