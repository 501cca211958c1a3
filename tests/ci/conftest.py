"""The modules of the Action's steps, and the hostile names of the reports' tests."""

from __future__ import annotations

import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
sys.path += [str(_ROOT / "tests" / "reports"), str(_ROOT / "ci")]
