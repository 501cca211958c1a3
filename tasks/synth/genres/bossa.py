"""Bossa nova: nylon strings against a clave, chords of four tones, a tune that leans on them."""

from tasks.synth.genres.genre import Bass, Comping, Counter, Genre, Singing

_MAJOR = {
    "head": "Imaj7 Imaj7 | Imaj7 II7 | Imaj7 vi7 | I6 V7/ii | Imaj7 iii7,V7/ii",
    "half": "ii7 V7 | ii7 V7sus4 | II7 ii7,V7",
    "full": "ii7,V7 Imaj7 | iv6,V7 Imaj7 | ii7,V7 I6",
    "turn": "IVmaj7 iv6 | IVmaj7 iii7,V7/ii | vi7 II7 | iii7 V7/ii",
}
_MINOR = {
    "head": "i7 i7 | i6 iv7 | i7 iiø7,V7 | i7 bVImaj7",
    "half": "iiø7 V7 | bVImaj7 V7 | iv7 V7",
    "full": "iiø7,V7 i6 | bVImaj7,V7 i7",
    "turn": "iv7 bVII7 | bIIImaj7 bVImaj7 | iv7 i7",
}

BOSSA = Genre(
    name="bossa-nova",
    label="Bossa nova",
    tempo=(116, 144),
    beats=4,
    harmony={"major": _MAJOR, "minor": _MINOR},
    forms=("AABA", "ABAB"),
    singing=Singing(
        singers=("gentle-voice", "clear-voice"),
        rhythms=("x--x--x-", ".xx--x--", "-x-x--x-", "x-x--x--", "..x--x-x", "--xx-x--", "x--x-x-x"),
        endings=("x---....", "-x----..", "x--x....", "--x---.."),
    ),
    accompaniments=(
        Comping(("nylon-guitar",), ("x--x--x-/..x--x--", "x--x-x--/x-x--x--"), low=50, high=75),
        Comping(("electric-piano", "vibraphone"), ("x--x-x--/..x--x--", "..x--x--/x--x----"), low=53, high=77),
        Comping(("jazz-guitar", "nylon-guitar"), ("0-21-2-3/0-21-3-2", "0-23-2-1"), ring=True, low=50, high=75),
        Counter(
            ("flute", "clarinet", "french-horn"), ("x-------", "----x--x", "..x--x--", "x---x---"), low=60, high=77
        ),
    ),
    bass=(
        Bass(("upright-bass",), ("R--55--R", "R--5R--a"), low=39, high=52),
        Bass(("fretless-bass", "bass-guitar"), ("R--5R--5", "R---5---/R--55--a")),
    ),
    kits=("roomy-drums", "drum-kit"),
    grooves=(
        {"kick": "x..xx..x", "rim": "X..X..X./..X..X..", "hat": "xoxoxoxo"},
        {"kick": "x..xx..x", "rim": "X..X..X./..X..X..", "shaker": "xoxxxoxx", "pedal": "..x...x."},
        {"kick": "x..xx..x", "rim": "..X..X../X..X..X.", "ride": "xoxoxoxo"},
    ),
    fills=("rim fill", "soft toms"),
)
