"""The words that go with a clip: prompts in the manner of every suite, drawn anew each time a clip is drawn.

An instrument is called by one of its phrases ("a folk fiddle"), or by a bare name of it with or without an adjective
that says nothing about the sound ("a bold violin"): prompts written by others use words of their own, and what a model
should learn to hear is the noun.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np

from bench.backbones.nano.train.takes import Take

TEMPLATES = (
    "A recording of {}.",
    "A music recording with {}.",
    "A piece of music with {}.",
    "A song performed with {}.",
    "A recording of {}",
    "{}",
    "{}.",
    "Music featuring {}.",
)
"""Those of our suites and of PolyEvalPrompts, and a few of what people type."""

_WEIGHTS = np.array([8, 4, 4, 4, 1, 2, 1, 1], np.float64)
_SOLO = ("A solo recording of {}.", "A recording of {}, solo.", "{} alone", "A recording of a single part: {}.")

_ADJECTIVES = """
acoustic airy aggressive ambient bold bright calm clean clear crisp dark deep delicate dreamy driving dynamic emotive
energetic expressive fast fat funky gentle gritty groovy haunting heavy jazzy light lively loud lush mellow melodic
muted powerful punchy quiet raw resonant rhythmic rich sharp shimmering simple slow smooth soft solid soulful steady
strong subtle sweet tight vibrant vintage warm
"""
ADJECTIVES = tuple(_ADJECTIVES.split())
_COMMON_WORDS = """
a accompaniment accordion alto an and at atmospheric backing bagpipe band banjo bass bassline bassoon beat beats bells
big blues brass brushed by celesta cello chimes choir clarinet classical clavinet congas country cymbals disco
distorted double drum drums electric electronic ensemble female fiddle fingered fingerpicked flute folk for french
from funk grand guitar guitars harmonica harp harpsichord hat hi horn horns in is jazz keyboard kick kit latin lead
line machine male mandolin marimba melancholic melody metal mix music nylon oboe ocarina of on orchestra orchestral
organ pad part percussion piano piccolo picked piece pipe played playing plucked pop pulsing rap recorder recording
reggae rhythm riff rock saxophone section shakuhachi shamisen singing sitar slap snare soaring solo song soprano sound
steel string strings strummed swinging syncopated synth synthesizer tabla tambourine tenor the timpani tom track
trombone trumpet tuba ukulele upright version vibraphone viola violin vocal vocals voice walking whistle with without
woodwind xylophone
"""
COMMON_WORDS = tuple(_COMMON_WORDS.split())
"""Words of prompts beside the adjectives, whether an instrument of ours is called so or not."""

_SPOKEN = ("vocals", "bass", "other", "drums")
_PHRASE, _ADJECTIVE, _ARTICLE, _IN_ORDER = 0.65, 0.5, 0.7, 0.75


def vocabulary(names: Iterable[str]) -> tuple[str, ...]:
    """The words that nano's tokenizers know, in lower case: of instruments' names and phrases, and of the prompts here.

    Args:
        names: what instruments are called.
    """
    texts = (*names, *TEMPLATES, *_SOLO, *ADJECTIVES, *COMMON_WORDS)
    return tuple(sorted({word for text in texts for word in re.findall(r"[a-z]+", text.lower())}))


def describe(takes: Sequence[Take], rng: np.random.Generator) -> str:
    """A prompt that names all takes."""
    return frame([phrase(take, rng) for take in in_order(takes, rng)], rng)


def frame(phrases: Sequence[str], rng: np.random.Generator) -> str:
    """Phrases in a sentence."""
    if len(phrases) == 1 and rng.random() < 0.25:
        return _SOLO[int(rng.integers(len(_SOLO)))].format(phrases[0])
    template = TEMPLATES[int(rng.choice(len(TEMPLATES), p=_WEIGHTS / _WEIGHTS.sum()))]
    return template.format(listed(phrases))


def in_order(takes: Sequence[Take], rng: np.random.Generator) -> list[Take]:
    """Mostly as prompts name stems: vocals, bass, other, drums; sometimes in any order."""
    ordered = sorted(takes, key=lambda take: _SPOKEN.index(take.stem))
    return ordered if rng.random() < _IN_ORDER else [ordered[i] for i in rng.permutation(len(ordered))]


def phrase(take: Take, rng: np.random.Generator) -> str:
    """What a take is called this time."""
    if rng.random() < _PHRASE:
        return _any(take.phrases, rng)
    name = _any(take.names, rng)
    if rng.random() < _ADJECTIVE:
        name = f"{_any(ADJECTIVES, rng)} {name}"
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}" if rng.random() < _ARTICLE else name


def listed(phrases: Sequence[str]) -> str:
    """`a, b and c`."""
    return phrases[0] if len(phrases) == 1 else f"{', '.join(phrases[:-1])} and {phrases[-1]}"


def _any(words: Sequence[str], rng: np.random.Generator) -> str:
    return words[int(rng.integers(len(words)))]
