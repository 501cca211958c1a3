"""CLAP score: what is compared with what, how windows weigh, and what cannot be scored."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from little_clap import LittleClap
from played import a_task

from bench.audio import Clip
from bench.embedder import Embedding
from bench.metric import Case, EmbeddingMetric, Features, Missing, unmet
from bench.metrics.clap import (
    Clap,
    ClapDelta,
    ClapManor2024,
    ClapPhrase,
    ClapReference,
    ClapTrueEdit,
    clap_score,
    cosine,
)
from bench.metrics.part import edited_part
from bench.runner.scoring.measure import prepare
from bench.task import Source

EMBEDDER = LittleClap()
KINDS = (Clap, ClapManor2024, ClapDelta, ClapPhrase, ClapTrueEdit, ClapReference)


def the_case(source: Source, edit: Clip, **more) -> Case:
    """A case with everything: a phrase in the prompt, a true edit, a reference."""
    prompt = "a piece with a violin"
    task = a_task(source.song, "other").model_copy(
        update={"target_prompt": prompt, "target_phrase": "a violin", "target_span": (13, 21)}
    )
    extra = {"true_edit": source.stems.get("drums"), "reference": source.stems.get("bass"), **more}
    return Case(task, source, edit, **extra)


def vector(clip: Clip) -> np.ndarray:
    return EMBEDDER.embed([clip.to_mono().resample(EMBEDDER.rate)])[0].frames[0]


def text(words: str) -> np.ndarray:
    return EMBEDDER.embed_texts([words])[0]


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ([1, 0], [1, 0], 1.0),
        ([1, 0], [0, 2], 0.0),
        ([1, 1], [-2, -2], -1.0),
        ([3, 4], [4, 3], 0.96),
        ([0, 0], [1, 0], 0.0),
    ],
)
def test_cosine(a: list[float], b: list[float], expected: float) -> None:
    assert cosine(a, b) == pytest.approx(expected)


def test_windows_weigh_as_the_embedding_says() -> None:
    frames = np.array([[1, 0], [0, 1], [-1, 0]], np.float32)
    assert clap_score(Embedding(frames, np.array([10.0, 10.0, 5.0])), [1, 0]) == pytest.approx((10 - 5) / 25)
    assert clap_score(Embedding(frames[:2], np.array([1.0, 1.0])), [1, 0]) == pytest.approx(0.5)


def test_each_metric_compares_what_it_says(source: Source) -> None:
    edit = source.mixture.scaled(0.5)
    case = the_case(source, edit)
    prompt, phrase = text("a piece with a violin"), text("a violin")
    expected = {
        Clap: vector(edit) @ prompt,
        ClapDelta: vector(edit) @ prompt - vector(source.mixture) @ prompt,
        ClapPhrase: vector(edited_part(case)) @ phrase,
        ClapTrueEdit: vector(edit) @ vector(source.stems["drums"]),
        ClapReference: vector(edit) @ vector(source.stems["bass"]),
    }
    for kind, value in expected.items():
        assert kind(EMBEDDER).score(case) == pytest.approx(float(value), abs=1e-6), kind.__name__


def test_an_untouched_source_gains_nothing(source: Source) -> None:
    assert ClapDelta(EMBEDDER).score(the_case(source, source.mixture)) == 0.0


def test_the_true_edit_is_its_own_best(source: Source) -> None:
    assert ClapTrueEdit(EMBEDDER).score(the_case(source, source.stems["drums"])) == pytest.approx(1.0, abs=1e-6)


def test_a_longer_clip_is_the_mean_over_its_windows(source: Source) -> None:
    """25 s: windows of 10, 10 and 5 s; as published three of one weight, the last of 7 s."""
    rng = np.random.default_rng(0)
    long = Clip.of(rng.normal(0, 0.1, 25 * 8_000) * np.linspace(0.1, 1, 25 * 8_000), 8_000)
    of = Source("long", "long", long, {"other": long})
    prompt = text("a piece with a violin")
    parts = [vector(long.window(start, length)) @ prompt for start, length in ((0, 10), (10, 10), (20, 5))]
    assert Clap(EMBEDDER).score(the_case(of, long)) == pytest.approx(np.average(parts, weights=[10, 10, 5]), abs=1e-6)
    parts = [vector(long.window(start, length)) @ prompt for start, length in ((0, 10), (9, 10), (18, 7))]
    assert ClapManor2024(EMBEDDER).score(the_case(of, long)) == pytest.approx(np.mean(parts), abs=1e-6)


def test_the_phrase_is_asked_of_the_part_and_not_of_the_mix(source: Source) -> None:
    case = the_case(source, source.mixture)
    (asked,) = ClapPhrase(EMBEDDER).clips(case)
    stem, mix, part = (vector(clip) for clip in (source.stems["other"], source.mixture, asked))
    assert cosine(part, stem) > cosine(mix, stem)


@pytest.mark.parametrize(
    ("kind", "changes", "code"),
    [
        (Clap, {"edit": "silence"}, "silent-edit"),
        (ClapDelta, {"edit": "silence"}, "silent-edit"),
        (ClapPhrase, {"edit": "silence"}, "silent-part"),
        (ClapTrueEdit, {"edit": "silence"}, "silent-edit"),
        (ClapTrueEdit, {"true_edit": "silence"}, "silent-reference"),
        (ClapReference, {"reference": "silence"}, "silent-reference"),
        (ClapTrueEdit, {"true_edit": None}, "no-true-edit"),
        (ClapReference, {"reference": None}, "no-reference"),
        (ClapPhrase, {"task": None}, "no-phrase"),
        *((kind, {"edit": "short"}, "length-mismatch") for kind in KINDS),
    ],
)
def test_what_cannot_be_scored_says_why(kind: type[EmbeddingMetric], changes: dict, code: str, source: Source) -> None:
    clips = {"silence": Clip.silence(4.0, 44_100), "short": source.mixture.window(0, 3.0)}
    case = the_case(source, source.mixture)
    given = {key: clips.get(value) if isinstance(value, str) else value for key, value in changes.items()}
    if "task" in given:
        given["task"] = case.task.model_copy(update={"target_phrase": None, "target_span": None})
    case, metric = replace(case, **given), kind(EMBEDDER)
    value = unmet(metric, case) or metric.score(case)
    assert isinstance(value, Missing)
    assert value.code == code
    if not unmet(metric, case):
        assert metric.clips(case) == value, "nothing is embedded in vain"


def test_one_pass_for_all_metrics_of_an_embedder(source: Source) -> None:
    """Everything the metrics want is embedded in one batch of each policy, and each text once."""
    LittleClap.passes.clear()
    LittleClap.texts.clear()
    case = replace(the_case(source, source.mixture.scaled(0.5)), features=Features())
    metrics = [kind(EMBEDDER) for kind in KINDS]
    prepare([(case, metric) for metric in metrics])
    assert sorted(LittleClap.passes) == [
        1,
        5,
    ]  # as published: the edit; otherwise edit, source, part, true edit, reference
    assert all(not isinstance(metric.score(case), Missing) for metric in metrics)
    assert len(LittleClap.passes) == 2
    assert sorted(LittleClap.texts) == ["a piece with a violin", "a violin"]


def test_names_carry_the_embedder_and_identities_all_that_moves_the_value() -> None:
    assert Clap(EMBEDDER).name == "clap:little-clap"
    assert len({kind(EMBEDDER).identity for kind in KINDS}) == len(KINDS)
    assert "text: target phrase" in ClapPhrase(EMBEDDER).identity
    assert "Wiener mask" in ClapPhrase(EMBEDDER).identity
