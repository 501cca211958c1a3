"""Metrics on whole sets: vectors are gathered source by source, then the sets are compared.

Equal clips of one song count once on either side: 15 edits share a source, and 15 copies of it are one clip, not 15.
So the distance of the untouched sources to the sources is that of a set to itself.

A value comes with an interval (songs left out in turn, in both sets at once), the floor (the same distance between two
halves of the reference, by song) and the numbers of clips: a distance between small sets means nothing without them.
The values with songs left out are kept: from those of two runs, reports test the difference of the runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from bench.audio import Clip
from bench.embedder import Vectors
from bench.identity import derive_seed
from bench.metric import Case, CorpusMetric, Frames, Missing, checked, unmet
from bench.runner.scoring.files import described
from bench.runner.scoring.units import Edit
from bench.stats.jackknife import interval, replicates

MIN_CLIPS = 4
"""Smaller sets are not compared."""


@dataclass
class _Set:
    """Vectors of distinct clips, by song and hash."""

    clips: dict[tuple[str, str], Vectors] = field(default_factory=dict)

    def frames(self, without: Set[str] = frozenset()) -> Frames | None:
        """All rows but those of some songs; None if fewer than `MIN_CLIPS` clips are left."""
        kept = {key: rows for key, rows in sorted(self.clips.items()) if key[0] not in without}
        if len(kept) < MIN_CLIPS:
            return None
        of = np.repeat(np.arange(len(kept)), [len(rows) for rows in kept.values()])
        values = np.concatenate(list(kept.values())).astype(np.float64)
        return Frames(values, of, tuple(song for song, _ in kept))

    @property
    def songs(self) -> set[str]:
        return {song for song, _ in self.clips}


class Collector:
    """The sets of some runs under some corpus metrics."""

    def __init__(self, metrics: Sequence[CorpusMetric]):
        self.metrics = metrics
        self._sets: dict[tuple[int, str], tuple[_Set, _Set]] = {}
        self._left_out: dict[tuple[int, str], dict[str, str]] = {}

    def plan(self, cases: Sequence[tuple[Edit, Case]]) -> None:
        """Say which clips will be needed, for `Features.embed_planned`."""
        for metric in self.metrics:
            for _, case in cases:
                for clip in self._pair(metric, case).values():
                    if not isinstance(clip, Missing):
                        case.features.plan(metric.embedder, [clip], metric.policy)

    def add(self, cases: Sequence[tuple[Edit, Case]]) -> None:
        """Take the vectors of one source's edits."""
        for metric in self.metrics:
            for edit, case in cases:
                key = edit.run, metric.identity
                rows = self._rows(metric, case)
                if isinstance(rows, Missing):
                    self._left_out.setdefault(key, {})[rows.code] = rows.why
                    continue
                for which, (clip, vectors) in zip(self._sets.setdefault(key, (_Set(), _Set())), rows, strict=True):
                    which.clips[case.task.song, clip.sha256] = vectors

    def row(self, run: int, metric: CorpusMetric) -> dict[str, Any]:
        """One metric's value for one run, as it stands in `corpus.json`."""
        evaluated, reference = self._sets.get((run, metric.identity), (_Set(), _Set()))
        value = _distance(metric, evaluated, reference)
        absent = isinstance(value, Missing)
        if not evaluated.clips and (reasons := self._left_out.get((run, metric.identity))):
            value = Missing(*next(iter(reasons.items())))
        left_out = None if absent else replicates(
            lambda out: _number(_distance(metric, evaluated, reference, without=out)), sorted(evaluated.songs)
        )  # fmt: skip
        low, high = (None, None)
        if left_out and not isinstance(value, Missing):
            low, high = interval(value, [each.value for each in left_out])
        return {
            **described(metric),
            "value": None if isinstance(value, Missing) else value,
            "low": low,
            "high": high,
            "left_out": [asdict(each) for each in left_out] if left_out else None,
            "floor": None if absent else _floor(metric, reference),
            "n": len(evaluated.clips),
            "reference_n": len(reference.clips),
            "songs": len(evaluated.songs),
            "missing": {"code": value.code, "why": value.why} if isinstance(value, Missing) else None,
        }

    def _rows(self, metric: CorpusMetric, case: Case) -> tuple[tuple[Clip, Vectors], tuple[Clip, Vectors]] | Missing:
        """What a case adds to the two sets, clips and vectors; both or neither, so that the sets stay comparable."""
        found = []
        for name, clip in self._pair(metric, case).items():
            if isinstance(clip, Missing):
                return clip
            rows = case.features.embedding(metric.embedder, clip, metric.policy).frames
            if not len(rows):
                return Missing(
                    "no-vectors", f"{metric.embedder.name} has no vector for the {name} clip, it is too short"
                )
            if not np.isfinite(rows).all():
                return Missing("non-finite", f"{metric.embedder.name} gave the {name} clip vectors that are not finite")
            found.append((clip, rows))
        return found[0], found[1]

    @staticmethod
    def _pair(metric: CorpusMetric, case: Case) -> Mapping[str, Clip | Missing]:
        lost = unmet(metric, case)
        return {
            "evaluated": lost or metric.evaluated(case),
            "reference": lost or metric.reference(case),
        }


def _distance(
    metric: CorpusMetric, evaluated: _Set, reference: _Set, *, without: Set[str] = frozenset()
) -> float | Missing:
    sets = evaluated.frames(without), reference.frames(without)
    if sets[0] is None or sets[1] is None:
        return Missing("too-few-clips", f"fewer than {MIN_CLIPS} clips in one of the sets")
    return checked(metric.distance(sets[0], sets[1]))


def _floor(metric: CorpusMetric, reference: _Set) -> float | None:
    """The distance between two halves of the reference, its songs dealt out by a fixed seed."""
    dealt = np.random.default_rng(derive_seed(0, "floor")).permutation(sorted(reference.songs)).tolist()
    halves = [reference.frames(frozenset(dealt[start::2])) for start in (0, 1)]
    if halves[0] is None or halves[1] is None:
        return None
    return _number(checked(metric.distance(halves[0], halves[1])))


def _number(value: float | Missing) -> float | None:
    return None if isinstance(value, Missing) else value
