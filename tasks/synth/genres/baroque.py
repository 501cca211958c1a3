"""Baroque: a sung line over a running bass, sequences in fifths, and little drums as in a dance suite."""

from tasks.synth.genres.genre import Bass, Comping, Counter, Genre, Singing

_MAJOR = {
    "head": "I,V vi,iii | I,IV V,I | I,V I,V | I,vi IV,V | I I,V",
    "half": "IV,ii V | ii7,V/V V | vi,II V | IV,I V",
    "full": "ii7,V7 I | IV,V7 I | I,V7 I | vi,V7 I",
    "turn": "vi,ii V,I | vi,III vi,ii | IV,viio iii,vi | ii,vi V/V,V",
}
_MINOR = {
    "head": "i,V i,iv | i,iv bVII,bIII | i,V i,V | i,v bVI,bIII | i i,V",
    "half": "iv,i V | bVI,iv V | iiø7,i V | i,iv V",
    "full": "iv,V7 i | iiø7,V7 i | i,V7 i | bVI,V7 i",
    "turn": "iv,bVII bIII,bVI | bIII,bVII i,iv | bVI,iiø7 bVII,bIII | bIII,iv bVII,V",
}

BAROQUE = Genre(
    name="baroque",
    label="Baroque",
    tempo=(72, 104),
    beats=4,
    harmony={"major": _MAJOR, "minor": _MINOR},
    forms=("AABB", "AABA"),
    singing=Singing(
        singers=("clear-voice", "gentle-voice"),
        rhythms=("x-xxx-x-", "x--xxxx-", "x-x-xxxx", "xxx-x-x-", "x--xx-x-", "x-xxxxxx", "xxxxx-x-"),
        endings=("x-x---..", "x-----..", "xxx---..", "x--x--.."),
        repeats=1.4,
    ),
    accompaniments=(
        Comping(("harpsichord",), ("x-x-x-x-", "x---x---", "0213021302130213"), low=53, high=77),
        Comping(("harp", "nylon-guitar"), ("0123212301232123", "02130213", "x-0-x-0-"), low=52, high=76),
        Comping(("church-organ", "strings"), ("x---x---", "x-x-x-x-"), low=52, high=77),
        Counter(
            ("violin", "oboe", "recorder"),
            ("x-x-x-x-", "xxx-x-x-", "x---xxx-", "-xxxx-x-", "x-------"),
            low=67,
            high=83,
        ),
        Counter(
            ("viola", "clarinet", "french-horn"), ("x-x-x-x-", "x---x-x-", "-xxxx---", "x-xxx---"), low=55, high=72
        ),
    ),
    bass=(
        Bass(("double-bass",), ("R-3-R-3-", "R-8-R-5-", "R-R-R-a-"), low=31, high=47),
        Bass(("double-bass",), low=31, high=50),
    ),
    kits=("roomy-drums", "drum-kit"),
    grooves=(
        {"kick": "x...o...", "tambourine": "..o...o."},
        {"low-tom": "x...x.x.", "tambourine": "..o...oo"},
        {"kick": "x.......", "rim": "..o.o.o.", "triangle": "....x..."},
    ),
    fills=("tambourine", "soft toms"),
)
