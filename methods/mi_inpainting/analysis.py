"""The mutual-information analysis (Lee et al., ICASSP 2026, Sec. on latent dimensions; App. B1 of our notes).

For each latent channel c, I_c = I(Z_c; Y): how much a frame of the channel says about the instrument family Y. The
paper's latent is a sequence of vectors; where a frame of a channel is several numbers, one a frequency row f, I_c is
the mean over rows, mean_f I(Z_cf; Y): what a number of the channel says to someone who knows which row it is from.

Estimator and settings are not published. Chosen: nearest neighbours with k = 3 as scikit-learn has them, 200,000
frames of NSynth balanced over families, frames within 40 dB of the note's loudest, and a 64-bin histogram estimate
beside it (`methods.mi_inpainting.estimators`).

*Frames of one note are not independent.* A held note repeats itself, so that the nearest neighbours of a frame are its
own note's, and by nothing but that tell the class (with 16 frames a note: up to 60 % more information). Each
nearest-neighbour estimate therefore sees one frame of a note, and the mean over such draws is taken.

*Nor are notes of one instrument.* How many instruments a family has decides what a ranking is worth. Intervals come
from drawing each family's instruments again, with replacement: the spread of the histogram estimates, put about the
value. They do not say that with few instruments a family looks more distinct than it is: then every value is too high.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.suite import Track, untracked
from methods.mi_inpainting.estimators import BINS, NEIGHBOURS, Floats, Histogram, neighbours
from methods.mi_inpainting.notes import Frames
from methods.mi_inpainting.ranking import Channel, Ranking, ranked, top

RESAMPLES = 1000
"""Of the instruments, for the intervals of a ranking."""

LEVEL = 0.95


@dataclass(frozen=True, eq=False)
class Information:
    """Mutual information with the family, in nats.

    Attributes:
        cells: by nearest neighbours, (channels, frequency rows).
        histogram: the same by histogram.
        low, high: ends of the interval of each channel's mean, (channels,).
    """

    cells: Floats
    histogram: Floats
    low: Floats
    high: Floats

    @property
    def channels(self) -> Floats:
        """I_c by nearest neighbours, (channels,)."""
        return np.asarray(self.cells.mean(axis=1))


def cells(frames: Frames, *, seed: int, k: int = NEIGHBOURS, track: Track = untracked) -> Floats:
    """I(Z_cf; Y) of every channel and frequency row by nearest neighbours, (channels, frequency rows), in nats.

    Args:
        frames: of two families or more.
        seed: of ties.
        k: neighbours.
        track: told how far it is.
    """
    notes, draws, channels, rows = frames.values.shape
    estimates = [
        neighbours(frames.values[:, draw].reshape(notes, -1), frames.family, k=k, seed=seed)
        for draw in track(range(draws), "draws", draws)
    ]
    return np.asarray(np.mean(estimates, axis=0).reshape(channels, rows))


def information(
    frames: Frames, *, seed: int, resamples: int, bins: int = BINS, track: Track = untracked
) -> Information:
    """Estimate I_c of every channel with both estimators, and its interval.

    Args:
        frames: of two families or more.
        seed: of ties and resamples.
        resamples: of the instruments.
        bins: of the histogram.
        track: told how far it is.
    """
    _, draws, channels, rows = frames.values.shape
    found = cells(frames, seed=seed, track=track)
    histogram = Histogram.of(
        frames.values.reshape(-1, channels * rows),
        np.repeat(frames.instrument, draws),
        np.repeat(frames.family, draws),
        bins=bins,
    )
    deviations = histogram.deviations(resamples, seed=seed).reshape(resamples, channels, rows).mean(axis=2)
    below, above = np.quantile(deviations - deviations.mean(axis=0), [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    values = found.mean(axis=1)
    return Information(
        cells=found,
        histogram=histogram.information().reshape(channels, rows),
        low=np.maximum(0.0, values - above),
        high=np.maximum(0.0, values - below),
    )


def rank(
    found: Information,
    *,
    backbone: Mapping[str, Any],
    data: Mapping[str, Any],
    settings: Mapping[str, Any],
    check: Floats | None = None,
) -> Ranking:
    """The ranking that an analysis gives.

    Args:
        found: the estimates.
        backbone: its identity.
        data: what `describe` says of the frames, and where they are from.
        settings: of the estimate.
        check: `cells` of instruments that are not among those of `found`.
    """
    means = found.histogram.mean(axis=1)
    channels = tuple(
        Channel(
            channel=number,
            mi=_short(found.channels[number]),
            low=_short(found.low[number]),
            high=_short(found.high[number]),
            histogram=_short(means[number]),
            cells=tuple(_short(value) for value in found.cells[number]),
        )
        for number in range(len(means))
    )
    return Ranking(
        backbone=dict(backbone),
        data=dict(data),
        settings=dict(settings),
        channels=channels,
        order=ranked(channels),
        agreement={
            "histogram_rank_correlation": _rank_correlation(found.channels, means),
            "histogram_largest_difference": _short(np.abs(found.channels - means).max()),
            "held_out": None if check is None else _held_out(found.channels, check.mean(axis=1)),
        },
    )


def describe(frames: Frames) -> dict[str, Any]:
    """What a ranking records of its data."""
    return {
        "families": list(frames.families),
        "instruments": len(frames.instruments),
        "notes": len(frames.values),
        "frames": len(frames.values) * frames.values.shape[1],
        "digest": frames.digest,
    }


def _held_out(values: Floats, others: Floats) -> dict[str, Any]:
    """How a ranking agrees with that of other instruments."""
    half = top(0.5, len(values))
    best, best_there = (set(np.argsort(-each, kind="stable")[:half].tolist()) for each in (values, others))
    return {
        "rank_correlation": _rank_correlation(values, others),
        "shared_of_top_half": len(best & best_there),
        "top_half": half,
        "mi": [_short(value) for value in others],
    }


def _rank_correlation(a: Floats, b: Floats) -> float | None:
    """Spearman's ρ; None where one side is constant, or there is a single channel."""
    from scipy.stats import spearmanr

    if len(a) < 2 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return None
    return _short(spearmanr(a, b).statistic)


def _short(value: float | npt.NDArray[np.float64]) -> float:
    """Six decimals: more would be noise, and would differ between machines."""
    return round(float(value), 6)
