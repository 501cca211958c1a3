"""Clips from the stems of a tasks file: whatever the suite, its excerpts and its audio, which stays where it is.

A stem gives a clip for each of its files whose instrument is known for certain: the source lists as many instruments as
the stem has files, so that each is told. Drums and sound effects have no timbre to be transferred, and are left out.
The clip is the source's excerpt, or, in a longer one, the `duration_s` in which the instrument sounds most (the rule of
`tasks.excerpts`). All audio is verified against the tasks file.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from bench.audio import Clip
from bench.identity import derive_seed
from bench.suite import Suite, Track
from bench.task import EditTask, SourceRef, StemName
from tasks import instruments
from tasks.excerpts import active_frames, choose_start
from tasks.instruments import Instrument
from tasks.pairs.material import DRUMS, SHORT, SILENT, UNKNOWN, Material, Wanted
from tasks.pairs.recordings import Place, Recording, label_of

_NO_TIMBRE = frozenset({"drums", "effects"})

_OF_THE_SONG = re.compile(r"synthesised|separator-seen|aac-stems|resampled|erratum-.*")
"""The flags of a suite's tasks that speak of the recording, not of prompts or edits; clips of the song keep them."""


def of_suite(path: Path, roots: Mapping[str, Path], wanted: Wanted, track: Track) -> Material:
    """The clips of a tasks file.

    Args:
        path: of the tasks file.
        roots: where its audio is, if not where it was when the file was built.
        wanted: what makes a clip fit.
        track: told how far the reading is.

    Raises:
        DataError, AudioError: if the file or its audio cannot be read, or is not what it was.
    """
    suite = Suite.read(path).with_roots(roots)
    by_source: dict[str | None, list[EditTask]] = defaultdict(list)
    for task in suite.tasks:
        by_source[task.source].append(task)
    refused: Counter[str] = Counter()
    found = [
        recording
        for ref in track(suite.sources.values(), "songs", len(suite.sources))
        for recording in _of_source(suite, ref, by_source[ref.id], wanted, refused)
    ]
    order = np.random.default_rng(derive_seed(wanted.seed, "pairs", "stems")).permutation(len(found))
    rules = {"from": "tasks", "suite": suite.name, "version": suite.version, "digest": suite.digest}
    used = sorted({recording.place.root for recording in found})
    shuffled = tuple(found[place] for place in order)
    return Material(shuffled, {name: Path(suite.roots[name]) for name in used}, rules, refused)


def _of_source(
    suite: Suite,
    ref: SourceRef,
    tasks: Sequence[EditTask],
    wanted: Wanted,
    refused: Counter[str],
) -> Iterator[Recording]:
    source, root = suite.open(ref.id), Path(suite.roots[ref.root])
    lines = {task.stem: task.monophonic for task in tasks if task.monophonic is not None}
    flags = sorted({flag for task in tasks for flag in task.flags if _OF_THE_SONG.fullmatch(flag)})
    heard: set[str] = set()
    for stem, paths in ref.stems.items():
        for path, instrument in zip(paths, _players(ref, stem), strict=True):
            why = _unfit(instrument, ref, wanted)
            if instrument is None or why:
                refused[why or UNKNOWN] += 1
                continue
            start = _start(ref, source.stems[stem] if len(paths) == 1 else _read(root, ref, path), wanted)
            place = Place(root=ref.root, paths=(path,), start_s=start, duration_s=wanted.duration_s)
            clip = place.read(root)
            if wanted.is_silent(clip):
                refused[SILENT] += 1
            elif instrument.name not in heard:  # a second recording of it would be another clip of the same name
                heard.add(instrument.name)
                told = lines.get(stem) if len(paths) == 1 else None
                yield Recording.of(
                    clip,
                    place,
                    song=ref.song,
                    label=label_of(instrument),
                    monophonic=instrument.single_line if told is None else told,
                    licence=ref.licence,
                    flags=flags,
                )


def _players(ref: SourceRef, stem: StemName) -> tuple[Instrument | None, ...]:
    """What plays in each file of a stem; None for all if the files are more than the instruments that are told."""
    names, files = ref.instruments.get(stem, ()), ref.stems[stem]
    if len(names) != len(files):
        return (None,) * len(files)
    return tuple(instruments.table().get(name) for name in names)


def _unfit(instrument: Instrument | None, ref: SourceRef, wanted: Wanted) -> str | None:
    """Why a recording cannot be used, as far as that is seen without its samples."""
    if instrument is None:
        return UNKNOWN
    if instrument.family in _NO_TIMBRE:
        return DRUMS
    return SHORT if ref.excerpt.duration_s < wanted.duration_s else None


def _read(root: Path, ref: SourceRef, path: str) -> Clip:
    """One file over a source's excerpt."""
    return Clip.read(root / path, start_s=ref.excerpt.start_s, duration_s=ref.excerpt.duration_s)


def _start(ref: SourceRef, heard: Clip, wanted: Wanted) -> float:
    """Where in the file the clip begins, in seconds: where most of it sounds, within the source's excerpt."""
    activity = active_frames(heard.samples, heard.rate)
    within = choose_start([activity], rate=heard.rate, length=heard.length, duration_s=wanted.duration_s)
    return ref.excerpt.start_s + within
