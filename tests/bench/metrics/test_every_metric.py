"""What holds for every metric of the catalogue: bad input has a defined result, and the declarations are complete.

Metrics on vectors are asked with an embedder of our own; those that need another network's weights are left out.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from little_clap import LittleClap
from played import TUNE, a_task, hits, notes

from bench.audio import Clip
from bench.cli import catalogue
from bench.errors import AudioError
from bench.metric import Case, CorpusMetric, Features, Metric, Missing, SampleMetric, checked, unmet
from bench.metrics.attention_entropy import AttentionEntropy
from bench.task import Source, StemName


def made() -> list[Metric]:
    """Every metric that can be asked without weights."""
    kinds = [catalogue.metrics().get(entry.name) for entry in catalogue.metrics().entries()]
    free = [kind for kind in kinds if not getattr(kind, "networks", ())]
    return [kind(LittleClap()) if hasattr(kind, "default_embedder") else kind() for kind in free]  # type: ignore[call-arg]


EVERY = made()
each_metric = pytest.mark.parametrize("metric", EVERY, ids=lambda metric: metric.name)

RATE, SECONDS = 32_000, 1.5
TUNE_STEM, BASS, DRUMS = (
    notes(TUNE[:4], rate=RATE, seconds=SECONDS),
    notes((36, 43), rate=RATE, seconds=SECONDS).scaled(0.7),
    hits((0.25, 0.75, 1.2), rate=RATE, seconds=SECONDS),
)
MIX = Clip.sum([TUNE_STEM, BASS, DRUMS])
SILENCE = Clip.silence(SECONDS, RATE)
CLICK = Clip.of((np.arange(MIX.length) == MIX.length // 2).astype(np.float32), RATE)
CONSTANT = Clip.of(np.full(MIX.length, 0.5, np.float32), RATE)
ONE_SAMPLE = Clip.of(np.array([0.5]), RATE)

EDITS = {
    "silence": SILENCE,
    "stereo silence": Clip.silence(SECONDS, 16_000, 2),
    "nearly silence": MIX.scaled(1e-7),
    "one sample": ONE_SAMPLE,
    "half as long": MIX.window(0, SECONDS / 2),
    "twice as long": MIX.fit(2 * MIX.length),
    "40 ms longer": MIX.fit(MIX.length + RATE // 25),
    "a constant": CONSTANT,
    "a click": CLICK,
    "far beyond full scale": MIX.scaled(1e4),
    "noise": Clip.of(np.random.default_rng(0).normal(0, 0.1, MIX.length), RATE),
    "8 kHz": MIX.resample(8_000),
    "stereo": Clip(np.repeat(MIX.samples, 2, axis=1), RATE),
}


def a_source(mixture: Clip, **stems: Clip) -> Source:
    named: dict[StemName, Clip] = dict(stems)  # type: ignore[arg-type]
    return Source("odd", "odd", mixture, named)


SOURCES = {
    "silent": a_source(SILENCE, other=SILENCE, bass=SILENCE),
    "the stem alone": a_source(TUNE_STEM, other=TUNE_STEM),
    "a silent stem": a_source(BASS, other=SILENCE, bass=BASS),
    "a click": a_source(CLICK, other=CLICK, bass=CLICK),
    "a constant": a_source(CONSTANT, other=CONSTANT, bass=CONSTANT),
    "one sample": a_source(ONE_SAMPLE, other=ONE_SAMPLE, bass=ONE_SAMPLE),
}


WHOLE = a_source(MIX, other=TUNE_STEM, bass=BASS, drums=DRUMS)
FEATURES = Features()
"""Of all cases: what one metric has computed serves the next."""


def the_case(source: Source, edit: Clip) -> Case:
    """A case in which no metric lacks anything."""
    prompt = "a piece with a violin"
    phrase = {"target_prompt": prompt, "target_phrase": "a violin", "target_span": (13, 21)}
    task = a_task(source.song, "other").model_copy(update=phrase)
    measured = {"entropy": {"distance": {"self": 0.25, "loa": 0.5}}}
    return Case(task, source, edit, source.mixture, source.mixture, FEATURES, measured)


def results(metric: Metric, case: Case) -> Iterator[float | Missing | Clip]:
    """What a metric says of a case, as the scorer asks it."""
    lacking = unmet(metric, case)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # librosa's, of clips shorter than a window
        if lacking:
            yield lacking
        elif isinstance(metric, CorpusMetric):
            yield metric.evaluated(case)
            yield metric.reference(case)
        else:
            assert isinstance(metric, SampleMetric)
            yield checked(metric.score(case))


def codes(metric: Metric, case: Case) -> list[str]:
    """The codes by which values are missing; what is not missing is a number in the metric's range, or a clip."""
    found = []
    for result in results(metric, case):
        if isinstance(result, Missing):
            assert result.code
            assert result.code == result.code.lower().replace(" ", "-")
            assert result.why
            found.append(result.code)
        elif isinstance(result, Clip):
            assert np.isfinite(result.samples).all()
            assert result.length > 0
        else:
            assert isinstance(result, float)
            assert metric.range[0] - 1e-6 <= result <= metric.range[1] + 1e-6
    return found


