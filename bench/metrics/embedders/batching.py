"""What all embedders do around their network: check clips, cut windows, run them in batches, put results together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from bench.audio import Clip
from bench.embedder import Embedding, Policy, Vectors
from bench.errors import AudioError, ModelError, UsageError
from bench.metrics.embedders.windows import cut

if TYPE_CHECKING:
    import torch

Samples = npt.NDArray[np.float32]
Pass = Callable[[Sequence[Samples]], tuple[Vectors, tuple[Vectors, ...]]]
"""A batch of mono windows, (samples,) each → vectors (windows, dimensions) and inner layers (windows, tokens, …)."""


def checked(clips: Sequence[Clip], rate: int) -> list[Samples]:
    """The samples of mono clips at a rate.

    Raises:
        AudioError: for a clip at another rate, of two channels, without samples, or with NaN or infinite ones.
    """
    for clip in clips:
        if clip.rate != rate or clip.channels != 1:
            raise AudioError(
                f"the embedder takes mono audio at {rate} Hz, not {clip.channels} channel(s) at {clip.rate} Hz",
                remedy="Use clip.to_mono().resample(embedder.rate).",
                code="audio/rate",
            )
        if clip.length == 0 or not np.isfinite(clip.samples).all():
            empty = clip.length == 0
            raise AudioError(
                f"a clip {'without samples' if empty else 'with NaN or infinite samples'} cannot be embedded",
                remedy="Look for the fault in what produced it.",
                code="audio/empty" if empty else "audio/non-finite",
            )
    return [clip.samples[:, 0] for clip in clips]


def by_window(clips: Sequence[Clip], rate: int, policy: Policy, batch: int, run: Pass) -> list[Embedding]:
    """Embeddings with one row a window, the windows of all clips together in batches of at most `batch`.

    Raises:
        AudioError: as `checked`.
    """
    checked(clips, rate)
    cuts = [cut(clip, policy) for clip in clips]
    windows = [window.samples[:, 0] for parts, _ in cuts for window in parts]
    if not windows:
        return []
    passes = [run(windows[start : start + batch]) for start in range(0, len(windows), batch)]
    frames = np.concatenate([vectors for vectors, _ in passes])
    stages = [np.concatenate(stage) for stage in zip(*(inner for _, inner in passes), strict=True)]
    ends = list(accumulate(len(weights) for _, weights in cuts))
    return [
        Embedding(frames[end - len(w) : end], np.asarray(w, np.float64), tuple(s[end - len(w) : end] for s in stages))
        for end, (_, w) in zip(ends, cuts, strict=True)
    ]


def by_length(
    inputs: Sequence[Samples], batch: int, run: Callable[[npt.NDArray[np.float32]], Vectors]
) -> list[Vectors]:
    """One result for each input, in order; inputs of equal length go through `run` together, (inputs, samples).

    For networks that take any length: padding to a common one would make a result depend on its neighbours.
    """
    places: dict[int, list[int]] = {}
    for index, samples in enumerate(inputs):
        places.setdefault(len(samples), []).append(index)
    results: dict[int, Vectors] = {}
    for indices in places.values():
        for start in range(0, len(indices), batch):
            together = indices[start : start + batch]
            results.update(zip(together, run(np.stack([inputs[index] for index in together])), strict=True))
    return [results[index] for index in range(len(inputs))]


def refuse_stages(name: str, stages: bool) -> None:
    """For networks whose inner layers nobody compares.

    Raises:
        ModelError: `model/no-stages` if they are asked for.
    """
    if stages:
        raise ModelError(
            f"{name} gives no inner layers", remedy="Use laion-clap or hf-clap for LPAPS.", code="model/no-stages"
        )


def torch_device(name: str) -> torch.device:
    """A device from its name, "cpu" or "cuda:0".

    Raises:
        UsageError: for a name that torch does not know, or a device that is not here.
    """
    import torch

    try:
        device = torch.device(name)
        torch.zeros(1, device=device).item()
    except (RuntimeError, AssertionError) as error:  # AssertionError: a torch that was built without CUDA
        reason = str(error).splitlines()[0].rstrip(".")
        raise UsageError(
            f"embedders cannot run on the device '{name}' ({reason})", remedy="Use cpu, cuda or cuda:N.", code="device"
        ) from error
    return device


@contextmanager
def inference() -> Iterator[None]:
    """No gradients; on CUDA, true float32 and one algorithm for each shape, so that vectors repeat themselves."""
    import torch

    exact = torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False)
    with torch.inference_mode(), exact:
        yield
