"""Retrieval with an embedder that hears what it is told: whose words are right, and among what."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from bench.audio import Clip
from bench.embedder import Embedder, Embedding
from bench.evaluation.material import mixtures
from bench.evaluation.retrieval import Retrieval, retrieval
from bench.evaluation.sounds import TWELVE

WIDTH = 64


class Attentive(Embedder):
    """Knows the clips of some songs by their samples, and puts each where the right prompt is.

    Args:
        known: the sound of each clip, by its hash.
    """

    name, version, rate, reads_text = "attentive", 1, 16_000, True

    def __init__(self, known: dict[str, str]):
        super().__init__()
        self.known = known
        self.texts: list[str] = []

    @property
    def identity(self) -> str:
        return self.name

    def embed(self, clips: Sequence[Clip], **_: object) -> list[Embedding]:
        return [Embedding(self._vector(self.known[clip.sha256])[None], np.ones(1)) for clip in clips]

    def embed_texts(self, texts: Sequence[str]) -> np.ndarray:
        self.texts += texts
        named = [next(s for s, phrases in TWELVE.items() if any(p in text for p in phrases)) for text in texts]
        return np.stack([self._vector(sound) for sound in named])

    def _vector(self, sound: str) -> np.ndarray:
        return np.eye(len(TWELVE), dtype=np.float32)[list(TWELVE).index(sound)]


def test_texts_of_a_mix_differ_in_the_edited_phrase_alone(songs) -> None:
    mix = next(each for each in mixtures(songs[:1], TWELVE) if each.edited.sound == "oboe")
    texts = Retrieval(Attentive({})).mix_texts(mix, TWELVE)
    assert set(texts) == set(TWELVE)
    for sound, text in texts.items():
        phrase = next(each for each in TWELVE[sound] if each in text)
        assert text == f"A recording of {phrase}, a bass-guitar, a koto and a drum-kit."
    assert texts == Retrieval(Attentive({})).mix_texts(mix, TWELVE)


def test_the_stem_in_the_middle_is_replaced_in_its_place(songs) -> None:
    mix = mixtures(songs[:1], ["koto"])[0]
    text = Retrieval(Attentive({})).mix_texts(mix, {"harp": ("a gentle harp",)})["harp"]
    assert text == "A recording of a violin, a bass-guitar, a gentle harp and a drum-kit."


@pytest.mark.parametrize("truthful", [True, False])
def test_who_hears_right_is_right(songs, truthful: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    from bench.evaluation import retrieval as module
    from bench.evaluation.material import solos

    songs = songs[:2]
    monkeypatch.setattr(module, "WHOLE_S", 3.0)
    monkeypatch.setattr(module, "SECONDS", 2.0)
    monkeypatch.setattr(module, "_of_role", lambda *_: None)
    known = {}
    for seconds in (2.0, 3.0):
        for each in solos(songs, TWELVE, seconds):
            known[Clip.of(each.waveform, 16_000).sha256] = each.take.sound if truthful else "harp"
    for mix in mixtures(songs, TWELVE):
        known[Clip.of(mix.waveform, 16_000).sha256] = mix.edited.sound if truthful else "harp"
    found = retrieval(songs, Attentive(known))
    assert [figure.name for figure in found.figures][:3] == [
        "top-1 of 12, solo, 2 s",
        "top-1 of 12, solo, 3 s",
        "top-1 of 12, edited stem in a mix of 4",
    ]
    assert {figure.value.mean for figure in found.figures} == {float(truthful)}
    assert found.details["in mixes"]["oboe"] == {"oboe" if truthful else "harp": 2}
