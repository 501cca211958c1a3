"""One stage trained by several processes of one thread each: data parallel, gradients averaged over gloo."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch

from bench.backbones.nano.train import stages


def train(
    stage: str, workplace: Path, words: Sequence[str], *, processes: int = 1, steps: int | None = None, seed: int = 0
) -> None:
    """Train a stage with some processes; arguments as of `stages.train`.

    The batch grows with the processes. A process that fails ends the others; what is lost is what was trained after
    the last checkpoint.
    """
    if processes <= 1:
        torch.set_num_threads(1)
        stages.train(stage, workplace, words, steps=steps, seed=seed)
        return
    from torch.multiprocessing.spawn import spawn

    with tempfile.TemporaryDirectory() as meeting:
        arguments = (str(Path(meeting) / "store"), processes, stage, workplace, tuple(words), steps, seed)
        spawn(_join, args=arguments, nprocs=processes)  # type: ignore[no-untyped-call]


def _join(
    rank: int,
    meeting: str,
    processes: int,
    stage: str,
    workplace: Path,
    words: Sequence[str],
    steps: int | None,
    seed: int,
) -> None:
    from torch import distributed

    os.environ["OMP_NUM_THREADS"] = "1"
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=processes)
    try:
        stages.train(stage, workplace, words, steps=steps, seed=seed, rank=rank, processes=processes)
    finally:
        distributed.destroy_process_group()
