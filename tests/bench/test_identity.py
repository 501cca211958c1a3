"""Canonical JSON, hashes and seeds: known answers that must never change."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.identity import canonical_json, derive_seed, digest

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def test_known_digest() -> None:
    assert canonical_json({"b": [1, 2.5], "a": "é"}) == '{"a":"é","b":[1,2.5]}'
    assert digest({}) == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


@given(st.dictionaries(st.text(), JSON))
def test_order_does_not_matter(value: dict[str, object]) -> None:
    assert digest(dict(reversed(value.items()))) == digest(value)


@pytest.mark.parametrize("value", [math.nan, math.inf, {"a": -math.inf}])
def test_not_a_number_has_no_identity(value: object) -> None:
    with pytest.raises(ValueError, match="JSON"):
        canonical_json(value)


def test_what_json_does_not_know_is_refused() -> None:
    with pytest.raises(TypeError):
        canonical_json({"path": object()})


def test_seeds_are_pinned() -> None:
    """Changing these changes every published result."""
    assert derive_seed(0, "polyevalprompts/musicdelta/reggae/guitar2violin") == 6306983968002320748
    assert 0 <= derive_seed(2**80, "x") < 2**63


@given(st.integers(), st.text(), st.text())
def test_seeds_differ_by_every_part(seed: int, one: str, two: str) -> None:
    assert derive_seed(seed, one) != derive_seed(seed + 1, one)
    assert derive_seed(seed, one, two) != derive_seed(seed, one + two)
