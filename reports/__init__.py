"""Reports: pure functions of run directories. For pandas: `reports.load(RUN)`, see `reports.frames`."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def __getattr__(name: str) -> Any:
    """`load` is imported when it is first used, so that `import reports` stays light.

    It is the module `reports.load`, which can be called: see its last lines.
    """
    if name == "load":
        return import_module("reports.load")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
