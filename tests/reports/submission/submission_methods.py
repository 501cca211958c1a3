"""Methods whose runs the tests pack and audit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import Field
from submission_samples import voice

from bench.audio import Clip
from bench.method import Method, MethodName, Prepared
from bench.task import EditTask


class Weaver(Method):
    """The other stems, and a voice that depends on the seed."""

    name = "weaver"
    version = 3

    class Config(Method.Config):
        hz: float = Field(233.0, gt=0)
        fails: bool = Field(False, description="at the second song")
        inner: MethodName = Field("submission_methods:Weaver")
        notes: Path | None = Field(None)

    config: Config

    def edit(self, prepared: Prepared, tasks: Sequence[EditTask], seeds: Sequence[int]) -> list[Clip]:
        if self.config.fails and any("/1/" in task.id for task in tasks):
            raise ValueError("no <b>yarn</b>\nleft")
        source = prepared.source
        voices = (voice(self.config.hz, source.mixture.duration_s, source.mixture.rate, seed) for seed in seeds)
        return [Clip.sum([source.background(task.stem), each]) for task, each in zip(tasks, voices, strict=True)]
