"""How long a leaderboard of ten systems on 1,170 tasks takes, and what its first page weighs.

Run as a script: `python tests/perf/leaderboard.py`. Scores are drawn at random; there is no audio. The goals are under
30 s, and under 1 MB for the first page.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from bench.identity import digest
from bench.store.atomic import write_json
from bench.store.rundir import PlanItem, RunDirectory
from bench.suite import Suite
from bench.task import EditTask, Excerpt, SourceRef
from reports.leaderboard.adding import Given, add
from reports.leaderboard.site import build
from reports.leaderboard.store import EntryStore
from reports.submission.model import Card

SYSTEMS, CONTROLS, SONGS, EDITS, METRICS = 10, 4, 78, 15, 15


def suite() -> Suite:
    """The size of PolyEvalPrompts: 78 songs of two data sets with 15 edits each; a third is known to separators."""
    sources, tasks = {}, []
    for song in range(SONGS):
        root = "musicdelta" if song < 28 else "musdb18hq"
        excerpt = Excerpt(start_s=0.0, duration_s=10.0, sha256=f"{song:064x}")
        ref = SourceRef(
            id=f"{root}/{song}", song=f"song {song}", root=root, mixture=None, stems={"bass": ("bass.wav",)},
            excerpt=excerpt, licence="CC0",
        )  # fmt: skip
        sources[ref.id] = ref
        for edit in range(EDITS):
            task = EditTask(
                id=f"{ref.id}/bass2instrument{edit}", suite="large", song=ref.song, source=ref.id, stem="bass",
                source_prompt="a bass", target_prompt="another", flags=("separator-seen",) if song % 3 == 0 else (),
            )  # fmt: skip
            tasks.append(task)
    return Suite("large", 1, {}, sources, tuple(tasks))


def scored(folder: Path, of: Suite, name: str, role: str, rng: np.random.Generator) -> Path:
    """A run whose scores are a level of its own, a part of each song and a part of each edit."""
    identity = {
        "timbrebench": "0", "method": {"name": name, "version": 1, "config": {}, "target": "x:Y"}, "backbone": None,
        "suite": {"name": of.name, "version": 1, "digest": of.digest}, "seeds": [0],
    }  # fmt: skip
    plan = [PlanItem(task.id, 0, str(task.source), task.song) for task in of.tasks]
    with RunDirectory.lock(folder):
        about = {"label": name, "role": role}
        run = RunDirectory.create_or_resume(folder, identity=identity, about=about, plan=plan, suite=of)
        events = (
            {"event": "generated", "task": item.task, "seed": 0, "audio": digest([name, item.task])} for item in plan
        )
        with run.journal("w0") as journal:
            for event in events:
                journal.append(event)
    frames, summaries = [], []
    for metric in range(METRICS):
        described = {"name": f"metric-{metric}", "identity": f"metric-{metric}@1[x]", "direction": "higher", "unit": ""}
        values = 0.1 * rng.normal() + 0.2 * np.repeat(rng.normal(size=SONGS), EDITS) + 0.1 * rng.normal(size=len(plan))
        columns = {
            "task": [item.task for item in plan], "song": [item.song for item in plan], "source": "", "stem": "bass",
            "seed": 0, "metric": described["name"],
            **{key: described[key] for key in ("identity", "direction", "unit")},
            "value": values, "missing": None, "why": None, "audio": "x",
        }  # fmt: skip
        frames.append(pd.DataFrame(columns))
        mean = float(values.mean())
        summaries.append(
            {**described, "mean": mean, "low": mean - 0.1, "high": mean + 0.1, "n": len(plan), "songs": SONGS}
        )
    pd.concat(frames).to_parquet(folder / "scores.parquet", index=False)
    counts = {"expected": len(plan), "generated": len(plan)}
    summary = {
        "schema": "timbrebench-summary@1",
        "run": digest(identity),
        "scored": "2025",
        "plan": counts,
        "songs": SONGS,
    }
    write_json(folder / "summary.json", {**summary, "metrics": summaries})
    write_json(folder / "corpus.json", {"schema": "timbrebench-corpus@1", "metrics": []})
    return folder


def main(folder: Path) -> None:
    """Make the entries, build the site, tell."""
    rng, of = np.random.default_rng(0), suite()
    fields = {
        "version": "1", "authors": ("A",), "base_model": None, "training_data": "x", "compute": "x", "seeds": (0,),
        "division": "closed", "licence": "CC0", "description": "x",
    }  # fmt: skip
    for number in range(SYSTEMS):
        run = scored(folder / f"run{number}", of, f"system {number}", "method", rng)
        add(run, folder / "entries", Given(card=Card(system=f"System {number}", **fields)))
    for number in range(CONTROLS):
        add(scored(folder / f"control{number}", of, f"control {number}", "control", rng), folder / "entries")
    wall, cpu = time.perf_counter(), time.process_time()
    built = build([EntryStore.open(folder / "entries")], folder / "site")
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    size = built.index.stat().st_size
    whole = sum(path.stat().st_size for path in (folder / "site").rglob("*") if path.is_file())
    sys.stdout.write(
        f"{wall:.1f} s ({cpu:.1f} s of CPU), {size / 1e3:.0f} kB first page, {whole / 1e6:.1f} MB in all\n"
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        main(Path(temporary))
