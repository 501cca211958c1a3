"""The files beside a page, named by the hash of their content."""

from __future__ import annotations

import re
from pathlib import Path

from bench.identity import sha256_bytes
from bench.store.atomic import write_bytes, writing

FOLDER = "assets"

_OURS = re.compile(r"[0-9a-f]{64}\.(?:flac|png)")


class Assets:
    """The assets of the page in a folder, which must be there.

    A page is replaced after its new assets are there and before old ones go, so that it can be opened at any time.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self._names: set[str] = set()

    def put(self, content: bytes, suffix: str) -> str:
        """Store a file and return its address relative to the page."""
        name = f"{sha256_bytes(content)}{suffix}"
        if name not in self._names:
            write_bytes(self.folder / name, content)
            self._names.add(name)
        return f"{self.folder.name}/{name}"

    def remove_others(self) -> None:
        """Remove what an earlier page left and this one does not use; only files that are named as ours."""
        with writing(self.folder):
            for path in sorted(self.folder.iterdir()):
                if _OURS.fullmatch(path.name) and path.name not in self._names:
                    path.unlink()
