"""Harmony: a section's chords, from its genre's grammar.

A grammar is context-free: a symbol stands for one of its alternatives, chosen at random, and each of these is a row of
bars and further symbols. Within a section each symbol is expanded once, so that a question (``head half``) and its
answer (``head full``) begin alike and end differently.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tasks.synth.genres.genre import Grammar
from tasks.synth.theory import Chord, Key, chord_in

Bars = tuple[tuple[Chord, ...], ...]
"""For each bar the chords that share it."""


@dataclass(frozen=True)
class Progression:
    """The chords of a phrase, in blocks that are named by the grammar's symbols."""

    blocks: tuple[tuple[str, Bars], ...]
    key: Key

    @property
    def bars(self) -> Bars:
        """All its bars."""
        return tuple(bar for _, bars in self.blocks for bar in bars)

    @property
    def closed(self) -> bool:
        """Whether it comes to rest: its last chord is the tonic."""
        return self.bars[-1][-1].root == self.key.tonic


def progressions(section: tuple[str, ...], grammar: Grammar, key: Key, rng: np.random.Generator) -> list[Progression]:
    """The phrases of a section.

    Args:
        section: for each phrase its row of symbols.
        grammar: of the genre, for the key's mode.
        key: of the song.
        rng: chooses among alternatives.
    """
    chosen: dict[str, Bars] = {}
    for symbol in " ".join(section).split():
        if symbol not in chosen:
            chosen[symbol] = tuple(
                tuple(chord_in(key, numeral) for numeral in bar.split(",")) for bar in expand(grammar, symbol, rng)
            )
    return [Progression(tuple((name, chosen[name]) for name in phrase.split()), key) for phrase in section]


def expand(grammar: Grammar, symbol: str, rng: np.random.Generator) -> tuple[str, ...]:
    """The bars that a symbol stands for, as written: ``("I", "ii7,V7")``."""
    alternatives = grammar[symbol].split("|")
    tokens = alternatives[int(rng.integers(len(alternatives)))].split()
    return tuple(bar for token in tokens for bar in (expand(grammar, token, rng) if token in grammar else (token,)))
