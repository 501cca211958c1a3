"""A real run, killed at its write sites and at random, ends as if nothing had happened."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.suite import Suite

SITES, RANDOM = 24, 8


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks the runs to kill them")
def test_a_killed_run_resumes_to_the_same_plan_audio_and_scores(suite: Suite, tmp_path: Path) -> None:
    file = tmp_path / "suite.jsonl"
    file.write_text("\n".join(suite.lines()))
    driver = Path(__file__).with_name("crash_driver.py")
    done = subprocess.run(
        [sys.executable, driver, file, tmp_path, str(SITES), str(RANDOM)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    results = json.loads(done.stdout)
    whole = results["whole"]
    assert whole["intact"]
    assert len(set(whole["audio"].values())) == len(suite.tasks)
    died = 0
    for point, found in results["killed"].items():
        died += found.pop("code") == -9
        assert found == whole, f"killed at {point}"
    assert results["calls"] > SITES
    assert died >= SITES  # a random time may lie after the end
