"""The excerpt rule: known answers on made-up activity, and the properties it promises."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bench.audio import Clip
from bench.errors import AudioError, DataError
from bench.task import audio_digest, read_stems
from tasks import excerpts
from tasks.excerpts import active_frames, choose_start, window_frames

RATE = 1000


def sounding(seconds: float, *spans: tuple[float, float], rate: int = RATE) -> np.ndarray:
    """A stem of noise that sounds in the given spans of seconds and is digital silence elsewhere."""
    samples = np.random.default_rng(0).uniform(0.5, 1.0, (round(seconds * rate), 2)).astype(np.float32)
    inside = np.zeros(len(samples), bool)
    for start, end in spans:
        inside[round(start * rate) : round(end * rate)] = True
    return samples * inside[:, None]


def start_of(*stems: np.ndarray, duration_s: float = 10.0, rate: int = RATE) -> float:
    length = max(len(stem) for stem in stems)
    return choose_start([active_frames(s, rate) for s in stems], rate=rate, length=length, duration_s=duration_s)


def test_takes_the_window_in_which_the_scarcest_stem_sounds_most() -> None:
    always, late, later = sounding(40, (0, 40)), sounding(40, (12, 20)), sounding(40, (15, 40))
    assert start_of(always, late) == 10.0  # [10, 20) is the earliest that holds all of [12, 20)
    assert start_of(always, late, later) == 12.5  # least share: 7 of 10 s from 12.0, 7.5 from 12.5, 7 from 13.0


def test_ties_go_to_the_earliest() -> None:
    assert start_of(sounding(40, (0, 40))) == 0.0
    assert start_of(sounding(40, (22, 24))) == 14.0
    assert start_of(sounding(60, (3, 8), (33, 38))) == 0.0


def test_silent_stem_has_no_say() -> None:
    silent, late = sounding(40), sounding(40, (20, 30))
    assert start_of(silent, late) == start_of(late) == 20.0
    assert start_of(silent) == 0.0
    assert choose_start([], rate=RATE, length=40 * RATE, duration_s=10.0) == 0.0


def test_stem_shorter_than_the_song_is_inactive_after_its_end() -> None:
    short, long = sounding(12, (5, 12)), sounding(40, (0, 40))
    assert start_of(short, long) == 2.0


def test_active_is_within_40_db_of_the_stems_loudest_frame() -> None:
    levels_db = np.array([-10.0, -49.9, -50.1, -30.0, -np.inf])  # the loudest frame sets 0 dB: -10
    samples = np.repeat(10 ** (levels_db / 20), 50)[:, None].astype(np.float32)
    assert active_frames(samples, RATE).tolist() == [True, True, False, True, False]
    assert active_frames(samples[:120], RATE).tolist() == [True, True]  # the third frame is cut short
    assert not active_frames(np.zeros((500, 1), np.float32), RATE).any()
    assert active_frames(np.ones((49, 1), np.float32), RATE).shape == (0,)


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100, 48_000])
def test_ten_seconds_are_200_frames_at_any_rate(rate: int) -> None:
    activity = active_frames(np.ones((20 * rate, 1), np.float32), rate)
    assert activity.shape == (400,)
    assert window_frames(activity, 3.5, 10.0).shape == (200,)


def test_song_shorter_than_the_window_is_refused() -> None:
    assert start_of(sounding(10, (0, 1))) == 0.0
    for duration in (10.001, 0.0):
        with pytest.raises(AudioError) as caught:
            start_of(sounding(10, (0, 1)), duration_s=duration)
        assert caught.value.code == "audio/too-short"
        assert caught.value.remedy


activities = st.lists(hnp.arrays(np.bool_, st.integers(0, 900)), max_size=4)


@given(activities, st.integers(3_003, 45_000), st.sampled_from([0.5, 2.9, 3.0]), st.sampled_from([997, 1000, 1001]))
def test_window_is_inside_on_the_grid_best_and_earliest(
    stems: list[np.ndarray], length: int, duration: float, rate: int
) -> None:
    """Against the rule spelt out, window by window."""
    start = choose_start(stems, rate=rate, length=length, duration_s=duration)
    assert start == choose_start(stems, rate=rate, length=length, duration_s=duration)
    assert start % 0.5 == 0
    assert round(start * rate) + round(duration * rate) <= length
    candidates = [k / 2 for k in range(200) if round(k / 2 * rate) + round(duration * rate) <= length]
    heard = [stem for stem in stems if stem.any()]
    least = {at: min((int(window_frames(stem, at, duration).sum()) for stem in heard), default=0) for at in candidates}
    assert start == min(candidates, key=lambda at: (-least[at], at))


@given(st.integers(0, 2**32 - 1), st.sampled_from([2.0**-10, 0.1, 0.7, 3.0, 2.0**12]))
def test_level_of_a_stem_does_not_matter(seed: int, gain: float) -> None:
    rng = np.random.default_rng(seed)
    levels = np.repeat(10 ** rng.uniform(-4, 0, 60), 500)
    stem = (levels * rng.uniform(-1, 1, levels.size))[:, None].astype(np.float32)
    assert np.array_equal(active_frames(stem, RATE), active_frames(stem * np.float32(gain), RATE))


# -- files ----------------------------------------------------------------------------------------------------------


def folder(root: Path, **stems: np.ndarray) -> dict[str, tuple[str, ...]]:
    rate = 8_000
    for name, samples in stems.items():
        Clip.of(samples, rate).scaled(0.3).write_wav(root / f"{name}.wav")
    Clip.sum([Clip.read(root / f"{name}.wav") for name in stems]).write_wav(root / "mix.wav")
    return {name.split("_")[0]: (f"{name}.wav",) for name in stems}


def test_cut_hashes_the_audio_and_names_silent_stems(tmp_path: Path) -> None:
    stems = folder(
        tmp_path,
        vocals=sounding(8, (4, 8), rate=8_000),
        drums=sounding(8, (0, 8), rate=8_000),
        bass=sounding(8, rate=8_000),
    )
    cut = excerpts.cut(tmp_path, "mix.wav", stems, edited={"vocals", "bass", "other"}, duration_s=3.0)
    assert (cut.excerpt.start_s, cut.excerpt.duration_s) == (4.0, 3.0)
    assert cut.excerpt.sha256 == audio_digest(*read_stems(tmp_path, "mix.wav", stems, 4.0, 3.0))
    assert cut.silent == {"bass"}  # silent from end to end
    early = excerpts.cut(tmp_path, "mix.wav", stems, edited={"drums"}, duration_s=3.0)
    assert early.excerpt.start_s == 0.0


def test_cut_sums_the_files_of_a_stem(tmp_path: Path) -> None:
    folder(tmp_path, a=sounding(8, (3, 4), rate=8_000), b=sounding(8, (4, 5), rate=8_000))
    cut = excerpts.cut(tmp_path, "mix.wav", {"other": ("a.wav", "b.wav")}, edited={"other"}, duration_s=2.0)
    assert cut.excerpt.start_s == 3.0


def test_cut_refuses_two_rates_and_names_the_song_that_is_too_short(tmp_path: Path) -> None:
    stems = folder(tmp_path, vocals=sounding(2, (0, 2), rate=8_000))
    with pytest.raises(AudioError) as short:
        excerpts.cut(tmp_path, "mix.wav", stems, edited={"vocals"}, duration_s=3.0)
    assert short.value.where == str(tmp_path / "mix.wav")
    Clip.read(tmp_path / "mix.wav").resample(16_000).write_wav(tmp_path / "mix.wav")
    with pytest.raises(DataError) as mixed:
        excerpts.cut(tmp_path, "mix.wav", stems, edited={"vocals"}, duration_s=1.0)
    assert mixed.value.code == "data/rates-differ"


def test_window_lies_inside_the_shortest_file_even_of_a_stem_that_nobody_edits(tmp_path: Path) -> None:
    stems = folder(tmp_path, vocals=sounding(8, (5, 8), rate=8_000), drums=sounding(6, (0, 6), rate=8_000))
    cut = excerpts.cut(tmp_path, "mix.wav", stems, edited={"vocals"}, duration_s=3.0)
    assert cut.excerpt.start_s == 3.0  # 5.0 would be best, but the drums end at 6.0
