"""The sounds are what the table says: in tune, audible, even, and plausible as the instruments they stand for."""

from __future__ import annotations

from collections.abc import Iterable

import librosa
import numpy as np
import pytest

from tasks import instruments
from tasks.synth.drums import KEYS
from tasks.synth.layouts import MEDLEYDB_NAMES
from tasks.synth.render import RATE, render
from tasks.synth.scores import Note, Part
from tasks.synth.sounds import SOUNDS, Sound, akin

PITCHED = [sound for sound in SOUNDS.values() if "drums" not in sound.roles]
KITS = [sound for sound in SOUNDS.values() if "drums" in sound.roles]


def _struck(sound: Sound, pitch: int) -> np.ndarray:
    """One note, 0.6 s long, as mono samples. Alone: some instruments ring on into the next."""
    return render(Part("other", sound, (Note(0.0, 0.6, pitch, 90),)), 1.6).mono


def _check(sound: Sound, pitches: Iterable[int]) -> None:
    levels = []
    for pitch in pitches:
        samples = _struck(sound, pitch)
        levels.append(10 * np.log10(np.mean(np.square(samples[: round(0.2 * RATE)], dtype=np.float64)) + 1e-12))
        periodic, cents = _periodicity(samples[round(0.1 * RATE) : round(0.5 * RATE)], float(librosa.midi_to_hz(pitch)))
        assert periodic > 0.5, pitch
        assert abs(cents) < 20, pitch
    assert min(levels) > -60
    assert np.abs(np.array(levels) - np.median(levels)).max() < 12


def _periodicity(samples: np.ndarray, f0: float) -> tuple[float, float]:
    """How well samples repeat after some periods of a frequency (1 is perfectly), and by how many cents it is missed.

    The autocorrelation's peak near the lag of as many periods as fit into 8 ms, at least one: the more, the finer; but
    over a long time vibrato blurs it.
    """
    periods = max(1, int(0.008 * f0))
    lag = periods * RATE / f0
    around = np.arange(int(lag * 0.975), int(lag * 1.025) + 2)
    centred = samples - samples.mean()
    values = np.array([_correlation(centred, int(each)) for each in around])
    top = int(np.clip(np.argmax(values), 1, len(values) - 2))
    before, peak, after = values[top - 1 : top + 2]
    found = around[top] + 0.5 * (before - after) / (before - 2 * peak + after)
    return float(peak), float(1200 * np.log2(lag / found))


def _correlation(samples: np.ndarray, lag: int) -> float:
    early, late = samples[:-lag], samples[lag:]
    return float(np.dot(early, late) / np.sqrt(np.dot(early, early) * np.dot(late, late)))


@pytest.mark.parametrize("sound", PITCHED, ids=lambda sound: sound.name)
def test_a_sound_is_in_tune_and_even_over_its_range(sound: Sound) -> None:
    _check(sound, (sound.low, sound.high))


@pytest.mark.slow
@pytest.mark.parametrize("sound", PITCHED, ids=lambda sound: sound.name)
def test_every_third_note_of_a_sound_is_in_tune_and_even(sound: Sound) -> None:
    _check(sound, range(sound.low, sound.high + 1, 3))


@pytest.mark.parametrize("sound", KITS, ids=lambda sound: sound.name)
def test_every_kit_has_all_drums(sound: Sound) -> None:
    assert min(np.abs(_struck(sound, key)).max() for key in KEYS.values()) > 0.003


def test_sounds_stand_for_instruments_and_stay_within_their_ranges() -> None:
    for sound in SOUNDS.values():
        instrument = instruments.get(sound.instrument)
        assert instrument.low <= sound.low < sound.high <= instrument.high, sound.name
        assert instrument.polyphonic or not sound.polyphonic or instrument.single_line is not True, sound.name
        for phrase in sound.phrases:
            found = instruments.find_in(phrase)
            assert found is None or found.stem == instrument.stem, phrase
    assert len({(sound.bank, sound.program) for sound in SOUNDS.values()}) == len(SOUNDS)


def test_there_is_a_choice_for_every_role() -> None:
    counts = {
        role: sum(role in sound.roles for sound in SOUNDS.values()) for role in ("voice", "lead", "chords", "bass")
    }
    assert counts["voice"] == 3
    assert counts["lead"] > 30
    assert counts["chords"] > 25
    assert counts["bass"] > 7
    assert len(KITS) == 4


def test_what_stands_for_one_instrument_is_akin() -> None:
    assert akin(SOUNDS["violin"]) == {"violin", "fiddle"}
    assert "electronic-drums" in akin(SOUNDS["drum-machine"])


def test_medleydb_names_lead_back_to_the_stem() -> None:
    for name, medleydb in MEDLEYDB_NAMES.items():
        found = instruments.find(medleydb)
        assert found is not None, medleydb
        assert found.stem in (instruments.get(name).stem, "other"), medleydb
