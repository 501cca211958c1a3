"""Rock: eighths on an electric guitar, a backbeat, and degrees borrowed from the minor."""

from tasks.synth.genres.genre import Bass, Comping, Genre, Singing

_MAJOR = {
    "head": "I IV | I I | I V | I bVII | I IV,I | vi IV",
    "half": "IV V | ii V | bVII V | vi V",
    "full": "V I | IV,V I | bVII,IV I",
    "turn": "vi IV | IV vi | vi V | ii IV",
}
_MINOR = {
    "head": "i bVII | i bVI | i i | i iv | i bIII",
    "half": "bVI V | iv V | bVI bVII | bVII V",
    "full": "bVI,bVII i | iv,V i | bVII i",
    "turn": "bIII bVII | bVI bIII | iv bVI | bVI bVII",
}

ROCK = Genre(
    name="rock",
    label="Rock",
    tempo=(104, 148),
    beats=4,
    harmony={"major": _MAJOR, "minor": _MINOR},
    forms=("AABA", "ABAB", "AABB"),
    singing=Singing(
        singers=("clear-voice", "gentle-voice"),
        rhythms=("x-xxx-x-", ".xx-xx--", "x--xx-x-", ".x-xx-xx", "x-x--x-x", "-xx-x-x-", "xxx-x---"),
        endings=("x-x---..", "x---....", "-xx---..", "x--x--..", ".xx-...."),
        shy={3: 0.6, 6: 0.6},
        repeats=0.5,
    ),
    accompaniments=(
        Comping(
            ("overdriven-guitar", "distorted-guitar"), ("xxxxxxxx", "x-xxx-xx", "x--x--x-"), low=40, high=64, power=True
        ),
        Comping(
            ("electric-guitar", "steel-guitar"), ("x-xx-xxx", "x--xx-x-", "x-x-x-xx"), low=48, high=74, strum_s=0.012
        ),
        Comping(("rock-organ", "piano"), ("x-------", "x---x---", "x--x--x-"), low=50, high=76),
    ),
    bass=(
        Bass(("picked-bass", "bass-guitar"), ("RRRRRRRR", "R-RRR-Ra", "R--R--5-")),
        Bass(("bass-guitar", "picked-bass"), ("R--RR-5-", "R-R-R-Ra", "RRRR5555")),
    ),
    kits=("drum-kit", "roomy-drums"),
    grooves=(
        {"kick": "x---xx--", "snare": "..X...X.", "hat": "xxxxxxxx"},
        {"kick": "x..xx...", "snare": "..X...X.", "ride": "x.x.x.x.", "hat": "..x...x."},
        {"kick": "x....x.x/x..xx...", "snare": "..X...X.", "open": "x.x.x.x."},
    ),
    fills=("toms", "snare roll", "stops"),
)
