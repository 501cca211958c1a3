"""Scores: what is played when. The truth behind the audio, and the reason why this suite knows its true edits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from bench.task import StemName
from tasks.synth.sounds import Sound

_SLUR_S = 0.005
"""A monophonic line lets go this long before its next note, so that no two notes ever sound at once on paper."""


@dataclass(frozen=True)
class Note:
    """One played note: onset and duration in seconds, MIDI pitch (60 = C4) and velocity (1-127)."""

    onset_s: float
    duration_s: float
    pitch: int
    velocity: int

    @property
    def end_s(self) -> float:
        """When the key is let go; the sound may ring on."""
        return self.onset_s + self.duration_s


@dataclass(frozen=True)
class Part:
    """One stem: who plays which notes (sorted by onset)."""

    stem: StemName
    sound: Sound
    notes: tuple[Note, ...]

    @property
    def low(self) -> int:
        """Lowest pitch."""
        return min(note.pitch for note in self.notes)

    @property
    def high(self) -> int:
        """Highest pitch."""
        return max(note.pitch for note in self.notes)

    @property
    def monophonic(self) -> bool:
        """Whether it is a single melodic line: pitched, and no two notes held at once. Drums are not."""
        one_at_a_time = all(a.end_s <= b.onset_s for a, b in zip(self.notes, self.notes[1:], strict=False))
        return self.stem != "drums" and one_at_a_time

    def played_by(self, sound: Sound) -> Part:
        """The same notes with another sound."""
        return replace(self, sound=sound)


@dataclass(frozen=True)
class Score:
    """A whole piece: tempo in beats a minute, the key's name, and one part a stem."""

    tempo: float
    key: str
    parts: Mapping[StemName, Part]


def separate(notes: Iterable[Note], *, monophonic: bool) -> tuple[Note, ...]:
    """Notes sorted by onset, cut so that none runs into the next: of the line, or of the same pitch.

    A sampler lets go of a pitch by its number. If a key were struck again while it is held, the release of the
    first note would silence the second.
    """
    ordered = sorted(notes, key=lambda note: (note.onset_s, note.pitch))
    kept: list[Note] = []
    following: dict[int, float] = {}
    for note in reversed(ordered):
        key = 0 if monophonic else note.pitch
        room = following.get(key, float("inf")) - _SLUR_S - note.onset_s
        following[key] = note.onset_s
        kept.append(replace(note, duration_s=max(min(note.duration_s, room), _SLUR_S / 2)))
    return tuple(reversed(kept))
