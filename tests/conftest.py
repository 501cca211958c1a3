"""Settings and fixtures that every test sees.

Set before anything is imported: no test may reach for the hub, or write into the user's cache.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

os.environ["HF_HUB_OFFLINE"] = "1"
# Test processes share the cores: threads that spin while they wait for one make everything slower.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pytest

from bench.audio import Clip
from bench.suite import Suite
from bench.task import EditTask, Source, StemName

if TYPE_CHECKING:
    from bench.backbone import Backbone
    from bench.method import Context


def pytest_configure(config: pytest.Config) -> None:
    """Compile librosa's functions before workers start: on a fresh installation they would all do it at once."""
    if getattr(config.option, "numprocesses", None) and not hasattr(config, "workerinput"):
        from bench.metrics.compiled import ready

        ready()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The whole road first: it is the longest piece that must stay on one worker (`--dist loadgroup`)."""
    items.sort(key=lambda item: item.get_closest_marker("xdist_group") is None)


SHARED_DATA = Path(
    os.environ.get("TIMBREBENCH_SHARED_DATA", Path(__file__).resolve().parents[1].parent / "shared" / "data")
)


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A cache folder for this test session, unless the environment names one."""
    with pytest.MonkeyPatch.context() as patch:
        if "TIMBREBENCH_CACHE_DIR" not in os.environ:
            patch.setenv("TIMBREBENCH_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real prompts and recordings that are no part of the project; tests that want them skip without them."""
    if not (SHARED_DATA / "README.md").is_file():
        pytest.skip(f"no shared data in {SHARED_DATA} (set TIMBREBENCH_SHARED_DATA)")
    return SHARED_DATA


@pytest.fixture(scope="session")
def nano() -> Backbone:
    """The embedded backbone, on the CPU. Shared: nobody changes it."""
    from bench.backbones.nano.backbone import UntrainedNano

    return UntrainedNano.load(device="cpu")


_RATE = 16_000
_SECONDS = 1.28


def _chord(*frequencies: float) -> Clip:
    """A decaying chord with a little noise, so that no band is silent."""
    time = np.arange(round(_SECONDS * _RATE)) / _RATE
    tones = sum(np.sin(2 * np.pi * f * time) for f in frequencies)
    noise = np.random.default_rng(int(sum(frequencies))).normal(size=time.shape)
    return Clip.of(0.1 * tones * np.exp(-time) + 0.002 * noise, _RATE)


@pytest.fixture
def two_stems() -> Source:
    """A short source with vocals and bass."""
    stems: dict[StemName, Clip] = {"vocals": _chord(440.0, 880.0), "bass": _chord(55.0, 110.0)}
    return Source("tones", "tones", Clip.sum(list(stems.values())), stems)


@pytest.fixture
def make_task() -> Callable[..., EditTask]:
    """Tasks on `two_stems`."""

    def make(phrase: str = "a bright flute", stem: StemName = "vocals", **changes: object) -> EditTask:
        prompt = f"A recording of {phrase} and a deep bass."
        start = prompt.index(phrase)
        fields = {
            "id": f"tones/{phrase}",
            "suite": "tones",
            "song": "tones",
            "source": "tones",
            "stem": stem,
            "source_prompt": "A recording of soulful vocals and a deep bass.",
            "target_prompt": prompt,
            "target_phrase": phrase,
            "target_span": (start, start + len(phrase)),
        }
        return EditTask(**{**fields, **changes})  # type: ignore[arg-type]

    return make


@pytest.fixture
def nano_context(nano: Backbone) -> Context:
    """A method's context around the embedded backbone."""
    from bench.method import Context

    return Context("cpu", Suite("tones", 1, {}, {}, ()), lambda: nano)
