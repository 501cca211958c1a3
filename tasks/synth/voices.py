"""The pitched sounds as labelled instruments: what each is, its name in NSynth's manner, and the split that it is in.

A sound is in one split, always the same, whatever the seed. Of each family (`tasks.instruments`) with three sounds or
more, a fifth, at least one, is valid and as many are test; a family of two is in train and test; a lone sound is in
train. The sounds of a family are ranked by the hash of their names. So no two splits share an instrument; and, as every
one of NSynth's families has three sounds, all splits have all eleven families, unlike NSynth's.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from bench.identity import digest
from tasks import instruments
from tasks.instruments import Instrument
from tasks.nsynth import FAMILIES, Origin
from tasks.synth.sounds import SOUNDS, Sound

# General MIDI programs, from 0, whose sound is made by a synthesiser, or by an instrument that needs a plug.
_SYNTHETIC = frozenset({38, 39, 50, 51, 54, 62, 63, *range(80, 104)})
_ELECTRONIC = frozenset({2, 4, 5, 7, 16, 17, 18, *range(26, 32), *range(33, 38)})


@dataclass(frozen=True)
class Voice:
    """A pitched sound with its labels.

    Attributes:
        sound: what plays.
        instrument: what that is in `tasks.instruments`.
        split: where it belongs.
        origin: NSynth's `instrument_source`.
        label: its name as an instrument of NSynth, `flute_acoustic_000`; None if it is in none of NSynth's families.
    """

    sound: Sound
    instrument: Instrument
    split: str
    origin: Origin
    label: str | None

    @property
    def melodic(self) -> bool:
        """Whether it may be heard alone, with a tune or a bass line; pads and sections accompany."""
        return bool(self.sound.roles & {"voice", "lead", "bass"})


@cache
def voices() -> tuple[Voice, ...]:
    """All pitched sounds, in the table's order."""
    pitched = [(sound, instruments.get(sound.instrument)) for sound in SOUNDS.values() if "drums" not in sound.roles]
    families: dict[str, list[str]] = defaultdict(list)
    for sound, instrument in pitched:
        families[instrument.family].append(sound.name)
    splits = {name: split for names in families.values() for name, split in _split(names).items()}
    numbers: Counter[tuple[str, str]] = Counter()
    found = []
    for sound, instrument in pitched:
        kind = (instrument.family, _origin(sound))
        label = f"{kind[0]}_{kind[1]}_{numbers[kind]:03d}" if instrument.family in FAMILIES else None
        numbers[kind] += 1
        found.append(Voice(sound, instrument, splits[sound.name], kind[1], label))
    return tuple(found)


def _origin(sound: Sound) -> Origin:
    if sound.program in _SYNTHETIC:
        return "synthetic"
    return "electronic" if sound.program in _ELECTRONIC else "acoustic"


def _split(names: Sequence[str]) -> dict[str, str]:
    """The split of each sound of a family, by the rule at the top of this file."""
    ranked = sorted(names, key=lambda name: digest(["synth-notes", name]))
    held_out = max(1, len(names) // 5) if len(names) >= 3 else 0
    tests = held_out or len(names) - 1
    return {
        name: "test" if rank < tests else "valid" if rank < tests + held_out else "train"
        for rank, name in enumerate(ranked)
    }
