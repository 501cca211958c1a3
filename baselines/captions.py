"""Captions of music with one instrument or another in it, in place of those that MusicMagus asks a language model for.

They are stored in `captions.toml`, in our own words, so that the same edit is the same everywhere and for ever.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

_FILE = Path(__file__).with_name("captions.toml")


@cache
def templates() -> tuple[str, ...]:
    """The captions, each with one gap: {}."""
    return tuple(tomllib.loads(_FILE.read_text(encoding="utf-8"))["captions"])


def captions(concept: str) -> list[str]:
    """24 captions of music with `concept` in it.

    >>> captions("violin")[0]
    'Calm violin music with a slow tempo and a gentle, dreamy mood'
    """
    return [template.format(concept) for template in templates()]
