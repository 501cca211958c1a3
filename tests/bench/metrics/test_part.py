"""The edited part and the background of an edit, by the true stems' masks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from played import notes

from bench.audio import Clip
from bench.metric import Features
from bench.metrics.part import RATE, edit_background, edited_part, masked, wiener_mask
from bench.task import Source


def level_db(samples: np.ndarray) -> float:
    return 10 * np.log10(np.mean(np.square(samples, dtype=np.float64)) + 1e-20)


def test_the_mask_is_the_share_of_power() -> None:
    tone = notes((60,), rate=RATE, seconds=1.0).mono
    assert wiener_mask(tone, tone) == pytest.approx(0.5)
    assert wiener_mask(2 * tone, tone) == pytest.approx(0.8)
    assert wiener_mask(tone, np.zeros_like(tone)) == pytest.approx(1.0)
    both_silent = wiener_mask(np.zeros(RATE, np.float32), np.zeros(RATE, np.float32))
    assert (both_silent == 1.0).all(), "where neither sounds, what is new counts as the part"


def test_part_and_background_add_up_to_the_edit(source: Source, make_case) -> None:
    case = make_case(Clip.sum([source.mixture, notes((50, 55)).scaled(0.3)]))
    part, rest = edited_part(case), edit_background(case)
    whole = case.edit.to_mono().resample(RATE).mono
    assert part.mono + rest.mono == pytest.approx(whole, abs=1e-5)
    assert part.rate == rest.rate == RATE


def test_each_sounds_like_its_stems(source: Source, make_case) -> None:
    case = make_case(source.mixture)
    truth = {"part": source.stems["other"], "rest": source.background("other")}
    for found, stem in ((edited_part(case), truth["part"]), (edit_background(case), truth["rest"])):
        wanted = stem.to_mono().resample(RATE).mono
        assert level_db(found.mono - wanted) < level_db(wanted) - 10


def test_masks_are_of_the_source_and_not_of_the_edit(source: Source, make_case) -> None:
    """A part that has fallen silent leaves little more than what the background leaks through the mask."""
    kept, removed = make_case(source.mixture), make_case(source.background("other"))
    assert level_db(edited_part(removed).mono) < level_db(edited_part(kept).mono) - 10


def test_a_slightly_longer_edit_is_cut_and_a_shorter_one_padded(source: Source, make_case) -> None:
    length = edited_part(make_case(source.mixture)).length
    for edit in (source.mixture.window(0, 3.97), source.mixture.fit(source.mixture.length + 1_000)):
        assert edited_part(make_case(edit)).length == edit_background(make_case(edit)).length == length


def test_sources_of_one_name_do_not_share_masks(source: Source, make_case) -> None:
    """Features may serve several sources; what tells them apart is their audio."""
    features = Features()
    other = Source(source.id, source.song, source.mixture, {**source.stems, "bass": source.stems["bass"].scaled(5.0)})
    cases = [replace(make_case(source.mixture, of=of), features=features) for of in (source, other)]
    first, second = (edited_part(case).mono for case in cases)
    assert not np.array_equal(first, second)
    alone = edited_part(replace(cases[1], features=Features())).mono
    assert np.array_equal(second, alone)


def test_silence_stays_silent(source: Source, make_case) -> None:
    case = make_case(Clip.silence(4.0, 44_100, 2))
    assert edited_part(case).peak == edit_background(case).peak == 0.0
    stem = source.stems["other"].resample(RATE).mono
    assert not masked(np.zeros_like(stem), stem, stem).any()
