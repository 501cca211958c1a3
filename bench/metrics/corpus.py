"""FAD and KAD of a run: the set of edits against a reference set, in an embedder's space.

Which set is the reference is another question each:

* `fad`, `kad`: the *sources*, as SteerMusic, Melodia and Polyphonia report them. Copying the input gives 0: it measures
  preservation, on 28 or 50 distinct clips in PolyEvalPrompts.
* `fad-true-edit`, `kad-true-edit`: the true edits, where the suite has them: does the set sound as it should?
* `fad-target`, `kad-target`: the edited parts, drawn out by the true stems' mask, against the same parts of the true
  edits, the target instruments themselves: is the new timbre real?

Beside every value stand the numbers of clips, an interval, and the floor, the distance between two halves of the
reference: see `bench/runner/scoring/corpus.py`. Vectors are taken window by window; `hop1` in `@fadtk` and
`@kadtk-1.1.0`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from bench.audio import Clip
from bench.metric import Case, CorpusMetric, Frames, Missing, Needs, length_mismatch
from bench.metrics.frechet import frechet_distance, frechet_infinity
from bench.metrics.kernel import Bandwidth, kernel_distance
from bench.metrics.part import described as part_described
from bench.metrics.part import edited_part

MOST_ROWS = 40_000
"""With more vectors in a set (EnCodec gives so many in nine minutes), all pairs of them would need over 6 GB."""


class _ToSources(CorpusMetric):
    """The reference set is the sources."""

    sets: ClassVar[str] = "reference: sources"

    def reference(self, case: Case) -> Clip | Missing:
        """The source."""
        return case.source.mixture


class Fad(_ToSources):
    """Fréchet audio distance to the sources."""

    name = "fad"
    version = 1
    direction = "lower"
    range = (0.0, float("inf"))
    summary = "Fréchet distance of the edits to the sources"
    source = "Kilgour et al., Interspeech 2019; to the sources: SteerMusic, Melodia, Polyphonia"
    default_embedder = "laion-clap"

    @property
    def parameters(self) -> str:
        """The network, the windows and the sets."""
        return f"{self.embedder.identity}, {self.policy} windows, {self.sets}, covariances over N-1, float64"

    def distance(self, evaluated: Frames, reference: Frames) -> float | Missing:
        """FAD of the sets' windows."""
        return frechet_distance(evaluated.values, reference.values)


class FadInfinity(Fad):
    """FAD to the sources, extrapolated to a set of any size."""

    name = "fad-infinity"
    range = (-float("inf"), float("inf"))
    summary = "Fréchet distance of the edits to the sources, extrapolated to sets of any size"
    source = "Chong and Forsyth, CVPR 2020; Gui et al., ICASSP 2024; clips drawn whole"

    @property
    def parameters(self) -> str:
        """The network, the windows, the sets and the draws."""
        return f"{super().parameters}, line through 15 sizes, clips drawn without replacement, seed 0"

    def distance(self, evaluated: Frames, reference: Frames) -> float | Missing:
        """FAD∞ of the sets' windows."""
        if len(evaluated.songs) < 6:
            return Missing("too-few-clips", "FAD∞ needs at least 6 clips")
        return frechet_infinity(evaluated.values, reference.values, evaluated.clips).value


class Kad(_ToSources):
    """Kernel audio distance to the sources."""

    name = "kad"
    version = 1
    direction = "lower"
    summary = "kernel distance of the edits to the sources; may be negative"
    source = "Chung et al., arXiv 2502.15602, bandwidth from the reference as documented"
    default_embedder = "laion-clap"
    bandwidth: Bandwidth = "reference"

    @property
    def parameters(self) -> str:
        """The network, the windows, the sets and the kernel."""
        return (
            f"{self.embedder.identity}, {self.policy} windows, {self.sets}, Gaussian kernel, bandwidth: lower "
            f"median distance within the {self.bandwidth} set, unbiased, times 100"
        )

    def distance(self, evaluated: Frames, reference: Frames) -> float | Missing:
        """KAD of the sets' windows."""
        rows = max(len(evaluated.values), len(reference.values))
        if rows > MOST_ROWS:
            return Missing("too-many-vectors", f"{rows:,} vectors in a set; KAD takes the square of that, FAD does not")
        return kernel_distance(evaluated.values, reference.values, self.bandwidth)


class KadKadtk(Kad):
    """KAD as kadtk 1.1.0 computes it."""

    name = "kad@kadtk-1.1.0"
    summary = "the same as kadtk 1.1.0 computes it: bandwidth from the edits, windows every second"
    source = "kadtk 1.1.0"
    policy = "hop1"
    bandwidth = "evaluated"


class FadFadtk(Fad):
    """FAD with fadtk's windows."""

    name = "fad@fadtk"
    summary = "the same with fadtk's windows, one every second"
    source = "fadtk 1.1.0 (its windows; not its half-precision vectors)"
    policy = "hop1"


class _ToTrueEdits(_ToSources):
    """The reference set is the true edits."""

    needs = frozenset({Needs.SOURCE, Needs.TRUE_EDIT})

    sets = "reference: true edits"

    def reference(self, case: Case) -> Clip | Missing:
        """The true edit."""
        assert case.true_edit is not None
        return case.true_edit


class FadTrueEdit(_ToTrueEdits, Fad):
    """Fréchet audio distance to the true edits."""

    name = "fad-true-edit"
    summary = "Fréchet distance of the edits to the true edits"
    source = "Kilgour et al., Interspeech 2019, to the true edits"


class KadTrueEdit(_ToTrueEdits, Kad):
    """Kernel audio distance to the true edits."""

    name = "kad-true-edit"
    summary = "kernel distance of the edits to the true edits; may be negative"
    source = "Chung et al., arXiv 2502.15602, to the true edits"


class _OfParts(_ToSources):
    """Both sets are drawn out by the true stems' mask."""

    needs = frozenset({Needs.SOURCE, Needs.STEMS, Needs.TRUE_EDIT})

    sets = f"evaluated: {part_described()}, reference: the true edits likewise"

    def evaluated(self, case: Case) -> Clip | Missing:
        """The edited part of the edit."""
        return length_mismatch(case.edit, case.source.mixture) or edited_part(case)

    def reference(self, case: Case) -> Clip | Missing:
        """The edited part of the true edit: the target instrument playing the same, through the same mask."""
        assert case.true_edit is not None
        return edited_part(replace(case, edit=case.true_edit))


class FadTarget(_OfParts, Fad):
    """Fréchet audio distance of the edited parts to the target instruments."""

    name = "fad-target"
    summary = "Fréchet distance of the edited parts to the target instruments playing the same"
    source = "Kilgour et al., Interspeech 2019, to the target instruments"


class KadTarget(_OfParts, Kad):
    """Kernel audio distance of the edited parts to the target instruments."""

    name = "kad-target"
    summary = "kernel distance of the edited parts to the target instruments playing the same"
    source = "Chung et al., arXiv 2502.15602, to the target instruments"
