"""Known answers from outside: mir_eval's own fixtures, tones for PESTO, drum hits that people annotated."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from bench.audio import Clip
from bench.metrics.onset import RATE as ONSET_RATE
from bench.metrics.onset import onset_scores, onsets
from bench.metrics.pitch import RATE as PITCH_RATE
from bench.metrics.pitch import pitch

MIR_EVAL = json.loads((Path(__file__).parent / "mir_eval_onsets.json").read_text())


@pytest.mark.parametrize("name", ["00", "02", "07"])
def test_mir_evals_own_fixtures(name: str) -> None:
    fixture = {key: np.array(values) for key, values in MIR_EVAL[name].items()}
    scores = onset_scores(fixture["reference"], fixture["estimated"])
    assert scores == pytest.approx(fixture["f1_precision_recall"].tolist(), abs=1e-9)


@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000])
def test_pesto_hears_tones_within_a_tenth_of_a_semitone(rate: int) -> None:
    """MIDI 50 to 79, five partials, half a second each; ten frames are dropped at each end of a tone."""
    midi, length = np.arange(50, 80), rate // 2
    cycles = 440 * 2 ** ((midi[:, None] - 69) / 12) * np.arange(length) / rate
    tones = sum(np.sin(2 * np.pi * partial * cycles) / partial for partial in range(1, 6))
    heard = pitch(Clip.of(0.1 * tones.reshape(-1), rate).resample(PITCH_RATE))
    frames = heard.cents[: 50 * len(midi)].reshape(len(midi), 50)[:, 10:-10]
    assert np.abs(frames / 100 - midi[:, None]).max() < 0.1
    assert heard.voiced[: 50 * len(midi)].reshape(len(midi), 50)[:, 10:-10].mean() > 0.95


@pytest.mark.parametrize(("song", "least"), [("Reggae", 0.90), ("Rock", 0.95)])
def test_the_detector_finds_annotated_drum_hits(song: str, least: float, shared_data: Path) -> None:
    """MDB Drums' annotations of the drum stems; hits of several drums within 30 ms are one onset."""
    root = shared_data / "medleydb"
    annotated = root / "Annotations" / "drum_onsets" / f"MusicDelta_{song}_class.txt"
    hits = sorted(float(line.split()[0]) for line in annotated.read_text().splitlines() if line.strip())
    together = hits[:1]
    for hit in hits:
        if hit - together[-1] >= 0.03:
            together.append(hit)
    stem = f"MusicDelta_{song}_STEMS/MusicDelta_{song}_STEM_01.wav"
    drums = Clip.read(root / "Audio" / f"MusicDelta_{song}" / stem)
    found = onsets(drums.to_mono().resample(ONSET_RATE).mono)
    scores = onset_scores(np.array(together), found)
    assert scores[0] > least
    assert scores[1] > 0.95, "what it finds is a hit"
