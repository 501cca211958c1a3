"""Reggae: chords off the beat, a drum on the third, and a bass that sings."""

from tasks.synth.genres.genre import Bass, Comping, Counter, Genre, Singing

_MAJOR = {
    "head": "I IV | I I | I ii | I V | I vi",
    "half": "IV V | ii V | IV IV",
    "full": "V I | IV,V I | ii,V I",
    "turn": "vi IV | IV ii | vi ii | ii IV",
}
_MINOR = {
    "head": "i iv | i bVII | i i | i v",
    "half": "bVI bVII | iv v | bVII bVI | iv V",
    "full": "bVII i | v i | iv,v i",
    "turn": "bVI bVII | bIII bVII | iv bIII",
}

REGGAE = Genre(
    name="reggae",
    label="Reggae",
    tempo=(68, 88),
    beats=4,
    harmony={"major": _MAJOR, "minor": _MINOR},
    forms=("AABA", "AABB", "ABAB"),
    singing=Singing(
        singers=("clear-voice", "gentle-voice"),
        rhythms=(".xxxx-x-", "x-xx-xx-", ".x-xx-x-", "xx-xx---", "-x-xx-xx", "x--xx-x-"),
        endings=("x-x-....", "x-----..", "-xx---..", "xx--...."),
        shy={3: 0.5, 6: 0.5},
        repeats=0.5,
    ),
    accompaniments=(
        Comping(("electric-guitar", "piano"), ("....x.......x...", "....x.x.....x..."), low=55, high=79),
        Comping(("drawbar-organ", "rock-organ"), ("..x.x.x...x.x.x.", "..x...x...x...x."), low=52, high=76),
        Comping(("clavinet", "electric-piano"), ("....x.......x.x.", "....x-......x-.."), low=52, high=76),
        Counter(
            ("trombone", "tenor-saxophone", "trumpet"),
            ("........x-x-x---", "x-------........", "....x-x-........", "......x-x-x-...."),
            low=55,
            high=71,
        ),
    ),
    bass=(
        Bass(("bass-guitar", "fretless-bass"), ("R---R-5-..8-5-R-/R---R-3-..5-3-R-", "..R-R---5-..3-R-"), short=0.85),
        Bass(("bass-guitar",), ("R-R-..5-8---..5-", "R-....R-5-5-..a-"), short=0.85),
    ),
    kits=("roomy-drums", "drum-kit"),
    grooves=(
        {"kick": "........X.......", "rim": "........x......o", "hat": "x.xox.xox.xox.xo"},
        {"kick": "x...x...x...x...", "rim": "........X.......", "hat": "..x...x...x...x."},
        {"kick": "x.......X.......", "snare": "........x..o....", "hat": "x.xxx.x.x.xxx.x."},
    ),
    fills=("sixteenths", "late toms", "rim roll"),
    swing=(0.5, 0.6),
    swing_unit=0.5,
)
