"""How many frames of the edited part keep their pitch? Without time warping, unlike DPD.

* Raw pitch accuracy: of the frames voiced in the source's stem, the share in which the edit's pitch is within 50 cents.
* Raw chroma accuracy: the same, octaves forgiven.
* Pitch Jaccard distance: of the frames voiced in either, the share whose semitone is not the same in both; 0 if neither
  is voiced anywhere.

Pitch comes from PESTO (`bench/metrics/pitch.py`); an unvoiced frame of the edit counts as wrong in all three.

Source: mir_eval.melody (Raffel et al., ISMIR 2014); Jaccard: Cífka et al., ICASSP 2021, there of several pitches a
frame by MultiPitchMelodia, here of one.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from bench.metric import Case, Missing, Needs, SampleMetric, library
from bench.metrics.pitch import Pitch, contours_of, described
from bench.metrics.pitch_distance import MIN_FRAMES

TOLERANCE_CENTS = 50.0

Voicing = npt.NDArray[np.bool_]


def raw_pitch_accuracy(reference: Pitch, estimated: Pitch, *, chroma: bool = False) -> float:
    """Raw pitch (or chroma) accuracy of two contours, the longer one cut; 0 if the reference is nowhere voiced.

    Source: mir_eval.melody (Raffel et al., ISMIR 2014).

    >>> import numpy as np
    >>> line = Pitch(np.array([6000.0, 6200.0, 6400.0, 6500.0]), np.ones(4, bool))
    >>> up = Pitch(line.cents + [49.0, 51.0, 0.0, 1200.0], line.voiced)
    >>> raw_pitch_accuracy(line, up), raw_pitch_accuracy(line, up, chroma=True)
    (0.5, 0.75)
    """
    from mir_eval.melody import raw_chroma_accuracy, raw_pitch_accuracy

    frames = min(len(reference.voiced), len(estimated.voiced))
    if not reference.voiced[:frames].any() or not estimated.voiced[:frames].any():
        return 0.0  # mir_eval's answer too, with a warning
    accuracy = raw_chroma_accuracy if chroma else raw_pitch_accuracy
    # mir_eval takes the pitch of frames that are not voiced into account unless it is 0.
    heard = np.where(estimated.voiced[:frames], estimated.cents[:frames], 0.0)
    return float(
        accuracy(
            reference.voiced[:frames].astype(float),
            reference.cents[:frames],
            estimated.voiced[:frames].astype(float),
            heard,
            cent_tolerance=TOLERANCE_CENTS,
        )
    )


def pitch_jaccard(reference: Pitch, estimated: Pitch) -> float:
    """Pitch Jaccard distance of two contours, the longer one cut, in [0, 1]; 0 if neither is voiced anywhere.

    Source: Cífka et al., ICASSP 2021, for one voice.

    >>> import numpy as np
    >>> line = Pitch(np.array([6000.0, 6200.0]), np.ones(2, bool))
    >>> pitch_jaccard(line, line), pitch_jaccard(line, Pitch(line.cents, np.array([True, False])))
    (0.0, 0.5)
    """
    frames = min(len(reference.voiced), len(estimated.voiced))
    voiced = np.stack([pitch.voiced[:frames] for pitch in (reference, estimated)])
    notes = np.stack([np.round(pitch.cents[:frames] / 100) for pitch in (reference, estimated)])
    either = voiced.any(axis=0)
    same = voiced.all(axis=0) & (notes[0] == notes[1])
    return float(1.0 - same.sum() / either.sum()) if either.any() else 0.0


class RawPitchAccuracy(SampleMetric):
    """Share of the stem's voiced frames whose pitch is kept within 50 cents."""

    name = "raw-pitch-accuracy"
    version = 1
    direction = "higher"
    range = (0.0, 1.0)
    needs = frozenset({Needs.SOURCE, Needs.STEMS, Needs.MONOPHONIC})
    summary = "share of the edited part's voiced frames within 50 cents of the stem's pitch"
    source = "mir_eval.melody; Raffel et al., ISMIR 2014"
    smallest_effect = 0.02
    chroma = False

    @property
    def parameters(self) -> str:
        """The contours and the tolerance."""
        return f"{described()}, {library('mir_eval')} melody, {TOLERANCE_CENTS:g} cents"

    def score(self, case: Case) -> float | Missing:
        """The share."""
        contours = _voiced_contours(case)
        return contours if isinstance(contours, Missing) else raw_pitch_accuracy(*contours, chroma=self.chroma)


class RawChromaAccuracy(RawPitchAccuracy):
    """The same, octaves forgiven."""

    name = "raw-chroma-accuracy"
    summary = "share of the edited part's voiced frames within 50 cents of the stem's pitch, octaves forgiven"
    chroma = True


class PitchJaccard(SampleMetric):
    """Share of voiced frames in which stem and edited part are on different semitones."""

    name = "pitch-jaccard"
    version = 1
    direction = "lower"
    range = (0.0, 1.0)
    needs = frozenset({Needs.SOURCE, Needs.STEMS, Needs.MONOPHONIC})
    summary = "share of voiced frames in which stem and edited part are on different semitones"
    source = "Cífka et al., ICASSP 2021, with one pitch a frame"
    smallest_effect = 0.02

    @property
    def parameters(self) -> str:
        """The contours."""
        return f"{described()}, rounded to semitones"

    def score(self, case: Case) -> float | Missing:
        """The distance."""
        contours = _voiced_contours(case)
        return contours if isinstance(contours, Missing) else pitch_jaccard(*contours)


def _voiced_contours(case: Case) -> tuple[Pitch, Pitch] | Missing:
    """The contours of stem and edited part, if the stem's is voiced enough to tell anything."""
    contours = contours_of(case)
    if isinstance(contours, Missing):
        return contours
    voiced = int(contours[0].voiced.sum())
    if voiced < MIN_FRAMES:
        return Missing("too-few-voiced-frames", f"the source's stem has {voiced} voiced frames, {MIN_FRAMES} needed")
    return contours
