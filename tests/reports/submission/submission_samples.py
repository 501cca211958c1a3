"""A small honest submission, and the parts it is made of, for tests that break one of them."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.audio import Clip
from bench.identity import sha256_bytes
from bench.suite import Suite
from bench.task import EditTask
from reports.submission.model import SCHEMA, SUBMISSION, member_name
from reports.submission.plan_rules import plan_digest, plan_of

CARD: Mapping[str, Any] = {
    "system": "Loom",
    "version": "1.2",
    "authors": ["Ada Ångström", "B. O'Neil"],
    "contact": "loom@example.org",
    "paper": "https://example.org/loom.pdf",
    "code": None,
    "base_model": {"name": "cvssp/audioldm2", "sha256": "0" * 64, "revision": None},
    "training_data": "None beyond the base model's.",
    "compute": "One H200 for 3 minutes.",
    "seeds": [0],
    "division": "closed",
    "licence": "CC BY 4.0",
    "description": "Weaves tones.\nTwo lines, with a < b and 3 > 2.",
}


def voice(hz: float, seconds: float, rate: int, seed: int = 0) -> Clip:
    """A note of many partials that swells, over a little noise of its own: something that fills a fingerprint."""
    t = np.arange(round(seconds * rate)) / rate
    rng = np.random.default_rng([seed, round(hz)])
    partials = range(1, int(6000 // hz) + 1)
    swells = (np.sin(2 * np.pi * (rng.uniform(1, 6) * t + rng.uniform())) + 1.2 for _ in partials)
    tones = sum(
        s * np.sin(2 * np.pi * hz * k * t + rng.uniform(0, 6)) / k for k, s in zip(partials, swells, strict=True)
    )
    return Clip.of(0.08 * tones + 0.003 * rng.normal(size=t.shape), rate)


def edit_of(suite: Suite, task: EditTask, seed: int = 0) -> Clip:
    """An honest edit: the other stems as they are, and another voice where the stem was."""
    source = suite.open(str(task.source))
    rest = source.background(task.stem)
    number = [each.id for each in suite.tasks].index(task.id)
    return Clip.sum([rest, voice(150.0 + 37 * number, rest.duration_s, rest.rate, seed)])


def flac(clip: Clip) -> bytes:
    """As FLAC."""
    return clip.encode()


def wav(samples: Any, rate: int = 16_000, subtype: str = "FLOAT") -> bytes:
    """Any samples as WAV, NaN included, without the chunks that libsndfile adds."""
    import soundfile

    buffer = io.BytesIO()
    soundfile.write(buffer, np.asarray(samples, np.float32), rate, format="WAV", subtype=subtype)
    return buffer.getvalue()


@dataclass
class Parts:
    """What an archive is made of. `claims` is `submission.json`; `text` stands in its place if it is set."""

    suite: Suite
    claims: dict[str, Any]
    audio: dict[str, bytes]
    text: bytes | None = None

    @classmethod
    def honest(cls, suite: Suite, seeds: Iterable[int] = (0,)) -> Parts:
        """The parts of a submission that breaks no rule."""
        seeds = list(seeds)
        tasks = {task.id: task for task in suite.tasks}
        plan = plan_of(suite, seeds)
        audio = {member_name(*item.key): flac(edit_of(suite, tasks[item.task], item.seed)) for item in plan}
        entries = [
            {"task": item.task, "seed": item.seed, "member": name, "sha256": sha256_bytes(audio[name])}
            for item in plan
            for name in [member_name(*item.key)]
        ]
        claims = {
            "schema": SCHEMA,
            "card": {**CARD, "seeds": seeds},
            "suite": {"name": suite.name, "version": suite.version, "digest": suite.digest},
            "plan_sha256": plan_digest(plan),
            "entries": entries,
        }
        return cls(suite, json.loads(json.dumps(claims)), audio)

    @property
    def names(self) -> list[str]:
        """Names of the audio members, in order."""
        return list(self.audio)

    def replace(self, number: int, data: bytes, suffix: str = ".flac") -> None:
        """Put other bytes, with their right hash, in the place of an edit."""
        entry = self.claims["entries"][number]
        self.audio.pop(entry["member"])
        name = member_name(entry["task"], entry["seed"], suffix)
        self.audio[name] = data
        entry.update(member=name, sha256=sha256_bytes(data))

    def members(self) -> list[tuple[str, bytes]]:
        """All members, `submission.json` last."""
        text = self.text if self.text is not None else json.dumps(self.claims).encode()
        return [*self.audio.items(), (SUBMISSION, text)]

    def zipped(self, *more: tuple[zipfile.ZipInfo | str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
        """The archive, with further members at its end."""
        return zipped([*self.members(), *more], method)

    def write(self, folder: Path, name: str = "submission.zip") -> Path:
        """Write the archive into a folder."""
        path = folder / name
        path.write_bytes(self.zipped())
        return path


def zipped(members: Iterable[tuple[zipfile.ZipInfo | str, bytes]], method: int = zipfile.ZIP_STORED) -> bytes:
    """Members as a .zip file, whatever their names."""
    import warnings

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of names that are there twice
        for name, data in members:
            archive.writestr(name, data)
    return buffer.getvalue()
