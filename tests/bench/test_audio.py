"""What `Clip` does with good audio, and the one defined outcome of each kind of bad file (`docs/audio.md`)."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bench.audio import MAX_SECONDS, Clip, file_info
from bench.errors import AudioError

DOCS = Path(__file__).resolve().parents[2] / "docs" / "audio.md"
RATE = 44_100


def sine(hz: float = 997.0, *, seconds: float = 1.0, rate: int = RATE, channels: int = 1) -> Clip:
    wave = np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)
    return Clip.of(np.repeat(wave[:, None], channels, axis=1), rate)


def noise(seconds: float = 1.0, *, channels: int = 2, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-0.5, 0.5, (round(seconds * RATE), channels)).astype(np.float32)


# -- files that are not what they should be -------------------------------------------------------------------------


def wav_bytes(path: Path, samples: np.ndarray, rate: int = RATE, subtype: str = "PCM_16") -> bytes:
    soundfile.write(path, samples, rate, subtype=subtype, format="WAV")
    return path.read_bytes()


def with_data_size(data: bytes, size: int) -> bytes:
    at = data.index(b"data") + 4
    return data[:at] + struct.pack("<I", size) + data[at + 4 :]


def with_flac_frames(data: bytes, frames: int) -> bytes:
    """Total samples are the low 36 bits of bytes 18 to 25 (STREAMINFO)."""
    word = int.from_bytes(data[18:26], "big") >> 36 << 36 | frames
    return data[:18] + word.to_bytes(8, "big") + data[26:]


def flac_bytes(path: Path, samples: np.ndarray) -> bytes:
    soundfile.write(path, samples, RATE, format="FLAC")
    return path.read_bytes()


def _half(data: bytes) -> bytes:
    return data[: len(data) // 2]


def _one_bad(value: float) -> np.ndarray:
    samples = noise(0.1)
    samples[17, 1] = value
    return samples


def _in_format(path: Path, container: str) -> bytes:
    soundfile.write(path, noise(), RATE, format=container)
    return path.read_bytes()


def _damaged(data: bytes) -> bytes:
    return data[: len(data) // 2] + bytes(4000) + data[len(data) // 2 + 4000 :]


Builder = Callable[[Path], bytes]
REFUSED: dict[str, tuple[str, Builder]] = {
    "0 bytes": ("audio/empty", lambda path: b""),
    "a header and no samples": ("audio/empty", lambda path: wav_bytes(path, noise(0))),
    "text in a file named .wav": ("audio/unreadable", lambda path: b"this is not audio\n" * 99),
    "WAV header cut off after 20 bytes": ("audio/unreadable", lambda path: wav_bytes(path, noise())[:20]),
    "WAV with a wrong magic number": ("audio/unreadable", lambda path: b"JUNK" + wav_bytes(path, noise())[4:]),
    "another format that libsndfile knows (AU)": ("audio/unreadable", lambda path: _in_format(path, "AU")),
    "WAV cut off in the samples": ("audio/truncated", lambda path: _half(wav_bytes(path, noise()))),
    "WAV short of one byte": ("audio/truncated", lambda path: wav_bytes(path, noise())[:-1]),
    "WAV whose header claims hours": (
        "audio/truncated",
        lambda path: with_data_size(wav_bytes(path, noise()), 0xFFFF_FFF0),
    ),
    "AIFF cut off in the samples": ("audio/truncated", lambda path: _half(_in_format(path, "AIFF"))),
    "MP3 cut off": ("audio/truncated", lambda path: _half(_in_format(path, "MP3"))),
    "FLAC cut off in the samples": ("audio/damaged", lambda path: _half(flac_bytes(path, noise()))),
    "FLAC with overwritten samples": ("audio/damaged", lambda path: _damaged(flac_bytes(path, noise()))),
    "FLAC whose header claims ten minutes": (
        "audio/damaged",
        lambda path: with_flac_frames(flac_bytes(path, noise()), 600 * RATE),
    ),
    "FLAC whose header claims hours": (
        "audio/too-long",
        lambda path: with_flac_frames(flac_bytes(path, noise()), 2**36 - 1),
    ),
    "FLAC written to a pipe, without a length": (
        "audio/no-length",
        lambda path: with_flac_frames(flac_bytes(path, noise()), 0),
    ),
    "NaN in a float WAV": ("audio/non-finite", lambda path: wav_bytes(path, _one_bad(math.nan), subtype="FLOAT")),
    "infinity in a float WAV": ("audio/non-finite", lambda path: wav_bytes(path, _one_bad(math.inf), subtype="FLOAT")),
    "8 channels": ("audio/channels", lambda path: wav_bytes(path, noise(channels=8))),
    "4 kHz": ("audio/rate", lambda path: wav_bytes(path, noise(), rate=4_000)),
    "384 kHz": ("audio/rate", lambda path: wav_bytes(path, noise(), rate=384_000)),
}
ACCEPTED: dict[str, Builder] = {
    "1 sample": lambda path: wav_bytes(path, np.full((1, 1), 0.5, np.float32)),
    "96 kHz": lambda path: wav_bytes(path, noise(), rate=96_000),
    "digital silence": lambda path: wav_bytes(path, np.zeros((RATE, 2), np.float32)),
    "float WAV beyond full scale": lambda path: wav_bytes(path, 4 * noise(), subtype="FLOAT"),
    "WAV written to a pipe, without a length": lambda path: with_data_size(wav_bytes(path, noise()), 0xFFFF_FFFF),
    "FLAC, OGG or MP3 named .wav": lambda path: flac_bytes(path, noise()),
    "OGG cut off in the samples": lambda path: _half(_in_format(path, "OGG")),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_file_is_refused_with_its_code(case: str, tmp_path: Path) -> None:
    code, build = REFUSED[case]
    path = tmp_path / "song.wav"
    path.write_bytes(build(tmp_path / "made"))
    with pytest.raises(AudioError) as caught:
        Clip.read(path)
    assert caught.value.code == code
    assert caught.value.where == str(path)
    assert caught.value.remedy


@pytest.mark.parametrize("case", ACCEPTED)
def test_odd_file_is_read(case: str, tmp_path: Path) -> None:
    path = tmp_path / "song.wav"
    path.write_bytes(ACCEPTED[case](tmp_path / "made"))
    clip = Clip.read(path)
    assert clip.length == file_info(path).frames > 0
    assert clip.duration_s == file_info(path).duration_s


def test_missing_file_folder_and_raw_samples(tmp_path: Path) -> None:
    (tmp_path / "folder.wav").mkdir()
    (tmp_path / "samples.raw").write_bytes(bytes(1000))
    for name, code in (("no.wav", "missing"), ("folder.wav", "missing"), ("samples.raw", "unreadable")):
        with pytest.raises(AudioError) as caught:
            Clip.read(tmp_path / name)
        assert caught.value.code == f"audio/{code}"


def test_table_in_docs_lists_each_case_and_its_code() -> None:
    rows = dict(re.findall(r"^\| (.+?) \| (refused|read)[^|]*\| `?[^|]+\|$", DOCS.read_text("utf-8"), re.M))
    codes = dict(re.findall(r"^\| (.+?) \| refused[^|]*\| `(audio/[a-z-]+)` \|$", DOCS.read_text("utf-8"), re.M))
    documented = {
        "no such file": "audio/missing",
        "a folder": "audio/missing",
        "headerless samples named .raw": "audio/unreadable",
        "an excerpt that is not inside the file": "audio/too-short",
    }
    assert codes == {case: code for case, (code, _) in REFUSED.items()} | documented
    assert {case for case, outcome in rows.items() if outcome == "read"} == set(ACCEPTED)


def test_silent_file_and_single_sample_have_no_loudness(tmp_path: Path) -> None:
    for case in ("digital silence", "1 sample"):
        path = tmp_path / "song.wav"
        path.write_bytes(ACCEPTED[case](path))
        assert Clip.read(path).loudness_lufs is None
    assert Clip.silence(1.0, RATE).rms_db == -math.inf


def test_non_finite_sample_is_named(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", _one_bad(math.nan), RATE, subtype="FLOAT")
    with pytest.raises(AudioError, match="sample 17 is NaN"):
        Clip.read(tmp_path / "a.wav", start_s=10 / RATE)


@pytest.mark.parametrize(
    ("start_s", "duration_s"), [(-0.1, 0.5), (0.6, 0.5), (1.0, None), (0.2, 0.0), (0.0, MAX_SECONDS)]
)
def test_excerpt_outside_is_refused(start_s: float, duration_s: float | None, tmp_path: Path) -> None:
    sine().write_wav(tmp_path / "a.wav")
    with pytest.raises(AudioError) as caught:
        Clip.read(tmp_path / "a.wav", start_s=start_s, duration_s=duration_s)
    assert caught.value.code == "audio/too-short"


# -- what is read and written ---------------------------------------------------------------------------------------


def test_excerpt_of_file_is_window_of_whole(tmp_path: Path) -> None:
    Clip.of(noise(3.0), RATE).write_wav(tmp_path / "a.wav")
    whole = Clip.read(tmp_path / "a.wav")
    assert Clip.read(tmp_path / "a.wav", start_s=1.25, duration_s=0.7).sha256 == whole.window(1.25, 0.7).sha256


@pytest.mark.parametrize("container", ["FLAC", "WAV"])
def test_24_bit_round_trip_is_exact(container: str, tmp_path: Path) -> None:
    integers = np.random.default_rng(0).integers(-(2**23), 2**23, (5000, 2))
    integers[:2] = [[-(2**23), 2**23 - 1], [0, 1]]
    clip = Clip.of(integers / 2**23, RATE)
    (tmp_path / "a").write_bytes(clip.encode(container=container))
    assert Clip.read(tmp_path / "a").sha256 == clip.sha256


def test_encoding_rounds_by_at_most_half_a_step_and_then_never_again(tmp_path: Path) -> None:
    clip = Clip.of(noise() * 1.9, RATE)
    (tmp_path / "a.flac").write_bytes(clip.encode())
    once = Clip.read(tmp_path / "a.flac")
    assert np.abs(once.samples - clip.samples).max() <= 2.0**-24 * 1.01
    assert once.encode() == clip.encode()


def test_beyond_full_scale_is_counted_and_clipped(tmp_path: Path) -> None:
    clip = Clip.of(np.array([0.5, 1.5, -2.0, 1.0]), RATE)
    clip.write_wav(tmp_path / "a.wav", subtype="PCM_24")
    assert clip.clipped == 2
    assert Clip.read(tmp_path / "a.wav").samples[:, 0] == pytest.approx([0.5, 1.0, -1.0, 1.0], abs=2**-23)


@pytest.mark.parametrize(
    ("samples", "code"), [([0.1, math.nan], "audio/non-finite"), (np.zeros(0), "audio/empty")], ids=["nan", "empty"]
)
def test_what_no_file_can_hold_is_not_written(samples: object, code: str, tmp_path: Path) -> None:
    with pytest.raises(AudioError) as caught:
        Clip.of(samples, RATE).write_wav(tmp_path / "a.wav")
    assert caught.value.code == code
    assert not list(tmp_path.iterdir())


# -- arithmetic -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros((2, 100)),
        np.zeros((4, 4, 1)),
        np.zeros((5, 0)),
        np.zeros(9, np.int16),
        np.zeros(9, complex),
        np.float32(1),
    ],
    ids=["channels first", "batched", "no channel", "integers", "complex", "scalar"],
)
def test_arrays_that_are_no_clip_are_refused(samples: np.ndarray) -> None:
    with pytest.raises(AudioError) as caught:
        Clip.of(samples, RATE)
    assert caught.value.code == "audio/shape"


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 44_100, 48_000, 96_000])
@pytest.mark.parametrize("length", [1, 2, 999, 16_000, 44_101])
def test_resampled_length_is_the_ceiling(length: int, rate: int) -> None:
    clip = Clip.of(np.ones(length), RATE).resample(rate)
    assert (clip.length, clip.rate) == (-(-length * rate // RATE), rate)


def test_resampling_keeps_a_sine_and_drops_what_the_new_rate_cannot_hold() -> None:
    there_and_back = sine().resample(48_000).resample(RATE)
    inside = slice(1000, -1000)  # the ends ring, as of any cut sine
    error = there_and_back.samples[inside] - sine().samples[inside]
    assert 20 * math.log10(np.abs(error).max()) < -90
    assert Clip(sine(15_000).resample(16_000).samples[inside], 16_000).rms_db < -90


def test_resampling_keeps_channels_apart() -> None:
    stereo = Clip.of(np.stack([sine(440).mono, sine(1000).mono], axis=1), RATE).resample(16_000)
    for channel, hz in enumerate((440, 1000)):
        assert np.array_equal(stereo.samples[:, channel], sine(hz).resample(16_000).samples[:, 0])


@pytest.mark.parametrize(("channels", "lufs"), [(1, -3.01), (2, 0.0)])
@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000])
def test_loudness_of_a_full_scale_sine(channels: int, lufs: float, rate: int) -> None:
    """BS.1770-4: 'a 0 dB FS, 997 Hz sine in one front channel gives -3.01 LKFS'; two channels add 3.01 dB."""
    clip = sine(seconds=3.0, rate=rate, channels=channels)
    assert clip.loudness_lufs == pytest.approx(lufs, abs=0.1)
    assert clip.scaled(0.1).loudness_lufs == pytest.approx(clip.loudness_lufs - 20.0, abs=0.01)


def test_levels_of_a_sine() -> None:
    assert sine().rms_db == pytest.approx(-3.0103, abs=1e-3)
    assert sine().peak == pytest.approx(1.0, abs=1e-3)
    assert sine(channels=2).to_mono().sha256 == sine().sha256


def test_sha256_is_of_rate_shape_and_samples() -> None:
    clip = sine()
    other = [
        Clip(clip.samples, 48_000),
        Clip.of(np.repeat(clip.samples, 2, axis=1), RATE),
        Clip(clip.samples.reshape(-1, 2), RATE),
        Clip(np.nextafter(clip.samples, np.float32(2)), RATE),
        clip.fit(clip.length + 1),
    ]
    assert len({clip.sha256, *(c.sha256 for c in other)}) == 6
    assert Clip(np.asfortranarray(np.repeat(clip.samples, 2, 1)), RATE).sha256 == other[1].sha256


lengths = st.integers(0, 300)
# 16-bit samples, as files have them: sums of a few are exact in float32.
arrays = hnp.arrays(np.int16, st.tuples(st.integers(1, 200), st.integers(1, 2))).map(lambda a: a / np.float32(2**15))


@given(arrays, lengths)
def test_fit_keeps_the_beginning_and_pads_with_silence(samples: np.ndarray, length: int) -> None:
    fitted = Clip.of(samples, RATE).fit(length)
    kept = min(length, len(samples))
    assert fitted.length == length
    assert np.array_equal(fitted.samples[:kept], samples[:kept])
    assert not fitted.samples[kept:].any()


@given(arrays, arrays)
def test_sum_is_commutative_spreads_mono_and_is_undone(a: np.ndarray, b: np.ndarray) -> None:
    one, two = Clip.of(a, RATE), Clip.of(b, RATE)
    total = Clip.sum([one, two])
    assert total.sha256 == Clip.sum([two, one]).sha256
    assert total.length == max(one.length, two.length)
    assert total.channels == max(one.channels, two.channels)
    assert np.array_equal(
        Clip.sum([total, two.scaled(-1)]).samples[: one.length],
        np.broadcast_to(one.samples, (one.length, total.channels)),
    )


@given(st.integers(0, 900), st.integers(1, 900))
def test_windows_lie_inside_or_are_refused(start: int, count: int) -> None:
    clip = Clip.of(np.arange(1000, dtype=np.float64), 100)
    if start + count > clip.length:
        with pytest.raises(AudioError):
            clip.window(start / 100, count / 100)
    else:
        assert clip.window(start / 100, count / 100).samples[:, 0].tolist() == list(range(start, start + count))


def test_sums_of_nothing_or_of_two_rates_and_negative_lengths_are_refused() -> None:
    for bad in (
        lambda: Clip.sum([]),
        lambda: Clip.sum([sine(), sine(rate=16_000)]),
        lambda: sine().fit(-1),
        lambda: sine().window(-0.1, 0.2),
    ):
        with pytest.raises(AudioError):
            bad()
