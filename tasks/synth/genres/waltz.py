"""Folk waltz: three beats, a tune that goes up and down the scale, a guitar that answers the bass."""

from tasks.synth.genres.genre import Bass, Comping, Counter, Genre, Singing

_MAJOR = {
    "head": "I V | I IV | I ii | I vi | I I",
    "half": "IV V | ii V | vi V | I V",
    "full": "V7 I | IV,V I | ii,V7 I",
    "turn": "vi iii | IV I | vi ii | V I | IV ii",
}
_MINOR = {
    "head": "i iv | i V | i bVII | i i",
    "half": "iv V | bVI V | bIII bVII",
    "full": "V7 i | iv,V7 i | bVII i",
    "turn": "bIII bVII | iv i | bVI bIII | bVII bIII",
}

WALTZ = Genre(
    name="folk-waltz",
    label="Folk waltz",
    tempo=(100, 140),
    beats=3,
    harmony={"major": _MAJOR, "minor": _MINOR},
    forms=("AABB", "AABA"),
    singing=Singing(
        singers=("clear-voice", "gentle-voice"),
        rhythms=("xxx--x", "x-x-x-", "x---x-", "x--xx-", "x-xxx-", "x-x---", "xxxxx-"),
        endings=("x---..", "x--x..", "x-x-..", "x--..."),
        shy={6: 0.3},
    ),
    accompaniments=(
        Comping(("steel-guitar", "nylon-guitar"), ("..x-x-", "..x-xx/..x-x-"), low=50, high=75, strum_s=0.012),
        Comping(("harp", "piano", "dulcimer"), ("012321", "0-2132"), ring=True, low=60, high=84),
        Comping(("harmonium",), ("x-----", "..x-x-"), low=52, high=76),
        Counter(("fiddle", "clarinet", "viola"), ("x-----", "x---x-", "--x-x-", "----xx"), low=57, high=77),
    ),
    bass=(
        Bass(("upright-bass",), ("R---5-", "R---L-/R---5a"), low=39, high=52),
        Bass(("bass-guitar", "double-bass"), ("R-----", "R---5-/R---a-")),
    ),
    kits=("roomy-drums", "drum-kit"),
    grooves=(
        {"kick": "o.....", "rim": "..x.xo", "hat": "x.x.x."},
        {"kick": "x.....", "snare": "..o.o.", "ride": "x.xox."},
        {"kick": "o.....", "tambourine": "..x.x."},
    ),
    fills=("waltz", "waltz toms"),
)
