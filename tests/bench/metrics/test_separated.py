"""Background metrics through a separator: known answers with one that is never wrong, and the real one, small."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from played import TUNE, hits, notes

from bench.audio import Clip
from bench.embedder import Embedder, Embedding, Policy
from bench.metric import Case, Missing, NetworkMetric
from bench.metrics import background_kept, separated, waveform
from bench.separation import HtDemucs, Separator, Stems
from bench.task import STEMS, Source


class Told(Separator):
    """Knows what mixtures were made of; counts what it is asked."""

    name, version, rate = "told", 1, 44_100
    identity = "told@1"

    def __init__(self) -> None:
        super().__init__()
        self.known: dict[str, dict[str, Clip]] = {}
        self.passes: list[int] = []

    def mix(self, **stems: Clip) -> Clip:
        mixture = Clip.sum(list(stems.values()))
        self.known[mixture.sha256] = stems
        return mixture

    def separate(self, clips: Sequence[Clip]) -> list[Stems]:
        self.passes.append(len(clips))
        silence = Clip.silence(4.0, 44_100, 2)
        return [{stem: self.known[clip.sha256].get(stem, silence) for stem in STEMS} for clip in clips]


class Slopes(Embedder):
    """Two "layers" of a spectrum, for a metric that wants layers."""

    name, version, rate, inner = "slopes", 1, 16_000, True
    identity = "slopes@1"

    def embed(self, clips: Sequence[Clip], *, policy: Policy = "blocks", stages: bool = False) -> list[Embedding]:
        spectra = [np.abs(np.fft.rfft(clip.mono))[1:4097].reshape(1, 64, 64).astype(np.float32) for clip in clips]
        return [Embedding(s[:, 0], np.ones(1), (s, np.log1p(s)) if stages else ()) for s in spectra]


BY_ARRAYS = (
    separated.SeparatedLogMel,
    separated.SeparatedCqt1Pcc,
    separated.SeparatedOnsetF1,
    separated.SeparatedSiSdr,
    separated.SeparatedSdr,
)


def made(separator: Separator) -> list[NetworkMetric]:
    return [*(kind(separator) for kind in BY_ARRAYS), separated.SeparatedLpaps(Slopes(), separator)]


def values(metrics: Sequence[NetworkMetric], case: Case) -> dict[str, float | Missing]:
    """As the scorer does: prepare all, embed, ask."""
    for metric in metrics:
        metric.prepare([case])
    case.features.embed_planned()
    return {metric.name.partition("@")[0]: metric.score(case) for metric in metrics}


PERFECT = {
    "background-logmel": 0.0,
    "background-cqt1-pcc": 1.0,
    "background-onset-f1": 1.0,
    "background-si-sdr": 100.0,
    "background-sdr": 100.0,
    "background-lpaps": 0.0,
}


@pytest.mark.parametrize("stem", ["other", "bass", "drums"])
def test_an_untouched_background_is_perfect_whatever_the_part_became(stem: str, source: Source, make_case) -> None:
    told = Told()
    edit = told.mix(**{**source.stems, stem: notes(tuple(pitch + 5 for pitch in TUNE))})
    found = values(made(told), make_case(edit, stem=stem))
    assert found == pytest.approx(PERFECT, abs=1e-3)


def test_a_changed_background_is_heard_by_all(source: Source, make_case) -> None:
    told = Told()
    changed = {"bass": notes((48, 50, 36, 55)), "drums": hits((0.1, 0.9, 1.4, 2.0, 2.2, 3.0, 3.3))}
    edit = told.mix(**{**source.stems, **changed})
    for name, value in values(made(told), make_case(edit)).items():
        assert not isinstance(value, Missing)
        assert abs(value - PERFECT[name]) > 0.05, name


def test_one_separation_an_edit_in_one_batch_for_all_metrics(source: Source, make_case) -> None:
    told = Told()
    shifts = (1, 2, 3)
    edits = [told.mix(**{**source.stems, "other": notes(tuple(p + s for p in TUNE))}) for s in shifts]
    cases = [make_case(edit) for edit in (*edits, edits[0])]
    metrics = made(told)
    for metric in metrics:
        metric.prepare(cases)
    for case in cases:
        for metric in metrics:
            metric.score(case)
    assert told.passes == [3]


def test_it_has_an_identity_of_its_own() -> None:
    told = Told()
    masks = (background_kept.BackgroundCqt1Pcc(), waveform.BackgroundSdr())
    for mask, other in zip(masks, (separated.SeparatedCqt1Pcc(told), separated.SeparatedSdr(told)), strict=True):
        assert other.name == f"{mask.name}@htdemucs"
        assert told.identity in other.identity
        assert "mask" in mask.identity
        assert "mask" not in other.identity
    assert separated.SeparatedLpaps(Slopes(), told).name == "background-lpaps@htdemucs:slopes"


def test_what_cannot_be_compared_is_not_separated(source: Source, make_case) -> None:
    told, solo = Told(), Source("solo", "solo", source.stems["other"], {"other": source.stems["other"]})
    short = make_case(source.mixture.window(0.0, 2.0))
    alone = make_case(told.mix(other=solo.mixture), of=solo)
    for metric in made(told):
        metric.prepare([short])
        lost, nothing = metric.score(short), metric.score(alone)
        assert isinstance(lost, Missing)
        assert isinstance(nothing, Missing)
        assert (lost.code, nothing.code) == ("length-mismatch", "no-background")
    assert told.passes == []


def test_through_the_real_network(source: Source, make_case, tiny_demucs: Path) -> None:
    """Its random weights separate nothing, but every value is a number in range, silence included."""
    metrics = made(HtDemucs(weights=tiny_demucs / "tiny.safetensors"))
    found = values(metrics, make_case(source.mixture))
    for metric in metrics:
        value = found[metric.name.partition("@")[0]]
        assert not isinstance(value, Missing)
        assert metric.range[0] <= value <= metric.range[1]
    silence = Clip.silence(source.mixture.duration_s, source.mixture.rate, 2)
    for value in values(metrics[:-1], make_case(silence)).values():
        assert isinstance(value, Missing) or np.isfinite(value)
