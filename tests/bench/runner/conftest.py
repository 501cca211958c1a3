"""A suite of tones on disk, and methods that break in chosen ways: a runner needs no model to be tested."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bench.audio import Clip
from bench.runner.spec import RunSpec
from bench.suite import Suite
from bench.task import EditTask, Excerpt, SourceRef, audio_digest

RATE = 16_000
SECONDS = 1.0

sys.path.insert(0, str(Path(__file__).parent))  # so that worker processes can import runner_methods


def tone(frequency: float, level: float = 0.2) -> Clip:
    time = np.arange(round(SECONDS * RATE)) / RATE
    return Clip.of(level * np.sin(2 * np.pi * frequency * time), RATE)


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    """Three songs with two stems and four tasks each."""
    root = tmp_path / "audio"
    sources, tasks = {}, []
    for index, song in enumerate(("one", "two", "three")):
        stems = {"vocals": tone(220 * (index + 1)), "bass": tone(55 * (index + 1))}
        for name, clip in stems.items():
            clip.write_wav(root / song / f"{name}.wav")
        read = [Clip.read(root / song / f"{name}.wav") for name in stems]
        excerpt = Excerpt(
            start_s=0.0, duration_s=SECONDS, sha256=audio_digest(Clip.sum(read), dict(zip(stems, read, strict=True)))
        )
        paths = {name: (f"{song}/{name}.wav",) for name in stems}
        sources[song] = SourceRef(
            id=song, song=song, root="tones", mixture=None, stems=paths, excerpt=excerpt, licence="none"
        )
        tasks += [
            EditTask(
                id=f"tones/{song}/vocals2{target}",
                suite="tones",
                song=song,
                source=song,
                stem="vocals",
                source_prompt="A recording of a voice and a bass.",
                target_prompt=f"A recording of a {target} and a bass.",
            )
            for target in ("flute", "cello", "harp", "choir")
        ]
    return Suite("tones", 1, {}, sources, tuple(tasks), {"tones": root})


@pytest.fixture
def spec(suite: Suite, tmp_path: Path) -> Callable[..., RunSpec]:
    """A run of a method of `runner_methods` on the tones."""

    def make(method: str, **changes: object) -> RunSpec:
        settings = {"suite": suite, "out": tmp_path / "run", **changes}
        return RunSpec(method=f"runner_methods:{method}", **settings)  # type: ignore[arg-type]

    return make
