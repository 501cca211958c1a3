"""Small runs for the tests of the store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from bench.audio import Clip
from bench.store.rundir import PlanItem, RunDirectory
from bench.suite import Suite
from bench.task import EditTask, Excerpt, SourceRef


def make_clip(seed: int) -> Clip:
    """A short noise of its own for each seed."""
    return Clip.of(np.random.default_rng(seed).uniform(-0.5, 0.5, 400).astype(np.float32), 16_000)


def make_suite(tasks: int = 3, root: str = "data") -> Suite:
    excerpt = Excerpt(start_s=0.0, duration_s=1.0, sha256="0" * 64)
    ref = SourceRef(
        id="s/one",
        song="one",
        root="data",
        mixture="one.wav",
        stems={"bass": ("bass.wav",)},
        excerpt=excerpt,
        licence="CC0",
    )
    edits = tuple(
        EditTask(
            id=f"tiny/one/{index}",
            suite="tiny",
            song="one",
            source=ref.id,
            stem="bass",
            source_prompt="bass, Øre",
            target_prompt="tuba",
        )
        for index in range(tasks)
    )
    return Suite("tiny", 1, {"seed": 0}, {ref.id: ref}, edits, {"data": Path(root)})


def make_plan(suite: Suite, seeds: tuple[int, ...] = (0,)) -> tuple[PlanItem, ...]:
    return tuple(PlanItem(task.id, seed, str(task.source), task.song) for seed in seeds for task in suite.tasks)


def make_identity(**config: Any) -> dict[str, Any]:
    return {"method": {"name": "copy", "version": 1, "config": {"lam": 0.5, **config}}, "code": "0.1.0"}


def create(path: Path, *, tasks: int = 3, seeds: tuple[int, ...] = (0,), **config: Any) -> RunDirectory:
    """Create or resume the tiny run. The caller holds the lock, or is alone."""
    suite = make_suite(tasks)
    return RunDirectory.create_or_resume(
        path, identity=make_identity(**config), about={"device": "cpu"}, plan=make_plan(suite, seeds), suite=suite
    )


def generated(item: PlanItem, audio: str) -> dict[str, Any]:
    return {"event": "generated", "task": item.task, "seed": item.seed, "audio": audio}


def failed(item: PlanItem, cause: str = "out of memory") -> dict[str, Any]:
    error = {"code": "oom", "cause": cause, "where": None, "remedy": "smaller batch"}
    return {"event": "failed", "task": item.task, "seed": item.seed, "error": error}
