"""The sounds: General MIDI programs with the instrument that each stands for, and the range in which it is true.

Ranges are those of the real instruments (sounding pitch, MIDI numbers, 60 = C4), not what a sampler could be made
to play: a target is plausible only if a musician could pick up the instrument and play the part as written. They are
narrower where the samples are: within them every note sounds, within 20 cents of its pitch (by autocorrelation), and
about as loud as its neighbours.

Left out are programs of TimGM6mb that would make the ground truth false. Pitch more than about 20 cents off: accordion,
harmonica, bandoneon, celesta, shakuhachi, honky-tonk, and bells whose partials are not harmonic. No single pitch:
choirs, and string sections as a lead. Read an octave high by pitch trackers, as many a real one is: acoustic bass below
E flat 2. Mute, or with a mute note: whistle, alto saxophone (E4). Levels that jump by 13 dB or more: bagpipe, piccolo.
Peaks so sharp that a mix could clip: shamisen. Kits: "Jazz" and "Orchestra" hold the samples of the standard kit; the
toms of "Brush" and "Power" are too loud for the rest (in "Brush", by 28 dB against the snare).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from tasks.instruments import UNPITCHED, Role

DRUM_BANK = 128
"""The bank in which General MIDI sound fonts keep their drum kits."""


@dataclass(frozen=True)
class Sound:
    """One sound of the sampler. It is `tasks.generator.Playable`.

    Attributes:
        name: what task ids call it, `jazz-guitar`.
        instrument: the instrument it stands for, a name in `tasks.instruments`.
        program: General MIDI program, 0-127; of the drum bank for kits.
        roles: the parts it may take.
        low, high: lowest and highest sounding pitch, MIDI numbers, both included.
        phrases: how prompts may name it, with article or adjective, in the manner of PolyEvalPrompts.
        polyphonic: whether it can play chords.
        raised: how many semitones above the sounding pitch its keys lie. The samples of the organs have a 16' stop: an
            octave higher, the lowest tone that sounds is the written one, as with an 8' registration.
    """

    name: str
    instrument: str
    program: int
    roles: frozenset[Role]
    low: int
    high: int
    phrases: tuple[str, ...]
    polyphonic: bool = False
    raised: int = 0

    @property
    def bank(self) -> int:
        """The sound font's bank."""
        return DRUM_BANK if "drums" in self.roles else 0

    def covers(self, low: int, high: int) -> bool:
        """Whether all pitches from `low` to `high` are in its range."""
        return self.low <= low and high <= self.high


def _voice(name: str, program: int, *phrases: str) -> Sound:
    return Sound(name, "vocals", program, frozenset({"voice"}), 53, 79, phrases)


def _lead(name: str, instrument: str, program: int, low: int, high: int, *phrases: str) -> Sound:
    return Sound(name, instrument, program, frozenset({"lead"}), low, high, phrases)


def _either(name: str, instrument: str, program: int, low: int, high: int, *phrases: str) -> Sound:
    return Sound(name, instrument, program, frozenset({"lead", "chords"}), low, high, phrases, polyphonic=True)


def _chords(name: str, instrument: str, program: int, low: int, high: int, *phrases: str) -> Sound:
    return Sound(name, instrument, program, frozenset({"chords"}), low, high, phrases, polyphonic=True)


def _organ(name: str, instrument: str, program: int, low: int, high: int, *phrases: str) -> Sound:
    return Sound(name, instrument, program, frozenset({"lead", "chords"}), low, high, phrases, True, raised=12)


def _bass(name: str, instrument: str, program: int, low: int, high: int, *phrases: str) -> Sound:
    return Sound(name, instrument, program, frozenset({"bass"}), low, high, phrases)


def _kit(name: str, instrument: str, program: int, *phrases: str) -> Sound:
    return Sound(name, instrument, program, frozenset({"drums"}), *UNPITCHED, phrases, polyphonic=True)


