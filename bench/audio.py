"""Clip: a piece of audio in memory, and the only place that reads or writes audio files.

Samples are float32, shaped (samples, channels), full scale = 1.0. Files are read with libsndfile
(`soundfile`) and resampled with soxr; neither torch nor ffmpeg is involved. What happens to files that are
not what they claim is listed in `docs/audio.md`, and each line of that table has a test.
"""

from __future__ import annotations

import hashlib
import io
import math
import os
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from bench.errors import AudioError

Samples = npt.NDArray[np.float32]

MAX_CHANNELS = 2
MAX_SECONDS = 3600.0
MIN_RATE, MAX_RATE = 8_000, 192_000
FORMATS = frozenset({"WAV", "WAVEX", "FLAC", "OGG", "MP3", "AIFF"})
"""What `Clip.read` accepts, by libsndfile's names. The rarer formats that it knows are refused."""

# How the chunked formats say how many bytes of samples follow: byte order of the sizes, name of the chunk.
_CHUNKED = {b"RIFF": ("<I", b"data"), b"RIFX": (">I", b"data"), b"FORM": (">I", b"SSND")}
_UNKNOWN_SIZE = 0xFFFFFFFF  # what a program writes that streams to a pipe and cannot come back to fill it in
_UNKNOWN_FRAMES = 2**63 - 1  # libsndfile's SF_COUNT_MAX: a FLAC header without a length


