"""A suite of two tasks, an honest submission to it, and one decoder for all tests: starting one takes a second."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from submission_samples import Parts, voice

from bench.audio import Clip
from bench.suite import Suite
from bench.task import EditTask, Excerpt, SourceRef, audio_digest
from reports.submission.check import Checked, check
from reports.submission.decoder import DecodeLimits, Decoder

RATE, SECONDS = 16_000, 1.0


def loom_suite(folder: Path, songs: int = 2) -> Suite:
    """Songs of a bass and a drums stem, one edit of the bass each."""
    sources, tasks = {}, []
    for number in range(songs):
        stems = {"bass": (f"s{number}/bass.wav",), "drums": (f"s{number}/drums.wav",)}
        voice(70.0 + 13 * number, SECONDS, RATE, seed=7).write_wav(folder / stems["bass"][0])
        voice(310.0 + 29 * number, SECONDS, RATE, seed=8).scaled(0.5).write_wav(folder / stems["drums"][0])
        read = {stem: Clip.read(folder / paths[0]) for stem, paths in stems.items()}
        digest = audio_digest(Clip.sum(list(read.values())), read)  # type: ignore[arg-type]
        ref = SourceRef(
            id=f"loom/{number}",
            song=f"song {number}",
            root="loom",
            mixture=None,
            stems=stems,
            excerpt=Excerpt(start_s=0.0, duration_s=SECONDS, sha256=digest),
            licence="CC0",
        )
        sources[ref.id] = ref
        task = EditTask(
            id=f"loom/{number}/bass2flute",
            suite="loom",
            song=ref.song,
            source=ref.id,
            stem="bass",
            source_prompt="a bass and drums",
            target_prompt="a flute and drums",
        )
        tasks.append(task)
    return Suite("loom", 1, {}, sources, tuple(tasks), {"loom": folder})


@pytest.fixture(scope="session")
def loom(tmp_path_factory: pytest.TempPathFactory) -> Suite:
    return loom_suite(tmp_path_factory.mktemp("loom"))


@pytest.fixture(scope="session")
def honest_zip(loom: Suite) -> Parts:
    """Not to be changed: `parts` is a copy."""
    return Parts.honest(loom)


@pytest.fixture
def parts(honest_zip: Parts) -> Parts:
    import copy

    return Parts(honest_zip.suite, copy.deepcopy(honest_zip.claims), dict(honest_zip.audio))


@pytest.fixture(scope="session")
def decoder() -> Iterator[Decoder]:
    with Decoder(DecodeLimits(wall_s=10.0, losses=1000)) as started:
        yield started


@pytest.fixture
def checked(decoder: Decoder, loom: Suite) -> Callable[..., Checked]:
    """Check a file with the shared decoder, against the suite if no other is given."""

    def call(path: Path, suite: Suite | None = loom, others: Any = (), **options: Any) -> Checked:
        return check(path, suite, others, decoder=decoder, **options)

    return call
