"""What the harness adds to a method's own time.

Run with `make perf`. Ratios go into the table's `extra_info` and are printed; nothing here passes or fails by
time. The goal is under 5 % outside `prepare`, `edit` and decoding.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.runner.run import run
from bench.runner.spec import RunSpec, parse_config
from bench.suite import Suite
from tasks.synth.suite import Synth

STEPS = 10


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Suite:
    folder = tmp_path_factory.mktemp("synth")
    return Synth(Synth.Options(songs=2, edits=3, duration_s=6.0, folder=folder)).build()


@pytest.mark.parametrize(
    ("method", "settings"),
    [
        ("methods.polyphonia.method:Polyphonia", [f"steps={STEPS}"]),
        ("baselines.sdedit:SDEdit", [f"steps={2 * STEPS}"]),
    ],
)
def test_time_outside_the_method(
    benchmark: BenchmarkFixture, suite: Suite, tmp_path: Path, method: str, settings: list[str]
) -> None:
    backbone = "bench.backbones.nano.backbone:UntrainedNano"
    spec = RunSpec(method=method, suite=suite, out=tmp_path / "run", backbone=backbone)
    benchmark.pedantic(run, args=(spec, parse_config(spec.method_class(), settings)), rounds=1)
    lines = (tmp_path / "run" / "journal" / "w0.jsonl").read_text().splitlines()
    seconds = json.loads(lines[-1])["seconds"]
    # Decoding runs beside the next edit, so time is outside the method only if neither is going on.
    inside = seconds["prepare"] + seconds["edit"] + seconds["wait"]
    share = 1 - inside / seconds["total"]
    benchmark.extra_info |= {"outside": round(share, 4), **seconds}
    print(f"\n{method}: {share:.1%} of {seconds['total']:.1f} s outside prepare, edit and decoding")  # noqa: T201
