"""`timbrebench list methods --long`: what each costs, the way there and the way back."""

from __future__ import annotations

import json
from collections.abc import Callable


def test_rows_forward_and_backward_are_told_apart(cli: Callable) -> None:
    listed = cli("list", "methods", "--long", "--json")
    assert listed.code == 0, listed.err
    rows = {row["name"]: row for row in json.loads(listed.out)}
    costs = {
        name: (row["rows_per_source"], row["rows_per_task"], row["backward_rows_per_task"])
        for name, row in rows.items()
    }
    assert costs["polyphonia"] == (100, 200, 0)
    assert costs["musicmagus"] == (300, 400, 200)
    assert costs["steermusic"] == (0, 1600, 0)
    assert costs["external"] == (None, None, None)
    shown = cli("list", "methods", "--long").out
    assert "backward" in shown.splitlines()[0]
