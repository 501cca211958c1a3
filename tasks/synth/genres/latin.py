"""Latin: a montuno on the piano, a bass that comes early, congas and a bell."""

from tasks.synth.genres.genre import Bass, Comping, Counter, Genre, Singing

_MINOR = {
    "head": "i iv | i V7 | i i | i bVII",
    "half": "iv V7 | bVI V7 | iiø7 V7",
    "full": "V7 i | iv,V7 i | bVI,V7 i",
    "turn": "bVII bVI | iv bVII | iv i | bIII bVII",
}
_MAJOR = {
    "head": "I IV | I V7 | I I | I vi",
    "half": "IV V7 | ii V7 | II7 V7",
    "full": "V7 I | IV,V7 I | ii,V7 I",
    "turn": "IV I | vi ii | V7/ii ii | IV vi",
}

LATIN = Genre(
    name="latin",
    label="Latin",
    tempo=(104, 132),
    beats=4,
    harmony={"minor": _MINOR, "major": _MAJOR},
    forms=("AABA", "AABB", "ABAB"),
    singing=Singing(
        singers=("clear-voice", "gentle-voice"),
        rhythms=("x-x-xx-x", "-xxxx-x-", ".xx-xx--", "x--x--xx", "-x-xx-x-", "x-xx-x--", "xx-xx-x-"),
        endings=("x---....", "-x----..", "x-x-....", "xx----.."),
        repeats=0.8,
    ),
    accompaniments=(
        Comping(("piano",), ("x.01x1.3x.01x1.3", "0.3.12.31.3.12.3/.3.12.31.3.12.3."), low=57, high=81),
        Comping(("nylon-guitar", "steel-guitar"), ("x..x..x./x..x.xx.", "01230123"), low=50, high=75, strum_s=0.01),
        Comping(("marimba", "vibraphone"), ("0-12.13./.2-31-2-", "x--x--x-"), low=55, high=79),
        Counter(
            ("trumpet", "flute", "trombone"),
            ("x-------", "....x-xx", "-x-xx---", "x-xx----", "......xx"),
            low=60,
            high=72,
        ),
    ),
    bass=(
        Bass(("bass-guitar", "fretless-bass"), ("R--5--8-", "R..5--R-", "R---5-a-"), short=0.9),
        Bass(("upright-bass",), ("R--5--R-", "R---5-8-"), low=39, high=52),
    ),
    kits=("drum-kit", "roomy-drums"),
    grooves=(
        {"kick": "x..x..x.", "cowbell": "x.x.x.x.", "conga": "..x...xx", "low-conga": "......o."},
        {"clave": "x..x..x./..x.x...", "conga": "..x.o.xx", "low-conga": "x.....x.", "shaker": "xoxoxoxo"},
        {"kick": "x...x...", "rim": "..x...x.", "hat": "xoxoxoxo", "conga": ".o..x.xx"},
    ),
    fills=("timbales", "late toms"),
)
