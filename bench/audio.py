"""Clip: a piece of audio in memory, and the only place that reads or writes audio files.

Samples are float32, shaped (samples, channels), full scale = 1.0. Files are read with libsndfile
(`soundfile`) and resampled with soxr; neither torch nor ffmpeg is involved. What happens to files that are
not what they claim is listed in `docs/audio.md`, and each line of that table has a test.
"""

from __future__ import annotations

import hashlib
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.errors import AudioError

Samples = npt.NDArray[np.float32]

MAX_CHANNELS = 2
MAX_SECONDS = 3600.0
MIN_RATE, MAX_RATE = 8_000, 192_000


@dataclass(frozen=True, eq=False)
class Clip:
    """Audio in memory: float32 samples of shape (samples, channels) at `rate` Hz."""

    samples: Samples
    rate: int

    def __post_init__(self) -> None:
        if self.samples.ndim != 2 or self.samples.dtype != np.float32:
            raise AudioError(
                f"a clip needs float32 (samples, channels), not {self.samples.dtype} {self.samples.shape}",
                remedy="Build clips with Clip.of(array, rate).",
                code="audio/shape",
            )

    @classmethod
    def of(cls, samples: npt.ArrayLike, rate: int) -> Clip:
        """A clip from any real array, shaped (samples,) for mono or (samples, channels)."""
        array = np.asarray(samples, dtype=np.float32)
        return cls(np.ascontiguousarray(array[:, None] if array.ndim == 1 else array), rate)

    @classmethod
    def silence(cls, duration_s: float, rate: int, channels: int = 1) -> Clip:
        """Digital silence."""
        return cls(np.zeros((round(duration_s * rate), channels), np.float32), rate)

    @property
    def length(self) -> int:
        """Samples per channel."""
        return int(self.samples.shape[0])

    @property
    def channels(self) -> int:
        """1 for mono, 2 for stereo."""
        return int(self.samples.shape[1])

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.length / self.rate

    @property
    def sha256(self) -> str:
        """Hash of rate, shape and samples: the identity of the audio, whatever file it came from."""
        sha = hashlib.sha256(f"{self.rate}:{self.samples.shape}".encode())
        sha.update(np.ascontiguousarray(self.samples).tobytes())
        return sha.hexdigest()

    @property
    def mono(self) -> Samples:
        """The mean of the channels, shape (samples,)."""
        return np.asarray(self.samples.mean(axis=1), np.float32)

    def to_mono(self) -> Clip:
        """The mean of the channels as a clip."""
        return self if self.channels == 1 else Clip.of(self.mono, self.rate)

    def resample(self, rate: int) -> Clip:
        """Resampled with soxr HQ to exactly ceil(length * rate / self.rate) samples."""
        if rate == self.rate:
            return self
        import soxr

        length = math.ceil(self.length * rate / self.rate)
        return Clip.of(soxr.resample(self.samples, self.rate, rate, quality="HQ"), rate).fit(length)

    def fit(self, length: int) -> Clip:
        """Cut, or padded with silence at the end, to a number of samples."""
        if length <= self.length:
            return Clip(self.samples[:length], self.rate)
        return Clip(np.pad(self.samples, ((0, length - self.length), (0, 0))), self.rate)

    def window(self, start_s: float, duration_s: float) -> Clip:
        """The excerpt [start_s, start_s + duration_s).

        Raises:
            AudioError: if it does not lie inside the clip.
        """
        start, count = round(start_s * self.rate), round(duration_s * self.rate)
        if start < 0 or count <= 0 or start + count > self.length:
            raise AudioError(
                f"the excerpt {start_s:g}-{start_s + duration_s:g} s is not inside a clip of {self.duration_s:.3f} s",
                remedy="Choose an excerpt inside the audio.",
                code="audio/too-short",
            )
        return Clip(self.samples[start : start + count], self.rate)

    def scaled(self, gain: float) -> Clip:
        """Multiplied by a gain."""
        return Clip(self.samples * np.float32(gain), self.rate)

    @property
    def peak(self) -> float:
        """Largest absolute sample; 0.0 for an empty clip."""
        return float(np.abs(self.samples).max(initial=0.0))

    @property
    def rms_db(self) -> float:
        """Root mean square over all channels, in dB re full scale; -inf for silence."""
        power = float(np.mean(np.square(self.samples, dtype=np.float64))) if self.length else 0.0
        return 10 * math.log10(power) if power > 0 else -math.inf

    @property
    def loudness_lufs(self) -> float | None:
        """Integrated loudness (ITU-R BS.1770-4), or None where it is not defined (under 0.4 s, or all gated)."""
        if self.duration_s < 0.4 or self.peak == 0.0:
            return None
        import pyloudnorm

        value = float(pyloudnorm.Meter(self.rate).integrated_loudness(self.samples.astype(np.float64)))
        return value if math.isfinite(value) else None

    @staticmethod
    def sum(clips: Sequence[Clip]) -> Clip:
        """The linear sum of clips of one rate; mono is spread over the others' channels, shorter ones end early.

        Raises:
            AudioError: if rates differ, or there is no clip.
        """
        rates = {clip.rate for clip in clips}
        if len(rates) != 1:
            raise AudioError(
                f"cannot sum clips of rates {sorted(rates)}",
                remedy="Resample them to one rate first.",
                code="audio/rate",
            )
        total = np.zeros((max(c.length for c in clips), max(c.channels for c in clips)), np.float32)
        for clip in clips:
            total[: clip.length] += clip.samples
        return Clip(total, rates.pop())

    # -- files ------------------------------------------------------------------------------------------------

    @classmethod
    def read(cls, path: Path, *, start_s: float = 0.0, duration_s: float | None = None) -> Clip:
        """Read a file, or an excerpt of it: a 10 s excerpt costs 10 s of reading, wherever it lies.

        Raises:
            AudioError: for anything that is not one to two channels of finite samples. See `docs/audio.md`.
        """
        import soundfile

        rate, frames = _checked_header(path)
        start = round(start_s * rate)
        count = frames - start if duration_s is None else round(duration_s * rate)
        if start < 0 or count <= 0 or start + count > frames:
            raise AudioError(
                f"the excerpt at {start_s:g} s is not inside the file, which has {frames / rate:.3f} s",
                where=str(path),
                remedy="Choose an excerpt inside the file, or check that the file is complete.",
                code="audio/too-short",
            )
        try:
            samples, _ = soundfile.read(path, frames=count, start=start, dtype="float32", always_2d=True)
        except (soundfile.SoundFileError, OSError) as error:
            raise _unreadable(path, error) from error
        if samples.shape[0] != count:
            raise AudioError(
                f"the header promises {frames} samples, but the data ends after {start + samples.shape[0]}",
                where=str(path),
                remedy="The file is cut off: fetch or export it again.",
                code="audio/truncated",
            )
        if not np.isfinite(samples).all():
            first = int(np.flatnonzero(~np.isfinite(samples).all(axis=1))[0])
            raise AudioError(
                f"sample {start + first} is not a finite number",
                where=str(path),
                remedy="Export the file again; NaN or infinite samples cannot be edited or scored.",
                code="audio/non-finite",
            )
        return cls(samples, rate)

    def encode(self, *, subtype: str = "PCM_24") -> bytes:
        """The clip as a FLAC file in memory. Samples beyond full scale are clipped: see `clipped`."""
        import soundfile

        buffer = io.BytesIO()
        soundfile.write(buffer, np.clip(self.samples, -1.0, 1.0), self.rate, format="FLAC", subtype=subtype)
        return buffer.getvalue()

    def write_wav(self, path: Path, *, subtype: str = "PCM_16") -> None:
        """Write a WAV file (for data sets in layouts that ask for WAV)."""
        import soundfile

        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, np.clip(self.samples, -1.0, 1.0), self.rate, format="WAV", subtype=subtype)

    @property
    def clipped(self) -> int:
        """How many samples lie beyond full scale, and are lost in a file."""
        return int((np.abs(self.samples) > 1.0).sum())


