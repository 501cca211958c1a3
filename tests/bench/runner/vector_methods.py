"""Methods for the tests of metrics on sets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bench.audio import Clip
from bench.method import Method, Prepared
from bench.task import EditTask


class Copies(Method):
    """The source, unchanged."""

    name, version = "copies", 1

    def edit(self, prepared: Prepared, tasks: Sequence[EditTask], seeds: Sequence[int]) -> list[Clip]:
        return [prepared.source.mixture] * len(tasks)


class Hum(Method):
    """The source and a tone that the seed chooses."""

    name, version = "hum", 1

    def edit(self, prepared: Prepared, tasks: Sequence[EditTask], seeds: Sequence[int]) -> list[Clip]:
        return [self.hummed(prepared.source.mixture, seed) for seed in seeds]

    @staticmethod
    def hummed(mixture: Clip, seed: int) -> Clip:
        rng = np.random.default_rng(seed)
        time = np.arange(mixture.length) / mixture.rate
        hum = rng.uniform(0.05, 0.2) * np.sin(2 * np.pi * rng.uniform(300, 3000) * time)
        return Clip.of(mixture.samples + hum[:, None].astype(np.float32), mixture.rate)


class TrueEdits(Method):
    """What was wanted."""

    name, version = "true-edits", 1

    def edit(self, prepared: Prepared, tasks: Sequence[EditTask], seeds: Sequence[int]) -> list[Clip]:
        truths = [self.context.suite.true_edit(task) for task in tasks]
        return [truth for truth in truths if truth is not None]


class Quiet(Hum):
    """Falls silent in one song."""

    name, version = "quiet", 1

    def edit(self, prepared: Prepared, tasks: Sequence[EditTask], seeds: Sequence[int]) -> list[Clip]:
        edits = super().edit(prepared, tasks, seeds)
        return [edit.scaled(0.0) for edit in edits] if prepared.source.id == "song0" else edits
