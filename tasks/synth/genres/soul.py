"""Soul: six eighths to the bar, broken chords, and a voice that takes its time."""

from tasks.synth.genres.genre import Bass, Comping, Counter, Genre, Singing

_MAJOR = {
    "head": "I vi | I iii7 | I I7 | Imaj7 vi7 | I V/vi",
    "half": "IV V | ii7 V | II7 V7 | IV iv",
    "full": "IV,V I | ii7,V7 I | iv,V7 I",
    "turn": "IV iv | vi II7 | IV I | V7/ii ii7",
}
_MINOR = {
    "head": "i iv | i i | i bVI | i bVII",
    "half": "bVI V7 | iv V7 | bIII bVII",
    "full": "iv,V7 i | bVI,V7 i",
    "turn": "bVI bIII | iv bVII | bIII V/iv",
}

SOUL = Genre(
    name="soul",
    label="Soul",
    tempo=(150, 192),
    beats=6,
    harmony={"major": _MAJOR, "minor": _MINOR},
    forms=("AABA", "AABB"),
    singing=Singing(
        singers=("gentle-voice", "clear-voice"),
        rhythms=("x--xxx", ".xxx-x", "x-xx--", "xxxx-x", "x--x-x", "-xxx--", "x-xxxx"),
        endings=("x--...", "x--x..", "xx--..", "-x-..."),
        shy={3: 0.4, 6: 0.5},
    ),
    accompaniments=(
        Comping(("electric-guitar", "nylon-guitar"), ("012321", "012323"), ring=True, low=50, high=74),
        Comping(("drawbar-organ", "strings"), ("x-----", "x--x--"), low=53, high=77),
        Comping(("piano", "electric-piano"), ("xxxxxx", "x--x-x", "0-x-x-"), low=53, high=77),
        Counter(("tenor-saxophone", "trumpet", "cello"), ("x-----", "x--x-x", "...xxx", "---x--"), low=54, high=71),
    ),
    bass=(
        Bass(("bass-guitar", "fretless-bass"), ("R--R-5", "R----5/R--5-a", "R-----")),
        Bass(("bass-guitar",), ("R--5--", "R-RR-5")),
    ),
    kits=("drum-kit", "roomy-drums"),
    grooves=(
        {"kick": "x.....", "snare": "...X..", "hat": "xxxxxx"},
        {"kick": "x....x", "snare": "...X..", "ride": "xxxxxx"},
        {"kick": "x.x...", "rim": "...x..", "hat": "xoxxox"},
    ),
    fills=("six toms", "six snare"),
)
