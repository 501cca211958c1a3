"""Does nano-clap hear which instrument plays? Zero-shot retrieval: the text nearest to the audio must be the true one.

Solo, among twelve instruments, from 5.12 s and from the whole take. In a mixture of four stems, where all twelve texts
name all four stems and differ in the phrase of the edited stem alone: the question that the benchmark asks of it. And
among all sounds that the songs have for a stem, where any sound of the same instrument is right.

Chance is one in twelve, 0.083.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from bench.audio import Clip
from bench.backbones import mel
from bench.backbones.nano.train.takes import Take, TakenSong, Waveform
from bench.embedder import Embedder, Vectors
from bench.evaluation.figures import Findings, Target, Value
from bench.evaluation.judging import confusions
from bench.evaluation.material import SECONDS, Mixture, Solo, mixtures, solos, sounds_of_stems
from bench.evaluation.sounds import TWELVE, phrase_for, prompt
from bench.suite import Track, untracked

SOLO, IN_MIX = Target(0.95), Target(0.65)
WHOLE_S = 10.0
BATCH = 32


class Retrieval:
    """Clips and texts in one space.

    Args:
        embedder: reads both.
        seed: of the phrases by which instruments are called.
    """

    def __init__(self, embedder: Embedder, seed: int = 0):
        self._embedder, self._seed = embedder, seed
        self._texts: dict[str, Vectors] = {}

    def audio(self, waveforms: Sequence[Waveform]) -> Vectors:
        """Mono clips at 16 kHz as unit vectors, (clips, width)."""
        clips = [Clip.of(each, mel.RATE).resample(self._embedder.rate) for each in waveforms]
        vectors = np.stack([np.average(e.frames, axis=0, weights=e.weights) for e in self._embedder.embed(clips)])
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)

    def nearest(self, vector: Vectors, texts: Mapping[str, str]) -> str:
        """Which of some texts, by name, is nearest to a clip's vector, (width,)."""
        fresh = sorted(set(texts.values()) - set(self._texts))
        if fresh:
            self._texts.update(zip(fresh, self._embedder.embed_texts(fresh), strict=True))
        names = list(texts)
        return names[int(np.argmax(np.stack([self._texts[texts[name]] for name in names]) @ vector))]

    def solo_texts(self, key: str) -> dict[str, str]:
        """The prompts of the twelve sounds alone, with phrases drawn for a clip."""
        return {sound: prompt(phrase_for(phrases, key, sound, seed=self._seed)) for sound, phrases in TWELVE.items()}

    def mix_texts(self, each: Mixture, sounds: Mapping[str, Sequence[str]]) -> dict[str, str]:
        """The prompts of a mixture with each of some sounds in the place of the edited stem."""
        key = f"{each.song.name} {each.edited.row}"
        others = {take.row: phrase_for(take.phrases, key, take.sound, seed=self._seed) for take in each.takes}
        return {
            sound: prompt(*(others[take.row] if take is not each.edited else phrase for take in each.takes))
            for sound, phrases in sounds.items()
            for phrase in [phrase_for(tuple(phrases), key, sound, seed=self._seed)]
        }


def retrieval(songs: Sequence[TakenSong], embedder: Embedder, *, seed: int = 0, track: Track = untracked) -> Findings:
    """All retrieval figures of a set of songs."""
    found, of = Findings("clap", seed), Retrieval(embedder, seed)
    for seconds in (SECONDS, WHOLE_S):
        clips = solos(songs, TWELVE, seconds)
        named = _solos_named(of, clips, track)
        right = [_right(each.song, each.take, word) for each, word in zip(clips, named, strict=True)]
        found.add(f"top-1 of 12, solo, {seconds:g} s", right, target=SOLO)
        found.details[f"solo {seconds:g} s"] = confusions([each.take.sound for each in clips], named)
    mixes = mixtures(songs, TWELVE)
    vectors = _vectors(of, mixes, "mixtures", track)
    _in_mixes(found, of, mixes, vectors)
    _of_role(found, of, songs, mixes, vectors)
    return found


def _in_mixes(found: Findings, of: Retrieval, mixes: Sequence[Mixture], vectors: Sequence[Vectors]) -> None:
    named = [of.nearest(vector, of.mix_texts(mix, TWELVE)) for vector, mix in zip(vectors, mixes, strict=True)]
    right = [(mix, _right(mix.song, mix.edited, word)) for mix, word in zip(mixes, named, strict=True)]
    found.add("top-1 of 12, edited stem in a mix of 4", [value for _, value in right], target=IN_MIX)
    for stem in ("vocals", "other"):
        found.add(f"the same, where it is '{stem}'", [value for mix, value in right if mix.edited.stem == stem])
    found.details["in mixes"] = confusions([mix.edited.sound for mix in mixes], named)


def _of_role(
    found: Findings,
    of: Retrieval,
    songs: Sequence[TakenSong],
    mixes: Sequence[Mixture],
    vectors: Sequence[Vectors],
) -> None:
    """Among all sounds of the edited stem; another sound of the same instrument is right, too."""
    known = dict(sounds_of_stems(songs))
    for stem in ("vocals", "other"):
        phrases = {sound: take.phrases for sound, take in known[stem].items()}
        right = []
        for mix, vector in zip(mixes, vectors, strict=True):
            if mix.edited.stem == stem:
                word = of.nearest(vector, of.mix_texts(mix, phrases))
                right.append(Value(mix.song.name, float(known[stem][word].names == mix.edited.names)))
        found.add(f"in a mix, of all {len(phrases)} sounds of '{stem}'", right)


def _solos_named(of: Retrieval, clips: Sequence[Solo], track: Track) -> list[str]:
    vectors = _vectors(of, clips, "solos", track)
    return [
        of.nearest(vector, of.solo_texts(f"{each.song.name} {each.take.row}"))
        for each, vector in zip(clips, vectors, strict=True)
    ]


def _vectors(of: Retrieval, clips: Sequence[Solo] | Sequence[Mixture], what: str, track: Track) -> list[Vectors]:
    starts = range(0, len(clips), BATCH)
    found: list[Vectors] = []
    for start in track(starts, f"batches of {what}", len(starts)):
        found += list(of.audio([each.waveform for each in clips[start : start + BATCH]]))
    return found


def _right(song: TakenSong, take: Take, word: str) -> Value:
    return Value(song.name, float(word == take.sound))
