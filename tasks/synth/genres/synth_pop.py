"""Synth-pop: an arpeggio in sixteenths, a bass in octaves, a machine on the drums."""

from tasks.synth.genres.genre import Bass, Comping, Counter, Genre, Singing

_MINOR = {
    "head": "i bVI | i bVII | i bIII | i iv | i i",
    "half": "bIII bVII | iv bVII | bVI bVII | bVI v",
    "full": "bVII i | bVI,bVII i | v i",
    "turn": "bVI bIII | iv bVI | bIII bVII | bVII iv",
}
_MAJOR = {
    "head": "I V | I vi | I IV | I iii",
    "half": "IV V | ii V | vi V | bVII IV",
    "full": "IV,V I | V I | bVII,IV I",
    "turn": "vi IV | vi iii | IV ii | ii vi",
}

SYNTH_POP = Genre(
    name="synth-pop",
    label="Synth-pop",
    tempo=(104, 128),
    beats=4,
    harmony={"minor": _MINOR, "major": _MAJOR},
    forms=("ABAB", "AABA", "AABB"),
    singing=Singing(
        singers=("synth-voice", "clear-voice", "gentle-voice"),
        rhythms=("x-x-x-x-", "x--x--x-", ".xx-x-x-", "x-xx-xx-", "--x-xxx-", "x---x-x-", "-x-xx-x-"),
        endings=("x-----..", "x--x....", "x-x---..", "-x--...."),
        shy={3: 0.4, 6: 0.3},
        repeats=0.6,
    ),
    accompaniments=(
        Comping(("poly-synth", "square-lead", "bell-piano"), ("0123012301230123", "0121312101213121"), low=57, high=81),
        Comping(("synth-strings", "warm-pad", "synth-brass"), ("x-------", "x-----x-", "x--x--x-"), low=52, high=76),
        Comping(("electric-guitar", "poly-synth"), ("..x...x...x.x.x.", "x.x.x.x.x.x.x.x."), low=52, high=76),
        Counter(
            ("square-lead", "calliope-lead", "saw-lead"),
            ("x-x-x---", "....x-xx", "x---x---", "x--x--x-", "--x---x-"),
            low=60,
            high=80,
        ),
    ),
    bass=(
        Bass(("synth-bass", "rubber-bass"), ("R.8.R.8.R.8.R.8.", "R.R.R.R.R.R.8.a."), short=0.85),
        Bass(("rubber-bass", "picked-bass"), ("RRRRRRRRRRRRRRRR", "R.RRR.RRR.RRR.8."), short=0.85),
    ),
    kits=("drum-machine", "electronic-drums"),
    grooves=(
        {"kick": "x...x...x...x...", "snare": "....X.......X...", "hat": "x.x.x.x.x.x.x.x."},
        {
            "kick": "x.......x.x.....",
            "snare": "....X.......X...",
            "clap": "............x...",
            "hat": "xxxxxxxxxxxxxxxx",
        },
        {"kick": "x.....x.x.....x.", "snare": "....X.......X...", "open": "..x...x...x...x."},
    ),
    fills=("toms", "claps", "snare roll"),
)
