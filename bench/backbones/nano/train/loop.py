"""The training loop that all stages share: schedule, averaging, checkpoints, resuming, several processes, a log.

A stage gives a `Task`: the modules it trains, and the loss of a step. What is drawn in a step depends on the seed, the
step and the process alone, so a run that was stopped and resumed sees what it would have seen.

Several processes (`processes=2`) each take a batch of their own and average their gradients (gloo): on a CPU two
processes of one thread are much faster than one of two threads, since the operators are many and small.

A checkpoint is one file, replaced as a whole; the one before it is kept. It holds plain tensors and numbers and is
read with `weights_only=True`.
"""

from __future__ import annotations

import io
import json
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from bench.errors import CorruptStoreError
from bench.identity import derive_seed
from bench.store.atomic import make_folder, write_bytes

CHECKPOINT, BEFORE, LOG = "checkpoint.pt", "checkpoint-before.pt", "log.jsonl"


class TrainingTask(ABC):
    """What a stage trains.

    Attributes:
        modules: by name; their parameters that require gradients are trained, their whole state is kept.
    """

    modules: Mapping[str, nn.Module]

    @abstractmethod
    def loss(self, step: int, progress: float, rng: np.random.Generator) -> Mapping[str, torch.Tensor]:
        """The loss of one batch.

        Args:
            step: which.
            progress: share of the planned steps that is done, in [0, 1).
            rng: of all draws; torch's global generator is seeded from it too.

        Returns:
            The loss to descend under `loss`, and beside it what the log shall show.
        """

    def load_state(self, states: Mapping[str, Mapping[str, torch.Tensor]]) -> None:
        """Give the modules the weights of a checkpoint, by name; a module that the checkpoint lacks keeps its own."""
        for name, state in states.items():
            self.modules[name].load_state_dict(state)


@dataclass(frozen=True)
class Settings:
    """How to train.

    Attributes:
        steps: in all. Resumed with another number, the schedule is that of the new number.
        rate: the highest learning rate, held after the warm-up until the decay begins.
        warmup: steps of linear warm-up.
        decay: share of the steps, at the end, in which the rate falls linearly to 3 %.
        betas: of AdamW.
        weight_decay: of AdamW.
        clip: largest norm of the gradient.
        average: of the weights' exponential moving average, at its slowest.
        every_s: seconds between checkpoints.
        log_every: steps between lines of the log.
        seed: of all draws.
    """

    steps: int
    rate: float = 1e-3
    warmup: int = 100
    decay: float = 0.35
    betas: tuple[float, float] = (0.9, 0.98)
    weight_decay: float = 0.01
    clip: float = 1.0
    average: float = 0.999
    every_s: float = 120.0
    log_every: int = 25
    seed: int = 0

    def rate_at(self, step: int) -> float:
        """The learning rate of a step."""
        left = (self.steps - step) / max(self.decay * self.steps, 1)
        return self.rate * min((step + 1) / self.warmup, max(0.03, min(1.0, left)))


@dataclass
class _State:
    """Where a training is."""

    step: int = 0
    seconds: float = 0.0


