"""A source is separated once: stems are kept by the mixture and the separator, for all methods and runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench.audio import Clip
from bench.method import Context
from bench.separation import CachedSeparator, HtDemucs, Stems
from bench.store.cache import Cache
from bench.suite import Suite


class Counted(HtDemucs):
    """Notes the clips of every pass."""

    separated: list[str]

    def separate(self, clips: Sequence[Clip]) -> list[Stems]:
        self.separated.extend(clip.sha256 for clip in clips)
        return super().separate(clips)


Make = Callable[[], tuple[CachedSeparator, list[str]]]


@pytest.fixture
def separator(tiny_demucs: Path, tmp_path: Path) -> Make:
    """Makes a separator as another run would, around one cache: with the list of what it really separated."""

    def make() -> tuple[CachedSeparator, list[str]]:
        inner = Counted(weights=tiny_demucs / "tiny.safetensors")
        inner.separated = []
        return CachedSeparator(inner, Cache(tmp_path)), inner.separated

    return make


def noise(seed: int = 0) -> Clip:
    return Clip.of(np.random.default_rng(seed).normal(0, 0.1, (8_000, 2)), 16_000)


def same(one: Stems, other: Stems) -> bool:
    return all(one[stem].sha256 == other[stem].sha256 for stem in (*one, *other))


def test_another_run_has_the_stems_to_the_bit(separator: Make) -> None:
    first, heard = separator()
    [stems] = first.separate([noise()])
    assert heard == [noise().sha256]
    second, heard = separator()
    [again] = second.separate([noise()])
    assert heard == []
    assert same(stems, again)
    assert {clip.rate for clip in again.values()} == {44_100}


def test_only_new_mixtures_are_separated_and_the_order_is_kept(separator: Make) -> None:
    made, heard = separator()
    known = made.separate([noise(1)])[0]
    found = made.separate([noise(2), noise(1), noise(3)])
    assert heard == [noise(seed).sha256 for seed in (1, 2, 3)]
    assert same(found[1], known)
    assert not same(found[0], found[2])
    assert made.separate([]) == []


def test_other_weights_have_stems_of_their_own(separator: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    made, _ = separator()
    made.separate([noise()])
    other, heard = separator()
    other.wrapped.overlap = 0.5  # type: ignore[attr-defined]
    assert other.identity != made.identity
    other.separate([noise()])
    assert len(heard) == 1


def test_a_damaged_entry_is_separated_again(separator: Make, tmp_path: Path) -> None:
    made, heard = separator()
    [stems] = made.separate([noise()])
    [entry] = [each for each in Cache(tmp_path).entries() if each.kind == "arrays"]
    damaged = bytearray(entry.path.read_bytes())
    damaged[-1] ^= 1
    entry.path.write_bytes(damaged)
    assert same(made.separate([noise()])[0], stems)
    assert len(heard) == 2
    assert same(made.separate([noise()])[0], stems)
    assert len(heard) == 2, "and kept again"


def test_it_declares_what_the_separator_declares(separator: Make) -> None:
    made, _ = separator()
    for name in ("name", "version", "rate", "licence", "device", "identity"):
        assert getattr(made, name) == getattr(made.wrapped, name)


def test_methods_are_given_one_that_remembers() -> None:
    context = Context("cpu", Suite("none", 1, {}, {}, ()))
    assert isinstance(context.separator, CachedSeparator)
    assert isinstance(context.separator.wrapped, HtDemucs)
    assert replace(context).separator is not context.separator
