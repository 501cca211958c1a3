"""The mix: level, place and 16-bit samples, such that sums are exact.

Each stem is set to a loudness (ITU-R BS.1770, over the excerpt or its first minute), placed in the stereo image and
rounded to 16 bits; only then are stems summed. So the mixture is the sum of its stems to the last bit, and a true edit
differs from the mixture by the edited stem and nothing else. A part with its new sound is set to the loudness of the
part it replaces, and stays in its place: what changes is timbre, not balance.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bench.audio import Clip
from bench.errors import BenchError
from bench.task import StemName
from tasks.generator import Edit
from tasks.synth.render import render
from tasks.synth.scores import Part
from tasks.synth.songs import Song

LOUDNESS_LUFS: Mapping[StemName, float] = {"vocals": -25.5, "drums": -28.0, "bass": -28.0, "other": -28.5}
"""Where each stem is set, give or take the song's balance. Mixes come to about -22 LUFS, which leaves headroom."""

GAIN_STEP_DB = 0.05
"""Gains are rounded to this step, so that the last bit of a loudness sum cannot move a 16-bit sample."""

LOUDNESS_S = 60.0
"""Loudness is measured over no more than this."""

STEM_PEAK = 0.4
"""A stem with a higher peak is turned down: of a few sharp strokes, which alone would be as loud as all the rest."""

PEAK = 0.5
"""A mixture with a higher peak is turned down as a whole, which leaves room for targets with sharper attacks."""

_FULL_SCALE = 32768.0


@dataclass(frozen=True, eq=False)
class Mix:
    """A song's audio: stems, their exact sum, and how loud each stem is (over the excerpt, or its first minute)."""

    mixture: Clip
    stems: Mapping[StemName, Clip]
    loudness_lufs: Mapping[StemName, float]


@dataclass(frozen=True, eq=False)
class TrueEdit:
    """What an edit should give: the stem with its new sound, and the mixture with it in the old one's place."""

    stem: Clip
    mixture: Clip


def mix(song: Song, seconds: float, excerpt_s: float) -> Mix:
    """Render and mix a song.

    Args:
        song: its score and balance.
        seconds: length of the files.
        excerpt_s: length of the excerpt at their start.
    """
    played: dict[StemName, Clip] = {}
    loudness: dict[StemName, float] = {}
    for stem, part in song.score.parts.items():
        placed = _placed(song, part, seconds)
        wanted = LOUDNESS_LUFS[stem] + song.balance.level_db[stem]
        found = _loudness(song, part, placed, excerpt_s)
        gain_db = _in_steps(min(wanted - found, _to_peak(placed, STEM_PEAK)))
        played[stem] = placed.scaled(_factor(gain_db))
        loudness[stem] = found + gain_db
    headroom_db = _in_steps(min(0.0, _to_peak(Clip.sum(list(played.values())), PEAK)))
    # One by one: songs may be long, and each stem would be in memory twice.
    stems = {stem: _quantised(played.pop(stem), headroom_db) for stem in tuple(played)}
    heard = {stem: value + headroom_db for stem, value in loudness.items()}
    return Mix(_summed(list(stems.values()), song.name), stems, heard)


def true_edit(song: Song, source: Mix, edit: Edit, seconds: float, excerpt_s: float) -> TrueEdit:
    """Render the true result of an edit; arguments as for `mix`, whose result for the song is `source`."""
    part = song.score.parts[edit.stem].played_by(song.sound_of(edit))
    placed = _placed(song, part, seconds)
    gain_db = _in_steps(source.loudness_lufs[edit.stem] - _loudness(song, part, placed, excerpt_s))
    stem = _quantised(placed, gain_db)
    background = [clip for name, clip in source.stems.items() if name != edit.stem]
    return TrueEdit(stem, _summed([*background, stem], f"{song.name}/{song.edit_name(edit)}"))


def _placed(song: Song, part: Part, seconds: float) -> Clip:
    """A part rendered and in its place, as loud as the samples are. Constant power: -1 is left, 1 is right."""
    angle = (song.balance.pan[part.stem] + 1) * math.pi / 4
    gains = np.array([math.cos(angle), math.sin(angle)], np.float32) * np.float32(math.sqrt(2))
    dry = render(part, seconds)
    return Clip(dry.samples * gains, dry.rate)


def _loudness(song: Song, part: Part, clip: Clip, excerpt_s: float) -> float:
    loudness = clip.window(0.0, min(excerpt_s, LOUDNESS_S)).loudness_lufs
    if loudness is None:
        raise BenchError(
            f"the {part.sound.name} is silent",
            where=f"synth/{song.name}, stem {part.stem}",
            remedy="This is a fault of timbrebench: please report it with the command that you gave.",
            code="synth/silent",
        )
    return loudness


def _to_peak(clip: Clip, peak: float) -> float:
    """The gain that brings a clip to a peak, in dB."""
    return 20 * math.log10(peak / clip.peak)


def _in_steps(gain_db: float) -> float:
    """Rounded down to a multiple of `GAIN_STEP_DB`."""
    return GAIN_STEP_DB * math.floor(gain_db / GAIN_STEP_DB)


def _factor(gain_db: float) -> float:
    return float(10 ** (gain_db / 20))


def _quantised(clip: Clip, gain_db: float) -> Clip:
    """Scaled, and rounded to multiples of 2⁻¹⁵, the 16-bit samples: sums of those are exact in float32."""
    samples = np.rint(clip.samples * np.float32(_factor(gain_db) * _FULL_SCALE))
    samples /= np.float32(_FULL_SCALE)
    samples += np.float32(0.0)  # no file holds -0.0, and hashes would tell it from 0.0
    return Clip(samples, clip.rate)


def _summed(stems: list[Clip], where: str) -> Clip:
    total = Clip.sum(stems)
    if max(clip.peak for clip in (total, *stems)) >= 1.0:
        raise BenchError(
            f"a mix would clip (peak {total.peak:.2f})",
            where=f"synth/{where}",
            remedy="This is a fault of timbrebench: please report it with the command that you gave.",
            code="synth/clipped",
        )
    return total
