"""The excerpt rule: known answers on made-up activity, and the properties it promises."""

from __future__ import annotations

import itertools
from collections import Counter
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bench.audio import Clip
from bench.errors import AudioError, DataError
from bench.suite import Suite
from bench.task import StemName, audio_digest, read_stems
from tasks import excerpts
from tasks.excerpts import active_frames, choose_start, window_frames
from tasks.excerpts.cutting import stem_sum_sdr_db
from tasks.multitrack.song import Song, StemFile

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


@given(st.integers(0, 2**32 - 1), st.integers(1, 60_000), st.sampled_from([1000, 997]))
def test_blocks_in_which_a_stem_is_squared_do_not_show(seed: int, length: int, rate: int) -> None:
    samples = np.random.default_rng(seed).normal(size=(length, 2)).astype(np.float32)
    edges = [k for k in (round(i * 0.05 * rate) for i in range(length)) if k <= length]
    power = [np.square(samples[a:b], dtype=np.float64).sum(axis=1).mean() for a, b in itertools.pairwise(edges)]
    assert active_frames(samples, rate).tolist() == [p > max(power) * 1e-4 for p in power]


@pytest.mark.parametrize(("start", "first", "count"), [(1.0, 20, 4), (1.01, 21, 3), (1.049, 21, 3), (0.0, 0, 4)])
def test_frames_of_a_pinned_window_are_those_wholly_inside(start: float, first: int, count: int) -> None:
    activity = np.arange(100) % 7 == 0
    assert np.array_equal(window_frames(activity, start, 0.2), activity[first : first + count])


# -- files ----------------------------------------------------------------------------------------------------------

LOW = 8_000  # Hz


def recorded(root: Path, mixture: str | None = "mix.wav", **parts: np.ndarray) -> Song:
    """A song whose files are those given, `vocals`, `other_2` and so on; the mixture is their sum."""
    for name, samples in parts.items():
        Clip.of(samples, LOW).scaled(0.3).write_wav(root / f"{name}.wav")
    if mixture:
        Clip.sum([Clip.read(root / f"{name}.wav") for name in parts]).write_wav(root / mixture)
    return song_of(*parts, mixture=mixture)


def song_of(*names: str, mixture: str | None = "mix.wav") -> Song:
    files = tuple(StemFile(f"{name}.wav", cast(StemName, name.partition("_")[0]), "piano") for name in names)
    return Song("The Song", "The Song", mixture, files, "CC0")


def stem(*spans: tuple[float, float], seconds: float = 8) -> np.ndarray:
    return sounding(seconds, *spans, rate=LOW)


def read(root: Path, song: Song, start: float, duration: float) -> str:
    """The hash that `Suite.open` finds."""
    return audio_digest(*read_stems(root, song.mixture, song.stems, start, duration))


def test_cut_hashes_the_audio_and_names_silent_stems(tmp_path: Path) -> None:
    song = recorded(tmp_path, vocals=stem((4, 8)), drums=stem((0, 8)), bass=stem())
    cut = excerpts.cut(tmp_path, song, edited={"vocals", "bass", "other"}, duration_s=3.0)
    assert (cut.excerpt.start_s, cut.excerpt.duration_s) == (4.0, 3.0)
    assert cut.excerpt.sha256 == read(tmp_path, song, 4.0, 3.0)
    assert cut.silent == {"bass"}  # silent from end to end
    assert (cut.flags("bass"), cut.flags("vocals")) == ({"edited-stem-silent"}, set())
    assert excerpts.cut(tmp_path, song, edited={"drums"}, duration_s=3.0).excerpt.start_s == 0.0


def test_a_source_is_what_was_cut_of_the_song(tmp_path: Path) -> None:
    song = recorded(tmp_path, vocals=stem((4, 8)), other=stem((0, 8)))
    cut = excerpts.cut(tmp_path, song, edited={"vocals"}, duration_s=3.0)
    ref = excerpts.source_ref(song, cut, id="set/the-song", root="set")
    assert (ref.id, ref.song, ref.root, ref.licence) == ("set/the-song", "set/the-song", "set", "CC0")
    assert (ref.mixture, ref.stems) == ("mix.wav", {"vocals": ("vocals.wav",), "other": ("other.wav",)})
    assert ref.instruments == {"vocals": ("piano",), "other": ("piano",)}
    suite = Suite("s", 1, {}, {ref.id: ref}, (), {"set": tmp_path})
    assert suite.open(ref.id).sha256 == cut.excerpt.sha256


