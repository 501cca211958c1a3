"""A small tree in MedleyDB's layout, made for each test that damages it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml

from bench.audio import Clip

MakeTrack = Callable[..., Path]


@pytest.fixture
def make_track(tmp_path: Path) -> MakeTrack:
    """`make_track("T", ("male singer", "melody"), …)` writes a track of two seconds; returns its metadata's path."""

    def make(track: str, *stems: tuple[str, str], seconds: float = 2.0) -> Path:
        folder = tmp_path / "Audio" / track
        rng = np.random.default_rng(0)
        entries, clips = {}, []
        for number, (instrument, component) in enumerate(stems, start=1):
            name = f"{track}_STEM_{number:02d}.wav"
            integers = rng.integers(-2000, 2000, (round(seconds * 8000), 2))
            clips.append(Clip.of(integers / 2**15, 8000))
            clips[-1].write_wav(folder / f"{track}_STEMS" / name)
            entries[f"S{number:02d}"] = {"filename": name, "instrument": instrument, "component": component, "raw": {}}
        Clip.sum(clips).write_wav(folder / f"{track}_MIX.wav")
        metadata = folder / f"{track}_METADATA.yaml"
        names = {"mix_filename": f"{track}_MIX.wav", "stem_dir": f"{track}_STEMS"}
        metadata.write_text(yaml.safe_dump({"artist": "Nobody", "genre": "Rock", **names, "stems": entries}))
        return metadata

    return make
