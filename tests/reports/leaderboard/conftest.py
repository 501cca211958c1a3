"""An entry store of small runs: six songs, one of which public separators were trained on."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from leaderboard_samples import Keeper, card

from reports.leaderboard.adding import Given, add


@pytest.fixture(autouse=True)
def _fast_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test here is about power cuts, and a busy disk makes fsync slow."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


@pytest.fixture
def keeper(rack, tmp_path: Path) -> Keeper:
    songs = tuple(f"song {number}" for number in range(6))
    suite = rack.shelf(songs=songs, describe=lambda song, _: {"flags": ("separator-seen",) if song == 0 else ()})
    return Keeper(rack, suite, tmp_path / "entries")


@pytest.fixture
def board(keeper: Keeper) -> Keeper:
    """Two systems that differ, one that is like the second, and a control."""
    keeper.add("Loom", 0.9)
    keeper.add("Weft", 0.5, claims={"version": "2"})
    keeper.run("weft-again", 0.5)
    add(keeper.rack.folder / "weft-again", keeper.path, Given(card=card(system="Warp")))
    keeper.control("copy-source", 0.99)
    return keeper
