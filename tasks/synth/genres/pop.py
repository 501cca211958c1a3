"""Pop ballad: a piano under a slow tune, four chords, a half close and a return."""

from tasks.synth.genres.genre import Bass, Comping, Counter, Genre, Singing

_MAJOR = {
    "head": "I V | I vi | I iii | I IV | I V,vi | I,V vi",
    "half": "IV V | ii V | IV V7sus4 | ii7 V",
    "full": "IV,V I | ii7,V7 I | V7sus4,V7 I | iv,V7 I",
    "turn": "vi IV | vi iii | IV I | ii vi | IV iii",
}
_MINOR = {
    "head": "i bVI | i bVII | i iv | i v",
    "half": "bIII bVII | iv V | bVI V7sus4 | iv bVII",
    "full": "bVI,bVII i | iv,V7 i | iiø7,V7 i",
    "turn": "bVI bIII | bIII bVII | iv bIII | bVI iv",
}

POP = Genre(
    name="pop-ballad",
    label="Pop ballad",
    tempo=(66, 88),
    beats=4,
    harmony={"major": _MAJOR, "minor": _MINOR},
    forms=("AABA", "ABAB", "AABB"),
    singing=Singing(
        singers=("gentle-voice", "clear-voice"),
        rhythms=(".xxxx-x-", "x--xx-xx", ".xx-x-xx", "x-xxx---", "x-x-x-xx", "-xxxx-x-", "x---x-xx"),
        endings=("x-----..", "x--x--..", "-x----..", "x-x-....", "xx--...."),
        shy={3: 0.3, 6: 0.5},
    ),
    accompaniments=(
        Comping(("piano", "electric-piano", "harp"), ("02323232", "x---x-x-", "0123212-"), ring=True),
        Comping(("steel-guitar", "nylon-guitar"), ("01231323", "x--xx-xx", "03231323"), ring=True, low=48, high=73),
        Comping(("bell-piano", "strings", "warm-pad"), ("x---x---", "x-------", "x-----x-"), low=52, high=77),
        Counter(("violin", "cello", "oboe"), ("x-----x-", "--x---x-", "----x-x-", "x-------"), low=58, high=76),
    ),
    bass=(
        Bass(("bass-guitar", "fretless-bass"), ("R--R--5-", "R---R-5a", "R-----5-")),
        Bass(("fretless-bass", "bass-guitar"), ("R-----5-", "R--RR-5a")),
    ),
    kits=("drum-kit", "roomy-drums"),
    grooves=(
        {"kick": "x.......x.x.....", "snare": "....X.......X...", "hat": "x.x.x.x.x.x.x.x."},
        {"kick": "x.....x.x.......", "snare": "....X.......X..o", "ride": "x.x.x.x.x.x.x.x."},
        {"kick": "x.........x.....", "rim": "....x.......x...", "shaker": "xoxoxoxoxoxoxoxo"},
    ),
    fills=("late toms", "snare pickup", "toms"),
)
