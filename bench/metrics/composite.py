"""ASB and AMB: how well is arrival of the new timbre balanced with preservation of the rest?

    ASB = 2ab / (a + b),  a = S(CLAP), b = S(-LPAPS)          (adherence against structure)
    AMB = 2ab / (a + b),  a = S(CLAP), b = S(CQT1-PCC)        (adherence against melody)

S maps to [0, 1]. As published it is the minimum and maximum *over the methods of the table*: the worst method gets 0,
the best 1, and every value moves when a method joins or leaves. `with_anchors` takes fixed ends instead: what an
untouched source gets and what another song's clip gets, so that a method's value is its own.

The published z-score before S changes nothing, since S undoes it.

Both work on arrays, so that a bootstrap can ask for all its draws at once.

Source: Melodia (AMB with chroma instead of CQT1-PCC); Polyphonia, table 1 (AMB with CQT1-PCC).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def harmonic_mean(first: npt.ArrayLike, second: npt.ArrayLike) -> Floats:
    """2ab / (a + b) elementwise, of values in [0, 1]; 0 where both are 0."""
    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    total = a + b
    return np.asarray(np.divide(2 * a * b, total, out=np.zeros_like(total), where=total != 0))


def over_methods(clap: npt.ArrayLike, preserved: npt.ArrayLike) -> Floats:
    """ASB (`preserved` is -LPAPS) or AMB (CQT1-PCC) as published, min-max over the methods given; (..., methods).

    A criterion in which all methods are equal tells nothing: it scales to 0.

    >>> over_methods([0.119, 0.437, 0.380], [0.090, 0.547, 0.513]).round(3).tolist()
    [0.0, 1.0, 0.87]

    Raises:
        ValueError: if the two differ in shape, or there is no method.
    """
    a, b = np.asarray(clap, np.float64), np.asarray(preserved, np.float64)
    if a.shape != b.shape or not a.ndim or not a.shape[-1]:
        raise ValueError(f"criteria of the shapes {a.shape} and {b.shape}; two of (..., methods) are needed")
    return harmonic_mean(_min_max(a), _min_max(b))


def with_anchors(
    clap: npt.ArrayLike,
    preserved: npt.ArrayLike,
    *,
    untouched: Mapping[str, npt.ArrayLike],
    unrelated: Mapping[str, npt.ArrayLike],
    target: npt.ArrayLike,
) -> Floats:
    """ASB or AMB between fixed ends, cut to [0, 1].

    Preservation is 1 for the untouched source and 0 for another song's clip. Adherence is 0 for the untouched source
    and 1 at `target`, the CLAP value of what should have come out (a true edit's, or a number declared with the table).

    Args:
        clap: a method's CLAP score, or those of several, (...).
        preserved: its -LPAPS or CQT1-PCC, (...).
        untouched: `clap` and `preserved` of the copy-source control.
        unrelated: `preserved` of the random-clip control.
        target: the CLAP score that counts as full adherence.

    Raises:
        ValueError: if an end does not lie beyond the other: the target's CLAP score above the untouched source's, and
            the untouched source better preserved than an unrelated clip.
    """
    adherence = _between(clap, np.asarray(untouched["clap"], np.float64), target, "CLAP of source and target")
    kept = _between(
        preserved,
        np.asarray(unrelated["preserved"], np.float64),
        untouched["preserved"],
        "preservation of the controls",
    )
    return harmonic_mean(adherence, kept)


def _min_max(values: Floats) -> Floats:
    low, high = values.min(axis=-1, keepdims=True), values.max(axis=-1, keepdims=True)
    spread = np.broadcast_to(high - low, values.shape)
    return np.asarray(np.divide(values - low, spread, out=np.zeros_like(values), where=spread > 0))


def _between(values: npt.ArrayLike, low: Floats, high: npt.ArrayLike, what: str) -> Floats:
    span = np.asarray(high, np.float64) - low
    if not (span > 0).all():
        raise ValueError(f"anchors that are not in order: {what}, {low.min():g} against {np.min(high):g}")
    return np.clip((np.asarray(values, np.float64) - low) / span, 0.0, 1.0)
