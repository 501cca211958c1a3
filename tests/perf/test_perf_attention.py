"""What attention control costs: each way against plain attention, and a controlled U-Net against plain diffusers.

Run with `make perf`. Ratios are printed and go into the table's `extra_info`; nothing passes or fails by time. The goal
for a whole step of a batch of 15 edits is 1.10 times the plain one.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from published_size import backbone, cello_task, noise_source
from pytest_benchmark.fixture import BenchmarkFixture

from bench.backbones.audioldm2.conditioning import LOA, TEXT, TEXT_MASK
from bench.backbones.audioldm2.model import AudioLDM2
from bench.diffusion.attention import AttentionCall, AttentionSite, Kind
from bench.diffusion.control import Interpolation, Modulation, QueriesAndKeys
from bench.method import Context, Decoding
from bench.suite import Suite
from methods.polyphonia.method import Polyphonia
from methods.polyphonia.source import Inverted

ROWS, HEADS = 4, 8  # two guided edits
LEVELS = {1: (1024, 32), 2: (256, 48), 3: (64, 80)}
"""Level → tokens and head width of AudioLDM 2, 10.24 s."""

TEXT_TOKENS = 24
EDITS = int(os.environ.get("TIMBREBENCH_PERF_EDITS", "15"))
STEPS = 2


def _call(level: int, kind: Kind) -> tuple[AttentionCall, dict[tuple[int, str], QueriesAndKeys], torch.Tensor]:
    """An attention, the source's queries and keys, and G."""
    draw = torch.Generator().manual_seed(0)
    tokens, dim = LEVELS[level]
    keys = TEXT_TOKENS if kind == "text" else tokens
    q, q_src = (torch.randn(ROWS, HEADS, tokens, dim, generator=draw) for _ in range(2))
    k, v, k_src = (torch.randn(ROWS, HEADS, keys, dim, generator=draw) for _ in range(3))
    site = AttentionSite("x", kind, "down", position=1, order=0, level=level, heads=HEADS)
    gate = torch.rand(ROWS // 2, tokens, generator=draw)
    mask = torch.zeros(ROWS, HEADS, 1, keys) if kind == "text" else None
    call = AttentionCall(site, 1, q, k, v, mask, dim**-0.5, guided=True)
    return call, {(1, "x"): (q_src[:1], k_src[:1])}, gate


def _explicit(call: AttentionCall, memory: dict[tuple[int, str], QueriesAndKeys], gate: torch.Tensor) -> torch.Tensor:
    g = torch.cat([gate, gate])[:, None, :, None]
    now, then = (call.scale * q @ k.transpose(-1, -2) for q, k in ((call.q, call.k), memory[1, "x"]))
    return (g * now + (1 - g) * then).softmax(-1) @ call.v


def _plain(call: AttentionCall, *_: object) -> torch.Tensor:
    return call.plain()


def _before(call: AttentionCall, memory: dict[tuple[int, str], QueriesAndKeys], gate: torch.Tensor) -> torch.Tensor:
    return Interpolation(memory, {call.site.level: gate})(call)


def _after(call: AttentionCall, memory: dict[tuple[int, str], QueriesAndKeys], gate: torch.Tensor) -> torch.Tensor:
    return Interpolation(memory, {call.site.level: gate}, softmax="after")(call)


def _biased(call: AttentionCall, _: object, gate: torch.Tensor) -> torch.Tensor:
    tokens = torch.zeros(ROWS // 2, 1, TEXT_TOKENS)
    tokens[..., 5:8] = 1
    return Modulation({call.site.level: gate[:, None]}, tokens, {1: 2.5})(call)


def _median(work: Callable[[], object], repeats: int = 7) -> float:
    taken = []
    for _ in range(repeats + 1):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return sorted(taken[1:])[repeats // 2]


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(
    ("work", "kind"),
    [(_before, "self"), (_after, "self"), (_explicit, "self"), (_biased, "text")],
    ids=["interpolated", "post-softmax", "explicit logits", "biased"],
)
def test_attention(benchmark: BenchmarkFixture, work: Callable[..., torch.Tensor], kind: Kind, level: int) -> None:
    case = _call(level, kind)
    plain = _median(lambda: _plain(*case))
    benchmark.group = f"level {level}: {ROWS} x {HEADS} heads, {LEVELS[level][0]} tokens, width {LEVELS[level][1]}"
    benchmark.pedantic(work, args=case, rounds=7, warmup_rounds=1)
    if benchmark.stats is not None:
        ratio = benchmark.stats.stats.median / plain
        benchmark.extra_info["ratio_to_plain"] = round(ratio, 2)
        print(f"\nlevel {level}, {work.__name__[1:]}: {ratio:.2f} x plain attention")  # noqa: T201


# -- a whole step ---------------------------------------------------------------------------------------------------


def diffusers_alone(model: AudioLDM2, start: torch.Tensor, prompts: list[str]) -> torch.Tensor:
    """The plain loop: diffusers' U-Net with its own processors, guidance and DDIM step."""
    conditioning = model.condition(prompts, negative="")
    assert conditioning.negative is not None
    both = {
        name: torch.cat([conditioning.negative[name], conditioning.positive[name]]) for name in (LOA, TEXT, TEXT_MASK)
    }
    scheduler = model._scheduler
    scheduler.set_timesteps(STEPS)
    x = start.expand(len(prompts), -1, -1, -1)
    for timestep in scheduler.timesteps:
        eps = model._unet(
            torch.cat([x, x]),
            timestep,
            encoder_hidden_states=both[LOA],
            encoder_hidden_states_1=both[TEXT],
            encoder_attention_mask_1=both[TEXT_MASK],
        ).sample
        unconditional, conditional = eps.chunk(2)
        x = scheduler.step(unconditional + 3.5 * (conditional - unconditional), timestep, x).prev_sample
    return x


@pytest.mark.slow
@torch.no_grad()
def test_edited_steps_against_plain_diffusers(benchmark: BenchmarkFixture, request: pytest.FixtureRequest) -> None:
    """Seconds a row at the published size (323 M parameters with narrow prompts), for TIMBREBENCH_PERF_EDITS edits.

    Seconds of the processor, so that what else runs on the machine does not count; plain and edited take turns.
    """
    if not request.config.getoption("--benchmark-only"):
        pytest.skip("takes minutes: only with `make perf`")
    model = backbone()
    method = Polyphonia(Polyphonia.Config(steps=STEPS), Context("cpu", Suite("s", 1, {}, {}, ()), lambda: model))
    began = time.process_time()
    prepared = method.prepare(noise_source())
    inversion = time.process_time() - began
    tasks = [cello_task()] * EDITS
    prompts = [task.target_prompt for task in tasks]

    def edit() -> None:
        assert isinstance(method.edit(prepared, tasks, [0] * EDITS), Decoding)

    def in_turns() -> tuple[float, float]:
        turns = [(seconds(lambda: diffusers_alone(model, prepared.noise, prompts)), seconds(edit)) for _ in range(2)]
        plain, edited = (min(column) for column in zip(*turns, strict=True))
        return plain, edited

    benchmark.group = "two steps at the published size"
    plain, edited = benchmark.pedantic(in_turns, rounds=1)
    rows = 2 * EDITS * STEPS
    found = {
        "edits": EDITS,
        "threads": torch.get_num_threads(),
        "plain_s_a_row": round(plain / rows, 3),
        "edited_s_a_row": round(edited / rows, 3),
        "ratio": round(edited / plain, 3),
        "inversion_s_a_row": round(inversion / STEPS, 3),
        "source_mb": round(memory_mb(prepared), 1),
        "peak_mb": peak_mb(),
    }
    benchmark.extra_info |= found
    print(f"\n{found}")  # noqa: T201


def seconds(work: Callable[[], object]) -> float:
    """Of the processor, over all threads."""
    began = time.process_time()
    work()
    return time.process_time() - began


def memory_mb(prepared: Inverted) -> float:
    """Queries and keys of the source."""
    return prepared.recorder.nbytes() / 1e6


def peak_mb() -> int | None:
    """The most memory that this process has had; None where the system does not tell."""
    status = Path("/proc/self/status")
    if not status.is_file():
        return None
    return int(dict(line.split(":") for line in status.read_text().splitlines())["VmHWM"].split()[0]) // 1000
