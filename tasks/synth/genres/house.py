"""House: four on the floor, a bass between the kicks, stabs that pull against them."""

from tasks.synth.genres.genre import Bass, Comping, Counter, Genre, Singing

_MINOR = {
    "head": "i bVI | i7 bVII | i7 iv7 | i bIII",
    "half": "iv7 bVII | bVImaj7 v7 | bIII bVII | iv7 v7",
    "full": "bVII i7 | v7 i7 | bVI,bVII i",
    "turn": "bVI bVII | iv7 bIII | bVImaj7 bIII",
}
_DORIAN = {
    "head": "i7 IV7 | i7 i7 | i7 v7",
    "half": "bVII IV | v7 IV7 | bIII IV",
    "full": "bVII i7 | v7 i7 | IV i7",
    "turn": "IV7 bVII | bIII bVII | v7 IV7",
}
_MAJOR = {
    "head": "I V | Imaj7 vi7 | I ii7 | Imaj7 iii7",
    "half": "IV V | ii7 V | vi7 V",
    "full": "V I | ii7,V Imaj7",
    "turn": "vi7 iii7 | IVmaj7 vi7 | ii7 vi7",
}

HOUSE = Genre(
    name="house",
    label="House",
    tempo=(116, 128),
    beats=4,
    harmony={"minor": _MINOR, "dorian": _DORIAN, "major": _MAJOR},
    forms=("AABB", "ABAB"),
    singing=Singing(
        singers=("clear-voice", "synth-voice", "gentle-voice"),
        rhythms=("x--x--x-", ".xx-xx--", "x-xx-xx-", "..x-xxx-", "x--x--xx", "-xx-x---"),
        endings=("x--x....", "x-----..", "-x--....", "x-x---.."),
        shy={3: 0.4, 5: 0.4},
        repeats=0.6,
    ),
    accompaniments=(
        Comping(("piano",), ("x--x--x-..x-x-../x--x--x-....x-x-", "x..x..x..x..x.x."), low=54, high=78),
        Comping(
            ("poly-synth", "synth-brass", "synth-strings"), ("..x...x...x...x.", "x-----x-----x---"), low=52, high=76
        ),
        Comping(("electric-piano", "drawbar-organ"), ("..x..x....x..x..", "x--x--..x--x--.."), low=52, high=76),
        Counter(
            ("saw-lead", "square-lead", "violin"),
            ("x--x--x-x--x----", "x-------x-------", "..x-..x-..x-x---", "x.x.x-..x.x.x-.."),
            low=60,
            high=80,
        ),
    ),
    bass=(
        Bass(("synth-bass", "rubber-bass"), ("..R-..R-..R-..R-", "..RR..RR..RR..RR"), short=0.8),
        Bass(("synth-bass", "bass-guitar"), ("R.8.R.8.R.8.R.8.", "R..R..8.R..R..7."), short=0.85),
    ),
    kits=("drum-machine", "electronic-drums"),
    grooves=(
        {"kick": "X...X...X...X...", "clap": "....x.......x...", "open": "..x...x...x...x.", "hat": "xx.xxx.xxx.xxx.x"},
        {"kick": "X...X...X...X...", "clap": "....x.......x..o", "hat": "x.xxx.xxx.xxx.xx", "open": "..x...x...x...x."},
        {"kick": "X...X...X...X..x", "snare": "....x.......x...", "shaker": "xoxxxoxxxoxxxoxx"},
    ),
    fills=("claps", "snare roll"),
    swing=(0.5, 0.57),
    swing_unit=0.5,
)
