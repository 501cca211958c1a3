"""Methods for the runner's tests."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence

import numpy as np
import torch
from pydantic import Field

from bench.audio import Clip
from bench.method import Decoding, Method, Prepared
from bench.task import EditTask, Source


class Noise(Method):
    """The mixture plus seeded noise, decoded late."""

    name = "noise"
    version = 1
    prepared: list[str] = []  # noqa: RUF012
    batches: list[int] = []  # noqa: RUF012

    class Config(Method.Config):
        level: float = Field(0.1, ge=0, le=1)

    config: Config

    def prepare(self, source: Source) -> Prepared:
        self.prepared.append(source.id)
        return Prepared(source)

    def edit(self, prepared: Prepared, tasks: Sequence[EditTask], seeds: Sequence[int]) -> Decoding | list[Clip]:
        self.batches.append(len(tasks))
        return Decoding(lambda: [self.one(prepared.source.mixture, seed) for seed in seeds])

    def one(self, mixture: Clip, seed: int) -> Clip:
        noise = np.random.default_rng(seed).uniform(-1, 1, mixture.samples.shape)
        return Clip.of(mixture.samples + self.config.level * noise, mixture.rate)


class FailsOnCello(Noise):
    """Raises for one task of each source, wherever it is in the batch."""

    name = "fails-on-cello"

    def edit(self, prepared: Prepared, tasks: Sequence[EditTask], seeds: Sequence[int]) -> Decoding | list[Clip]:
        if any("cello" in task.id for task in tasks):
            raise ValueError("no cello today")
        return super().edit(prepared, tasks, seeds)


class FailsToPrepareTwo(Noise):
    """Cannot prepare one of the sources."""

    name = "fails-to-prepare"

    def prepare(self, source: Source) -> Prepared:
        if source.id == "two":
            raise ValueError("this source is cursed")
        return super().prepare(source)


class FailsToDecodeCello(Noise):
    """Raises on the finisher's thread."""

    name = "fails-to-decode"

    def edit(self, prepared: Prepared, tasks: Sequence[EditTask], seeds: Sequence[int]) -> Decoding:
        def finish() -> list[Clip]:
            if any("cello" in task.id for task in tasks):
                raise ValueError("undecodable")
            return [self.one(prepared.source.mixture, seed) for seed in seeds]

        return Decoding(finish)


class NotANumber(Noise):
    """Returns samples that are not numbers for the choir."""

    name = "not-a-number"

    def edit(self, prepared: Prepared, tasks: Sequence[EditTask], seeds: Sequence[int]) -> list[Clip]:
        bad = prepared.source.mixture.scaled(float("nan"))
        return [bad if "choir" in task.id else prepared.source.mixture for task in tasks]


class TooFewClips(Noise):
    """Forgets a task."""

    name = "too-few"

    def edit(self, prepared: Prepared, tasks: Sequence[EditTask], seeds: Sequence[int]) -> list[Clip]:
        return [prepared.source.mixture] * (len(tasks) - 1)


class Hungry(Noise):
    """Has memory for two edits at once."""

    name = "hungry"

    def edit(self, prepared: Prepared, tasks: Sequence[EditTask], seeds: Sequence[int]) -> Decoding | list[Clip]:
        if len(tasks) > 2:
            raise torch.OutOfMemoryError("out of memory")
        return super().edit(prepared, tasks, seeds)


class DiesOnTwo(Noise):
    """Takes its whole process down."""

    name = "dies"

    def prepare(self, source: Source) -> Prepared:
        if source.id == "two":
            os.kill(os.getpid(), signal.SIGKILL)
        return super().prepare(source)