@pytest.mark.parametrize("edited", [{"other"}, {"vocals"}, set()])
def test_files_of_a_stem_are_summed_whether_it_is_edited_or_not(edited: set[StemName], tmp_path: Path) -> None:
    song = recorded(tmp_path, other_1=stem((3, 4)), other_2=stem((4, 5)), vocals=stem((0, 1)))
    Clip.read(tmp_path / "other_1.wav").to_mono().write_wav(tmp_path / "other_1.wav")  # spread over both channels
    longer = Clip.read(tmp_path / "other_2.wav").fit(9 * LOW)
    longer.write_wav(tmp_path / "other_2.wav")
    cut = excerpts.cut(tmp_path, song, edited=edited, duration_s=2.0)
    assert cut.excerpt.start_s == (3.0 if "other" in edited else 0.0)
    assert cut.excerpt.sha256 == read(tmp_path, song, cut.excerpt.start_s, 2.0)


def test_mixture_that_is_the_sum_of_the_stems_needs_no_file(tmp_path: Path) -> None:
    song = recorded(tmp_path, None, vocals=stem((4, 8)), drums_1=stem((0, 8)), drums_2=stem((1, 2)))
    cut = excerpts.cut(tmp_path, song, edited={"vocals"}, duration_s=3.0)
    assert cut.excerpt.start_s == 4.0
    assert cut.excerpt.sha256 == read(tmp_path, song, 4.0, 3.0)
    assert (cut.stem_sum_sdr_db, cut.flags("vocals")) == (None, set())
    with pytest.raises(AudioError, match="no excerpt of 30 s") as short:
        excerpts.cut(tmp_path, song, edited={"vocals"}, duration_s=30.0)
    assert short.value.where == str(tmp_path / "vocals.wav")


@pytest.mark.parametrize(("factor", "sdr", "flagged"), [(1.0, None, False), (1.02, 33.98, False), (1.1, 20.0, True)])
def test_how_near_the_stems_are_to_the_mixture_is_measured(
    factor: float, sdr: float | None, flagged: bool, tmp_path: Path
) -> None:
    song = recorded(tmp_path, vocals=stem((0, 8)), drums=stem((2, 5)))
    mix = tmp_path / "mix.wav"
    Clip.read(mix).scaled(0.5).write_wav(mix, subtype="FLOAT")
    for name in ("vocals", "drums"):
        path = tmp_path / f"{name}.wav"
        Clip.read(path).scaled(0.5 * factor).write_wav(path, subtype="FLOAT")
    cut = excerpts.cut(tmp_path, song, edited={"vocals"}, duration_s=2.0)
    assert cut.stem_sum_sdr_db == (None if sdr is None else pytest.approx(sdr, abs=0.01))
    assert ("mixture-not-sum" in cut.flags("drums")) is flagged


def test_a_silent_or_mono_mixture_is_measured_or_not_as_defined(tmp_path: Path) -> None:
    noise = Clip.of(np.full((100, 2), 0.5), LOW)
    assert stem_sum_sdr_db(Clip.silence(100 / LOW, LOW, 2), [noise]) is None
    assert stem_sum_sdr_db(noise.to_mono(), [noise]) is None
    assert stem_sum_sdr_db(noise.to_mono(), [noise.scaled(0.9)]) == 20.0
    assert stem_sum_sdr_db(noise, [noise.scaled(0.5)]) == 6.02


def test_a_stem_of_another_song_is_flagged(tmp_path: Path) -> None:
    song = recorded(tmp_path, vocals=stem((0, 8)), drums=stem((0, 8)))
    Clip.of(np.random.default_rng(1).uniform(-0.3, 0.3, (8 * LOW, 2)), LOW).write_wav(tmp_path / "drums.wav")
    assert excerpts.cut(tmp_path, song, edited={"vocals"}, duration_s=2.0).flags("vocals") == {"mixture-not-sum"}


def test_cut_refuses_two_rates_and_names_the_song_that_is_too_short(tmp_path: Path) -> None:
    song = recorded(tmp_path, vocals=stem((0, 2), seconds=2))
    with pytest.raises(AudioError) as short:
        excerpts.cut(tmp_path, song, edited={"vocals"}, duration_s=3.0)
    assert short.value.where == str(tmp_path / "mix.wav")
    Clip.read(tmp_path / "mix.wav").resample(16_000).write_wav(tmp_path / "mix.wav")
    with pytest.raises(DataError, match="'The Song'") as mixed:
        excerpts.cut(tmp_path, song, edited={"vocals"}, duration_s=1.0)
    assert mixed.value.code == "data/rates-differ"


def test_window_lies_inside_the_shortest_file_even_of_a_stem_that_nobody_edits(tmp_path: Path) -> None:
    song = recorded(tmp_path, vocals=stem((5, 8)), drums=stem((0, 6), seconds=6))
    cut = excerpts.cut(tmp_path, song, edited={"vocals"}, duration_s=3.0)
    assert cut.excerpt.start_s == 3.0  # 5.0 would be best, but the drums end at 6.0


