"""The twelve sounds among which clips are named, and how texts call them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from bench.identity import derive_seed

TWELVE: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "violin": ("a smooth violin", "an expressive violin"),
        "cello": ("a warm cello", "a deep cello"),
        "flute": ("a bright flute", "an airy flute"),
        "clarinet": ("a woody clarinet", "a mellow clarinet"),
        "oboe": ("a reedy oboe", "a plaintive oboe"),
        "trumpet": ("a bold trumpet", "a bright trumpet"),
        "tenor-saxophone": ("a husky tenor saxophone", "a warm tenor saxophone"),
        "piano": ("a bright piano", "a grand piano", "a gentle piano"),
        "nylon-guitar": ("a nylon-string guitar", "a soft classical guitar"),
        "church-organ": ("a majestic pipe organ", "a solemn church organ"),
        "harp": ("a delicate harp", "a gentle harp"),
        "marimba": ("a wooden marimba", "a warm marimba"),
    }
)
"""Sounds of the sampler by name, with the phrases of `tasks.synth.sounds` (a test holds them to it): one sound for each
of twelve instruments that listeners tell apart, bowed, blown, struck, plucked and piped."""


def phrase_for(phrases: tuple[str, ...], *parts: str, seed: int = 0) -> str:
    """One of some phrases, drawn by a seed and by what it is for."""
    return phrases[int(np.random.default_rng(derive_seed(seed, "phrase", *parts)).integers(len(phrases)))]


def prompt(*phrases: str) -> str:
    """The prompt of the synth suite that names all phrases.

    >>> prompt("a violin", "a deep bass guitar", "a drum kit")
    'A recording of a violin, a deep bass guitar and a drum kit.'
    """
    listed = phrases[0] if len(phrases) == 1 else f"{', '.join(phrases[:-1])} and {phrases[-1]}"
    return f"A recording of {listed}."
