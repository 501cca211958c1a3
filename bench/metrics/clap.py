"""CLAP score: does the audio sound like the words, or like another recording?

The cosine between CLAP's vector of a clip and that of a text (or of another clip), averaged over the clip's windows by
their length. In [-1, 1]; music papers report 0.1 to 0.45. Nothing is multiplied by 100 or cut at 0.

* `clap`: the edit against the whole target prompt.
* `clap-phrase`: the edited part alone, drawn out of the edit by the Wiener mask of the true stems, against the target
  phrase: did the new timbre arrive?
* `clap-delta`: how much nearer the edit is to the target prompt than the source was. Changing nothing gives 0.
* `clap@manor2024`: `clap` with the published windows, which count the last second of a 10 s clip as half of it.
* `clap-true-edit`, `clap-reference`: cosine to the vector of the true edit, or of the recording with the wanted timbre.

Source: Wu et al., ICASSP 2023 (LAION-CLAP); as a score for editing, Manor and Michaeli, ICML 2024.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from bench.audio import Clip
from bench.embedder import Embedding
from bench.metric import Case, EmbeddingMetric, Missing, Needs, length_mismatch
from bench.metrics.part import described as part_described
from bench.metrics.part import edited_part


def cosine(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    """Cosine of two vectors, (dimensions,); 0 if one of them is zero."""
    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / lengths if lengths != 0 else 0.0


def clap_score(audio: Embedding, other: npt.ArrayLike) -> float:
    """CLAP score: mean cosine of a clip's windows to the vector of a text or of another clip, by the windows' weights.

    Args:
        audio: a clip's windows as CLAP's vectors, (windows, dimensions), and their weights.
        other: (dimensions,).

    Source: Wu et al., ICASSP 2023; Manor and Michaeli, ICML 2024.

    >>> import numpy as np
    >>> two_windows = Embedding(np.array([[1.0, 0.0], [0.0, 1.0]]), weights=np.array([10.0, 5.0]))
    >>> round(clap_score(two_windows, [1.0, 0.0]), 6)
    0.666667
    """
    return float(np.average([cosine(frame, other) for frame in audio.frames], weights=audio.weights))


class Clap(EmbeddingMetric):
    """CLAP score of the edit for the target prompt."""

    name = "clap"
    version = 1
    direction = "higher"
    range = (-1.0, 1.0)
    needs = frozenset({Needs.SOURCE, Needs.PROMPT})
    summary = "does the edit sound like the target prompt"
    source = "Wu et al., ICASSP 2023; Manor and Michaeli, ICML 2024"
    smallest_effect = 0.01
    default_embedder = "laion-clap"

    @property
    def parameters(self) -> str:
        """The network, the windows and the text."""
        return f"{self.embedder.identity}, {self.policy} windows, text: target prompt"

    def clips(self, case: Case) -> Sequence[Clip] | Missing:
        """The edit."""
        if mismatch := length_mismatch(case.edit, case.source.mixture):
            return mismatch
        return Missing("silent-edit", "the edit is silent") if case.edit.peak == 0.0 else [case.edit]

    def score(self, case: Case) -> float | Missing:
        """The cosine."""
        clips = self.clips(case)
        if isinstance(clips, Missing):
            return clips
        return clap_score(self.embedded(case, clips[0]), case.features.text(self.embedder, case.task.target_prompt))


class ClapManor2024(Clap):
    """CLAP score with the published windows."""

    name = "clap@manor2024"
    summary = "the same as published: the last second of 10 counts as half"
    policy = "manor2024"


class ClapDelta(Clap):
    """Gain in CLAP score over the source."""

    name = "clap-delta"
    range = (-2.0, 2.0)
    summary = "how much nearer the edit is to the target prompt than the source"

    @property
    def parameters(self) -> str:
        """The network, the windows and what is subtracted."""
        return f"{super().parameters}, less the source's score"

    def clips(self, case: Case) -> Sequence[Clip] | Missing:
        """The edit and the source."""
        clips = super().clips(case)
        return clips if isinstance(clips, Missing) else [*clips, case.source.mixture]

    def score(self, case: Case) -> float | Missing:
        """The difference of the cosines; 0 for the source itself."""
        clips = self.clips(case)
        if isinstance(clips, Missing):
            return clips
        text = case.features.text(self.embedder, case.task.target_prompt)
        edit, source = (clap_score(self.embedded(case, clip), text) for clip in clips)
        return edit - source


class ClapPhrase(Clap):
    """CLAP score of the edited part for the target phrase."""

    name = "clap-phrase"
    needs = frozenset({Needs.SOURCE, Needs.STEMS, Needs.PROMPT})
    summary = "does the edited part sound like the target phrase"

    @property
    def parameters(self) -> str:
        """The network, the windows, the text and how the part is drawn out."""
        return f"{self.embedder.identity}, {self.policy} windows, text: target phrase, audio: {part_described()}"

    def clips(self, case: Case) -> Sequence[Clip] | Missing:
        """The edited part."""
        if case.task.target_phrase is None:
            return Missing("no-phrase", "the task has no target phrase")
        if mismatch := length_mismatch(case.edit, case.source.mixture):
            return mismatch
        part = edited_part(case)
        return Missing("silent-part", "nothing is left of the edited part") if part.peak == 0.0 else [part]

    def score(self, case: Case) -> float | Missing:
        """The cosine."""
        clips = self.clips(case)
        if isinstance(clips, Missing):
            return clips
        return clap_score(
            self.embedded(case, clips[0]), case.features.text(self.embedder, case.task.target_phrase or "")
        )


class ClapTrueEdit(Clap):
    """Cosine of the edit's vector to the true edit's."""

    name = "clap-true-edit"
    needs = frozenset({Needs.SOURCE, Needs.TRUE_EDIT})
    summary = "how near the edit is to the true edit, in CLAP's space"

    @property
    def parameters(self) -> str:
        """The network, the windows and the other clip."""
        return f"{self.embedder.identity}, {self.policy} windows, mean vectors, reference: true edit"

    def other(self, case: Case) -> Clip | None:
        """What the edit is held against."""
        return case.true_edit

    def clips(self, case: Case) -> Sequence[Clip] | Missing:
        """The edit and what it is held against."""
        if mismatch := length_mismatch(case.edit, case.source.mixture):
            return mismatch
        other = self.other(case)
        assert other is not None
        if case.edit.peak == 0.0:
            return Missing("silent-edit", "the edit is silent")
        return Missing("silent-reference", "the reference is silent") if other.peak == 0.0 else [case.edit, other]

    def score(self, case: Case) -> float | Missing:
        """The cosine."""
        clips = self.clips(case)
        if isinstance(clips, Missing):
            return clips
        edit, other = (self.embedded(case, clip) for clip in clips)
        return cosine(*(np.average(e.frames, axis=0, weights=e.weights) for e in (edit, other)))


class ClapReference(ClapTrueEdit):
    """Cosine of the edit's vector to that of the recording with the wanted timbre."""

    name = "clap-reference"
    needs = frozenset({Needs.SOURCE, Needs.REFERENCE})
    summary = "how near the edit is to the timbre reference, in CLAP's space"
    source = "the MI-inpainting paper (arXiv 2601.01294)"

    @property
    def parameters(self) -> str:
        """The network, the windows and the other clip."""
        return f"{self.embedder.identity}, {self.policy} windows, mean vectors, reference: target audio"

    def other(self, case: Case) -> Clip | None:
        """The reference recording."""
        return case.reference
