"""Funk: sixteenths, one or two chords, and everything short but the groove."""

from tasks.synth.genres.genre import Bass, Comping, Counter, Genre, Singing

_DORIAN = {
    "head": "i7 IV7 | i7 i7 | i7 bVII",
    "half": "i7 IV7 | bIII IV7 | bVII IV7",
    "full": "bVII,IV7 i7 | IV7 i7 | v7 i7",
    "turn": "IV7 IV7 | bIII bVII | iv7 bVII",
}
_MIXOLYDIAN = {
    "head": "I7 I7 | I7 IV7 | I7 bVII",
    "half": "I7 V7 | IV7 V7 | bVII IV7",
    "full": "bVII,IV7 I7 | V7,IV7 I7 | IV7 I7",
    "turn": "IV7 IV7 | ii7 IV7 | bVII IV7",
}

FUNK = Genre(
    name="funk",
    label="Funk",
    tempo=(92, 114),
    beats=4,
    harmony={"dorian": _DORIAN, "mixolydian": _MIXOLYDIAN},
    forms=("AABA", "AABB"),
    singing=Singing(
        singers=("clear-voice", "gentle-voice"),
        rhythms=(
            "..xxx-x-x--xx---",
            "....x-x-x-xx--..",
            "x--x--x-x---x-x-",
            "..x-x-xxx-x-x---",
            "x-xx..x-x-x-....",
            "..x-x--xx-x-x---",
        ),
        endings=("x--xx---........", "x-x-x-----......", "x-----x---......", "--x-x---........"),
        shy={1: 0.5, 5: 0.8},
        repeats=0.4,
    ),
    accompaniments=(
        Comping(("clavinet",), ("0-2...1-3.2-..1-/0-2...1-3.3.2-0-", "0.12.1.30.12.3.2"), low=48, high=72),
        Comping(("electric-guitar",), ("..x.x..x..x.x.../..x.x..x.x..x.x.", "x..x..x...x.x..."), low=52, high=76),
        Comping(("electric-piano", "drawbar-organ"), ("x--x......x-..x-", "..x-..x-x---...."), low=52, high=76),
        Counter(
            ("brass-section", "tenor-saxophone", "trumpet"),
            ("............x.x-", "x.x-........x-x.", "......x-x.x-....", "x-........x.x.x-"),
            low=58,
            high=75,
        ),
    ),
    bass=(
        Bass(("slap-bass", "bass-guitar"), ("R--R..8.7.R.5-a-/R--R..8.5-7-8-a-", "R-.R-.R.8-7-5-a-"), short=0.8),
        Bass(("bass-guitar", "slap-bass"), ("R.....RR..8.7-5-/R.....RR..5.7-a-", "R-R...7-8.R...a-"), short=0.8),
    ),
    kits=("drum-kit", "roomy-drums"),
    grooves=(
        {
            "kick": "x..x..x...x..x..",
            "snare": "....X..o.o..X..o",
            "hat": "xoxoxoxoxoxoxo.o",
            "open": "..............x.",
        },
        {"kick": "x.x.......xx....", "snare": "....X..o....X.o.", "hat": "x.x.x.x.x.x.x.x."},
        {"kick": "x..x....x.x.....", "snare": "....X.o..o..X...", "ride": "x.x.x.x.x.x.x.x."},
    ),
    fills=("sixteenths", "snare roll", "stops"),
    swing=(0.5, 0.56),
    swing_unit=0.5,
)