@dataclass(frozen=True, eq=False)
class Clip:
    """Audio in memory: float32 samples of shape (samples, channels) at `rate` Hz."""

    samples: Samples
    rate: int

    def __post_init__(self) -> None:
        shape = self.samples.shape
        if self.samples.dtype != np.float32 or len(shape) != 2 or not 1 <= shape[1] <= MAX_CHANNELS or self.rate < 1:
            raise AudioError(
                "a clip needs float32 samples of shape (samples, 1 or 2) and a rate in Hz, "
                f"not {self.samples.dtype} {shape} at {self.rate} Hz",
                remedy="Build clips with Clip.of(array, rate), channels last.",
                code="audio/shape",
            )

    @classmethod
    def of(cls, samples: npt.ArrayLike, rate: int) -> Clip:
        """A clip from floating-point numbers, shaped (samples,) for mono or (samples, channels).

        Raises:
            AudioError: for another shape, or for integers: their full scale would have to be guessed.
        """
        array = np.asarray(samples)
        if array.dtype.kind != "f":
            raise AudioError(
                f"a clip needs floating-point samples with full scale 1.0, not {array.dtype}",
                remedy="Divide integer samples by their full scale first (32768 for 16 bit).",
                code="audio/shape",
            )
        array = array.astype(np.float32, copy=False)
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

    @cached_property
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

        length = -(-self.length * rate // self.rate)
        return Clip.of(soxr.resample(self.samples, self.rate, rate, quality="HQ"), rate).fit(length)

    def fit(self, length: int) -> Clip:
        """Cut, or padded with silence at the end, to a number of samples (at least 0)."""
        if length < 0:
            raise AudioError(
                f"a clip cannot have {length} samples", remedy="Ask for 0 or more.", code="audio/too-short"
            )
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
        if not rates:
            raise AudioError("cannot sum no clips", remedy="Give at least one clip.", code="audio/empty")
        if len(rates) > 1:
            raise AudioError(
                f"cannot sum clips of rates {sorted(rates)} Hz",
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
        """Read a file, or an excerpt of it: a 10 s excerpt costs 10 s of reading, wherever it lies (but in MP3).

        Raises:
            AudioError: for anything that is not one to two channels of finite samples. See `docs/audio.md`.
        """
        import soundfile

        info = file_info(path)
        start = round(start_s * info.rate)
        count = info.frames - start if duration_s is None else round(duration_s * info.rate)
        if start < 0 or count <= 0 or start + count > info.frames:
            raise AudioError(
                f"the excerpt at {start_s:g} s is not inside the file, which has {info.duration_s:.3f} s",
                where=str(path),
                remedy="Choose an excerpt inside the file, or check that the file is complete.",
                code="audio/too-short",
            )
        # In MP3 files of variable bit rate libsndfile finds the place, but decodes the first 0.1 s there wrongly.
        lead = start if info.container == "MP3" else 0
        try:
            samples, _ = soundfile.read(path, frames=lead + count, start=start - lead, dtype="float32", always_2d=True)
            samples = samples[lead:]
        except (soundfile.SoundFileError, OSError) as error:
            raise _refused(path, "audio/damaged", f"its samples cannot be decoded ({_reason(error)})") from error
        if samples.shape[0] != count:
            raise _truncated(path, f"{info.frames} samples, but the data end after {start + samples.shape[0]}")
        if not np.isfinite(samples).all():
            first = start + int(np.flatnonzero(~np.isfinite(samples).all(axis=1))[0])
            raise _refused(
                path, "audio/non-finite", f"sample {first} is NaN or infinite, which cannot be edited or scored"
            )
        return cls(samples, info.rate)

    def encode(self, *, container: Literal["FLAC", "WAV"] = "FLAC", subtype: str = "PCM_24") -> bytes:
        """The clip as a file in memory. Samples beyond full scale are clipped: see `clipped`.

        What `read` gives back is exact for samples that are multiples of 2⁻²³ in [-1, 1) (2⁻¹⁵ for `PCM_16`),
        so encoding what was read gives the same samples again.

        Raises:
            AudioError: for a clip without samples, or with NaN or infinite ones: no file can hold them.
        """
        import soundfile

        if self.length == 0 or not np.isfinite(self.samples).all():
            empty = self.length == 0
            raise AudioError(
                f"a clip {'without samples' if empty else 'with NaN or infinite samples'} cannot be written",
                remedy="Look for the fault in what produced it; silence or clipping would hide it.",
                code="audio/empty" if empty else "audio/non-finite",
            )
        buffer = io.BytesIO()
        soundfile.write(buffer, np.clip(self.samples, -1.0, 1.0), self.rate, format=container, subtype=subtype)
        return buffer.getvalue()

    def write_wav(self, path: Path, *, subtype: str = "PCM_16") -> None:
        """Write a WAV file whole or not at all (for data sets in layouts that ask for WAV). Errors as `encode`."""
        data = self.encode(container="WAV", subtype=subtype)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        part.write_bytes(data)
        part.replace(path)

    @property
    def clipped(self) -> int:
        """How many samples lie beyond full scale, and are lost in a file."""
        return int((np.abs(self.samples) > 1.0).sum())


@dataclass(frozen=True)
class FileInfo:
    """What the header of a usable audio file says."""

    rate: int
    frames: int
    channels: int
    container: str = field(compare=False)  # by libsndfile's name; the same audio may come in several

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.frames / self.rate


def file_info(path: Path) -> FileInfo:
    """The header of an audio file, checked as `Clip.read` checks it; the samples are not looked at.

    Raises:
        AudioError: see `docs/audio.md`.
    """
    import soundfile

    if not path.is_file():
        cause = "this is not a file" if path.exists() else "there is no such audio file"
        remedy = "Check the path and the data set's folder (`timbrebench doctor` lists those found)."
        raise AudioError(cause, where=str(path), remedy=remedy, code="audio/missing")
    if path.stat().st_size == 0:
        raise _refused(path, "audio/empty", "it has 0 bytes")
    try:
        header = soundfile.info(path)
    except (soundfile.SoundFileError, OSError, TypeError) as error:  # TypeError: soundfile's word for a name in .raw
        raise _refused(path, "audio/unreadable", _reason(error)) from error
    problem = _problem(header.format, header.channels, header.samplerate, header.frames)
    if problem:
        raise _refused(path, *problem)
    missing = _missing_bytes(path)
    if missing:
        raise _truncated(path, f"{missing} bytes more than the file has")
    return FileInfo(header.samplerate, header.frames, header.channels, header.format)


def _problem(container: str, channels: int, rate: int, frames: int) -> tuple[str, str] | None:
    """Code and cause of what makes a readable header unusable; None if nothing does."""
    seconds = frames / max(rate, 1)
    checks = (
        (container not in FORMATS, "audio/unreadable", f"it is in the format {container}"),
        (not 1 <= channels <= MAX_CHANNELS, "audio/channels", f"it has {channels} channels"),
        (not MIN_RATE <= rate <= MAX_RATE, "audio/rate", f"{rate} Hz is not within {MIN_RATE} to {MAX_RATE} Hz"),
        (frames <= 0, "audio/empty", "it holds no samples"),
        (frames == _UNKNOWN_FRAMES, "audio/no-length", "its header does not say how long it is"),
        (seconds > MAX_SECONDS, "audio/too-long", f"its header promises {seconds:.0f} s, over {MAX_SECONDS:.0f} s"),
    )
    return next(((code, cause) for wrong, code, cause in checks if wrong), None)


def _missing_bytes(path: Path) -> int:
    """How many bytes of samples the header of a WAV or AIFF file promises beyond the file's end.

    libsndfile takes such a file for a shorter one and says nothing, so half a download would pass for a song.
    """
    size = path.stat().st_size
    with path.open("rb") as handle:
        order, wanted = _CHUNKED.get(handle.read(12)[:4], ("", b""))
        while wanted and len(chunk := handle.read(8)) == 8:
            (length,) = struct.unpack(order, chunk[4:])
            if chunk[:4] == wanted:
                return 0 if length == _UNKNOWN_SIZE else max(0, handle.tell() + length - size)
            handle.seek(length + length % 2, os.SEEK_CUR)
    return 0


def _reason(error: Exception) -> str:
    return str(error).rsplit("': ", maxsplit=1)[-1].rstrip(".")


def _truncated(path: Path, promise: str) -> AudioError:
    return AudioError(
        f"the audio file is cut off: its header promises {promise}",
        where=str(path),
        remedy="Fetch or export it again.",
        code="audio/truncated",
    )


def _refused(path: Path, code: str, problem: str) -> AudioError:
    return AudioError(
        f"the audio file cannot be used: {problem}",
        where=str(path),
        remedy="WAV, FLAC, OGG, MP3 and AIFF are read, mono or stereo: check the file, convert it or export it again.",
        code=code,
    )