def test_a_song_that_is_a_link_out_of_its_data_set_is_refused(tmp_path: Path) -> None:
    inside = tmp_path / "set"
    recorded(tmp_path / "elsewhere", vocals=stem((0, 8)))
    inside.mkdir()
    (inside / "song").symlink_to(tmp_path / "elsewhere")
    song = Song("song", "song", "song/mix.wav", (StemFile("song/vocals.wav", "vocals"),), "CC0")
    with pytest.raises(DataError, match=f"leads out of the data set, to {tmp_path / 'elsewhere'}") as caught:
        excerpts.cut(inside, song, edited={"vocals"}, duration_s=2.0)
    assert (caught.value.code, caught.value.where) == ("data/outside-root", str(inside / "song"))
    (tmp_path / "link").symlink_to(tmp_path)  # the root itself may be one
    assert excerpts.cut(tmp_path / "link" / "elsewhere", song_of("vocals"), edited={"vocals"}, duration_s=2.0)


# -- reading --------------------------------------------------------------------------------------------------------


@pytest.fixture
def frames_read(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Frames that libsndfile was asked for, by the file's name."""
    counted: Counter[str] = Counter()
    original = soundfile.SoundFile.read

    def read(self: soundfile.SoundFile, frames: int = -1, *args: object, **options: object) -> np.ndarray:
        found = original(self, frames, *args, **options)
        counted[Path(self.name).name] += len(found)
        return found

    monkeypatch.setattr(soundfile.SoundFile, "read", read)
    return counted


@pytest.mark.parametrize("pinned", [None, 1.25])
def test_files_of_edited_stems_are_read_once_and_of_the_others_only_the_window(
    pinned: float | None, frames_read: Counter[str], tmp_path: Path
) -> None:
    song = recorded(tmp_path, other_1=stem((3, 4)), other_2=stem((4, 5)), vocals=stem((0, 1)), bass=stem((0, 8)))
    frames_read.clear()
    excerpts.cut(tmp_path, song, edited={"other", "vocals", "drums"}, duration_s=2.0, start_s=pinned)
    whole, window = 8 * LOW, 2 * LOW
    assert frames_read == {
        **{"other_1.wav": whole, "other_2.wav": whole, "vocals.wav": whole},
        **{"bass.wav": window, "mix.wav": window},
    }


@pytest.mark.parametrize("mode", ["CONSTANT", "VARIABLE"])
def test_mp3_is_the_same_whether_read_whole_or_from_the_middle(mode: str, tmp_path: Path) -> None:
    """Seeking in MP3 files of variable bit rate, libsndfile decodes 0.1 s at the goal wrongly: here by 0.25."""
    rate = 44_100
    time = np.arange(6 * rate) / rate
    noise = np.random.default_rng(0).normal(0, 0.02, (len(time), 2)) * (np.sin(3 * time) > 0)[:, None]
    samples = noise + (np.sin(2 * np.pi * 440 * time) * (0.3 + 0.2 * np.sin(time)))[:, None]
    options = {"bitrate_mode": mode, "compression_level": 0.5}
    soundfile.write(tmp_path / "vocals.mp3", samples, rate, format="MP3", **options)
    song = Song("s", "s", None, (StemFile("vocals.mp3", "vocals"),), "CC0")
    cut = excerpts.cut(tmp_path, song, edited={"vocals"}, duration_s=2.0, start_s=3.5)
    assert cut.excerpt.sha256 == read(tmp_path, song, 3.5, 2.0)


# -- pins -----------------------------------------------------------------------------------------------------------


def test_a_pinned_start_is_taken_and_what_is_silent_there_is_said(tmp_path: Path) -> None:
    song = recorded(tmp_path, vocals=stem((4, 8)), drums=stem((0, 8)))
    cut = excerpts.cut(tmp_path, song, edited={"vocals"}, duration_s=2.0, start_s=1.23)
    assert cut.excerpt.start_s == 1.23
    assert cut.excerpt.sha256 == read(tmp_path, song, 1.23, 2.0)
    assert cut.silent == {"vocals"}
    assert excerpts.cut(tmp_path, song, edited={"vocals"}, duration_s=2.0, start_s=6.0).silent == set()


@pytest.mark.parametrize("start", [6.001, 70.5, -0.5])
def test_a_pinned_start_that_does_not_fit_names_file_song_and_seconds(start: float, tmp_path: Path) -> None:
    song = recorded(tmp_path, vocals=stem((4, 8)))
    with pytest.raises(DataError, match=rf"'The Song' is pinned to {start:g}-.*it has 8\.000 s") as caught:
        excerpts.cut(tmp_path, song, edited={"vocals"}, duration_s=2.0, start_s=start)
    assert (caught.value.code, caught.value.where) == ("data/pin-outside", str(tmp_path / "mix.wav"))
    assert "from 0 to 6.000 s" in caught.value.remedy
