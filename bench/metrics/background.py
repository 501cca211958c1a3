"""Background log-mel distance: was the rest of the mix left alone?

The edit is compared with the source where the stems that were *not* to change dominate. G, the ideal ratio mask of
the edited stem in the mel domain (Polyphonia, eq. 9), is computed from the true stems; each cell of the log-mel
distance weighs 1 - G. No separator takes part, so none can blur the answer.

Cells in which the background is inaudible (below the distance's floor, 80 dB under the source's maximum) weigh
nothing: there is nothing there to preserve, and the new instrument may go there.

Source: G_X0 = sqrt(M(|S_tgt|²) / (M(|S_tgt|²) + M(|S_con|²))), M = mel filterbank, S_con = sum of the other stems.
"""

from __future__ import annotations

import numpy as np

from bench.metric import Case, Missing, Needs, SampleMetric, length_mismatch
from bench.metrics.logmel import RATE, Powers, described, floors, log_mel_distance, powers_of


def background_weights(target: Powers, background: Powers, mixture: Powers) -> Powers:
    """1 - G where the background is audible, else 0; arrays (bands, frames) for each FFT size.

    Args:
        target: mel powers of the edited stem.
        background: of the sum of the other stems.
        mixture: of the source, whose maximum says what is audible.
    """
    weights = []
    for wanted, rest, floor in zip(target, background, floors(mixture), strict=True):
        audible = rest > floor
        gain = np.sqrt(np.divide(wanted, wanted + rest, out=np.ones_like(rest), where=audible))
        weights.append(1.0 - gain)
    return tuple(weights)


class BackgroundLogMel(SampleMetric):
    """Log-mel distance of the edit to the source where the untouched stems dominate."""

    name = "background-logmel"
    version = 1
    direction = "lower"
    unit = "dB"
    range = (0.0, float("inf"))
    needs = frozenset({Needs.SOURCE, Needs.STEMS})
    summary = "log-mel distance to the source where the other stems dominate"
    source = "ours; the weights are Polyphonia's eq. 9"
    smallest_effect = 0.2

    @property
    def parameters(self) -> str:
        """The distance, its reference and its weights."""
        return f"{described()}, reference: source, weight 1-G with G = mel IRM (eq. 9) of the true stems"

    def score(self, case: Case) -> float | Missing:
        """The distance in dB; 0 if the background is untouched."""
        source, stem = case.source, case.task.stem
        if mismatch := length_mismatch(case.edit, source.mixture):
            return mismatch
        if source.mixture.peak == 0.0:
            return Missing("silent-source", "the source is silent")
        length = case.features.mono(source.mixture, RATE).length
        mixture, target, rest = (
            powers_of(case.features, clip, length)
            for clip in (source.mixture, source.stems[stem], source.background(stem))
        )
        weights = background_weights(target, rest, mixture)
        if not all(weight.any() for weight in weights):
            return Missing("no-background", f"nothing but the {stem} can be heard in the source")
        return log_mel_distance(mixture, powers_of(case.features, case.edit, length), weights)
