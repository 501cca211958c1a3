"""Was the rest of the mix left alone? Melody, rhythm and sound of the edit's background against the true stems.

The background is drawn out of the edit by the true stems' ratio mask (`bench/metrics/part.py`) and compared with the
sum of the other true stems. What the mask itself costs is told by the copy-source control, whose edit is the unedited
mix: its value is the ceiling of every method, and the codec control's that of every method on the same backbone.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from bench.audio import Clip
from bench.metric import Case, EmbeddingMetric, Missing, Needs, SampleMetric, length_mismatch
from bench.metrics import cqt, onset
from bench.metrics.layers import lpaps
from bench.metrics.part import RATE, described, edit_background


class Background(SampleMetric):
    """A metric of what was not to change: the sum of the other true stems, against the same in the edit.

    A subclass may draw the edit's background out in another way: see `bench/metrics/separated.py`.
    """

    needs = frozenset({Needs.SOURCE, Needs.STEMS})

    @property
    def drawing(self) -> str:
        """How the edit's background is drawn out, for the identity."""
        return f"rest of the {described()}"

    def drawn(self, case: Case) -> Clip:
        """The edit's background: mono, 16 kHz."""
        return edit_background(case)

    @property
    def comparison(self) -> str:
        """What is compared with what, for the identity."""
        return f"reference: sum of the other true stems, estimate: {self.drawing}"

    def backgrounds(self, case: Case) -> tuple[Clip, Clip] | Missing:
        """The true background and the edit's, mono at 16 kHz and of one length."""
        if mismatch := length_mismatch(case.edit, case.source.mixture):
            return mismatch
        truth = case.features.mono(case.source.background(case.task.stem), RATE)
        if truth.peak == 0.0:
            return Missing("no-background", f"nothing but the {case.task.stem} is in the source")
        found = self.drawn(case)
        return truth.fit(found.length), found


class Compared(Background):
    """A metric of two clips, asked about the background."""

    @abstractmethod
    def compare(self, case: Case, truth: Clip, found: Clip) -> float | Missing:
        """The value for the true background and the edit's."""

    def score(self, case: Case) -> float | Missing:
        """The value for the case's background."""
        pair = self.backgrounds(case)
        return pair if isinstance(pair, Missing) else self.compare(case, *pair)


class BackgroundCqt1Pcc(Compared):
    """CQT1-PCC of the background."""

    name = "background-cqt1-pcc"
    version = 1
    direction = "higher"
    range = (-1.0, 1.0)
    summary = "melody of the other stems kept: gated CQT1-PCC of the background"
    source = "SteerMusic (AAAI 2026), gated, on the background"
    smallest_effect = 0.02

    @property
    def parameters(self) -> str:
        """The transform and how the background is drawn out."""
        return f"{cqt.Cqt1Pcc().parameters}; {self.comparison}"

    def compare(self, case: Case, truth: Clip, found: Clip) -> float | Missing:
        """`gated_pcc` of the contours."""
        reference, estimated = (
            case.features.get(clip, "cqt top-1", lambda whole: cqt.top1(whole.mono)) for clip in (truth, found)
        )
        return cqt.gated_pcc(reference, estimated)


class BackgroundOnsetF1(Compared):
    """Onset F1 of the background."""

    name = "background-onset-f1"
    version = 1
    direction = "higher"
    range = (0.0, 1.0)
    summary = "rhythm of the other stems kept: onset F1 of the background, within 50 ms"
    source = "mir_eval.onset, on the background"
    smallest_effect = 0.02

    @property
    def parameters(self) -> str:
        """The detector and how the background is drawn out."""
        return f"{onset.OnsetF1().parameters}; {self.comparison}"

    def compare(self, case: Case, truth: Clip, found: Clip) -> float | Missing:
        """F1 of the onsets."""
        reference, estimated = (onset.onsets_of(case.features, clip) for clip in (truth, found))
        return onset.onset_f1(reference, estimated)


class BackgroundLpaps(Background, EmbeddingMetric):
    """LPAPS of the background."""

    name = "background-lpaps"
    version = 1
    direction = "lower"
    range = (0.0, 16.0)
    summary = "sound of the other stems kept: LPAPS of the background"
    source = "Manor and Michaeli, ICML 2024, normalised over channels, on the background"
    smallest_effect = 0.1
    stages = True
    default_embedder = "laion-clap"

    @property
    def parameters(self) -> str:
        """The network and how the background is drawn out."""
        return f"{self.embedder.identity}, {self.policy} windows, normalised over channels, {self.comparison}"

    def clips(self, case: Case) -> Sequence[Clip] | Missing:
        """The true background and the edit's."""
        return self.backgrounds(case)

    def score(self, case: Case) -> float | Missing:
        """The distance."""
        clips = self.clips(case)
        if isinstance(clips, Missing):
            return clips
        truth, found = (self.embedded(case, clip) for clip in clips)
        return lpaps(truth, found)
