"""A guard for text encoders: two unlike texts must give two vectors."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from bench.embedder import Vectors
from bench.errors import ModelError

PROBES = ("a solo violin plays a slow melody", "loud drums and distorted electric guitars")
ALIKE = 0.14
"""Distance of the probes' vectors up to which texts cannot be told apart, a cosine of 0.99. Working checkpoints give
unlike texts a distance of about 1."""


def check_told_apart(embed: Callable[[Sequence[str]], Vectors], where: str) -> None:
    """Stop where a score against a text would mean nothing.

    Two faults have this face: a tokenizer without vocabulary, and a checkpoint that was converted wrongly.
    `laion/larger_clap_music` is one: any two texts have a cosine above 0.999 (mteb issue 5069).

    Args:
        embed: texts as unit vectors.
        where: the checkpoint, for the error.

    Raises:
        ModelError: `model/one-text`.
    """
    first, second = embed(PROBES)
    distance = float(np.linalg.norm(first - second))
    if not distance > ALIKE:  # also if it is NaN
        raise ModelError(
            f"the text side of this checkpoint gives all texts the same vector (distance {distance:.4f} of at most 2)",
            where=where,
            remedy="Use another checkpoint for scores against texts; its audio vectors may still be sound.",
            code="model/one-text",
        )
