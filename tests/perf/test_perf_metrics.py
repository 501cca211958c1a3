"""What scoring costs: the default metrics for a whole PolyEvalPrompts, and the distances between sets.

Run with `make perf`. One source with its 15 edits is measured, and 78 of them are what PolyEvalPrompts has; two cores
halve the time, as the scorer gives sources to processes of one thread each. The naive way makes everything anew for
each metric and edit. Times are the processor's, of one thread. Nothing here passes or fails by time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from time import process_time

import numpy as np
import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

from bench.audio import Clip
from bench.cli import metric_sets
from bench.metric import Case, Features, SampleMetric, unmet
from bench.metrics.frechet import frechet_distance
from bench.metrics.kernel import kernel_distance
from bench.runner.scoring.load import load_metrics
from bench.task import EditTask, Source, StemName

RATE, SECONDS = 44_100, 10.0
SOURCES, EDITS, CORES = 78, 15, 2
NAIVE_EDITS = 3
SET, DIMENSIONS = 1_170, 512

Seconds = dict[str, float]


def line(seed: int, low: int, high: int, *, notes: int) -> Clip:
    """A stereo line of decaying notes between two MIDI numbers, half of the time silent as singers are."""
    rng = np.random.default_rng(seed)
    samples = np.zeros(round(SECONDS * RATE))
    length = len(samples) // notes
    time = np.arange(length // 2) / RATE
    for number in range(notes):
        f0 = 440 * 2 ** ((rng.integers(low, high) - 69) / 12)
        tone = sum(np.sin(2 * np.pi * k * f0 * time) / k for k in range(1, 8)) * np.exp(-2 * time)
        samples[number * length : number * length + len(tone)] += 0.1 * tone
    left = rng.uniform(0.3, 0.7)
    return Clip.of(np.stack([left * samples, (1 - left) * samples], axis=1), RATE)


@pytest.fixture(scope="module")
def source() -> Source:
    """Ten seconds of a melody, a bass and drums."""
    noise = np.random.default_rng(3).normal(0, 0.1, (round(SECONDS * RATE), 2))
    beats = np.exp(-np.arange(len(noise)) % (RATE // 2) / 2_000)[:, None]
    stems: dict[StemName, Clip] = {
        "vocals": line(1, 55, 79, notes=20),
        "bass": line(2, 33, 50, notes=10),
        "drums": Clip.of(noise * beats, RATE),
    }
    return Source("piece", "piece", Clip.sum(list(stems.values())), stems)


def edits_of(source: Source, count: int) -> list[tuple[EditTask, Clip]]:
    """Edits as AudioLDM 2 gives them, 16 kHz mono: the background and another line in place of the vocals."""
    made = []
    for number in range(count):
        edit = Clip.sum([source.background("vocals"), line(100 + number, 55, 79, notes=20)])
        task = EditTask(
            id=f"piece/{number}", suite="perf", song="piece", source="piece", stem="vocals",
            source_prompt="a voice", target_prompt="a violin", monophonic=True,
        )  # fmt: skip
        made.append((task, edit.to_mono().resample(16_000)))
    return made


def cost(metrics: list[SampleMetric], cases: Callable[[], list[Case]]) -> Seconds:
    """Processor seconds of each metric over some cases."""
    spent: Seconds = defaultdict(float)
    for case in cases():
        for metric in metrics:
            began = process_time()
            assert unmet(metric, case) is None
            metric.score(case)
            spent[metric.name] += process_time() - began
    return dict(spent)


def test_default_metrics_for_a_whole_suite(benchmark: BenchmarkFixture, source: Source) -> None:
    torch.set_num_threads(1)
    loaded = load_metrics(metric_sets.targets("default")).values()
    metrics = [metric for metric in loaded if isinstance(metric, SampleMetric)]
    edits = edits_of(source, EDITS)

    def cases(shared: bool, count: int) -> list[Case]:
        features = Features()
        chosen = edits[:count]
        return [Case(t, source, e, source.mixture, None, features if shared else Features()) for t, e in chosen]

    cost(metrics, lambda: cases(True, 1))  # networks are loaded, transforms are built
    whole = benchmark.pedantic(cost, args=(metrics, lambda: cases(True, EDITS)), rounds=1)
    naive = sum(sum(cost([metric], lambda: cases(False, NAIVE_EDITS)).values()) / NAIVE_EDITS for metric in metrics)
    total = sum(whole.values())
    shares = {name: round(spent / total, 3) for name, spent in sorted(whole.items(), key=lambda item: -item[1])}
    ratio = naive * EDITS / total
    minutes = total * SOURCES / CORES / 60
    benchmark.extra_info |= {"minutes_1170_on_2_cores": round(minutes, 2), "naive_ratio": round(ratio, 2), **shares}
    print(f"\n{SOURCES * EDITS:,} edits, {CORES} cores: {minutes:.1f} min; the naive way {ratio:.1f} times that")  # noqa: T201
    for name, share in shares.items():
        print(f"  {name:24s} {share:6.1%}  {1e3 * whole[name] / EDITS:7.1f} ms an edit")  # noqa: T201


@pytest.mark.parametrize("distance", [frechet_distance, kernel_distance])
@pytest.mark.parametrize("reference", [SOURCES, SET])
def test_distances_between_sets(benchmark: BenchmarkFixture, distance: Callable[..., float], reference: int) -> None:
    """1,170 edits against the 78 sources, and against as many true edits, in CLAP's 512 dimensions."""
    rng = np.random.default_rng(0)
    sets = [rng.normal(size=(rows, DIMENSIONS)) for rows in (SET, reference)]
    benchmark.group = f"{SET} x {DIMENSIONS} against {reference}"
    benchmark.pedantic(distance, args=[rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in sets], rounds=3)
