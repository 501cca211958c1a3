"""Run directories with real audio, made through the store, and scored by writing the files that scoring writes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bench.audio import Clip
from bench.identity import digest
from bench.store.atomic import write_json
from bench.store.rundir import PlanItem, RunDirectory
from bench.suite import Suite
from bench.task import AudioRef, EditTask, Excerpt, SourceRef, audio_digest

RATE = 16_000
SECONDS = 1.0
CQT = {
    "name": "cqt1-pcc",
    "identity": "cqt1-pcc@1[16 kHz mono, hop 512, as published]",
    "direction": "higher",
    "unit": "",
    "summary": "correlation of the strongest CQT bins of edit and source",
}
DPD = {
    "name": "dpd-pesto-cents",
    "identity": "dpd-pesto-cents@1[PESTO mir-1k_g7, hop 10 ms]",
    "direction": "lower",
    "unit": "cents",
    "summary": "median pitch difference of the edited stem",
}


def tone(hz: float, *, gain: float = 0.3, rate: int = RATE, seconds: float = SECONDS) -> Clip:
    """A decaying tone with three partials."""
    t = np.arange(round(seconds * rate)) / rate
    return Clip.of(gain * np.exp(-2 * t) * sum(np.sin(2 * np.pi * hz * k * t) / k for k in (1, 2, 3)), rate)


@dataclass(frozen=True)
class Shelf:
    """A suite on disk: `songs` songs with a bass and a drums stem, `edits` tasks each, true edits beside them.

    `describe` gives more fields of the task of a song and an edit, by their numbers.
    """

    folder: Path
    songs: tuple[str, ...] = ("North", "South")
    edits: int = 2
    prompt: str = "a calm song with cello"
    phrase: str = "cello"
    name: str = "shelf"
    describe: Callable[[int, int], Mapping[str, Any]] = lambda song, edit: {}

    def build(self) -> Suite:
        sources, tasks = {}, []
        for number, song in enumerate(self.songs):
            folder = self.folder / f"s{number}"
            bass, drums = tone(80.0 + 30 * number), tone(1500.0, gain=0.05)
            bass.write_wav(folder / "bass.wav")
            drums.write_wav(folder / "drums.wav")
            stems = {"bass": (f"s{number}/bass.wav",), "drums": (f"s{number}/drums.wav",)}
            read = [Clip.read(folder / f"{stem}.wav") for stem in stems]
            excerpt = Excerpt(
                start_s=0.0,
                duration_s=SECONDS,
                sha256=audio_digest(Clip.sum(read), dict(zip(stems, read, strict=True))),
            )
            ref = SourceRef(
                id=f"src{number}", song=song, root="shelf", mixture=None, stems=stems, excerpt=excerpt, licence="CC0"
            )
            sources[ref.id] = ref
            for edit in range(self.edits):
                path = f"s{number}/true{edit}.wav"
                tone(200.0 + 40 * edit).write_wav(self.folder / path)
                true = Clip.read(self.folder / path).sha256
                start = self.prompt.index(self.phrase)
                tasks.append(
                    EditTask(
                        id=f"{self.name}/{number}/edit{edit}",
                        suite=self.name,
                        song=song,
                        source=ref.id,
                        source_prompt="a calm song with bass guitar",
                        target_prompt=self.prompt,
                        target_phrase=self.phrase,
                        target_span=(start, start + len(self.phrase)),
                        true_edit=AudioRef(root="shelf", paths=(path,), start_s=0.0, duration_s=SECONDS, sha256=true),
                        **{"stem": "bass", **self.describe(number, edit)},
                    )
                )
        return Suite(self.name, 1, {}, sources, tuple(tasks), {"shelf": self.folder})


Values = Mapping[str, float | tuple[str, str] | Callable[[PlanItem], "float | tuple[str, str]"]]


@dataclass
class Rack:
    """Makes scored run directories under a folder."""

    folder: Path

    def shelf(self, **kwargs: Any) -> Suite:
        name = kwargs.get("name", "shelf")
        return Shelf(self.folder / f"data-{name}", **kwargs).build()

    def run(
        self,
        suite: Suite,
        method: str,
        values: Mapping[str, Any],
        *,
        metrics: tuple[Mapping[str, str], ...] = (CQT, DPD),
        config: Mapping[str, Any] | None = None,
        seeds: tuple[int, ...] = (0,),
        untrained: bool = False,
        failed: tuple[str, ...] = (),
        pending: tuple[str, ...] = (),
        width: float = 0.05,
        folder: str | None = None,
        plan: Callable[[EditTask], bool] = lambda task: True,
        scored: bool = True,
        clipped: int | None = None,
        **about: Any,
    ) -> Path:
        """A run whose every edit is a tone. `values`: per metric name a number, a (missing, why), or a function.

        `clipped`: samples that the journal says were lost in each edit.
        """
        path = self.folder / (folder or method)
        identity = {
            "timbrebench": "0.1.0",
            "method": {"name": method, "version": 1, "config": dict(config or {}), "target": "x:Y"},
            "backbone": {"name": "nano", "untrained": "all of it is random"} if untrained else None,
            "suite": {"name": suite.name, "version": suite.version, "digest": suite.digest},
            "seeds": list(seeds),
        }
        items = [PlanItem(t.id, seed, str(t.source), t.song) for t in suite.tasks if plan(t) for seed in seeds]
        about = {"label": method, "role": "method", "created": "2025-01-01T00:00:00+00:00", **about}
        with RunDirectory.lock(path):
            run = RunDirectory.create_or_resume(path, identity=identity, about=about, plan=items, suite=suite)
            with run.journal("w0") as journal:
                for number, item in enumerate(items):
                    base = {"task": item.task, "seed": item.seed}
                    if item.task in failed:
                        error = {"code": "x", "cause": "out of <b>memory</b>", "where": None, "remedy": "less"}
                        journal.append({"event": "failed", **base, "error": error})
                    elif item.task not in pending:
                        sha = run.put_audio(tone(100.0 + 10 * number + len(method)))
                        lost = {} if clipped is None else {"clipped": clipped, "samples": 1000, "channels": 2}
                        journal.append({"event": "generated", **base, "audio": sha, **lost})
        if scored:
            score(run, metrics, values, width, about.get("absences", {}))
        return path


def score(
    run: RunDirectory,
    metrics: tuple[Mapping[str, str], ...],
    values: Mapping[str, Any],
    width: float,
    absences: Mapping[str, int],
) -> None:
    """Write what `timbrebench score` writes; intervals are the mean plus and minus `width`."""
    rows, summaries, outcomes = [], [], run.outcomes()
    stems = {task.id: task.stem for task in run.suite.tasks}
    for metric in metrics:
        mine = [_row(item, stems, outcomes[item.key], metric, values[metric["name"]]) for item in run.plan]
        there = [row for row in mine if row["missing"] is None]
        songs = len({row["song"] for row in there})
        mean = float(np.mean([row["value"] for row in there])) if there else None
        summaries.append(
            {
                **metric,
                "mean": mean,
                "low": mean - width if mean is not None and songs > 1 else None,
                "high": mean + width if mean is not None and songs > 1 else None,
                "n": len(there),
                "songs": songs,
                "missing": dict(Counter(row["missing"] for row in mine if row["missing"])),
            }
        )
        rows += mine
    pd.DataFrame(rows).astype({"value": "float64"}).to_parquet(run.path / "scores.parquet", index=False)
    status = Counter(outcome.status for outcome in outcomes.values())
    plan = {key: status[key] for key in ("generated", "failed", "pending")}
    summary = {
        "schema": "timbrebench-summary@1",
        "run": digest(run.identity),
        "scored": "2025-01-02T03:04:05+00:00",
        "plan": {"expected": len(run.plan), **plan, "absent": sum(absences.values()), "absences": dict(absences)},
        "songs": len({item.song for item in run.plan}),
        "metrics": summaries,
    }
    write_json(run.path / "summary.json", summary)
    write_json(run.path / "corpus.json", {"schema": "timbrebench-corpus@1", "metrics": []})


def _row(
    item: PlanItem, stems: Mapping[str, str], outcome: Any, metric: Mapping[str, str], value: Any
) -> dict[str, Any]:
    found = value(item) if callable(value) else value
    if outcome.status != "generated":
        found = (outcome.status, str((outcome.error or {}).get("cause", "not run yet")))
    missing, why = found if isinstance(found, tuple) else (None, None)
    return {
        "task": item.task,
        "song": item.song,
        "source": item.source,
        "stem": stems[item.task],
        "seed": item.seed,
        "metric": metric["name"],
        "identity": metric["identity"],
        "direction": metric["direction"],
        "unit": metric["unit"],
        "value": None if missing else float(found),
        "missing": missing,
        "why": why,
        "audio": outcome.audio,
    }


@pytest.fixture
def rack(tmp_path: Path) -> Rack:
    return Rack(tmp_path)
