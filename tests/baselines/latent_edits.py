"""One road for the tests of baselines that edit latents: prepare, edit, and see latents and network rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import torch

from bench.method import Context, Decoding, Method
from bench.task import EditTask, Source


@dataclass(frozen=True)
class Edited:
    """What a method made of some tasks: latents, one a task, and the rows that went through the U-Net, and back."""

    latents: torch.Tensor
    prepare_rows: int
    edit_rows: int
    backward_rows: int


@contextmanager
def counted(context: Context) -> Iterator[tuple[list[int], list[int]]]:
    """The rows of every call of the U-Net inside, and of every gradient that comes out of its input."""
    forward: list[int] = []
    backward: list[int] = []

    def note(_module: torch.nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        forward.append(int(inputs[0].shape[0]))
        if inputs[0].requires_grad:
            inputs[0].register_hook(lambda gradient: backward.append(int(gradient.shape[0])))

    unet: torch.nn.Module = context.backbone._unet  # type: ignore[attr-defined]
    hook = unet.register_forward_pre_hook(note)
    try:
        yield forward, backward
    finally:
        hook.remove()


def make(method: type[Method], context: Context, **knobs: Any) -> Method:
    """The method with some knobs set."""
    return method(method.Config.model_validate(knobs), context)


def edit(made: Method, source: Source, tasks: Sequence[EditTask], seeds: Sequence[int] | None = None) -> Edited:
    """Prepare a source and edit tasks as one batch; seeds are 0, 1, … if not given."""
    with (
        counted(made.context) as (forward, backward),
        patch.object(made.context.backbone, "decode", lambda latents, **_: list(latents)),
    ):
        prepared = made.prepare(source)
        prepare_rows = sum(forward)
        edits = made.edit(prepared, tasks, list(range(len(tasks))) if seeds is None else seeds)
        assert isinstance(edits, Decoding)
        latents = torch.stack(edits.finish())  # type: ignore[arg-type]
        return Edited(latents, prepare_rows, sum(forward) - prepare_rows, sum(backward))


def codec(context: Context, source: Source) -> torch.Tensor:
    """The source's own latent, (channels, time, frequency)."""
    return context.backbone.encode(source.mixture).latent[0]


def check_batches(made: Method, source: Source, tasks: Sequence[EditTask]) -> None:
    """A task's latents are its own and come out again: alone, and in another place of a batch of all."""
    seeds = [11 + row for row in range(len(tasks))]
    together = edit(made, source, tasks, seeds).latents
    assert torch.isfinite(together).all()
    torch.testing.assert_close(
        edit(made, source, tasks[::-1], seeds[::-1]).latents, together.flip(0), rtol=0, atol=1e-4
    )
    torch.testing.assert_close(edit(made, source, tasks[1:2], seeds[1:2]).latents[0], together[1], rtol=0, atol=1e-4)
    for row in range(len(tasks)):
        assert (together[row] - together[row - 1]).abs().max() > 1e-3


def check_presets(method: type[Method], context: Context) -> None:
    """Every preset is a configuration, and the published one is what the knobs are anyway."""
    assert "published" in method.presets
    for knobs in method.presets.values():
        made = make(method, context, **knobs)
        assert made.cost().edit > 0
    assert method.Config.model_validate(method.presets["published"]) == method.Config()