class Trainer:
    """Trains a task in a folder, going on where it was stopped.

    Args:
        task: what to train.
        settings: how.
        folder: where checkpoints and the log go.
        rank, processes: this process among those that train together.

    Raises:
        CorruptStoreError: if the checkpoints in the folder cannot be read.
    """

    def __init__(self, task: TrainingTask, settings: Settings, folder: Path, *, rank: int = 0, processes: int = 1):
        self._task, self._settings, self._folder = task, settings, folder
        self._rank, self._processes = rank, processes
        self._trained = [p for m in task.modules.values() for p in m.parameters() if p.requires_grad]
        self._optimiser = torch.optim.AdamW(
            self._trained, lr=settings.rate, betas=settings.betas, weight_decay=settings.weight_decay
        )
        self._state = _State()
        self._averages = {name: _copied(module) for name, module in task.modules.items()}
        make_folder(folder)
        self._resume()

    @property
    def step(self) -> int:
        """Steps done."""
        return self._state.step

    def run(self, until: int | None = None) -> None:
        """Train up to a step, or to the end; a checkpoint is written now and then, and at the end."""
        end, saved = min(until or self._settings.steps, self._settings.steps), time.monotonic()
        while self._state.step < end:
            started = time.monotonic()
            shown = self._one()
            self._state.seconds += time.monotonic() - started
            self._state.step += 1
            if self._rank == 0 and (self._state.step % self._settings.log_every == 0 or self._state.step == end):
                self._log(shown)
            if self._rank == 0 and time.monotonic() - saved > self._settings.every_s:
                self.save()
                saved = time.monotonic()
        if self._rank == 0:
            self.save()

    def _one(self) -> Mapping[str, float]:
        step, settings = self._state.step, self._settings
        seed = derive_seed(settings.seed, "nano", "step", str(step), str(self._rank))
        torch.manual_seed(seed)
        for group in self._optimiser.param_groups:
            group["lr"] = settings.rate_at(step)
        found = self._task.loss(step, step / settings.steps, np.random.default_rng(seed))
        self._optimiser.zero_grad(set_to_none=True)
        found["loss"].backward()  # type: ignore[no-untyped-call]
        self._share_gradients()
        norm = torch.nn.utils.clip_grad_norm_(self._trained, settings.clip)
        self._optimiser.step()
        self._average(step)
        return {**{name: float(value.detach()) for name, value in found.items()}, "norm": float(norm)}

    def _share_gradients(self) -> None:
        """The mean of all processes' gradients, in one message."""
        if self._processes == 1:
            return
        from torch import distributed

        gradients = [p.grad if p.grad is not None else torch.zeros_like(p) for p in self._trained]
        flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
        distributed.all_reduce(flat)
        flat /= self._processes
        offset = 0
        for parameter in self._trained:
            parameter.grad = flat[offset : offset + parameter.numel()].view_as(parameter).clone()
            offset += parameter.numel()

    @torch.no_grad()
    def _average(self, step: int) -> None:
        weight = 1 - min(self._settings.average, (1 + step) / (10 + step))
        for name, module in self._task.modules.items():
            for key, value in module.state_dict().items():
                kept = self._averages[name][key]
                if kept.is_floating_point():
                    kept.lerp_(value, weight)
                else:
                    kept.copy_(value)

    def _log(self, shown: Mapping[str, float]) -> None:
        line = {
            "step": self._state.step,
            "seconds": round(self._state.seconds, 1),
            "rate": self._settings.rate_at(self._state.step - 1),
            **{name: round(value, 5) if math.isfinite(value) else str(value) for name, value in shown.items()},
        }
        with (self._folder / LOG).open("a", encoding="utf-8") as log:
            log.write(json.dumps(line) + "\n")

    # -- checkpoints ----------------------------------------------------------------------------------------------

    def save(self) -> None:
        """Write the checkpoint; the one before becomes `checkpoint-before.pt`."""
        buffer = io.BytesIO()
        torch.save(
            {
                "step": self._state.step,
                "seconds": self._state.seconds,
                "modules": {name: module.state_dict() for name, module in self._task.modules.items()},
                "averages": self._averages,
                "optimiser": self._optimiser.state_dict(),
            },
            buffer,
        )
        path = self._folder / CHECKPOINT
        if path.is_file():
            path.replace(self._folder / BEFORE)
        write_bytes(path, buffer.getvalue())

    def _resume(self) -> None:
        found = read_checkpoint(self._folder)
        if found is None:
            return
        self._task.load_state(found["modules"])
        self._averages = found["averages"]
        self._optimiser.load_state_dict(found["optimiser"])
        self._state = _State(found["step"], found["seconds"])


def read_checkpoint(folder: Path) -> dict[str, Any] | None:
    """The last checkpoint that can be read: the newest, or else the one before; None if there is none.

    Raises:
        CorruptStoreError: if there are some, and none can be read.
    """
    paths = [path for path in (folder / CHECKPOINT, folder / BEFORE) if path.is_file()]
    for path in paths:
        try:
            loaded: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
            return loaded
        except (OSError, RuntimeError, EOFError, ValueError):
            continue
    if paths:
        raise CorruptStoreError(
            "no checkpoint of this training can be read",
            where=str(folder),
            remedy="Delete the folder, and train again.",
            code="nano/checkpoint-damaged",
        )
    return None


def _copied(module: nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in module.state_dict().items()}
