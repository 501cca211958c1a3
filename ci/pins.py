"""Writes `ci/comment/requirements.txt` from `uv.lock`: what the job with a write token installs, and nothing else.

That job must be small: each package in it could use its token. Versions and hashes are those of the lock.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "ci" / "comment" / "requirements.txt"
WANTED = ("httpx2", "pydantic")


def text() -> str:
    """The file's content."""
    packages = {package["name"]: package for package in tomllib.loads((ROOT / "uv.lock").read_text("utf-8"))["package"]}
    lines = ["# Made by ci/pins.py from uv.lock."]
    for name in sorted(_closure(packages)):
        files = [packages[name].get("sdist"), *packages[name].get("wheels", [])]
        hashes = sorted(file["hash"] for file in files if file)
        lines.append(" \\\n".join([f"{name}=={packages[name]['version']}", *(f"    --hash={each}" for each in hashes)]))
    return "\n".join(lines) + "\n"


def _closure(packages: dict[str, Any]) -> set[str]:
    """What is wanted, and all that it needs."""
    found: set[str] = set()
    open_ = list(WANTED)
    while open_:
        name = open_.pop()
        if name not in found:
            found.add(name)
            open_ += _needs(packages[name])
    return found


def _needs(package: dict[str, Any]) -> Iterator[str]:
    """Requirements of a package. Those of one platform or Python only stand in it with their markers; none are ours."""
    for each in package.get("dependencies", []):
        if "marker" in each:
            raise ValueError(f"{package['name']} needs {each['name']} only where {each['marker']}: say so in the file")
        yield each["name"]


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
