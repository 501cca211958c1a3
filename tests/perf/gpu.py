"""Parity and speed of what needs a GPU, in one run, for anyone who has one.

    .venv/bin/python tests/perf/gpu.py --device cuda:0 --out gpu.json

It prints and writes: how far the embedded backbone's Polyphonia edit on the device is from the CPU's, by dtype;
rows a second of a U-Net of the published size (random weights: the arithmetic is the same), plain and under
Polyphonia's control, by batch and dtype, as a share of the device's own matrix peak; and what that makes of all
1,170 tasks. `--small` takes nano's U-Net instead, to try the script itself on a CPU.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import torch
from published_size import LATENT, backbone, cello_task, noise_source

from bench.backbones.nano.backbone import Nano
from bench.backbones.rows import DTYPES
from bench.diffusion.control import ByKind, Interpolation, Modulation, SourceRecorder
from bench.method import Context, Decoding
from bench.suite import Suite
from methods.polyphonia.method import Polyphonia

GFLOP_A_ROW = 147.0  # AudioLDM 2 base, latent 8 × 256 × 16
TASKS, SONGS, STEPS = 1170, 78, 100


def timed(work: Callable[[], Any], device: str, repeats: int = 10) -> float:
    """Median seconds of a call, after two to warm up."""
    seconds = []
    for _ in range(repeats + 2):
        _wait(device)
        began = time.perf_counter()
        work()
        _wait(device)
        seconds.append(time.perf_counter() - began)
    return sorted(seconds[2:])[repeats // 2]


def _wait(device: str) -> None:
    if device.startswith("cuda"):
        torch.cuda.synchronize()


def parity(device: str) -> dict[str, float]:
    """Largest difference of an edit's samples from the CPU's in float32, relative to its peak."""

    def edit(where: str, dtype: str) -> torch.Tensor:
        context = Context(where, Suite("s", 1, {}, {}, ()), lambda: Nano.load(device=where, dtype=dtype))
        method = Polyphonia(Polyphonia.Config(steps=10), context)
        edits = method.edit(method.prepare(noise_source(3.0)), [cello_task()], [0])
        assert isinstance(edits, Decoding)
        return torch.from_numpy(edits.finish()[0].samples)

    reference = edit("cpu", "float32")
    peak = float(reference.abs().max())
    return {dtype: float((edit(device, dtype) - reference).abs().max()) / peak for dtype in DTYPES}


def matrix_peak(device: str, dtype: torch.dtype, size: int) -> float:
    """TFLOP/s of a large matrix product: the ceiling that shares below refer to."""
    a, b = (torch.randn(size, size, device=device, dtype=dtype) for _ in range(2))
    return 2 * size**3 / timed(partial(torch.matmul, a, b), device) / 1e12


@torch.no_grad()
def speed(device: str, dtype: str, batches: list[int], *, small: bool) -> list[dict[str, Any]]:
    """Seconds a row, plain and controlled, for guided batches."""
    model = backbone(device, dtype, small=small)
    down = [site for site in model.attention_sites if site.block == "down"]
    recorder = SourceRecorder()
    followed = [site for site in down if site.kind != "text"]
    single = model.condition([""])
    with model.control(recorder, followed):
        model.predict(torch.randn(1, *LATENT, device=device), timestep=501, conditioning=single)
    results = []
    for batch in batches:
        conditioning = model.condition(["A recording of a cello."] * batch, negative="")
        latents = torch.randn(batch, *LATENT, device=device)
        gates = {s.level: torch.rand(batch, math.prod(s.grid(*LATENT[1:])), device=device) for s in down}
        tokens = torch.ones(batch, 1, len(conditioning.offsets[0]), device=device)
        follow = Interpolation(recorder.memory, gates)
        pull = Modulation({level: gate[:, None] for level, gate in gates.items()}, tokens, {501: 2.5})
        guide = ByKind({"self": follow, "loa": follow, "text": pull})
        call = partial(model.predict, latents, timestep=501, conditioning=conditioning, guidance=3.5)
        for name, control in (("plain", nullcontext()), ("polyphonia", model.control(guide, down))):
            with control:
                seconds = timed(call, device) / (2 * batch)
            results.append({"dtype": dtype, "edits": batch, "call": name, "ms_a_row": round(1e3 * seconds, 3)})
    return results


def main() -> None:
    """Run everything and print it as one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--small", action="store_true", help="nano's U-Net, to try the script")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 4, 15, 30])
    given = parser.parse_args()
    found: dict[str, Any] = {"device": given.device, "torch": torch.__version__, "parity": parity(given.device)}
    found["name"] = torch.cuda.get_device_name(given.device) if given.device.startswith("cuda") else "cpu"
    size = 1024 if given.small else 8192
    found["peak_tflops"] = {name: matrix_peak(given.device, dtype, size) for name, dtype in DTYPES.items()}
    found["speed"] = [row for dtype in DTYPES for row in speed(given.device, dtype, given.batches, small=given.small)]
    for row in found["speed"]:
        rate = GFLOP_A_ROW / row["ms_a_row"]  # TFLOP/s
        row["share_of_peak"] = None if given.small else round(rate / found["peak_tflops"][row["dtype"]], 3)
        rows = SONGS * STEPS + TASKS * 2 * STEPS
        row["network_minutes_1170"] = None if given.small else round(rows * row["ms_a_row"] / 6e4, 2)
        print(row)  # noqa: T201
    print({key: value for key, value in found.items() if key != "speed"})  # noqa: T201
    if given.out:
        given.out.write_text(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
