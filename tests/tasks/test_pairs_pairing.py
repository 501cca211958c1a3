from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.pairs.pairing import choose_pairs, possible_pairs
from tasks.pairs.recordings import Label, Place, Recording


def _clip(song: str, instrument: str) -> Recording:
    return Recording(
        song=song,
        label=Label(instrument=instrument, phrase=f"a {instrument}", stem="other"),
        place=Place(root="pairs", paths=(f"{song}-{instrument}.wav",), start_s=0.0, duration_s=10.0),
        sha256="",
        source_sha256="",
        monophonic=None,
        licence="none",
    )


_pools = st.lists(
    st.builds(_clip, st.sampled_from("stuvwxyz"), st.sampled_from(["flute", "oboe", "piano", "harp", "lute"])),
    max_size=20,
    unique_by=lambda clip: clip.id,
)


@given(pool=_pools, seed=st.integers(0, 1000), every_other=st.booleans())
@settings(max_examples=80, deadline=None)
def test_all_pairs_that_there_are_are_found_and_no_others(pool: list[Recording], seed: int, every_other: bool) -> None:
    contexts = pool[::2] if every_other else pool
    pairs = choose_pairs(contexts, pool, 10_000, seed=seed)
    allowed = {
        (a.id, b.id) for a in contexts for b in pool if a.song != b.song and a.label.instrument != b.label.instrument
    }
    assert {(a.id, b.id) for a, b in pairs} == allowed
    assert len(pairs) == len(allowed) == possible_pairs(contexts, pool)


@given(pool=_pools, seed=st.integers(0, 1000), count=st.integers(0, 60))
@settings(max_examples=40, deadline=None)
def test_fewer_pairs_are_the_first_of_more(pool: list[Recording], seed: int, count: int) -> None:
    every = choose_pairs(pool, pool, 10_000, seed=seed)
    assert choose_pairs(pool, pool, count, seed=seed) == every[:count]


@pytest.mark.parametrize("seed", range(5))
def test_instruments_and_their_pairs_are_balanced(seed: int) -> None:
    names = [f"i{k}" for k in range(7)]
    pool = [_clip(f"{name}-{k}", name) for name in names for k in range(12)]
    one_round = choose_pairs(pool, pool, 7, seed=seed)
    assert {a.label.instrument for a, _ in one_round} == {b.label.instrument for _, b in one_round} == set(names)
    lap = choose_pairs(pool, pool, 7 * 6, seed=seed)
    told = Counter((a.label.instrument, b.label.instrument) for a, b in lap)
    assert len(told) == 42
    assert set(told.values()) == {1}
    # Each instrument is 6 times the context and 6 times the reference: its 12 clips are used once each.
    assert set(Counter(clip.id for pair in lap for clip in pair).values()) == {1}
    twice = choose_pairs(pool, pool, 2 * 7 * 6, seed=seed)
    # The same clips do not meet again, so some wait a little longer than others.
    assert set(Counter(clip.id for pair in twice for clip in pair).values()) <= {1, 2, 3}


def test_the_seed_decides_the_order() -> None:
    pool = [_clip(f"{name}-{k}", name) for name in ("flute", "oboe", "piano", "harp") for k in range(3)]
    orders = {tuple((a.id, b.id) for a, b in choose_pairs(pool, pool, 12, seed=seed)) for seed in range(8)}
    assert len(orders) > 4


def test_clips_of_one_song_never_meet() -> None:
    pool = [_clip("one", "flute"), _clip("one", "oboe"), _clip("two", "oboe")]
    met = {(a.song, b.song) for a, b in choose_pairs(pool, pool, 10, seed=0)}
    assert met == {("one", "two"), ("two", "one")}
    assert choose_pairs(pool[:2], pool[:2], 10, seed=0) == []
    assert choose_pairs([], [], 3, seed=0) == []
