"""From a score to sound: TinySoundFont plays General MIDI samples.

The samples are TimGM6mb.sf2 (GPL-2.0), found in the installed `pretty_midi` package, which carries it; timbrebench
ships no samples. Every part is rendered alone by a fresh synthesiser, dry, and the same score gives the same samples
on one machine: nothing in the chain is random, threaded or timed.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from bench.audio import Clip
from bench.errors import DataError
from tasks.synth.scores import Part
from tasks.synth.sounds import DRUM_BANK

if TYPE_CHECKING:
    import tinysoundfont

RATE = 44_100
FADE_S = 1.0
"""At the end of each render, beyond the excerpt: the file ends as a record does, not with a click."""

_SOUNDFONT = "TimGM6mb.sf2"
_CHANNEL = 0


def soundfont() -> Path:
    """Where the samples are.

    Raises:
        DataError: if they are not there.
    """
    # find_spec does not import the package: pretty_midi takes half a second for what is here only a file name.
    spec = importlib.util.find_spec("pretty_midi")
    folders = [] if spec is None else spec.submodule_search_locations or []
    for folder in folders:
        path = Path(folder) / _SOUNDFONT
        if path.is_file():
            return path
    raise DataError(
        f"the sampled instruments ({_SOUNDFONT}) are not installed",
        where="package pretty_midi",
        remedy="Install it again: `uv sync --reinstall-package pretty-midi`.",
        code="synth/no-soundfont",
    )


def render(part: Part, seconds: float) -> Clip:
    """A part as its instrument plays it: stereo at 44.1 kHz, as loud as the samples are, faded out at the end.

    Notes begin and end at the exact sample.

    Args:
        part: what to play.
        seconds: length of the clip, at least `FADE_S`.

    Raises:
        DataError: if the samples are not installed, or lack the instrument.
    """
    import tinysoundfont

    path = soundfont()
    sound = part.sound
    synth = tinysoundfont.Synth(samplerate=RATE)
    font = synth.sfload(str(path))
    if synth.sfpreset_name(font, sound.bank, sound.program) is None:
        raise DataError(
            f"the sound font has no preset {sound.program} in bank {sound.bank} ({sound.name})",
            where=str(path),
            remedy="Install pretty_midi's own TimGM6mb.sf2 again.",
            code="synth/no-preset",
        )
    synth.program_select(_CHANNEL, font, sound.bank, sound.program, sound.bank == DRUM_BANK)

    samples = np.empty((round(seconds * RATE), 2), np.float32)
    now = 0
    for sample, is_on, pitch, velocity in _events(part):
        if sample >= len(samples):
            break
        if sample > now:
            samples[now:sample] = _advance(synth, sample - now)
            now = sample
        if is_on:
            synth.noteon(_CHANNEL, pitch + sound.raised, velocity)
        else:
            synth.noteoff(_CHANNEL, pitch + sound.raised)
    samples[now:] = _advance(synth, len(samples) - now)
    fade = round(FADE_S * RATE)
    samples[-fade:] *= np.cos(np.linspace(0, np.pi / 2, fade, dtype=np.float32))[:, None]
    return Clip.of(samples, RATE)


def _events(part: Part) -> list[tuple[int, bool, int, int]]:
    """(sample, is note on, pitch, velocity) in time order; at one sample, keys are let go before others are struck."""
    ons = [(round(note.onset_s * RATE), True, note.pitch, note.velocity) for note in part.notes]
    offs = [(round(note.end_s * RATE), False, note.pitch, 0) for note in part.notes]
    return sorted(ons + offs)


def _advance(synth: tinysoundfont.Synth, samples: int) -> npt.NDArray[np.float32]:
    """The next samples, shape (samples, 2)."""
    return np.frombuffer(synth.generate_simple(samples), np.float32).reshape(-1, 2)
