"""Entries of small runs, added to one store."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.identity import digest, sha256_file
from bench.store import strict_json
from bench.store.rundir import PlanItem
from bench.suite import Suite
from reports.leaderboard.adding import Given, add
from reports.leaderboard.store import EntryStore, Stored
from reports.submission.audit import Audit, Tolerance
from reports.submission.model import SCHEMA, Card, member_name

CARD: Mapping[str, Any] = {
    "system": "Loom",
    "version": "1.2",
    "authors": ["Ada Ångström"],
    "paper": "https://example.org/loom.pdf",
    "base_model": {"name": "cvssp/audioldm2", "sha256": "0" * 64},
    "training_data": "None.",
    "compute": "One hour.",
    "seeds": [0],
    "division": "closed",
    "licence": "CC BY 4.0",
    "description": "Weaves tones.",
}


def card(**fields: Any) -> Card:
    return Card.model_validate_json(strict_json.dump({**CARD, **fields}))


def around(level: float, spread: float = 0.01) -> Callable[[PlanItem], float]:
    """Values near a level, the same for a task and level whoever asks."""

    def value(item: PlanItem) -> float:
        seed = int(digest([item.task, item.seed, level])[:8], 16)
        return level + spread * float(np.random.default_rng(seed).normal())

    return value


def values(level: float) -> dict[str, Any]:
    return {"cqt1-pcc": around(level), "dpd-pesto-cents": around(100 * level, spread=2.0)}


@dataclass
class Keeper:
    """Adds runs to one store."""

    rack: Any
    suite: Suite
    path: Path

    @property
    def store(self) -> EntryStore:
        return EntryStore.open(self.path)

    def run(self, name: str, level: float, **options: Any) -> Path:
        return self.rack.run(self.suite, name, options.pop("values", values(level)), **options)

    def add(self, name: str, level: float, given: Given | None = None, *, claims: Any = None, **options: Any) -> Stored:
        """A self-reported entry, with a card of its own unless `given` says otherwise."""
        run = self.run(name, level, **options)
        stored, new = add(run, self.path, given or Given(card=card(system=name, **(claims or {}))))
        assert new
        return stored

    def control(self, name: str, level: float) -> Stored:
        stored, _ = add(self.run(name, level, role="control"), self.path)
        return stored

    def scored(self, name: str, level: float, archive: Path) -> tuple[Path, Path]:
        """A run as `submit score` makes it, and the archive that it is of (without audio)."""
        claims = card(system=name)
        tasks = [task.id for task in self.suite.tasks]
        entries = [
            {"task": task, "seed": 0, "member": member_name(task, 0), "sha256": digest([name, task])} for task in tasks
        ]
        content = digest({f"{each['task']} 0": each["sha256"] for each in entries})
        suite = {"name": self.suite.name, "version": self.suite.version, "digest": self.suite.digest}
        submission = {
            "schema": SCHEMA,
            "card": claims.model_dump(mode="json"),
            "suite": suite,
            "plan_sha256": "0" * 64,
            "entries": entries,
        }
        with zipfile.ZipFile(archive, "w") as written:
            written.writestr("submission.json", strict_json.dump(submission))
        config = {"content": content, "loudness": "as the source's"}
        about = {"submission": {"card": claims.model_dump(mode="json"), "made": None}}
        return self.run("external", level, config=config, folder=name, **about), archive


def audit_of(archive: Path, suite: Suite, path: Path, *, reproduced: bool = True) -> Path:
    Audit(
        schema="timbrebench-audit@1",
        system="x",
        version="1",
        archive=sha256_file(archive),
        suite_digest=suite.digest,
        draw_seed=0,
        drawn=4,
        of=12,
        tolerance=Tolerance(),
        identity={},
        claim=None,
        environment={},
        tasks=(),
        within=4 if reproduced else 1,
        reproduced=reproduced,
    ).write(path)
    return path
