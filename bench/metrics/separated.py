"""Was the rest of the mix left alone? The questions of `background_kept`, with the edit taken apart by HT-Demucs.

The masks of `bench/metrics/part.py` know where the *source's* stems were; a separator listens to what the edit has
become. What it puts into the wrong stem is its own error and not the edit's: the more the new instrument sounds like
one of the others, the more of it is heard there, most of all where the edited stem is `other`. The copy-source
control's value is what this separator makes of the unedited mix, the ceiling of every method; the codec control's is
that of every method on the same backbone. Masks and separator have identities of their own, never in one column.

The reference is the sum of the other *true* stems; the estimate is the sum of the other stems that the separator finds
in the edit (`bench/separation.py`), mono at 16 kHz like the masks', so that a system's band does not matter.
"""

from __future__ import annotations

from collections.abc import Sequence

from bench.audio import Clip
from bench.embedder import Embedder
from bench.metric import Case, EmbeddingMetric, Features, Missing, NetworkMetric, length_mismatch
from bench.metrics import logmel
from bench.metrics.background_kept import (
    Background,
    BackgroundCqt1Pcc,
    BackgroundLpaps,
    BackgroundOnsetF1,
    Compared,
)
from bench.metrics.part import RATE
from bench.metrics.waveform import BackgroundSdr, BackgroundSiSdr
from bench.separation import Separator, Stems


def stems_of(features: Features, separator: Separator, clips: Sequence[Clip]) -> list[Stems]:
    """Clips taken apart, those that are not known yet in one batch; each stem the mean of its channels."""

    def apart(unknown: list[Clip]) -> list[Stems]:
        return [{stem: clip.to_mono() for stem, clip in stems.items()} for stems in separator.separate(unknown)]

    return features.get_all(clips, f"stems by {separator.identity}", apart)


class Separated(Background, NetworkMetric):
    """A metric of the background, which a separator draws out of the edit."""

    networks = ("bench.separation:HtDemucs",)

    def __init__(self, separator: Separator):
        self.separator = separator

    @property
    def drawing(self) -> str:
        """The separator."""
        return f"sum of the edit's other stems by {self.separator.identity}, 16 kHz mono"

    def prepare(self, cases: Sequence[Case]) -> None:
        """Take the edits apart, all that can be compared in one batch."""
        comparable = [case.edit for case in cases if not length_mismatch(case.edit, case.source.mixture)]
        stems_of(cases[0].features, self.separator, comparable)

    def drawn(self, case: Case) -> Clip:
        """The sum of the edit's other stems: mono, 16 kHz."""

        def others(edit: Clip) -> Clip:
            [stems] = stems_of(case.features, self.separator, [edit])
            return Clip.sum([clip for stem, clip in stems.items() if stem != case.task.stem]).resample(RATE)

        return case.features.get(case.edit, f"all but {case.task.stem} by {self.separator.identity}", others)


class SeparatedLogMel(Separated, Compared):
    """Log-mel distance of the background."""

    name = "background-logmel@htdemucs"
    version = 1
    direction = "lower"
    unit = "dB"
    range = (0.0, float("inf"))
    summary = "log-mel distance of the other stems, as HT-Demucs hears them in the edit"
    source = "ours"
    smallest_effect = 0.2

    @property
    def parameters(self) -> str:
        """The distance and how the background is drawn out."""
        return f"{logmel.described()}; {self.comparison}"

    def compare(self, case: Case, truth: Clip, found: Clip) -> float | Missing:
        """The distance in dB."""
        expected, heard = (logmel.powers_of(case.features, clip, found.length) for clip in (truth, found))
        return logmel.log_mel_distance(expected, heard)


class SeparatedCqt1Pcc(Separated, BackgroundCqt1Pcc):
    """CQT1-PCC of the background."""

    name = "background-cqt1-pcc@htdemucs"
    summary = "melody of the other stems kept, as HT-Demucs hears them in the edit"


class SeparatedOnsetF1(Separated, BackgroundOnsetF1):
    """Onset F1 of the background."""

    name = "background-onset-f1@htdemucs"
    summary = "rhythm of the other stems kept, as HT-Demucs hears them in the edit"


class SeparatedSiSdr(Separated, BackgroundSiSdr):
    """SI-SDR of the background."""

    name = "background-si-sdr@htdemucs"
    summary = "waveform of the other stems kept, as HT-Demucs hears them in the edit, a gain forgiven"


class SeparatedSdr(Separated, BackgroundSdr):
    """SDR of the background."""

    name = "background-sdr@htdemucs"
    summary = "waveform of the other stems kept, as HT-Demucs hears them in the edit, a short filter forgiven"


class SeparatedLpaps(Separated, BackgroundLpaps):
    """LPAPS of the background."""

    name = "background-lpaps@htdemucs"
    summary = "sound of the other stems kept, as HT-Demucs hears them in the edit"

    def __init__(self, embedder: Embedder, separator: Separator):
        EmbeddingMetric.__init__(self, embedder)
        self.separator = separator

    def prepare(self, cases: Sequence[Case]) -> None:
        """Take the edits apart, then plan their backgrounds for the embedder."""
        Separated.prepare(self, cases)
        EmbeddingMetric.prepare(self, cases)
