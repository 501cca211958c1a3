"""Small packages in the place of those that are not installed: enough of them for our side of the border."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest


def install(folder: Path, patch: pytest.MonkeyPatch, name: str, version: str, files: Mapping[str, str]) -> None:
    """Write a package with its metadata, and let it be imported for as long as `patch` lasts."""
    module = name.replace("-", "_")
    for path, text in files.items():
        target = folder / module / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    about = folder / f"{module}-{version}.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    for known in [each for each in sys.modules if each == module or each.startswith(f"{module}.")]:
        patch.delitem(sys.modules, known)
    patch.syspath_prepend(str(folder))
    importlib.invalidate_caches()


def forget(module: str) -> None:
    """Take a stand-in's modules away again."""
    for known in [each for each in sys.modules if each == module or each.startswith(f"{module}.")]:
        del sys.modules[known]
