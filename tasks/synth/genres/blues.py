"""Blues: twelve bars, a call and its repeat and an answer, in a shuffle."""

from tasks.synth.genres.genre import Bass, Comping, Counter, Genre, Singing

_DOMINANT = {
    "call": "I7 I7 I7 I7 | I7 IV7 I7 I7",
    "reply": "IV7 IV7 I7 I7 | IV7 IV7 I7 V7/ii",
    "home": "V7 IV7 I7 V7 | V7 IV7 I7 I7 | ii7 V7 I7 I7 | ii7 V7 I7 V7",
}
_MINOR = {
    "call": "i7 i7 i7 i7 | i7 iv7 i7 i7",
    "reply": "iv7 iv7 i7 i7",
    "home": "bVI7 V7 i7 i7 | bVI7 V7 i7 V7 | iv7 V7 i7 i7",
}

BLUES = Genre(
    name="blues",
    label="Blues",
    tempo=(84, 126),
    beats=4,
    harmony={"mixolydian": _DOMINANT, "minor": _MINOR},
    forms=("A",),
    sections={"A": ("call", "reply", "home")},
    singing=Singing(
        singers=("clear-voice", "gentle-voice"),
        rhythms=(".xxxx-x-", "x-xx-xx-", ".xx-x---", "x--xx-x-", ".xxx-xx-", "xx-x-x--"),
        endings=("x---....", "xx----..", "x-x-....", "-x---..."),
        shy={1: 0.7, 5: 0.7},
        repeats=0.6,
    ),
    accompaniments=(
        Comping(("electric-guitar", "overdriven-guitar"), ("x-xxx-xx", "..x...x."), low=45, high=69),
        Comping(("piano", "rock-organ"), ("..x-..x-", "x--x--x-"), low=52, high=76),
        Comping(("drawbar-organ",), ("x-------", "x---x-x-"), low=54, high=78),
        Counter(
            ("tenor-saxophone", "baritone-saxophone", "trumpet"),
            ("....xxx-", "...xx-x-", "x-------", "..x-x---"),
            low=54,
            high=69,
        ),
    ),
    bass=(
        Bass(("bass-guitar", "picked-bass"), ("R-3-5-3-", "R-R-5-5-", "R-3-5-7-")),
        Bass(("upright-bass",), low=39, high=55),
    ),
    kits=("drum-kit", "roomy-drums"),
    grooves=(
        {"kick": "x...x...", "snare": "..X...X.", "hat": "x.xxx.xx"},
        {"kick": "x..xx...", "snare": "..X...X.", "ride": "x.xxx.xx"},
    ),
    fills=("swing", "toms"),
    swing=(0.62, 0.68),
)
