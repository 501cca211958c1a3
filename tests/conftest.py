"""Settings and fixtures that every test sees.

Set before anything is imported: no test may reach for the hub, or write into the user's cache.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import pytest

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
