"""Swing: a bass that walks, a ride cymbal, and progressions in fifths under a tune of eighths in triplets."""

from tasks.synth.genres.genre import Bass, Comping, Counter, Genre, Singing

_MAJOR = {
    "head": "I6,vi7 ii7,V7 | Imaj7,V7/ii ii7,V7 | I6 V7/ii | I6 I6 | Imaj7,IVmaj7 iii7,V7/ii",
    "half": "iii7,V7/ii ii7,V7 | ii7 V7 | II7 ii7,V7",
    "full": "ii7,V7 I6 | ii7,V7 Imaj7 | iv6,V7 I6",
    "turn": "V7/vi V7/vi | IVmaj7 iv6 | V7/IV IVmaj7 | V7/ii V7/ii",
}
_MINOR = {
    "head": "i6 iiø7,V7 | i6,iv7 i6,V7 | i6 i6 | i7 iv7",
    "half": "iiø7 V7 | bVI7 V7 | iv7 V7",
    "full": "iiø7,V7 i6 | bVI7,V7 i6",
    "turn": "iv7 bVII7 | bIIImaj7 bVImaj7 | V7/iv iv7",
}

SWING = Genre(
    name="swing",
    label="Swing",
    tempo=(128, 188),
    beats=4,
    harmony={"major": _MAJOR, "minor": _MINOR},
    forms=("AABA",),
    singing=Singing(
        singers=("gentle-voice", "clear-voice"),
        rhythms=("x--xx-x-", ".x-xx-x-", "xxx--x--", "x-x-x-x-", ".xxx--x-", "x-xx-x--", "-xx-x--x"),
        endings=("x-x-....", "x--x--..", "-x--....", "x-----.."),
    ),
    accompaniments=(
        Comping(("piano", "jazz-guitar"), ("x--x----/...x--x.", ".x..x..x/x..x...."), low=53, high=77),
        Comping(("jazz-guitar",), ("x-x-x-x-",), low=50, high=74),
        Comping(("drawbar-organ", "vibraphone"), ("x-------", "...x-x--"), low=54, high=78),
        Counter(
            ("tenor-saxophone", "trumpet", "clarinet"),
            (".x-x----", "....xxx-", "x-------", "..x--x--"),
            low=54,
            high=74,
        ),
    ),
    bass=(Bass(("upright-bass",), low=39, high=55), Bass(("bass-guitar", "fretless-bass"), low=31, high=50)),
    kits=("roomy-drums", "drum-kit"),
    grooves=(
        {"ride": "x.xxx.xx", "pedal": "..x...x.", "kick": "o...o..."},
        {"ride": "x.xxx.xx", "pedal": "..x...x.", "snare": "...o....", "kick": "o......o"},
        {"hat": "x.xox.xo", "rim": "......x.", "kick": "o...o..."},
    ),
    fills=("swing", "snare pickup"),
    swing=(0.6, 0.68),
)
