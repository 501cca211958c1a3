"""Folk ballad: modes older than the keys, drones, and a tune that could be sung without any of it."""

from tasks.synth.genres.genre import Bass, Comping, Counter, Genre, Singing

_DORIAN = {
    "head": "i bVII | i IV | i bIII | i v | i i",
    "half": "bVII v | IV v | bIII bVII | bVII IV",
    "full": "bVII i | v i | IV,bVII i",
    "turn": "bIII bVII | IV bVII | bVII v | bIII IV",
}
_MIXOLYDIAN = {
    "head": "I bVII | I IV | I v | I I",
    "half": "bVII IV | IV bVII | v bVII",
    "full": "bVII I | IV I | v,bVII I",
    "turn": "bVII IV | v IV | IV ii | ii bVII",
}

MODAL = Genre(
    name="folk-ballad",
    label="Folk ballad",
    tempo=(78, 112),
    beats=4,
    harmony={"dorian": _DORIAN, "mixolydian": _MIXOLYDIAN},
    forms=("AABA", "AABB"),
    singing=Singing(
        singers=("gentle-voice", "clear-voice"),
        rhythms=("x-xxx-x-", "x--xx-x-", "x-x-x-xx", "xxx-x-x-", "x-xxx---", "x--xx---"),
        endings=("x-----..", "x-x-....", "x--x--..", "xx----.."),
        repeats=1.2,
    ),
    accompaniments=(
        Comping(("steel-guitar", "nylon-guitar"), ("02131213", "0-213-21"), ring=True, low=48, high=73),
        Comping(("harp", "dulcimer"), ("0123-2-1", "01230123"), ring=True, low=60, high=84),
        Comping(("harmonium",), ("x-------", "x---x---"), low=52, high=76),
        Counter(("fiddle", "pan-flute", "viola"), ("x-------", "x---x-x-", "----xxx-", "--x-x---"), low=58, high=77),
    ),
    bass=(
        Bass(("upright-bass",), ("R---5---", "R-----5-"), low=39, high=52),
        Bass(("fretless-bass", "double-bass"), ("R-------", "R---5---", "R-----a-")),
    ),
    kits=("roomy-drums", "drum-kit"),
    grooves=(
        {"low-tom": "x..x..x.", "tambourine": "..x...x."},
        {"kick": "x..x..o.", "rim": "..x...x.", "shaker": "xoxoxoxo"},
        {"kick": "x.......", "snare": "....o...", "ride": "x.x.x.x."},
    ),
    fills=("soft toms", "tambourine"),
)
