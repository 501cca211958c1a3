"""The queries and keys of a source at every step of its inversion: kept, or computed again when an edit comes there.

At AudioLDM 2's size they take gigabytes a source. They are kept where the network is (`device`) or in main memory
(`cpu`), or the source's latents are kept instead, which are small (`bench.diffusion.trajectory`), and the network sees
the source once more before each step of a batch (`recompute`). The edits are the same, to the bit in the network's own
type: `recompute` costs a row a step and batch.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

import torch

from bench.diffusion.control import SourceRecorder
from bench.diffusion.samplers import Predict
from bench.diffusion.trajectory import Trajectory

CachePlace = Literal["device", "cpu", "recompute"]
CacheDtype = Literal["same", "float32", "float16", "bfloat16"]


def recorder_for(cache: CachePlace, dtype: CacheDtype) -> SourceRecorder:
    """A recorder for a source, which keeps what it records in a type; `same` is the network's own."""
    return SourceRecorder(None if dtype == "same" else getattr(torch, dtype), "cpu" if cache == "cpu" else "device")


def recalling(
    predict: Predict,
    *,
    source: Predict,
    recorder: SourceRecorder,
    trajectory: Trajectory,
    timesteps: Collection[int],
) -> Predict:
    """`predict`, before which the network sees the source again as it did in the inversion of that step.

    Args:
        predict: of the edit, with a controller that looks into the recorder's memory.
        source: as it was inverted, with the recorder in its attentions.
        recorder: holds one step at a time.
        trajectory: the source's inversion.
        timesteps: those at which the edit looks; at others the memory is empty.
    """
    steps = {timestep: step for step, timestep in enumerate(trajectory.schedule.timesteps) if timestep in timesteps}

    def recalled(latents: torch.Tensor, timestep: int) -> torch.Tensor:
        recorder.memory.clear()
        if timestep in steps:
            source(trajectory[steps[timestep] + 1], timestep)
        return predict(latents, timestep)

    return recalled
