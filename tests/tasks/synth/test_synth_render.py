from __future__ import annotations

import importlib.util

import librosa
import numpy as np
import pytest

from bench.errors import DataError
from tasks.synth.render import FADE_S, RATE, render
from tasks.synth.scores import Note, Part
from tasks.synth.songs import compose
from tasks.synth.sounds import SOUNDS


def test_notes_begin_at_their_sample_and_the_file_fades_out() -> None:
    note = Note(0.5, 5.0, 60, 100)
    clip = render(Part("other", SOUNDS["violin"], (note,)), 3.0)
    assert (clip.rate, clip.channels, clip.length) == (RATE, 2, 3 * RATE)
    first = int(np.flatnonzero(np.abs(clip.samples).sum(axis=1))[0])
    assert RATE // 2 <= first < RATE // 2 + 0.01 * RATE
    assert abs(clip.samples[-1]).max() < 1e-6
    assert clip.window(3 - FADE_S - 0.2, 0.2).rms_db > clip.window(2.8, 0.2).rms_db + 10


def test_a_short_note_ends_and_a_struck_again_key_sounds() -> None:
    clarinet = SOUNDS["clarinet"]
    short = render(Part("other", clarinet, (Note(0.0, 0.2, 60, 100),)), 3.0)
    assert short.window(1.0, 0.5).rms_db < short.window(0.0, 0.2).rms_db - 40
    twice = render(Part("other", clarinet, (Note(0.0, 0.2, 60, 100), Note(0.5, 1.0, 60, 100))), 3.0)
    assert twice.window(0.6, 0.4).rms_db > short.window(0.0, 0.2).rms_db - 6


def test_louder_notes_are_louder() -> None:
    loud, soft = (render(Part("other", SOUNDS["piano"], (Note(0, 1, 60, v),)), 2.0).rms_db for v in (110, 50))
    assert loud > soft + 3


@pytest.mark.parametrize("number", range(3))
def test_source_and_target_play_the_pitches_of_the_score(number: int) -> None:
    song = compose(0, number, edits=4, seconds=12.0)
    for edit in song.edits:
        part = song.score.parts[edit.stem]
        if edit.stem in ("vocals", "bass"):  # other's short notes are over before YIN's frame is filled
            for sound in (part.sound, song.sound_of(edit)):
                assert _in_tune(part.played_by(sound)) > 0.93, sound.name


def _in_tune(part: Part) -> float:
    """Share of frames within 50 cents of the score, by YIN, well inside the notes."""
    rate, hop, margin = 11_025, 110, 0.08
    samples = librosa.resample(render(part, 12.0).mono, orig_sr=RATE, target_sr=rate)
    f0 = librosa.yin(samples, fmin=40, fmax=1000, sr=rate, frame_length=1024, hop_length=hop)
    times = np.arange(len(f0)) * hop / rate
    written = np.zeros(len(f0))
    for note in part.notes:
        if note.end_s < 10.0:
            written[(times >= note.onset_s + margin) & (times < note.end_s - margin)] = note.pitch
    held = written > 0
    assert held.sum() > 50
    cents = 100 * (librosa.hz_to_midi(f0[held]) - written[held])
    return float(np.mean(np.abs(cents) < 50))


def test_the_samples_are_asked_for_when_they_are_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DataError) as raised:
        render(Part("other", SOUNDS["piano"], (Note(0, 1, 60, 90),)), 2.0)
    assert raised.value.code == "synth/no-soundfont"
