"""What must hold for every metric: the anchors of the tables are in order, and nothing unmeasurable is a number."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from played import a_task

from bench.audio import Clip
from bench.metric import Case, Features, Missing, SampleMetric, length_mismatch, library
from bench.metrics.background import BackgroundLogMel
from bench.metrics.cqt import Cqt1Pcc, Cqt1PccSteerMusic
from bench.metrics.onset import OnsetF1, OnsetF1At100Ms
from bench.metrics.pitch_distance import DpdPestoCents
from bench.metrics.true_edit import TrueEditLogMel
from bench.task import Source, StemName

METRICS: list[SampleMetric] = [
    Cqt1Pcc(),
    Cqt1PccSteerMusic(),
    OnsetF1(),
    OnsetF1At100Ms(),
    DpdPestoCents(),
    BackgroundLogMel(),
    TrueEditLogMel(),
]

Anchors = dict[str, dict[str, float | Missing]]
"""Values by metric and anchor."""

each_metric = pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)

STEM_FILES: dict[str, dict[StemName, tuple[int, ...]]] = {
    "MusicDelta_Reggae": {"drums": (1,), "bass": (2,), "other": (3,), "vocals": (4,)},
    "MusicDelta_Rock": {"drums": (1,), "bass": (2,), "other": (3, 4), "vocals": (5,)},
}


def badness(metric: SampleMetric, value: float | Missing) -> float:
    """The value with lower being better; Missing is worse than all."""
    if isinstance(value, Missing):
        return np.inf
    return -value if metric.direction == "higher" else value


def vocoded(clip: Clip) -> Clip:
    """A clip through a 64-band mel spectrogram and Griffin-Lim at 16 kHz: a moderate degradation."""
    from librosa import griffinlim
    from librosa.feature import melspectrogram
    from librosa.feature.inverse import mel_to_stft

    samples = clip.to_mono().resample(16_000).mono
    mel = melspectrogram(y=samples, sr=16_000, n_fft=1024, hop_length=160, n_mels=64)
    magnitude = mel_to_stft(mel, sr=16_000, n_fft=1024)
    again = griffinlim(magnitude, n_iter=8, hop_length=160, n_fft=1024, length=len(samples), random_state=0)
    return Clip.of(again, 16_000)


@pytest.fixture(scope="session", params=sorted(STEM_FILES))
def anchors(request: pytest.FixtureRequest, shared_data: Path) -> Anchors:
    """Six seconds of a real song with its stems: itself, itself vocoded, another song, and silence, measured."""

    def read(song: str, name: str) -> Clip:
        return Clip.read(shared_data / "medleydb" / "Audio" / song / name, start_s=1.0, duration_s=6.0)

    song = request.param
    stems = {
        stem: Clip.sum([read(song, f"{song}_STEMS/{song}_STEM_{number:02d}.wav") for number in numbers])
        for stem, numbers in STEM_FILES[song].items()
    }
    source = Source(song, song, read(song, f"{song}_MIX.wav"), stems)
    other = next(name for name in sorted(STEM_FILES) if name != song)
    edits = {
        "copy": source.mixture,
        "vocoded": vocoded(source.mixture),
        "other": read(other, f"{other}_MIX.wav"),
        "silence": Clip.silence(6.0, 16_000, 1),
    }
    task = a_task(song, "vocals")
    features = Features()
    cases = {name: Case(task, source, edit, source.mixture, features=features) for name, edit in edits.items()}
    return {m.name: {name: m.score(case) for name, case in cases.items()} for m in METRICS}


@each_metric
def test_the_identity_names_the_metric_and_its_parameters(metric: SampleMetric) -> None:
    assert metric.identity == f"{metric.name}@{metric.version}[{metric.parameters}]"
    assert type(metric)().identity == metric.identity
    assert len({other.identity for other in METRICS}) == len(METRICS)


def test_a_library_is_named_with_its_version() -> None:
    assert library("librosa") == "librosa 0.11.0"


@each_metric
def test_a_clip_of_another_length_is_not_compared(metric: SampleMetric, source: Source, make_case) -> None:
    for edit in (source.mixture.window(0, 3.9), source.mixture.fit(source.mixture.length + 4_410)):
        value = metric.score(make_case(edit, true_edit=source.mixture))
        assert isinstance(value, Missing)
        assert value.code == "length-mismatch"


def test_fifty_milliseconds_are_tolerated() -> None:
    long = Clip.silence(1.0, 16_000, 1)
    assert length_mismatch(long, long.fit(15_200)) is None
    assert length_mismatch(long.fit(15_200), long) is None
    assert length_mismatch(long, long.fit(15_199)) is not None


@each_metric
def test_a_slightly_shorter_copy_is_still_nearly_the_source(metric: SampleMetric, source: Source, make_case) -> None:
    copy, short = source.mixture, source.mixture.window(0, 3.96)
    whole, cut = (metric.score(make_case(edit, true_edit=copy)) for edit in (copy, short))
    assert not isinstance(whole, Missing)
    assert not isinstance(cut, Missing)
    assert cut == pytest.approx(whole, abs=0.1 if metric.unit == "" else 3.0)


@each_metric
def test_anchors_are_in_order_on_real_recordings(metric: SampleMetric, anchors: Anchors) -> None:
    """copy-source > vocoded > other clip; silence is the worst or nothing."""
    values = anchors[metric.name]
    copy, mild, alien, silence = (badness(metric, values[name]) for name in ("copy", "vocoded", "other", "silence"))
    assert copy < mild < alien
    assert silence > alien


def test_copying_the_source_is_perfect_on_real_recordings(anchors: Anchors) -> None:
    copy = {name: values["copy"] for name, values in anchors.items()}
    assert [copy[m.name] for m in METRICS[:4]] == pytest.approx([1.0] * 4, abs=1e-12)
    assert copy["background-logmel"] == 0.0
