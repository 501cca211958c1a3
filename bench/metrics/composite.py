"""ASB and AMB: how well is arrival of the new timbre balanced with preservation of the rest?

    ASB = 2ab / (a + b),  a = S(CLAP), b = S(-LPAPS)          (adherence against structure)
    AMB = 2ab / (a + b),  a = S(CLAP), b = S(CQT1-PCC)        (adherence against melody)

S maps to [0, 1]. As published it is the minimum and maximum *over the methods of the table*: the worst method gets 0,
the best 1, and every value moves when a method joins or leaves. `with_anchors` takes fixed ends instead: what an
untouched source gets and what another song's clip gets, so that a method's value is its own.

The published z-score before S changes nothing, since S undoes it.

Source: Melodia (AMB with chroma instead of CQT1-PCC); Polyphonia, table 1 (AMB with CQT1-PCC).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt


def harmonic_mean(first: npt.ArrayLike, second: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """2ab / (a + b) elementwise; 0 where both are 0."""
    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    total = a + b
    return np.asarray(np.divide(2 * a * b, total, out=np.zeros_like(total), where=total > 0))


def over_methods(clap: Sequence[float], preserved: Sequence[float]) -> npt.NDArray[np.float64]:
    """ASB (`preserved` is -LPAPS) or AMB (CQT1-PCC) as published, min-max over the methods given; (methods,).

    A criterion in which all methods are equal tells nothing: it scales to 0.

    >>> over_methods([0.119, 0.437, 0.380], [0.090, 0.547, 0.513]).round(3).tolist()
    [0.0, 1.0, 0.87]
    """
    return harmonic_mean(*(_scaled(values, min(values), max(values)) for values in (clap, preserved)))


def with_anchors(
    clap: float, preserved: float, *, untouched: Mapping[str, float], unrelated: Mapping[str, float], target: float
) -> float:
    """ASB or AMB of one method between fixed ends, cut to [0, 1].

    Preservation is 1 for the untouched source and 0 for another song's clip. Adherence is 0 for the untouched source
    and 1 at `target`, the CLAP value of what should have come out (a true edit's, or a number declared with the table).

    Args:
        clap: the method's CLAP score.
        preserved: its -LPAPS or CQT1-PCC.
        untouched: `clap` and `preserved` of the copy-source control.
        unrelated: `preserved` of the random-clip control.
        target: the CLAP score that counts as full adherence, above the untouched source's.
    """
    a = np.clip((clap - untouched["clap"]) / (target - untouched["clap"]), 0.0, 1.0)
    b = np.clip((preserved - unrelated["preserved"]) / (untouched["preserved"] - unrelated["preserved"]), 0.0, 1.0)
    return float(harmonic_mean(a, b))


def _scaled(values: Sequence[float], low: float, high: float) -> npt.NDArray[np.float64]:
    found = np.asarray(values, np.float64)
    return (found - low) / (high - low) if high > low else np.zeros_like(found)
