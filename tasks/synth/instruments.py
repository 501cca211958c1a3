"""The instruments: General MIDI programs with names, prompt phrases, ranges and what they may stand in for.

Ranges are those of the real instruments (sounding pitch, MIDI numbers, 60 = C4), not what a sampler could be made
to play: a target is plausible only if a musician could pick up the instrument and play the part as written.

Left out are programs of TimGM6mb that would make the ground truth false. Pitch more than about 20 cents off: accordion,
harmonica, celesta. No single pitch: choirs, choruses and string sections. An octave away, or read there by pitch
trackers: organs with a 16' stop, acoustic bass (the bowed contrabass is sound). Mute, or with a mute note: whistle,
alto saxophone (E4). Kits: "Jazz" holds the samples of the standard kit; the toms of "Brush" and "Power" are too loud
for the rest (in "Brush", by 28 dB against the snare).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from bench.task import StemName

Role = Literal["voice", "lead", "chords", "bass", "drums"]

DRUM_BANK = 128
"""The bank in which General MIDI sound fonts keep their drum kits."""

EDIT_ROLE: dict[StemName, Role] = {"vocals": "lead", "other": "chords", "bass": "bass", "drums": "drums"}
"""What a target has to be able to do to take over a stem."""


@dataclass(frozen=True)
class Instrument:
    """One instrument.

    Attributes:
        name: what task ids call it, `electric-piano`.
        program: General MIDI program, 0-127; of the drum bank for kits.
        roles: the parts it may take.
        low, high: lowest and highest sounding pitch, MIDI numbers, both included.
        phrases: how prompts may name it, with article or adjective, in the manner of PolyEvalPrompts.
        label: its name in MedleyDB's taxonomy (the nearest, where that has none).
        polyphonic: whether it can play chords.
    """

    name: str
    program: int
    roles: frozenset[Role]
    low: int
    high: int
    phrases: tuple[str, ...]
    label: str
    polyphonic: bool = False

    @property
    def bank(self) -> int:
        """The sound font's bank."""
        return DRUM_BANK if "drums" in self.roles else 0

    def covers(self, low: int, high: int) -> bool:
        """Whether all pitches from `low` to `high` are in its range."""
        return self.low <= low and high <= self.high


def _voice(name: str, program: int, *phrases: str) -> Instrument:
    return Instrument(name, program, frozenset({"voice"}), 53, 79, phrases, "vocalists")


def _lead(name: str, program: int, low: int, high: int, label: str, *phrases: str) -> Instrument:
    return Instrument(name, program, frozenset({"lead"}), low, high, phrases, label)


def _chords(name: str, program: int, low: int, high: int, label: str, *phrases: str) -> Instrument:
    return Instrument(name, program, frozenset({"chords"}), low, high, phrases, label, polyphonic=True)


def _either(name: str, program: int, low: int, high: int, label: str, *phrases: str) -> Instrument:
    return Instrument(name, program, frozenset({"lead", "chords"}), low, high, phrases, label, polyphonic=True)


def _bass(name: str, program: int, low: int, high: int, label: str, *phrases: str) -> Instrument:
    return Instrument(name, program, frozenset({"bass"}), low, high, phrases, label)


def _kit(name: str, program: int, label: str, *phrases: str) -> Instrument:
    return Instrument(name, program, frozenset({"drums"}), 35, 81, phrases, label, polyphonic=True)


