"""Scoring with networks: made once, run where the device is, one batch a source for all metrics."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from runner_methods import Noise
from runner_networks import Quarters

from bench.runner.run import run
from bench.runner.scoring import score
from bench.runner.scoring.load import load_metrics, make
from bench.runner.spec import RunSpec

NETWORK = "|runner_networks:Quarters"


@pytest.fixture
def done(spec: Callable[..., RunSpec]) -> Path:
    """A run of twelve edits of three songs."""
    run(spec("Noise"), Noise.Config())
    Quarters.passes.clear()
    return spec("Noise").out


def test_one_batch_a_source_for_all_metrics_and_never_in_a_helper(done: Path) -> None:
    targets = [f"runner_networks:Rest{NETWORK}", f"runner_networks:Whole{NETWORK}", "runner_metrics:Level"]
    score([done], targets, jobs=2, device="meta")
    assert Quarters.passes == [(4, "meta", os.getpid())] * 3
    values = pd.read_parquet(done / "scores.parquet").pivot(index="task", columns="metric", values="value")
    assert (values["whole"] - values["rest"]).to_numpy() == pytest.approx(2.499, abs=0.001)  # 20 log10(4/3)
    score([done], targets, device="meta")
    assert len(Quarters.passes) == 3, "what is there is not measured again"


def test_metrics_share_a_network_and_name_theirs() -> None:
    rest, whole = load_metrics([f"runner_networks:Rest{NETWORK}", f"runner_networks:Whole{NETWORK}"]).values()
    assert rest.separator is whole.separator
    with_two = make("bench.metrics.separated:SeparatedLpaps|runner_metrics:Bands|runner_networks:Quarters", "meta")
    assert (with_two.embedder.name, with_two.separator.device) == ("bands", "meta")
    assert with_two.name == "background-lpaps@htdemucs:bands"