@each_metric
def test_every_bad_edit_has_a_defined_result(metric: Metric) -> None:
    for edit in EDITS.values():
        assert "non-finite" not in codes(metric, the_case(WHOLE, edit))


@each_metric
def test_every_bad_source_has_a_defined_result(metric: Metric) -> None:
    """Of a source too simple for a metric's algebra the value may be `non-finite`, which is a code as well."""
    for source in SOURCES.values():
        length = source.mixture.length
        for edit in (source.mixture, MIX.fit(length), SILENCE.fit(length)):
            codes(metric, the_case(source, edit))


@each_metric
def test_what_is_much_shorter_or_longer_is_not_compared(metric: Metric) -> None:
    """But for the level of the edit, how it was made and its place in a set, which need no counterpart in time."""
    if metric.name in ("loudness-change", "clipping") or isinstance(metric, CorpusMetric | AttentionEntropy):
        return
    for name in ("one sample", "half as long", "twice as long"):
        (value,) = results(metric, the_case(WHOLE, EDITS[name]))
        assert isinstance(value, Missing)
        assert value.code == "length-mismatch"


@each_metric
def test_the_order_of_channels_and_a_second_equal_one_do_not_matter(metric: Metric) -> None:
    if isinstance(metric, CorpusMetric):
        return
    (mono,), (stereo,) = (
        results(metric, the_case(WHOLE, edit)) for edit in (MIX.scaled(0.9), EDITS["stereo"].scaled(0.9))
    )
    assert stereo == (pytest.approx(mono, abs=1e-6) if isinstance(mono, float) else mono)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_an_edit_that_is_not_all_numbers_cannot_be_measured(bad: float) -> None:
    """Some metrics would make a number of it: the strongest bin of a frame of NaN is bin 0."""
    samples = MIX.samples.copy()
    samples[1000] = bad
    with pytest.raises(AudioError, match="NaN or infinite") as refused:
        the_case(WHOLE, Clip(samples, RATE))
    assert refused.value.code == "audio/non-finite"
    with pytest.raises(AudioError, match="without samples"):
        replace(the_case(WHOLE, MIX), edit=Clip(np.zeros((0, 1), np.float32), RATE))


def test_nor_can_it_come_from_a_file_or_go_into_one(tmp_path: Path) -> None:
    samples = MIX.samples.copy()
    samples[1000] = np.nan
    soundfile.write(tmp_path / "nan.wav", samples, RATE, subtype="FLOAT")
    with pytest.raises(AudioError, match="sample 1000 is NaN or infinite"):
        Clip.read(tmp_path / "nan.wav")
    with pytest.raises(AudioError, match="NaN or infinite"):
        Clip(samples, RATE).encode()


@each_metric
def test_every_declaration_is_complete(metric: Metric) -> None:
    assert metric.identity == f"{metric.name}@{metric.version}[{metric.parameters}]"
    assert metric.direction in ("higher", "lower")
    assert metric.version >= 1
    assert metric.source
    assert metric.summary
    assert metric.range[0] < metric.range[1]
    assert metric.smallest_effect is None or metric.smallest_effect > 0
    assert type(metric).__doc__
    assert not any(math.isnan(bound) for bound in metric.range)


def test_no_two_metrics_share_an_identity_but_for_their_names() -> None:
    """Two names for one computation would be two columns that are one."""
    bodies = [metric.parameters + metric.source + metric.summary for metric in EVERY]
    assert len(set(bodies)) == len(bodies)
    assert len({metric.identity for metric in EVERY}) == len(EVERY)
