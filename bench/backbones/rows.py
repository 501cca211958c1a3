"""What backbones on diffusers pipelines do alike around the network: devices, rows of a batch, guidance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from bench.backbones.checkpoint import quiet
from bench.errors import UsageError, did_you_mean

DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


def frozen(pipeline: Any, models: Sequence[str], device: torch.device, dtype: torch.dtype) -> Any:
    """The pipeline on its device, in evaluation mode, without gradients of weights and without progress bars."""
    pipeline.set_progress_bar_config(disable=True)
    with quiet():
        for component in models:
            getattr(pipeline, component).to(device=device, dtype=dtype).eval().requires_grad_(False)
    return pipeline


def batched(
    parts: Sequence[Mapping[str, torch.Tensor] | None], names: Sequence[str], rows: int
) -> dict[str, torch.Tensor]:
    """The tensors of some conditionings, each spread over `rows`, one after the other.

    Args:
        parts: of a `Conditioning`: its negative, its positive.
        names: of the tensors.
        rows: of latents.

    Raises:
        UsageError: if a conditioning is absent, or has neither one row nor `rows`.
    """
    found: dict[str, list[torch.Tensor]] = {name: [] for name in names}
    for part in parts:
        if part is None:
            raise UsageError(
                "guidance needs the conditioning of a negative prompt",
                remedy='Call condition(prompts, negative=""), or predict with guidance 1.',
                code="no-negative",
            )
        for name, tensors in found.items():
            if part[name].shape[0] not in (1, rows):
                raise UsageError(
                    f"{part[name].shape[0]} prompts do not go with {rows} latents",
                    remedy="Give one prompt for all latents, or one for each.",
                    code="rows",
                )
            tensors.append(part[name].expand(rows, *part[name].shape[1:]))
    return {name: torch.cat(tensors) for name, tensors in found.items()}


def timesteps_of(timestep: int | Sequence[int], rows: int) -> list[int]:
    """One timestep for all rows, or one for each.

    Raises:
        UsageError: if there are several, and not one for each row.
    """
    if isinstance(timestep, int):
        return [timestep]
    if len(timestep) != rows:
        raise UsageError(
            f"{len(timestep)} timesteps do not go with {rows} latents",
            remedy="Give one timestep for all latents, or one for each.",
            code="rows",
        )
    return list(timestep)


def guided_output(output: torch.Tensor, guidance: float) -> torch.Tensor:
    """ε∅ + w (ε_c − ε∅) of unconditional rows followed by conditional ones."""
    unconditional, conditional = output.chunk(2)
    return unconditional + guidance * (conditional - unconditional)


def eps_of_v(output: torch.Tensor, latents: torch.Tensor, alpha: torch.Tensor) -> torch.Tensor:
    """ε = sqrt(ᾱ) v + sqrt(1−ᾱ) x for a network that predicts v (Salimans & Ho, ICLR 2022).

    Args:
        output: v, (rows, …).
        latents: x, of the same shape.
        alpha: ᾱ, (1,) or (rows,).
    """
    level = alpha.to(output)[(...,) + (None,) * (output.ndim - 1)]
    return level.sqrt() * output + (1 - level).sqrt() * latents


def dtype_of(name: str) -> torch.dtype:
    """The dtype of a name.

    Raises:
        UsageError: for one that networks do not run in.
    """
    if name not in DTYPES:
        raise UsageError(f"unknown dtype '{name}'", remedy=did_you_mean(name, DTYPES), code="dtype")
    return DTYPES[name]


def device_of(name: str) -> torch.device:
    """The device of a name.

    Raises:
        UsageError: for an unknown one, or one that is not there.
    """
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise UsageError(f"unknown device '{name}'", remedy="Use cpu, cuda or cuda:N.", code="device") from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise UsageError(f"there is no {name} here", remedy="Use --device cpu.", code="device")
    return device
