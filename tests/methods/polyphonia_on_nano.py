"""What the tests of Polyphonia share: runs on the embedded backbone, and what the network saw of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch

from bench.audio import Clip
from bench.backbone import Backbone
from bench.diffusion.attention import AttentionCall
from bench.method import Context, Decoding
from bench.task import EditTask
from methods.polyphonia.method import Polyphonia
from methods.polyphonia.source import Inverted

STEPS = 4
Make = Callable[..., EditTask]


def method(context: Context, **knobs: object) -> Polyphonia:
    return Polyphonia(Polyphonia.Config.model_validate({"steps": STEPS, **knobs}), context)


def edited(made: Polyphonia, prepared: Inverted, tasks: Sequence[EditTask]) -> list[Clip]:
    edits = made.edit(prepared, tasks, [0] * len(tasks))
    assert isinstance(edits, Decoding)
    return edits.finish()


def latents(made: Polyphonia, prepared: Inverted, tasks: Sequence[EditTask]) -> torch.Tensor:
    """The edited latents, before they are decoded."""
    edits = made.edit(prepared, tasks, [0] * len(tasks))
    assert isinstance(edits, Decoding)
    found: torch.Tensor = edits.finish.args[0]  # type: ignore[attr-defined]
    return found


def distance(a: Clip, b: Clip) -> float:
    return float(np.abs(a.samples - b.samples).max())


@contextmanager
def counted_rows(backbone: Backbone) -> Iterator[list[int]]:
    """Rows of every call of the network inside."""
    rows: list[int] = []
    hook = backbone._unet.register_forward_pre_hook(lambda _, args: rows.append(args[0].shape[0]))  # type: ignore[attr-defined]
    try:
        yield rows
    finally:
        hook.remove()


class Spy:
    """A controller that computes what another one does, and keeps what went in and came out."""

    def __init__(self, controller: Callable[[AttentionCall], torch.Tensor]):
        self.controller = controller
        self.seen: list[tuple[AttentionCall, torch.Tensor]] = []

    def __call__(self, call: AttentionCall) -> torch.Tensor:
        attended = self.controller(call)
        self.seen.append((call, attended))
        return attended