_ALL = (
    _voice("gentle-voice", 53, "gentle wordless vocals", "a mellow wordless voice"),
    _voice("clear-voice", 85, "a clear wordless voice", "a bright wordless voice"),
    _lead("violin", 40, 55, 100, "violin", "a smooth violin", "an expressive violin"),
    _lead("viola", 41, 48, 84, "viola", "a mellow viola", "a dark viola"),
    _lead("cello", 42, 36, 76, "cello", "a warm cello", "a deep cello"),
    _lead("trumpet", 56, 54, 84, "trumpet", "a bold trumpet", "a bright trumpet"),
    _lead("muted-trumpet", 59, 54, 84, "trumpet", "a muted trumpet", "a soft muted trumpet"),
    _lead("trombone", 57, 40, 72, "trombone", "a rich trombone", "a round trombone"),
    _lead("french-horn", 60, 41, 77, "french horn", "a noble french horn", "a mellow french horn"),
    _lead("soprano-saxophone", 64, 56, 88, "soprano saxophone", "a bright soprano saxophone"),
    _lead("tenor-saxophone", 66, 44, 76, "tenor saxophone", "a husky tenor saxophone", "a warm tenor saxophone"),
    _lead("oboe", 68, 58, 91, "oboe", "a reedy oboe", "a plaintive oboe"),
    _lead("english-horn", 69, 52, 81, "english horn", "a mournful english horn"),
    _lead("bassoon", 70, 34, 74, "bassoon", "a woody bassoon"),
    _lead("clarinet", 71, 50, 91, "clarinet", "a woody clarinet", "a mellow clarinet"),
    _lead("flute", 73, 60, 96, "flute", "a bright flute", "an airy flute"),
    _lead("pan-flute", 75, 58, 90, "panpipes", "a breathy pan flute"),
    _either("vibraphone", 11, 53, 89, "vibraphone", "a shimmering vibraphone", "a cool vibraphone"),
    _either("marimba", 12, 45, 96, "marimba", "a wooden marimba"),
    _either("harp", 46, 24, 103, "harp", "a delicate harp", "a gentle harp"),
    _either("piano", 0, 21, 108, "piano", "a bright piano", "a grand piano"),
    _either("electric-guitar", 27, 40, 86, "clean electric guitar", "a clean electric guitar"),
    _either("banjo", 105, 48, 86, "banjo", "a twangy banjo"),
    _chords("electric-piano", 4, 28, 103, "electric piano", "a warm electric piano", "a mellow electric piano"),
    _chords("harpsichord", 6, 29, 89, "harpsichord", "a crisp harpsichord"),
    _chords("clavinet", 7, 29, 89, "electric piano", "a funky clavinet", "a percussive clavinet"),
    _chords("nylon-guitar", 24, 40, 83, "acoustic guitar", "a nylon-string guitar", "a soft classical guitar"),
    _chords("steel-guitar", 25, 40, 83, "acoustic guitar", "a steel-string guitar", "a bright acoustic guitar"),
    _bass("bass-guitar", 33, 28, 67, "electric bass", "a deep bass guitar", "a round bass guitar"),
    _bass("picked-bass", 34, 28, 67, "electric bass", "a picked bass guitar"),
    _bass("fretless-bass", 35, 28, 67, "electric bass", "a singing fretless bass"),
    _bass("slap-bass", 36, 28, 67, "electric bass", "a snappy slap bass"),
    _bass("synth-bass", 38, 24, 72, "synthesizer", "a fat synth bass", "an analog synth bass"),
    _bass("double-bass", 43, 28, 67, "double bass", "a bowed double bass", "a sonorous bowed double bass"),
    _bass("tuba", 58, 26, 65, "tuba", "a round tuba"),
    _kit("drum-kit", 0, "drum set", "a steady drum kit", "a punchy drum kit"),
    _kit("roomy-drums", 8, "drum set", "a roomy drum kit"),
    _kit("electronic-drums", 24, "drum machine", "electronic drums"),
    _kit("drum-machine", 25, "drum machine", "a vintage drum machine"),
)

INSTRUMENTS: dict[str, Instrument] = {instrument.name: instrument for instrument in _ALL}


def plausible_targets(
    stem: StemName, low: int, high: int, *, polyphonic: bool, exclude: Iterable[str]
) -> tuple[Instrument, ...]:
    """The instruments that could take over a part as it is written: fit for the stem, and with the range for it.

    Args:
        stem: the stem the part belongs to.
        low: the part's lowest pitch, a MIDI number. Kits have no pitch, and any kit covers any drum part.
        high: its highest.
        polyphonic: whether the part has chords, which a wind instrument cannot play.
        exclude: names of instruments already heard in the song, which would make the prompt ambiguous.
    """
    role = EDIT_ROLE[stem]
    barred = set(exclude)
    return tuple(
        instrument
        for instrument in _ALL
        if role in instrument.roles
        and instrument.covers(low, high)
        and instrument.name not in barred
        and (instrument.polyphonic or not polyphonic)
    )
