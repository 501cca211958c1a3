"""What the evaluation draws from rendered songs: solos, windows, mixtures. The same for the same songs and seed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from bench.backbones import mel
from bench.backbones.nano.train.mixtures import at_peak
from bench.backbones.nano.train.takes import Take, TakenSong, Waveform
from bench.identity import derive_seed
from bench.task import STEMS, StemName

SECONDS = 5.12
"""Of the windows of solos, and of generated clips."""

_GRID_S = 0.5


@dataclass(frozen=True, eq=False)
class Solo:
    """One take alone, at a peak of 0.5.

    Attributes:
        song: whose take it is. take: which. start_s: where the window begins. waveform: mono at 16 kHz, (samples,).
    """

    song: TakenSong
    take: Take
    start_s: float
    waveform: Waveform

    @property
    def onsets(self) -> tuple[float, ...]:
        """When notes begin in the window, in seconds from its beginning, ascending."""
        length = len(self.waveform) / mel.RATE
        begun = {round(on - self.start_s, 6) for on, _, _ in self.take.notes}
        return tuple(sorted(each for each in begun if 0 <= each < length))


@dataclass(frozen=True, eq=False)
class Mixture:
    """Four stems, of which one is by the instrument that is asked about.

    Attributes:
        song: whose. edited: the take in question. takes: all four, in the order in which prompts name them.
        waveform: mono at 16 kHz at a peak of 0.5, (samples,).
    """

    song: TakenSong
    edited: Take
    takes: tuple[Take, ...]
    waveform: Waveform


def solos(songs: Sequence[TakenSong], sounds: Collection[str], seconds: float = SECONDS) -> list[Solo]:
    """Every take by one of some sounds: its loudest window."""
    return [solo(song, take, seconds) for song in songs for take in song.takes if take.sound in sounds]


def monophonic(songs: Sequence[TakenSong], each: int, *, seed: int = 0, seconds: float = SECONDS) -> list[Solo]:
    """Of each song `each` takes of one pitched note at a time, drawn at random, none of them percussion."""
    drawn = []
    for song in songs:
        takes = [take for take in song.takes if take.monophonic and take.stem != "drums" and take.notes]
        order = np.random.default_rng(derive_seed(seed, "monophonic", song.name)).permutation(len(takes))
        drawn += [solo(song, takes[int(index)], seconds) for index in order[:each]]
    return drawn


def solo(song: TakenSong, take: Take, seconds: float) -> Solo:
    """A take's loudest window of some seconds, or all of it if it is shorter."""
    length = min(round(seconds * mel.RATE), song.length)
    row = song.samples[take.row].astype(np.float32) / np.float32(32767)
    energy = np.concatenate([[0.0], np.cumsum(np.square(row, dtype=np.float64))])
    starts = np.arange(0, len(row) - length + 1, round(_GRID_S * mel.RATE))
    start = int(starts[np.argmax(energy[starts + length] - energy[starts])])
    return Solo(song, take, start / mel.RATE, at_peak(row[start : start + length]))


def mixtures(songs: Sequence[TakenSong], sounds: Collection[str]) -> list[Mixture]:
    """Every take by one of some sounds in its song's own mixture, in the place of the song's own take."""
    return [_mixture(song, take) for song in songs for take in song.takes if take.sound in sounds]


def _mixture(song: TakenSong, edited: Take) -> Mixture:
    takes = tuple(edited if stem == edited.stem else song.of_stem[stem][0] for stem in _SPOKEN)
    return Mixture(song, edited, takes, at_peak(song.sum(takes)))


def own_mix(song: TakenSong) -> Waveform:
    """The song as it is, at a peak of 0.5."""
    return at_peak(song.sum([takes[0] for takes in song.of_stem.values()]))


def sounds_of_stems(songs: Sequence[TakenSong]) -> Iterator[tuple[str, dict[str, Take]]]:
    """For each stem, one take of each sound that the songs have there."""
    for stem in STEMS:
        yield stem, {take.sound: take for song in songs for take in song.of_stem[stem]}


_SPOKEN: tuple[StemName, ...] = ("vocals", "bass", "other", "drums")
