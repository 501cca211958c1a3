"""What the tests of downloads share: the bytes, and what is expected of a download that fails."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path
from typing import Any

import pytest
from web_server import Page

from bench.errors import BenchError, IncompleteError
from bench.store.download import Patience, download

MIB = 1 << 20
DATA = random.Random(0).randbytes(2 * MIB + 12_345)
OTHER = random.Random(1).randbytes(len(DATA))
ONCE = Patience(waits=(), connect_s=5, silence_s=5)
TWICE = Patience(waits=(0,), connect_s=5, silence_s=5)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def names(target: Path) -> list[str]:
    return sorted(path.name for path in target.parent.iterdir() if path.suffix != ".lock")


def part_of(target: Path) -> Path:
    return target.with_name(f"{target.name}.part")


def interrupt(url: str, page: Page, target: Path, **options: Any) -> int:
    """A download that is cut half-way; the bytes that are left of it."""
    page.cut = MIB
    with pytest.raises(IncompleteError) as caught:
        download(url, target, patience=ONCE, **options)
    page.cut = None
    assert caught.value.code == "download/interrupted"
    assert not target.exists()
    return part_of(target).stat().st_size


def refused(code: str, url: str, target: Path, **options: Any) -> BenchError:
    with pytest.raises(BenchError) as caught:
        download(url, target, **{"patience": TWICE, **options})
    assert caught.value.code == code
    assert not target.exists()
    return caught.value