_ALL = (
    _voice("gentle-voice", 53, "gentle wordless vocals", "a mellow wordless voice"),
    _voice("clear-voice", 85, "a clear wordless voice", "bright wordless vocals"),
    _voice("synth-voice", 54, "a smooth synthetic voice", "airy synthetic vocals"),
    # strings
    _lead("violin", "violin", 40, 55, 100, "a smooth violin", "an expressive violin"),
    _lead("fiddle", "violin", 110, 55, 96, "a folk fiddle", "a rustic fiddle"),
    _lead("viola", "viola", 41, 48, 84, "a mellow viola", "a dark viola"),
    _lead("cello", "cello", 42, 36, 76, "a warm cello", "a deep cello"),
    _chords("strings", "strings", 48, 43, 91, "lush strings", "a soaring string section"),
    _either("pizzicato", "pizzicato-strings", 45, 43, 84, "light pizzicato strings", "crisp pizzicato strings"),
    # winds
    _lead("trumpet", "trumpet", 56, 54, 84, "a bold trumpet", "a bright trumpet"),
    _lead("muted-trumpet", "muted-trumpet", 59, 54, 84, "a muted trumpet", "a soft muted trumpet"),
    _lead("trombone", "trombone", 57, 40, 72, "a rich trombone", "a round trombone"),
    _lead("french-horn", "french-horn", 60, 41, 77, "a noble french horn", "a mellow french horn"),
    _lead("soprano-saxophone", "soprano-saxophone", 64, 56, 88, "a bright soprano saxophone"),
    _lead("tenor-saxophone", "tenor-saxophone", 66, 44, 76, "a husky tenor saxophone", "a warm tenor saxophone"),
    _lead("baritone-saxophone", "baritone-saxophone", 67, 42, 69, "a gruff baritone saxophone"),
    _lead("oboe", "oboe", 68, 58, 87, "a reedy oboe", "a plaintive oboe"),
    _lead("english-horn", "english-horn", 69, 52, 81, "a mournful english horn", "a haunting english horn"),
    _lead("bassoon", "bassoon", 70, 34, 72, "a woody bassoon", "a dark bassoon"),
    _lead("clarinet", "clarinet", 71, 50, 91, "a woody clarinet", "a mellow clarinet"),
    _lead("flute", "flute", 73, 60, 96, "a bright flute", "an airy flute"),
    _lead("recorder", "recorder", 74, 65, 91, "a sweet recorder", "a simple recorder"),
    _lead("pan-flute", "panpipes", 75, 58, 90, "a breathy pan flute", "airy panpipes"),
    _lead("ocarina", "ocarina", 79, 69, 89, "a sweet ocarina", "a round ocarina"),
    _either("brass-section", "brass", 61, 43, 81, "a bold brass section", "bright brass"),
    # struck and plucked
    _either("vibraphone", "vibraphone", 11, 53, 89, "a shimmering vibraphone", "a cool vibraphone"),
    _either("marimba", "marimba", 12, 45, 96, "a wooden marimba", "a warm marimba"),
    _either("xylophone", "xylophone", 13, 65, 88, "a bright xylophone", "a brittle xylophone"),
    _either("music-box", "music-box", 10, 60, 96, "a tinkling music box", "a delicate music box"),
    _either("kalimba", "kalimba", 108, 60, 88, "a soft kalimba", "a sparkling kalimba"),
    _either("steel-drums", "steel-drums", 114, 60, 84, "sunny steel drums", "a bright steelpan"),
    _either("dulcimer", "dulcimer", 15, 60, 86, "a jangling hammered dulcimer", "a bright dulcimer"),
    _either("harp", "harp", 46, 24, 103, "a delicate harp", "a gentle harp"),
    _either("banjo", "banjo", 105, 48, 86, "a twangy banjo", "a bright banjo"),
    _either("koto", "koto", 107, 48, 84, "a delicate koto", "a crisp koto"),
    _lead("sitar", "sitar", 104, 48, 77, "a resonant sitar", "a ringing sitar"),
    _either("nylon-guitar", "nylon-guitar", 24, 40, 83, "a nylon-string guitar", "a soft classical guitar"),
    _either("steel-guitar", "acoustic-guitar", 25, 40, 83, "a steel-string guitar", "a bright acoustic guitar"),
    _either("electric-guitar", "electric-guitar", 27, 40, 86, "a clean electric guitar", "a bright electric guitar"),
    _either("jazz-guitar", "electric-guitar", 26, 40, 86, "a mellow jazz guitar", "a warm jazz guitar"),
    _either("overdriven-guitar", "distorted-guitar", 29, 40, 86, "an overdriven guitar", "a gritty electric guitar"),
    _either("distorted-guitar", "distorted-guitar", 30, 40, 86, "a distorted electric guitar", "a heavy guitar"),
    # keys
    _either("piano", "piano", 0, 21, 108, "a bright piano", "a grand piano", "a gentle piano"),
    _either("electric-piano", "electric-piano", 4, 28, 103, "a warm electric piano", "a mellow electric piano"),
    _chords("bell-piano", "electric-piano", 5, 28, 96, "a bell-like electric piano", "a glassy electric piano"),
    _chords("harpsichord", "harpsichord", 6, 29, 89, "a crisp harpsichord", "an ornate harpsichord"),
    _chords("clavinet", "clavinet", 7, 29, 89, "a funky clavinet", "a percussive clavinet"),
    _organ("drawbar-organ", "electronic-organ", 17, 48, 84, "a soulful Hammond organ", "a warm electric organ"),
    _organ("rock-organ", "electronic-organ", 18, 48, 84, "a swirling Hammond organ", "a vintage electric organ"),
    _organ("church-organ", "pipe-organ", 19, 51, 84, "a majestic pipe organ", "a solemn church organ"),
    _chords("harmonium", "harmonium", 20, 48, 84, "a reedy harmonium", "a humming harmonium"),
    # electronics
    _lead("square-lead", "synth-lead", 80, 48, 90, "a hollow synth lead", "a retro synth lead"),
    _lead("saw-lead", "synth-lead", 81, 55, 88, "a searing synth lead", "a bright lead synth"),
    _lead("calliope-lead", "synth-lead", 82, 53, 88, "a piping synth lead", "a breathy synth lead"),
    _chords("warm-pad", "synth-pad", 89, 43, 86, "a warm synth pad", "a lush synth pad"),
    _chords("synth-strings", "synth-strings", 51, 43, 86, "silky synth strings", "a string synthesizer"),
    _either("synth-brass", "synth-brass", 62, 43, 84, "bold synth brass", "punchy synth brass"),
    _chords("poly-synth", "synthesizer", 90, 43, 84, "a shimmering synthesizer", "an analog polysynth"),
    # basses
    _bass("bass-guitar", "electric-bass", 33, 28, 67, "a deep bass guitar", "a round bass guitar"),
    _bass("picked-bass", "electric-bass", 34, 28, 67, "a picked bass guitar", "a punchy bass guitar"),
    _bass("fretless-bass", "fretless-bass", 35, 28, 67, "a singing fretless bass", "a smooth fretless bass"),
    _bass("slap-bass", "slap-bass", 36, 28, 67, "a snappy slap bass", "a funky slap bass"),
    _bass("upright-bass", "double-bass", 32, 39, 67, "a woody upright bass", "a warm upright bass"),
    _bass("double-bass", "double-bass", 43, 28, 67, "a bowed double bass", "a sonorous bowed double bass"),
    _bass("synth-bass", "synth-bass", 38, 24, 60, "a fat synth bass", "an analog synth bass"),
    _bass("rubber-bass", "synth-bass", 39, 24, 72, "a rubbery synth bass", "a pulsing synth bass"),
    _bass("tuba", "tuba", 58, 26, 60, "a round tuba", "a heavy tuba"),
    # drums
    _kit("drum-kit", "drum-kit", 0, "a steady drum kit", "a punchy drum kit"),
    _kit("roomy-drums", "drum-kit", 8, "a roomy drum kit", "live acoustic drums"),
    _kit("electronic-drums", "electronic-drums", 24, "crisp electronic drums", "electronic drums"),
    _kit("drum-machine", "electronic-drums", 25, "a vintage drum machine", "a retro drum machine"),
)

SOUNDS: Mapping[str, Sound] = MappingProxyType({sound.name: sound for sound in _ALL})
"""All sounds by name."""


def akin(sound: Sound) -> frozenset[str]:
    """Names of the sounds that stand for the same instrument: in its place they would be no change to speak of."""
    return frozenset(other.name for other in _ALL if other.instrument == sound.instrument)
