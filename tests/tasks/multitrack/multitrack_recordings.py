"""Small recordings for tests: noise on a 16-bit grid, so that sums of files are exact."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bench.audio import Clip

RATE = 8_000


def noise(seed: int = 0, *, seconds: float = 0.5, rate: int = RATE, channels: int = 1) -> Clip:
    """White noise, about 20 dB below full scale."""
    integers = np.random.default_rng(seed).integers(-3000, 3000, (round(seconds * rate), channels))
    return Clip.of(integers / 2**15, rate)


def write(path: Path, clip: Clip | None = None) -> Path:
    """Write a clip in the format that the path's ending names; default: noise that depends on its name."""
    found = clip if clip is not None else noise(sum(path.name.encode(errors="replace")))
    path.parent.mkdir(parents=True, exist_ok=True)
    containers = {".flac": "FLAC", ".wav": "WAV"}
    if path.suffix in containers:
        path.write_bytes(found.encode(container=containers[path.suffix], subtype="PCM_16"))  # type: ignore[arg-type]
    else:
        import soundfile

        soundfile.write(path, found.samples, found.rate)
    return path
