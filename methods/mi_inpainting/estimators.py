"""Mutual information between real numbers and a class, in nats: by nearest neighbours, and by histogram as a check.

`neighbours` is the estimator of Kraskov et al. (Phys. Rev. E 69, 2004) in the form for one discrete variable (Ross,
PLoS ONE 9, 2014), as scikit-learn has it:

    I = ψ(N) + ψ(k) − <ψ(N_y)> − <ψ(m)>

where m counts the points within the distance of a point's k-th neighbour of its own class.

`Histogram` cuts each variable into bins of equal mass. With all classes weighted alike,

    I = H( mean_y p(·|y) ) − mean_y H( p(·|y) )

which is the Jensen–Shannon divergence of the classes; the bias of each entropy is taken off to first order (Miller,
1955: H + (occupied bins − 1) / 2n). Histograms are kept by *group*, so that groups can be drawn again: frames of one
instrument resemble each other, and the instruments of a family are the sample that an interval must speak about.
Nearest neighbours cannot be resampled so: a group that is drawn twice is its own neighbour.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float32] | npt.NDArray[np.float64]

NEIGHBOURS = 3
BINS = 64


def neighbours(values: Reals, classes: Ints, *, k: int = NEIGHBOURS, seed: int = 0) -> Floats:
    """Mutual information of each variable with the class, by nearest neighbours.

    Args:
        values: (samples, variables).
        classes: (samples,).
        k: neighbours, as published by the estimator's authors.
        seed: of the noise of 1e-10 that breaks ties.

    Returns:
        (variables,), in nats, not below 0.
    """
    from sklearn.feature_selection import mutual_info_classif  # type: ignore[import-untyped]

    found = mutual_info_classif(values, classes, discrete_features=False, n_neighbors=k, random_state=seed)
    return np.asarray(found, np.float64)


@dataclass(frozen=True, eq=False)
class Histogram:
    """Counts of each group's samples in bins of equal mass.

    Attributes:
        counts: (groups, variables, bins).
        classes: of each group, 0 … classes − 1, (groups,).
    """

    counts: Floats
    classes: Ints

    @classmethod
    def of(cls, values: Reals, groups: Ints, classes: Ints, *, bins: int = BINS) -> Histogram:
        """Count samples.

        Args:
            values: (samples, variables).
            groups: group of each sample, 0 … groups − 1, (samples,).
            classes: class of each sample, (samples,); all samples of a group have the same.
            bins: how many.
        """
        number = int(groups.max()) + 1
        counts = np.empty((number, values.shape[1], bins))
        for variable, column in enumerate(values.T):
            edges = np.quantile(column, np.linspace(0, 1, bins + 1)[1:-1])
            places = groups * bins + np.searchsorted(edges, column, side="right")
            counts[:, variable] = np.bincount(places, minlength=number * bins).reshape(number, bins)
        of_group = np.zeros(number, np.int64)
        of_group[groups] = classes
        return cls(counts, of_group)

    def information(self) -> Floats:
        """Mutual information of each variable with the class, in nats, not below 0, (variables,)."""
        by_class = self._by_class(self._once)
        samples = by_class.sum(axis=(0, 2))
        mixture = np.count_nonzero(by_class.sum(axis=0), axis=-1) - 1
        conditional = (np.count_nonzero(by_class, axis=-1) - 1).sum(axis=0)
        corrected = _divergence(by_class) + (mixture - conditional) / (2 * samples)
        return np.asarray(np.maximum(0.0, corrected))

    def deviations(self, resamples: int, *, seed: int) -> Floats:
        """How far the information moves when the groups of each class are drawn again, with replacement.

        A draw has fewer different groups, so the deviations lie above 0 in the mean; their spread is what they tell.

        Returns:
            (resamples, variables), in nats.
        """
        rng = np.random.default_rng(seed)
        whole = _divergence(self._by_class(self._once))
        deviations = np.empty((resamples, len(whole)))
        for row in deviations:
            weights = np.zeros(len(self.classes))
            for members in self._members:
                weights[members] = rng.multinomial(len(members), np.full(len(members), 1 / len(members)))
            row[:] = _divergence(self._by_class(weights)) - whole
        return deviations

    @cached_property
    def _members(self) -> list[Ints]:
        """The groups of each class."""
        return [np.flatnonzero(self.classes == each) for each in range(int(self.classes.max()) + 1)]

    @cached_property
    def _once(self) -> Floats:
        """Weights that take each group as it is."""
        return np.ones(len(self.classes))

    def _by_class(self, weights: Floats) -> Floats:
        """Weighted counts of each class, (classes, variables, bins)."""
        return np.stack([np.tensordot(weights[members], self.counts[members], axes=1) for members in self._members])


def _divergence(counts: Floats) -> Floats:
    """Jensen–Shannon divergence between the classes of (classes, variables, bins), (variables,)."""
    shares = counts / counts.sum(axis=-1, keepdims=True)
    return np.asarray(_entropy(shares.mean(axis=0)) - _entropy(shares).mean(axis=0))


def _entropy(shares: Floats) -> Floats:
    logs = np.log(shares, where=shares > 0, out=np.zeros_like(shares))
    return np.asarray(-(shares * logs).sum(axis=-1))
