"""The mix: level, place and 16-bit samples, such that sums are exact.

Each stem is set to a loudness (ITU-R BS.1770, over the excerpt), placed in the stereo image and rounded to 16 bits;
only then are stems summed. So the mixture is the sum of its stems to the last bit, and a true edit differs from the
mixture by the edited stem and nothing else. A part in its new instrument is set to the loudness of the part it
replaces, and stays in its place: what changes is timbre, not balance.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bench.audio import Clip
from bench.errors import BenchError
from bench.task import StemName
from tasks.synth.render import render
from tasks.synth.scores import Part
from tasks.synth.songs import Edit, Song

LOUDNESS_LUFS: Mapping[StemName, float] = {"vocals": -23.5, "drums": -26.0, "bass": -26.0, "other": -26.5}
"""Where each stem is set. The mixes come to about -19.7 LUFS, which leaves headroom for targets that are struck."""

PAN: Mapping[StemName, float] = {"vocals": 0.0, "drums": 0.0, "bass": 0.0, "other": 0.3}
"""-1 is left, 1 is right; constant power. Drum kits are spread within their samples."""

GAIN_STEP_DB = 0.05
"""Gains are rounded to this step, so that the last bit of a loudness sum cannot move a 16-bit sample."""

PEAK = 0.66
"""A mixture with a higher peak is turned down as a whole, which leaves room for targets with sharper attacks."""

_FULL_SCALE = 32768.0


@dataclass(frozen=True, eq=False)
class Mix:
    """A song's audio: stems, their exact sum, and the gain by which all were turned down for headroom (≤ 0 dB)."""

    mixture: Clip
    stems: Mapping[StemName, Clip]
    headroom_db: float


@dataclass(frozen=True, eq=False)
class TrueEdit:
    """What an edit should give: the stem on its new instrument, and the mixture with it in the old one's place."""

    stem: Clip
    mixture: Clip


def mix(song: Song, seconds: float, excerpt_s: float) -> Mix:
    """Render and mix a song.

    Args:
        song: its score.
        seconds: length of the files.
        excerpt_s: length of the excerpt at their start, over which loudness is measured.
    """
    played = {stem: _levelled(part, seconds, excerpt_s) for stem, part in song.score.parts.items()}
    headroom_db = min(0.0, _in_steps(20 * math.log10(PEAK / Clip.sum(list(played.values())).peak)))
    stems = {stem: _quantised(clip, headroom_db) for stem, clip in played.items()}
    return Mix(_summed(list(stems.values()), song.slug), stems, headroom_db)


def true_edit(song: Song, source: Mix, edit: Edit, seconds: float, excerpt_s: float) -> TrueEdit:
    """Render the true result of an edit; arguments as for `mix`, whose result for the song is `source`."""
    part = song.score.parts[edit.stem].played_by(edit.target)
    stem = _quantised(_levelled(part, seconds, excerpt_s), source.headroom_db)
    background = [clip for name, clip in source.stems.items() if name != edit.stem]
    return TrueEdit(stem, _summed([*background, stem], f"{song.slug}/{song.edit_name(edit)}"))


def _levelled(part: Part, seconds: float, excerpt_s: float) -> Clip:
    """A part rendered, in its place and at its loudness."""
    placed = _panned(render(part, seconds), PAN[part.stem])
    loudness = placed.window(0.0, excerpt_s).loudness_lufs
    if loudness is None:
        raise BenchError(
            f"the {part.instrument.name} is silent",
            where=f"stem {part.stem}",
            remedy="This is a fault of timbrebench: please report it with the command that you gave.",
            code="synth/silent",
        )
    return placed.scaled(_factor(_in_steps(LOUDNESS_LUFS[part.stem] - loudness)))


def _in_steps(gain_db: float) -> float:
    """Rounded down to a multiple of `GAIN_STEP_DB`."""
    return GAIN_STEP_DB * math.floor(gain_db / GAIN_STEP_DB)


def _factor(gain_db: float) -> float:
    return float(10 ** (gain_db / 20))


def _panned(clip: Clip, pan: float) -> Clip:
    angle = (pan + 1) * math.pi / 4
    gains = np.array([math.cos(angle), math.sin(angle)], np.float32) * np.float32(math.sqrt(2))
    return Clip(clip.samples * gains, clip.rate)


def _quantised(clip: Clip, gain_db: float) -> Clip:
    """Scaled, and rounded to multiples of 2⁻¹⁵, the 16-bit samples: sums of those are exact in float32."""
    scale = np.float32(_factor(gain_db) * _FULL_SCALE)
    return Clip(np.rint(clip.samples * scale) / np.float32(_FULL_SCALE), clip.rate)


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
