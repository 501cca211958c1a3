"""Attention entropy: known answers, masks, splits, and what is no attention."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from played import TUNE, notes
from scipy.special import softmax
from scipy.stats import entropy as scipy_entropy

from bench.metric import Case, Missing, unmet
from bench.metrics.attention_entropy import (
    AttentionEntropy,
    LoaAttentionEntropy,
    SelfAttentionEntropy,
    entropy,
    normalised_entropy,
    split_means,
)

CALLS = (entropy, normalised_entropy)


@pytest.mark.parametrize("keys", [2, 8, 77, 4096])
def test_even_attention_is_one_and_sharp_attention_zero(keys: int) -> None:
    even, sharp = np.full(keys, 1 / keys, np.float32), np.eye(keys, dtype=np.float32)[3 % keys]
    assert entropy(even) == pytest.approx(math.log(keys), rel=1e-6)
    assert normalised_entropy(even) == pytest.approx(1.0, abs=1e-6)
    assert entropy(sharp) == normalised_entropy(sharp) == 0.0


def test_known_answers() -> None:
    assert entropy([0.9, 0.1]) == pytest.approx(0.3250829734, abs=1e-10)
    assert entropy(np.full(8, 1 / 8)) == pytest.approx(2.079, abs=1e-3)
    assert entropy(np.full(4096, 1 / 4096)) == pytest.approx(8.3178, abs=1e-4)


def test_what_mixing_does_to_it() -> None:
    """Two sharp attentions: mixed after the softmax, and mixed as logits."""
    one, other = np.array([10.0, 0.0]), np.array([0.0, 10.0])
    assert entropy((softmax(one) + softmax(other)) / 2) == pytest.approx(math.log(2), abs=1e-3)
    assert entropy(softmax((one + other) / 2)) == pytest.approx(math.log(2))
    other = np.array([0.0, 2.0])
    before, after = entropy(softmax((one + other) / 2)), entropy((softmax(one) + softmax(other)) / 2)
    assert before == pytest.approx(0.0901, abs=1e-4)
    assert after == pytest.approx(0.68, abs=0.01)


def test_it_is_scipys() -> None:
    attention = softmax(np.random.default_rng(0).normal(size=(3, 2, 5, 7)), axis=-1)
    np.testing.assert_allclose(entropy(attention), scipy_entropy(attention, axis=-1))
    np.testing.assert_allclose(normalised_entropy(attention), scipy_entropy(attention, axis=-1) / math.log(7))


def test_masked_keys_do_not_count() -> None:
    attention = np.array([[0.5, 0.5, 0.0], [0.25, 0.75, 0.0]])
    keys = np.array([True, True, False])
    assert normalised_entropy(attention, keys).tolist() == [1.0, pytest.approx(0.8112781245)]
    assert normalised_entropy(attention)[0] == pytest.approx(math.log(2) / math.log(3))
    by_query = np.array([[True, True, True], [True, True, False]])
    assert normalised_entropy(attention, by_query)[0] == pytest.approx(math.log(2) / math.log(3))


def test_a_single_key_says_nothing() -> None:
    assert np.isnan(normalised_entropy([[1.0]])).all()
    assert np.isnan(normalised_entropy([[0.0, 1.0]], [[False, True]])).all()
    assert entropy([[1.0]]).tolist() == [0.0]


def test_target_and_background_queries() -> None:
    entropies = np.array([[1.0, 0.5, 0.0], [0.8, 0.5, 0.2]])
    target, background = split_means(entropies, [1.0, 0.5, 0.0])
    assert target == pytest.approx((1.0 + 0.25 + 0.8 + 0.25) / 3)
    assert background == pytest.approx((0.25 + 0.0 + 0.25 + 0.2) / 3)
    assert math.isnan(split_means([1.0], [0.0])[0])


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("attention", "keys", "says"),
    [
        ([[0.6, 0.5]], None, "sum to 1"),
        ([[0.5, 0.5]], [[True, False]], "sum to 1"),
        ([[1.5, -0.5]], None, "negative"),
        ([[math.nan, 1.0]], None, "not finite"),
        ([[0.5, 0.5]], [True, True, True], "mask of shape"),
        (np.zeros((2, 0)), None, "at least one key"),
        (1.0, None, "at least one key"),
    ],
)
def test_what_is_no_attention_is_refused(call, attention, keys, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        call(attention, keys)


@pytest.mark.parametrize(("gate", "says"), [([0.5, 1.2], "outside"), ([1.0, 1.0, 1.0], "gate of shape")])
def test_impossible_gates_are_refused(gate: list[float], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        split_means([1.0, 0.5], gate)


# -- the metrics ------------------------------------------------------------------------------------------------------


def test_a_task_has_the_mean_of_its_kinds(make_case: Callable[..., Case]) -> None:
    recorded = {"entropy": {"edit": {}, "source": {}, "distance": {"self": 0.25, "loa": 0.5}}}
    case = replace(make_case(notes(TUNE)), diagnostics=recorded)
    assert [kind().score(case) for kind in (AttentionEntropy, SelfAttentionEntropy, LoaAttentionEntropy)] == [
        0.375,
        0.25,
        0.5,
    ]


@pytest.mark.parametrize(
    ("recorded", "why"),
    [
        ({"loudness": 3}, "no distance"),
        ({"entropy": None}, "no distance"),
        ({"entropy": {"distance": {"self": None}}}, "no distance"),
        ({"entropy": {"distance": {"self": "0.5", "loa": True}}}, "no distance"),
        ({"entropy": {"distance": {"text": 0.5}}}, "only of text"),
    ],
)
def test_what_was_not_recorded_is_missing(
    make_case: Callable[..., Case], recorded: dict[str, object], why: str
) -> None:
    found = SelfAttentionEntropy().score(replace(make_case(notes(TUNE)), diagnostics=recorded))
    assert isinstance(found, Missing)
    assert found.code == "no-entropy"
    assert why in found.why


def test_a_run_without_diagnostics_says_so(make_case: Callable[..., Case]) -> None:
    lacking = unmet(AttentionEntropy(), make_case(notes(TUNE)))
    assert lacking is not None
    assert lacking.code == "no-diagnostics"
