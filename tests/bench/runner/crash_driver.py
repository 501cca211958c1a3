"""Kill a real run again and again, resume it, and print what is left: used by `test_run_crash.py`.

Everything is imported once; every run is a forked child of this process, which makes many kills affordable. The
children die by SIGKILL, either at a chosen call that changes the disk (so every write site is met) or after a
random time. What is printed is the plan, the audio hashes and the scores after resuming.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from bench.runner.run import run
from bench.runner.scoring import score
from bench.runner.spec import RunSpec, parse_config
from bench.store.rundir import RunDirectory
from bench.suite import Suite

CALLS = ("open", "write", "fsync", "replace", "rename", "mkdir", "ftruncate", "unlink")
METRICS = ("cqt:Cqt1Pcc", "onset:OnsetF1", "background:BackgroundLogMel")


def make(suite: Suite, out: Path) -> bool:
    """One real run: SDEdit on the embedded backbone, in batches of two."""
    spec = RunSpec(
        method="baselines.sdedit:SDEdit",
        suite=suite,
        out=out,
        backbone="bench.backbones.nano.backbone:UntrainedNano",
        batch_size=2,
    )
    return run(spec, parse_config(spec.method_class(), ["steps=2", "strength=1"])).complete


def measure(out: Path) -> None:
    score([out], [f"bench.metrics.{name}" for name in METRICS], jobs=1)


def left(out: Path) -> dict[str, Any]:
    directory = RunDirectory.open(out)
    outcomes = directory.outcomes()
    frame = pd.read_parquet(out / "scores.parquet")
    return {
        "plan": (out / "plan.jsonl").read_text(),
        "audio": {f"{task} {seed}": outcome.audio for (task, seed), outcome in outcomes.items()},
        "intact": all(directory.read_audio(str(o.audio)).length for o in outcomes.values()),
        "scores": frame.to_json(orient="records", double_precision=15),
    }


def child(work: Callable[[], Any]) -> int:
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return pid


def ended(pid: int) -> int:
    """Exit code of a child, negative for a signal."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def die_at(number: int) -> Callable[[], int]:
    """Patch `os`: this process is killed at the n-th call that changes the disk. Returns the counter."""
    seen = 0

    def wrap(name: str) -> Callable[..., Any]:
        real = getattr(os, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal seen
            seen += 1
            if seen == number:
                if name == "write":
                    real(args[0], bytes(args[1])[: len(args[1]) // 2])
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*args, **kwargs)

        return call

    for name in CALLS:
        setattr(os, name, wrap(name))
    return lambda: seen


def main(suite_file: str, folder: str, sites: int, randoms: int) -> None:
    suite, root = Suite.read(Path(suite_file)), Path(folder)
    # In this process, so that the children find everything imported and compiled. One thread: forking is safe.
    assert make(suite, root / "whole")
    measure(root / "whole")

    def counted() -> None:
        count = die_at(-1)
        began = time.monotonic()
        make(suite, root / "counted")
        (root / "facts.json").write_text(json.dumps({"calls": count(), "seconds": time.monotonic() - began}))

    assert ended(child(counted)) == 0
    facts = json.loads((root / "facts.json").read_text())
    results: dict[str, Any] = {"whole": left(root / "whole"), "calls": facts["calls"], "killed": {}}
    draw = random.Random(0)
    points: list[tuple[str, float]] = [
        ("call", 1 + round(index * (facts["calls"] - 1) / max(1, sites - 1))) for index in range(sites)
    ]
    points += [("second", draw.uniform(0.1, facts["seconds"])) for _ in range(randoms)]
    for kind, at in points:
        out = root / f"{kind}-{at:g}"
        code = killed(suite, out, kind, at)

        def again(path: Path = out) -> None:
            assert make(suite, path)
            measure(path)

        assert ended(child(again)) == 0, f"could not resume after {kind} {at}"
        results["killed"][f"{kind} {at:g}"] = {"code": code, **left(out)}
    sys.stdout.write(json.dumps(results))


def killed(suite: Suite, out: Path, kind: str, at: float) -> int:
    """Start a run and kill it; its exit code (-9, or 0 where it was faster)."""
    if kind == "call":
        return ended(child(lambda: (die_at(round(at)), make(suite, out))))
    pid = child(lambda: make(suite, out))
    time.sleep(at)
    os.kill(pid, signal.SIGKILL)
    return ended(pid)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
