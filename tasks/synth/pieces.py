"""The music: four short pieces, written for this project. Notation: `tasks.synth.notation`.

They differ in genre, tempo, metre and key, and each has what its genre has: phrases that breathe, a progression with
a half close and a return, a bass that follows the harmony, a groove with a fill every fourth bar. Substitute chords
(after ``~``) all carry the melody above them, so that a variation is still music.

The `vocals` parts are sung by two voices of the sampler, on one vowel. They stand for a singer in register, phrasing
and place in the mix; no separator or listener will take them for a singer with words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bench.task import StemName

DRUMS = {
    "kick": 36,
    "rim": 37,
    "snare": 38,
    "low-tom": 43,
    "mid-tom": 47,
    "high-tom": 50,
    "hat": 42,
    "pedal": 44,
    "open": 46,
    "crash": 49,
    "ride": 51,
    "shaker": 70,
}
"""General MIDI keys of the drums used. All kits used have samples for all of them."""


@dataclass(frozen=True)
class Comping:
    """An accompaniment: a grid in which ``x`` strikes the chord, a digit one of its voices (0 = lowest).

    With `ring` the tones sound until the chord changes, as with a pedal; otherwise only as long as written.
    """

    grid: str
    ring: bool = False


@dataclass(frozen=True)
class Piece:
    """One composition.

    Attributes:
        title, genre, key: for people; `key` is "E minor".
        tempo: beats a minute.
        beats: beats in a bar.
        phrase_bars: length of a phrase; a variation may begin with any phrase, and fills end each.
        melody, chords: as long as each other, in bars.
        comping, bass, grooves: alternatives, the first as written. Grids of several bars go round. Bass signs: `R`
            root, `3` `5` `7` `8` chord tones, `a` a step towards the next root. Drum signs: `X` loud, `x`, `o` soft.
        fill: the groove of the last bar of each phrase.
        players: for each stem the instruments that may play it, the first as written.
        first_targets: for stems of the piece as written, the instrument of the first edit.
    """

    title: str
    genre: str
    key: str
    tempo: float
    beats: int
    phrase_bars: int
    melody: str
    chords: str
    comping: tuple[Comping, ...]
    bass: tuple[str, ...]
    grooves: tuple[Mapping[str, str], ...]
    fill: Mapping[str, str]
    players: Mapping[StemName, tuple[str, ...]]
    first_targets: Mapping[StemName, str]

    @property
    def slug(self) -> str:
        """The title as ids have it."""
        return self.title.lower().replace(" ", "-")


SLOW_FERRY = Piece(
    title="Slow Ferry",
    genre="Pop",
    key="D major",
    tempo=76,
    beats=4,
    phrase_bars=4,
    melody="""
        r:.5 D4:.5 F#4:.5 A4:.5 B4:1 A4:1 | F#4:1.5 E4:.5 D4:1 r:1 | r:.5 D4:.5 G4:.5 A4:.5 B4:1.5 A4:.5 |
        A4:2 E4:1 r:1 |
        r:.5 A4:.5 D5:1 C#5:.5 B4:.5 A4:1 | B4:1.5 A4:.5 G4:1 r:.5 F#4:.5 | G4:1 F#4:.5 E4:.5 B4:1.5 A4:.5 |
        A4:1.5 G4:.5 E4:1 r:1""",
    chords="D | Bm7~D | G~Em7 | A~Asus4 | D~Bm7 | G~Em7 | Em7~Gmaj7 | A7",
    comping=(Comping("02323232", ring=True), Comping("x---x-x-", ring=True), Comping("x---x---")),
    bass=("R-----5-R-----a-", "R-------R---5-a-"),
    grooves=(
        {"kick": "x.......x.x.....", "snare": "....X.......X...", "hat": "x.x.x.x.x.x.x.x."},
        {"kick": "x.....x.x.......", "rim": "....X.......X...", "shaker": "xoxoxoxoxoxoxoxo"},
    ),
    fill={
        "kick": "x.......x.......",
        "snare": "....X.......x...",
        "hat": "x.x.x.x.........",
        "high-tom": "........xx......",
        "mid-tom": "..........xx....",
        "low-tom": ".............xXX",
    },
    players={
        "vocals": ("gentle-voice", "clear-voice"),
        "other": ("piano", "electric-piano", "steel-guitar"),
        "bass": ("bass-guitar", "fretless-bass"),
        "drums": ("drum-kit", "roomy-drums"),
    },
    first_targets={"vocals": "cello", "other": "vibraphone", "bass": "fretless-bass"},
)

CORNER_LAUNDRY = Piece(
    title="Corner Laundry",
    genre="Funk",
    key="E minor",
    tempo=104,
    beats=4,
    phrase_bars=4,
    melody="""
        r:.5 B3:.25 D4:.25 E4:.5 G4:.5 A4:.75 G4:.25 E4:1 | r:1 E4:.5 G4:.5 A4:.5 G4:.25 E4:.25 C#4:.5 r:.5 |
        r:.5 B3:.25 D4:.25 E4:.5 G4:.5 B4:.75 A4:.25 G4:.5 E4:.5 | A4:.75 G4:.25 E4:1 r:2 |
        r:.5 G4:.5 E4:.5 G4:.5 B4:1 A4:.5 G4:.5 | F#4:.5 A4:.5 F#4:.5 D4:.5 r:1 D4:.5 F#4:.5 |
        E4:.75 D4:.25 C4:.5 E4:.5 A4:1 r:1 | F#4:.5 A4:.5 B4:1 D#4:.5 F#4:.5 r:1""",
    chords="Em7 | A7 | Em7~G6 | A7 | Cmaj7~Em7 | Bm7~D | Am7~Cmaj7 | B7",
    comping=(
        Comping("0-2...1-3.2-..1-|0-2...1-3.3.2-0-"),
        Comping("..x.x..x..x.x...|..x.x..x.x..x.x."),
        Comping("0.12.1.30.12.3.2"),
    ),
    bass=("R--R..8.7.R.5-a-|R--R..8.5-7-8-a-", "R-.R-.R.8-7-5-a-"),
    grooves=(
        {
            "kick": "x..x..x...x..x..",
            "snare": "....X..o.o..X..o",
            "hat": "xoxoxoxoxoxoxo.o",
            "open": "..............x.",
        },
        {"kick": "X.x.......xx....", "snare": "....X..o....X.o.", "hat": "x.x.x.x.x.x.x.x."},
    ),
    fill={
        "kick": "x..x..x...x.....",
        "snare": "....X..o..xxX.XX",
        "hat": "xoxoxoxoxo......",
        "low-tom": ".............x..",
    },
    players={
        "vocals": ("clear-voice", "gentle-voice"),
        "other": ("clavinet", "electric-guitar", "electric-piano"),
        "bass": ("slap-bass", "bass-guitar", "picked-bass"),
        "drums": ("drum-kit", "roomy-drums"),
    },
    first_targets={"vocals": "trumpet", "other": "marimba", "bass": "synth-bass"},
)

