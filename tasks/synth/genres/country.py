"""Country: bass and chord in turn, a train on the snare, three chords and a turnaround."""

from tasks.synth.genres.genre import Bass, Comping, Counter, Genre, Singing

_MAJOR = {
    "head": "I I | I IV | I V | IV I | I I7",
    "half": "IV V | I V7 | II7 V | ii V",
    "full": "V7 I | IV,V7 I | II7,V7 I",
    "turn": "IV I | vi IV | IV II7 | V7/ii ii",
}
_MIXOLYDIAN = {
    "head": "I bVII | I I | I IV",
    "half": "IV V | bVII IV | IV bVII",
    "full": "bVII I | V I | bVII,IV I",
    "turn": "IV bVII | bVII IV | ii IV",
}

COUNTRY = Genre(
    name="country",
    label="Country",
    tempo=(92, 132),
    beats=4,
    harmony={"major": _MAJOR, "mixolydian": _MIXOLYDIAN},
    forms=("AABA", "ABAB", "AABB"),
    singing=Singing(
        singers=("clear-voice", "gentle-voice"),
        rhythms=("x-xxx-x-", "x-x-xxx-", ".xxxx-x-", "x-xxx---", "xxx-x-x-", "x--xx-x-"),
        endings=("x-----..", "x-x---..", "x---....", "xx----.."),
        shy={3: 0.8, 6: 0.9},
        repeats=0.7,
    ),
    accompaniments=(
        Comping(("steel-guitar", "electric-guitar"), ("0-x-1-x-", "0-xx1-xx"), low=48, high=73, strum_s=0.012),
        Comping(("banjo",), ("0213021302130213", "0123212301232123"), low=55, high=79),
        Comping(("piano", "drawbar-organ"), ("..x...x.", "x--x--x-"), low=52, high=76),
        Counter(
            ("fiddle", "electric-guitar", "clarinet"),
            ("x-------", "....x-xx", "x-xx....", "--x---x-", "......xx"),
            low=57,
            high=77,
        ),
    ),
    bass=(
        Bass(("bass-guitar", "picked-bass"), ("R---5---", "R---L-a-")),
        Bass(("upright-bass",), ("R---5---", "R---5-3-/R---5-a-"), low=39, high=52),
    ),
    kits=("drum-kit", "roomy-drums"),
    grooves=(
        {"kick": "x...x...x...x...", "snare": "ooxoooxoooxoooxo", "pedal": "..x...x...x...x."},
        {"kick": "x.......x.......", "snare": "....X.......X...", "hat": "x.x.x.x.x.x.x.x."},
        {"kick": "x.......x.x.....", "rim": "....x.......x...", "ride": "x...x.x.x...x.x."},
    ),
    fills=("late toms", "snare pickup", "sixteenths"),
)
