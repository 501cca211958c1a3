"""What a genre is to the writer: a table of the choices that its music offers.

Everything is data. Chords are numerals (`tasks.synth.theory`), rhythms are grids (`tasks.synth.notation`), alternatives
stand in tuples or after ``|``, and whoever wants one more often writes it twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Grammar = Mapping[str, str]
"""Rules of harmony: symbol → alternatives (``|``), each a row of bars. A bar is numerals (``ii7,V7`` share it), or a
symbol that stands for bars of its own. See `tasks.synth.harmony`."""

Groove = Mapping[str, str]
"""A bar of drums: drum → grid, or several bars' grids with ``/`` between. `X` loud, `x`, `o` soft."""

PERIODS: Mapping[str, tuple[str, ...]] = {"A": ("head half", "head full"), "B": ("turn half", "turn full")}
"""The usual sections: question and answer on one beginning; and a contrast that goes away and comes back."""


@dataclass(frozen=True)
class Singing:
    """How the lead goes.

    Attributes:
        singers: who may take it.
        rhythms: bars to choose from; a phrase says its first one again.
        endings: last bars of phrases: a long note, and a rest to breathe in.
        shy: what the degrees of the scale cost that the genre is sparing with (0 = tonic): 3 and 6 make it pentatonic.
        repeats: what saying a pitch again costs; low where singers hammer on one note.
    """

    singers: tuple[str, ...]
    rhythms: tuple[str, ...]
    endings: tuple[str, ...]
    shy: Mapping[int, float] = field(default_factory=dict)
    repeats: float = 1.0


@dataclass(frozen=True)
class Comping:
    """An accompaniment of chords, or of their tones one by one.

    In the grids ``x`` strikes the chord (``X`` harder), and a digit one of its voices (0 = lowest). There is one grid
    for each section label in turn; one of several bars has ``/`` between them.

    Attributes:
        players: who may take it.
        grids: see above.
        ring: the tones sound until the chord changes, as with a pedal; otherwise only as long as written.
        low, high: range of the voicings, MIDI numbers, at least two octaves.
        power: root, fifth and octave in place of the chord, as on a distorted guitar.
        strum_s: from one tone of a chord to the next, in seconds, upwards.
    """

    players: tuple[str, ...]
    grids: tuple[str, ...]
    ring: bool = False
    low: int = 52
    high: int = 76
    power: bool = False
    strum_s: float = 0.0


@dataclass(frozen=True)
class Counter:
    """An accompaniment that is a second melody: one note at a time, where the lead leaves room.

    Attributes:
        players: who may take it.
        rhythms: bars to choose from.
        low, high: its range, MIDI numbers.
    """

    players: tuple[str, ...]
    rhythms: tuple[str, ...]
    low: int = 55
    high: int = 76


@dataclass(frozen=True)
class Bass:
    """How the bass goes.

    In the grids ``R`` is the root, ``3`` ``5`` ``7`` ``8`` chord tones above, ``L`` the fifth below, ``a`` a half step
    to the root that follows. One grid for each section label in turn; none: it walks, a new tone on each beat.

    Attributes:
        players: who may take it.
        grids: see above.
        low, high: range of the roots, MIDI numbers, at least an octave.
        short: the share of its written length that a note is held.
    """

    players: tuple[str, ...]
    grids: tuple[str, ...] = ()
    low: int = 31
    high: int = 45
    short: float = 0.95


@dataclass(frozen=True)
class Genre:
    """A genre.

    Attributes:
        name: `bossa-nova`.
        label: for people and metadata.
        tempo: slowest and fastest, beats a minute.
        beats: of a bar: 4, 3, or 6 (then a beat is an eighth).
        harmony: for each mode that occurs, its grammar.
        forms: rows of section labels; a song takes one and goes round in it.
        sections: for each label its phrases, each a row of symbols of the grammar.
        singing, accompaniments, bass: how they go.
        kits: who may play the drums.
        grooves: one for each section label in turn.
        fills: names of `tasks.synth.drums.FILLS`, for the last bar of a section.
        swing: where in a `swing_unit` its second half begins: 0.5 is straight, 2/3 is triplets.
        swing_unit: in beats; 1 swings eighths, 0.5 sixteenths.
    """

    name: str
    label: str
    tempo: tuple[float, float]
    beats: int
    harmony: Mapping[str, Grammar]
    forms: tuple[str, ...]
    singing: Singing
    accompaniments: tuple[Comping | Counter, ...]
    bass: tuple[Bass, ...]
    kits: tuple[str, ...]
    grooves: tuple[Groove, ...]
    fills: tuple[str, ...]
    sections: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: PERIODS)
    swing: tuple[float, float] = (0.5, 0.5)
    swing_unit: float = 1.0

    @property
    def strong(self) -> tuple[int, ...]:
        """The strong beats of a bar."""
        return {3: (0,), 4: (0, 2), 6: (0, 3)}[self.beats]
