"""From notes to a ranking: which notes and frames, balance, known order, and what depends on the seed."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from bench.audio import Clip
from bench.backbone import Backbone
from bench.errors import IncompleteError
from methods.mi_inpainting.analysis import cells, describe, information, rank
from methods.mi_inpainting.notes import Frames, Note, choose, gather, hear, sounding

RATE = 16_000


def named(count: int, instrument: str, family: str) -> list[Note]:
    return [Note(f"{instrument}-{number:03d}", instrument, family, Path("nowhere.wav")) for number in range(count)]


MANY = [*named(40, "flute_0", "flute"), *named(3, "flute_1", "flute"), *named(30, "brass_0", "brass")]


def test_families_and_their_instruments_are_chosen_evenly() -> None:
    chosen = choose(MANY, 20, seed=0)
    assert Counter(note.family for note in chosen) == {"flute": 10, "brass": 10}
    assert Counter(note.instrument for note in chosen) == {"flute_0": 7, "flute_1": 3, "brass_0": 10}
    assert choose(list(reversed(MANY)), 20, seed=0) == chosen
    assert choose(MANY, 20, seed=1) != chosen


def test_no_family_gives_more_than_the_smallest_unless_asked() -> None:
    assert Counter(note.family for note in choose(MANY, 1000, seed=0)) == {"flute": 30, "brass": 30}
    assert len(choose(MANY, 1000, seed=0, even=False)) == len(MANY)


@pytest.mark.parametrize(("notes", "count"), [(MANY[:40], 10), (MANY, 1), ([], 10)])
def test_one_family_tells_nothing(notes: list[Note], count: int) -> None:
    with pytest.raises(IncompleteError, match="tell nothing about families"):
        choose(notes, count, seed=0)


def test_frames_40_db_below_the_loudest_are_silent() -> None:
    energy = torch.tensor([1.0, 1e-3, 2e-4, 9e-5, 0.0]).repeat_interleave(2)[:, None].expand(10, 3)
    assert sounding(energy, 5).tolist() == [True, True, True, False, False]
    assert sounding(energy, 5, floor_db=-20.0).tolist() == [True, False, False, False, False]
    assert not sounding(torch.zeros(4, 3), 2).any()


@pytest.fixture
def tones(tmp_path: Path) -> list[Note]:
    """Half a second of a tone and half of silence: two flutes (sines) and two reeds (with harmonics)."""
    notes = []
    time = np.arange(RATE // 2) / RATE
    for family, harmonics in (("flute", 1), ("reed", 5)):
        for instrument in range(2):
            for pitch in range(4):
                wave = sum(np.sin(2 * np.pi * h * 220 * 2 ** (pitch / 12) * time) / h for h in range(1, harmonics + 1))
                clip = Clip.of(np.concatenate([0.3 * wave, np.zeros(RATE // 2)]), RATE)
                name = f"{family}_{instrument}-{pitch}"
                clip.write_wav(tmp_path / f"{name}.wav")
                notes.append(Note(name, f"{family}_{instrument}", family, tmp_path / f"{name}.wav"))
    return notes


def test_only_what_sounds_is_gathered(nano: Backbone, tones: list[Note]) -> None:
    heard = hear(nano, tones[0])
    assert heard.latent.shape == (8, 25, 16)
    assert heard.sounding[:12].all()
    assert not heard.sounding[14:].any()
    frames = gather(nano, tones, per_note=5, seed=0)
    assert frames.values.shape == (16, 5, 8, 16)
    assert (frames.families, frames.instruments) == (("flute", "reed"), ("flute_0", "flute_1", "reed_0", "reed_1"))
    of_first = frames.values[0]
    own = heard.latent[:, heard.sounding].transpose(1, 0, 2)
    assert all(any(np.array_equal(frame, one) for one in own) for frame in of_first)
    assert len({frame.tobytes() for frame in of_first}) == 5
    again = gather(nano, tones, per_note=5, seed=0)
    assert np.array_equal(again.values, frames.values)
    assert again.digest == frames.digest
    assert not np.array_equal(gather(nano, tones, per_note=5, seed=1).values, frames.values)


def test_silent_notes_are_left_out_and_families_stay_balanced(nano: Backbone, tones: list[Note]) -> None:
    Clip.silence(1.0, RATE).write_wav(tones[0].path)
    frames = gather(nano, tones, per_note=20, seed=0)
    assert np.bincount(frames.family).tolist() == [7, 7]
    for note in tones[:8]:
        Clip.silence(1.0, RATE).write_wav(note.path)
    with pytest.raises(IncompleteError, match="'flute'"):
        gather(nano, tones, per_note=5, seed=0)


def made_up(*, draws: int = 3, instruments: int = 8) -> Frames:
    """Channel 2 tells the family best, channel 0 a little, channel 1 nothing; frames of a note hardly differ."""
    rng = np.random.default_rng(0)
    notes, families = 900, 3
    instrument = np.arange(notes) % (families * instruments)
    family = instrument % families
    values = rng.normal(size=(notes, 1, 3, 2)) + 1e-6 * rng.normal(size=(notes, draws, 3, 2))
    values[:, :, 2] += 2.0 * family[:, None, None]
    values[:, :, 0] += 0.7 * family[:, None, None]
    return Frames(
        values=values.astype(np.float32),
        family=family,
        instrument=instrument,
        families=("a", "b", "c"),
        instruments=tuple(f"i{number}" for number in range(families * instruments)),
        digest="0" * 64,
    )


def test_channels_are_ranked_by_what_they_tell() -> None:
    frames = made_up()
    found = information(frames, seed=0, resamples=20)
    made = rank(found, backbone={"name": "made up"}, data=describe(frames), settings={})
    assert made.order == (2, 0, 1)
    assert made.channels[1].mi < 0.05
    assert all(each.low <= each.mi <= each.high for each in made.channels)
    assert made.channels[2].low > made.channels[0].high
    assert made.data["frames"] == 2700
    assert made.agreement["histogram_rank_correlation"] == 1.0
    assert made.agreement["held_out"] is None
    again = information(frames, seed=0, resamples=20)
    assert rank(again, backbone={"name": "made up"}, data=describe(frames), settings={}).digest == made.digest


def test_frames_of_one_note_are_not_counted_as_evidence() -> None:
    """Near copies of a frame tell as much as one: taken together they would find each other, and so their class."""
    once, often = (cells(made_up(draws=draws), seed=0) for draws in (1, 4))
    np.testing.assert_allclose(once, often, atol=0.02)
    copies = made_up(draws=4)
    flat = replace(
        copies,
        values=copies.values.reshape(-1, 1, 3, 2),
        family=np.repeat(copies.family, 4),
        instrument=np.repeat(copies.instrument, 4),
    )
    assert (cells(flat, seed=0)[1] > once[1] + 0.2).all()


def test_other_instruments_are_compared() -> None:
    found, other = information(made_up(), seed=0, resamples=10), cells(made_up(instruments=4), seed=0)
    same = rank(found, backbone={}, data={}, settings={}, check=other).agreement["held_out"]
    assert (same["rank_correlation"], same["shared_of_top_half"], same["top_half"]) == (1.0, 2, 2)
    reversed_ = rank(found, backbone={}, data={}, settings={}, check=2 - other).agreement["held_out"]
    assert reversed_["rank_correlation"] == -1.0
