"""The judge on real renders: what its word is worth, and what codec and vocoder alone do to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from bench.backbones.nano.train.judge import Judge
from bench.backbones.nano.train.takes import Take, TakenSong, Waveform
from bench.evaluation.figures import Findings, Value
from bench.evaluation.material import SECONDS, solo, solos
from bench.evaluation.sounds import TWELVE
from bench.identity import derive_seed
from bench.suite import Track, untracked

OF_ALL = 2
"""Takes of each stem of a song that are judged among all sounds."""


class Naming:
    """What the judge calls clips.

    Args:
        judge: trained.
        sounds: the choice it has; all that it knows if not given.
    """

    def __init__(self, judge: Judge, sounds: Sequence[str] = ()):
        self._judge, self._sounds = judge, tuple(sounds) or judge.sounds
        self._columns = [judge.sounds.index(sound) for sound in self._sounds]

    def __call__(self, waveform: Waveform) -> str:
        """The likeliest of the sounds, of a mono clip at 16 kHz."""
        return self._sounds[int(self._judge.log_probabilities(waveform)[self._columns].argmax())]


def judging(songs: Sequence[TakenSong], judge: Judge, *, seed: int = 0, track: Track = untracked) -> Findings:
    """How often the judge names real solos right: among the twelve, among all sounds, and by instrument."""
    found, naming = Findings("judge", seed), Naming(judge, tuple(TWELVE))
    real = solos(songs, TWELVE)
    named = [naming(each.waveform) for each in track(real, "solos", len(real))]
    right = [_right(each.song, each.take, word) for each, word in zip(real, named, strict=True)]
    found.add("real solos named, of 12", right)
    found.details["confusions"] = confusions([each.take.sound for each in real], named)
    _of_all(found, songs, judge, seed)
    return found


def _of_all(found: Findings, songs: Sequence[TakenSong], judge: Judge, seed: int) -> None:
    naming, exact, instrument = Naming(judge), [], []
    called = {take.sound: take.names for song in songs for take in song.takes}
    for song in songs:
        for stem, takes in song.of_stem.items():
            order = np.random.default_rng(derive_seed(seed, "of all", song.name, stem)).permutation(len(takes))
            for take in (takes[int(index)] for index in order[:OF_ALL]):
                word = naming(solo(song, take, SECONDS).waveform)
                exact.append(_right(song, take, word))
                instrument.append(Value(song.name, float(called.get(word) == take.names)))
    found.add(f"real solos named, of {len(judge.sounds)}", exact)
    found.add(f"real solos' instrument, of {len(judge.sounds)} sounds", instrument)


def _right(song: TakenSong, take: Take, word: str) -> Value:
    return Value(song.name, float(word == take.sound))


def confusions(true: Sequence[str], named: Sequence[str]) -> dict[str, dict[str, int]]:
    """How often each sound was called what.

    >>> confusions(["oboe", "oboe", "harp"], ["oboe", "flute", "harp"])
    {'harp': {'harp': 1}, 'oboe': {'flute': 1, 'oboe': 1}}
    """
    pairs = Counter(zip(true, named, strict=True))
    return {sound: {word: n for (a, word), n in sorted(pairs.items()) if a == sound} for sound in sorted(set(true))}