SEVEN_UMBRELLAS = Piece(
    title="Seven Umbrellas",
    genre="Bossa nova",
    key="C major",
    tempo=132,
    beats=4,
    phrase_bars=4,
    melody="""
        r:1 E4:.5 G4:1 B4:1 A4:.5 | G4:1.5 E4:.5 G4:1 r:1 | r:.5 F4:.5 A4:1 C5:1 A4:1 | B4:1.5 A4:.5 F4:1 r:1 |
        r:.5 D4:.5 G4:.5 E4:1 B3:1 r:.5 | C#4:.5 E4:.5 G4:1 Bb4:1 A4:1 | F4:1 A4:1 Ab4:1.5 F4:.5 |
        E4:1.5 D4:.5 r:2""",
    chords="Cmaj7 | A7~Em7 | Dm7~Fmaj7 | G7 | Em7~Cmaj7 | A7 | Dm7 Fm6 | Cmaj7~Am7 G7",
    comping=(Comping("x--x--x-|..x--x--"), Comping("x--x-x--|x-x--x--"), Comping("0-21-2-3|0-21-3-2", ring=True)),
    bass=("R--5R--5|R--5R--a", "R---5---|R--55--a"),
    grooves=(
        {"kick": "x..xx..x", "rim": "X..X..X.|..X..X..", "hat": "xoxoxoxo"},
        {"kick": "x..xx..x", "rim": "X..X..X.|..X..X..", "shaker": "xoxxxoxx", "pedal": "..x...x."},
    ),
    fill={"kick": "x..xx..x", "rim": "X..X....", "hat": "xoxo....", "high-tom": "....x...", "low-tom": ".....xxX"},
    players={
        "vocals": ("gentle-voice", "clear-voice"),
        "other": ("nylon-guitar", "electric-piano", "electric-guitar"),
        "bass": ("fretless-bass", "bass-guitar"),
        "drums": ("drum-kit", "roomy-drums"),
    },
    first_targets={"vocals": "clarinet", "other": "electric-piano", "bass": "bass-guitar"},
)

HAY_CART_WALTZ = Piece(
    title="Hay Cart Waltz",
    genre="Folk",
    key="G major",
    tempo=126,
    beats=3,
    phrase_bars=4,
    melody="""
        D4:.5 G4:.5 B4:1.5 A4:.5 | A4:2 F#4:1 | G4:1 B4:1 G4:.5 F#4:.5 | E4:2 r:1 |
        D4:.5 G4:.5 B4:1 D5:1 | E5:1.5 D5:.5 B4:1 | C5:1 B4:.5 A4:.5 G4:1 | A4:2 r:1 |
        B4:1 E5:1 D5:.5 B4:.5 | D5:1.5 B4:.5 F#4:1 | G4:1 A4:.5 C5:.5 E5:1 | D5:2 r:1 |
        C5:1 A4:1 E4:1 | G4:1 F#4:.5 E4:.5 B4:1 | A4:1.5 B4:.5 A4:.5 F#4:.5 | G4:2 r:1""",
    chords="""G | D | Em~G | C~Am | G | C~Em | Am | D~D7 |
              Em | Bm7~Bm | C~Am | G | Am~Am7 | Em | D7 | G""",
    comping=(Comping("..x-x-|..x-xx"), Comping("012321", ring=True), Comping("0-1-2-|0-2-1-")),
    bass=("R---5-|R---a-", "R-----|R-5-a-"),
    grooves=(
        {"kick": "o.....", "rim": "..X.Xo", "pedal": "..X.X.", "hat": "x.x.x."},
        {"kick": "o.....|o....o", "snare": "..o.o.", "ride": "x.xox."},
    ),
    fill={"kick": "o.....", "snare": "..ooxx", "low-tom": "....x."},
    players={
        "vocals": ("clear-voice", "gentle-voice"),
        "other": ("steel-guitar", "nylon-guitar", "harp"),
        "bass": ("bass-guitar", "double-bass"),
        "drums": ("roomy-drums", "drum-kit"),
    },
    first_targets={"vocals": "violin", "other": "harp", "bass": "double-bass"},
)

PIECES = (SLOW_FERRY, CORNER_LAUNDRY, SEVEN_UMBRELLAS, HAY_CART_WALTZ)
