"""Rendered songs as the evaluation reads them, made of sines: small, exact, and without a sampler."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.backbones.nano.train.takes import TakenSong, read_takes
from bench.store.atomic import write_json

RATE = 16_000


def tone(pitch: float, seconds: float, level: float = 0.3) -> np.ndarray:
    """A tone of eight partials, (samples,)."""
    time = np.arange(round(seconds * RATE)) / RATE
    frequency = 440 * 2 ** ((pitch - 69) / 12)
    return level * sum(np.sin(2 * np.pi * k * frequency * time) / k for k in range(1, 9))


def listed(stem: str, sound: str, *, monophonic: bool = True, names: Sequence[str] = (), **more: Any) -> dict[str, Any]:
    """A take as the list of a song has it."""
    phrases = [f"a {sound}"]
    return {
        "stem": stem, "sound": sound, "phrases": phrases, "names": list(names or [sound]),
        "monophonic": monophonic, "notes": [[0.25, 0.5, 69], [1.0, 0.5, 71]], **more,
    }  # fmt: skip


def write_song(folder: Path, number: int, takes: Sequence[dict[str, Any]], rows: Sequence[np.ndarray]) -> None:
    """A song as `nano data` writes it."""
    name = f"s1-{number:04d}"
    samples = np.stack([np.rint(row * 32767).astype(np.int16) for row in rows])
    np.save(folder / f"{name}.npy", samples)
    write_json(folder / f"{name}.json", {"song": name, "genre": "Test", "takes": list(takes)})


@pytest.fixture
def write() -> Callable[..., None]:
    return write_song


@pytest.fixture
def songs(tmp_path: Path) -> tuple[TakenSong, ...]:
    """Three songs of 3 s: four stems, and the lead by an oboe, too."""
    takes = [
        listed("vocals", "violin"),
        listed("bass", "bass-guitar", names=["electric bass"]),
        listed("other", "koto", monophonic=False),
        listed("drums", "drum-kit", notes=[[0.0, 0.1, 36]]),
        listed("vocals", "oboe"),
    ]
    for number in range(3):
        rows = [tone(pitch + number, 3.0, 0.1) for pitch in (69, 57, 60, 52, 71)]
        rows[0][: RATE // 2] = 0.0
        write_song(tmp_path, number, takes, rows)
    return read_takes(tmp_path)
