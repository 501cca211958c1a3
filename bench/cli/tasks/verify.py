"""Whether the audio of a suite is here and is the audio that its task file was built from: all that is wrong, at once.

Sources are checked in parallel, each together with the true edits and references of its tasks, so that an excerpt of a
file is read once. A bad file does not stop the others.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import Literal

from bench.audio import Clip
from bench.cli.tasks.views import files
from bench.errors import AudioError
from bench.suite import Suite, Track
from bench.task import AudioRef, SourceRef, StemName, audio_digest

Kind = Literal["sources", "true_edits", "references"]


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong; `what` names the root, source or task that it is about."""

    code: str
    what: str
    cause: str
    where: str
    remedy: str

    def as_dict(self) -> dict[str, str]:
        """For `--json`."""
        return asdict(self)


@dataclass(frozen=True)
class Verified:
    """What was checked and is right, in numbers, and what is not, in the order of the task file."""

    sources: int
    true_edits: int
    references: int
    problems: tuple[Problem, ...]


@dataclass(frozen=True)
class _Beside:
    """Audio that a task has beside its source."""

    kind: Kind
    task: str
    ref: AudioRef


@dataclass
class _Job:
    """A source, and the audio beside it that no earlier job has; None gathers what has no source."""

    source: SourceRef | None
    beside: list[_Beside]


_Outcome = tuple[Kind, list[Problem]]


def verify(suite: Suite, *, jobs: int, track: Track) -> Verified:
    """Compare all audio of a suite with its hashes.

    Args:
        suite: with its roots.
        jobs: threads; 0 is one a core.
        track: told how far it is, in sources.
    """
    problems = _root_problems(suite)
    reachable = {name: Path(folder) for name, folder in suite.roots.items() if name not in problems}
    work = _jobs(suite, reachable)
    with ThreadPoolExecutor(jobs or os.cpu_count() or 1) as pool:
        futures = [pool.submit(_check, job, reachable) for job in work]
        try:
            for _ in track(as_completed(futures), "sources", len(futures)):
                pass
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    outcomes = [outcome for future in futures for outcome in future.result()]
    right = Counter(kind for kind, found in outcomes if not found)
    found = [*problems.values(), *(problem for _, each in outcomes for problem in each)]
    return Verified(right["sources"], right["true_edits"], right["references"], tuple(dict.fromkeys(found)))


# -- what is to be checked --------------------------------------------------------------------------------------------


def _beside(suite: Suite) -> list[tuple[str | None, _Beside]]:
    """Every true edit and reference, each once, with the source of the first task that has it."""
    found: dict[AudioRef, tuple[str | None, _Beside]] = {}
    for task in suite.tasks:
        kinds: dict[Kind, AudioRef | None] = {"true_edits": task.true_edit, "references": task.target_audio}
        for kind, ref in kinds.items():
            if ref is not None:
                found.setdefault(ref, (task.source, _Beside(kind, task.id, ref)))
    return list(found.values())


def _root_problems(suite: Suite) -> dict[str, Problem]:
    """By name, the roots that are not known or not there: said once, not for each file below them."""
    used = Counter([ref.root for ref in suite.sources.values()] + [each.ref.root for _, each in _beside(suite)])
    problems = {}
    for name, count in used.items():
        remedy = f"Give it with --root {name}=FOLDER."
        needed = f"needed for {count:,} excerpts"
        if name not in suite.roots:
            cause = f"the folder of '{name}' audio is not known"
            problems[name] = Problem("data/no-root", name, cause, needed, remedy)
        elif not Path(suite.roots[name]).is_dir():
            cause = f"the folder of '{name}' audio is not there"
            problems[name] = Problem("data/root-missing", name, cause, f"{suite.roots[name]} ({needed})", remedy)
    return problems


def _jobs(suite: Suite, roots: Mapping[str, Path]) -> list[_Job]:
    sources: list[SourceRef | None] = [ref for ref in suite.sources.values() if ref.root in roots]
    jobs = {ref.id if ref else None: _Job(ref, []) for ref in [*sources, None]}
    for source, beside in _beside(suite):
        if beside.ref.root in roots:
            jobs[source if source in jobs else None].beside.append(beside)
    return [job for job in jobs.values() if job.source or job.beside]