def file_seconds(path: Path) -> float:
    """Duration of an audio file from its header alone, checked like `Clip.read` checks it."""
    rate, frames = _checked_header(path)
    return frames / rate


def _checked_header(path: Path) -> tuple[int, int]:
    """Rate and frames of a file whose header promises something we can use."""
    import soundfile

    if not path.is_file():
        raise AudioError(
            "there is no such audio file" if not path.exists() else "this is not a file",
            where=str(path),
            remedy="Check the path and the data set's folder (`timbrebench doctor` lists those found).",
            code="audio/missing",
        )
    if path.stat().st_size == 0:
        raise AudioError(
            "the audio file is empty (0 bytes)", where=str(path), remedy="Fetch or export it again.", code="audio/empty"
        )
    try:
        info = soundfile.info(path)
    except (soundfile.SoundFileError, OSError) as error:
        raise _unreadable(path, error) from error
    problem = None
    if not 1 <= info.channels <= MAX_CHANNELS:
        problem = ("audio/channels", f"it has {info.channels} channels; mono and stereo are supported")
    elif not MIN_RATE <= info.samplerate <= MAX_RATE:
        problem = ("audio/rate", f"its rate is {info.samplerate} Hz; {MIN_RATE} to {MAX_RATE} Hz are supported")
    elif info.frames <= 0:
        problem = ("audio/empty", "it holds no samples")
    elif info.frames / info.samplerate > MAX_SECONDS:
        problem = (
            "audio/too-long",
            f"its header promises {info.frames / info.samplerate:.0f} s; the limit is {MAX_SECONDS:.0f} s",
        )
    if problem:
        raise AudioError(
            f"the audio file cannot be used: {problem[1]}",
            where=str(path),
            remedy="Convert the file first.",
            code=problem[0],
        )
    return info.samplerate, info.frames


def _unreadable(path: Path, error: Exception) -> AudioError:
    return AudioError(
        f"not a readable audio file ({str(error).rstrip('.')})",
        where=str(path),
        remedy="WAV, FLAC, OGG, MP3 and AIFF are read. Check the file, or export it again.",
        code="audio/unreadable",
    )
