"""Random weights that are the same, bit for bit, on every machine.

PyTorch's normal draws depend on the CPU's vector unit in the last bit, and the hash of the weights is part of a run's
identity: two machines must not end up with two backbones. So weights are uniform, made from the integers of a
PCG64 stream, whose output NumPy guarantees.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeVar

import numpy as np
import torch
from torch import nn

from bench.identity import derive_seed

Model = TypeVar("Model", bound=nn.Module)

_NORMS = ("GroupNorm", "LayerNorm", "BatchNorm2d", "T5LayerNorm")


def draw(shape: torch.Size, std: float, seed: int) -> torch.Tensor:
    """Uniform float32 numbers of mean 0 and a standard deviation."""
    raw = np.random.PCG64(seed).random_raw(math.prod(shape))
    unit = (raw >> np.uint64(40)).astype(np.float32) * np.float32(2**-23) - np.float32(1)
    return torch.from_numpy(unit * np.float32(std * math.sqrt(3))).reshape(shape)


def seeded(build: Callable[[], Model], seed: int) -> Model:
    """A module with its matrices drawn anew, in evaluation mode; the global random state is left alone.

    Matrices and convolutions preserve variance (standard deviation 1/√fan-in), embeddings have unit variance, biases
    are zero, normalisations the identity, and scalars keep their initial value. A tensor's numbers depend on the seed
    and on its name alone.
    """
    with torch.random.fork_rng(devices=[]):
        module = build()
    with torch.no_grad():
        for prefix, part in module.named_modules():
            for name, parameter in part.named_parameters(recurse=False):
                std = _std(part, name, parameter)
                if std is not None:
                    parameter.copy_(draw(parameter.shape, std, derive_seed(seed, f"{prefix}.{name}")))
    return module.eval()


def _std(part: nn.Module, name: str, parameter: nn.Parameter) -> float | None:
    """Standard deviation of a parameter; None if it keeps its initial value."""
    if type(part).__name__ in _NORMS or parameter.ndim == 0:
        return None
    if name.endswith("bias"):
        return 0.0
    if isinstance(part, nn.Linear | nn.Conv2d):
        return 1 / math.sqrt(parameter[0].numel())
    if type(part).__name__ == "Conv1D":  # GPT-2's linear layer, stored as (in, out)
        return 1 / math.sqrt(parameter.shape[0])
    return 1.0  # embeddings, start and end tokens, tables of relative positions