# -- checking ---------------------------------------------------------------------------------------------------------

_Place = tuple[str, float, float]
"""An excerpt of a file: path, start and duration."""


class _Reader:
    """Reads excerpts below a root, each once, but for those that are `known`; notes what is wrong with them."""

    def __init__(self, root: Path, what: str, known: Mapping[_Place, Clip]):
        self._root, self._what, self._known = root, what, known
        self.problems: list[Problem] = []
        self.read: dict[_Place, Clip] = {}

    def sum(self, paths: Sequence[str], start_s: float, duration_s: float) -> Clip | None:
        """The sum of files over an excerpt; None if there is a problem."""
        clips = [self._clip((path, start_s, duration_s)) for path in paths]
        return self.add([clip for clip in clips if clip is not None], paths) if None not in clips else None

    def add(self, clips: Sequence[Clip], paths: Sequence[str]) -> Clip | None:
        """The sum of clips; None if they cannot be added."""
        try:
            return Clip.sum(clips)
        except AudioError as error:
            self._note(error, " + ".join(str(self._root / path) for path in paths))
            return None

    def _clip(self, place: _Place) -> Clip | None:
        path, start_s, duration_s = place
        if place not in self._known and place not in self.read:
            try:
                self.read[place] = Clip.read(self._root / path, start_s=start_s, duration_s=duration_s)
            except AudioError as error:
                self._note(error, str(self._root / path))
        return self._known.get(place) or self.read.get(place)

    def _note(self, error: AudioError, where: str) -> None:
        self.problems.append(Problem(error.code, self._what, error.cause, error.where or where, error.remedy))


def _check(job: _Job, roots: Mapping[str, Path]) -> list[_Outcome]:
    """What is wrong with a source and with the audio beside it."""
    outcomes: list[_Outcome] = []
    clips: dict[_Place, Clip] = {}
    if job.source is not None:
        reader = _Reader(roots[job.source.root], job.source.id, {})
        outcomes.append(("sources", _source_problems(job.source, reader, roots[job.source.root])))
        clips = reader.read
    for beside in job.beside:
        ref = beside.ref
        same_root = job.source is not None and job.source.root == ref.root
        reader = _Reader(roots[ref.root], beside.task, clips if same_root else {})
        clip = reader.sum(ref.paths, ref.start_s, ref.duration_s)
        if clip is not None and clip.sha256 != ref.sha256:
            where = " + ".join(str(roots[ref.root] / path) for path in ref.paths)
            reader.problems.append(_differs(beside.task, where))
        outcomes.append((beside.kind, reader.problems))
    return outcomes


def _source_problems(ref: SourceRef, reader: _Reader, root: Path) -> list[Problem]:
    start_s, duration_s = ref.excerpt.start_s, ref.excerpt.duration_s
    read = {stem: reader.sum(paths, start_s, duration_s) for stem, paths in ref.stems.items()}
    stems = {stem: clip for stem, clip in read.items() if clip is not None}
    mixture = None
    if ref.mixture is not None:
        mixture = reader.sum([ref.mixture], start_s, duration_s)
    elif len(stems) == len(ref.stems):
        mixture = reader.add(list(stems.values()), files(ref))
    if mixture is None or reader.problems:
        return reader.problems
    if audio_digest(mixture, stems) == ref.excerpt.sha256:
        return []
    where = os.path.commonpath([root / path for path in files(ref)])
    return [_differs(ref.id, where, _exchanged(ref, mixture, stems))]


def _exchanged(ref: SourceRef, mixture: Clip, stems: Mapping[StemName, Clip]) -> str | None:
    """Which two stems have each other's audio, if that is all that is wrong."""
    for one, other in combinations(stems, 2):
        if audio_digest(mixture, {**stems, one: stems[other], other: stems[one]}) == ref.excerpt.sha256:
            return f"{one} and {other} are exchanged"
    return None


def _differs(what: str, where: str, exchanged: str | None = None) -> Problem:
    cause = exchanged or "the hash of the audio differs: it is not what these tasks were built from"
    remedy = "Point --root at the original data, or build the tasks again."
    return Problem("data/audio-differs", what, cause, where, "Name the files right again." if exchanged else remedy)
