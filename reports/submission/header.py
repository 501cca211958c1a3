"""What the header of an audio file claims, read here before libsndfile sees it.

libsndfile 1.2.2 can be made to hang by WAV files of a hundred bytes (libsndfile #1118: a chunk whose size runs beyond
the file) and has had worse faults in formats that nobody submits. So only two are let through to it, in their plainest
form: RIFF WAV of `fmt `, `data`, `fact` and `PEAK` chunks that lie inside the file, and FLAC whose stream info says how
long it is. What is claimed there is bounded before a sample is decoded, and compared with what was decoded after.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_GUID_TAIL = bytes.fromhex("000000001000800000aa00389b71")  # of the subformats that are plain format tags
_WIDTHS = {_PCM: {8, 16, 24, 32}, _FLOAT: {32, 64}}
_WAV_CHUNKS = frozenset({b"fmt ", b"data", b"fact", b"PEAK"})
_FLAC_BLOCKS = {0: "stream info", 1: "padding", 3: "seek table", 4: "comments"}
_MOST_BLOCKS = 32


class HeaderError(Exception):
    """A header that is not let through. `code`: of the rule; the message says what is wrong."""

    def __init__(self, code: str, what: str):
        super().__init__(what)
        self.code = code


@dataclass(frozen=True)
class Header:
    """What a file claims to hold: `frames` samples in each of `channels` channels at `rate` Hz."""

    container: Literal["WAV", "FLAC"]
    rate: int
    channels: int
    frames: int

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.frames / self.rate


def parse(data: bytes) -> Header:
    """The header of a WAV or FLAC file.

    Raises:
        HeaderError: `audio/unreadable`, `audio/header`, `audio/truncated`, `audio/no-length`, `audio/empty`.
    """
    if not data:
        raise HeaderError("audio/empty", "it has 0 bytes")
    if data[:4] == b"fLaC":
        header = _flac(data)
    elif data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        header = _wav(data)
    else:
        raise HeaderError("audio/unreadable", f"it begins with {data[:4]!r}, which is neither WAV nor FLAC")
    if header.rate < 1 or header.channels < 1:
        raise HeaderError("audio/header", f"it claims {header.channels} channels at {header.rate} Hz")
    if header.frames < 1:
        raise HeaderError("audio/empty", "it holds no samples")
    return header


# -- WAV --------------------------------------------------------------------------------------------------------------


def _wav(data: bytes) -> Header:
    (length,) = struct.unpack_from("<I", data, 4)
    if length + 8 > len(data):
        raise HeaderError("audio/truncated", f"it claims {length + 8:,} bytes, and has {len(data):,}")
    if length + 8 + length % 2 < len(data):
        raise HeaderError("audio/header", f"{len(data) - length - 8:,} bytes follow its end")
    chunks: dict[bytes, bytes] = {}
    for name, content in _chunks(data):
        if name not in _WAV_CHUNKS or name in chunks:
            raise HeaderError("audio/header", f"it has {'a second' if name in chunks else 'a'} chunk {name!r}")
        chunks[name] = content
    if b"fmt " not in chunks or b"data" not in chunks:
        raise HeaderError("audio/header", "it lacks its format or its samples")
    rate, channels, width = _wav_format(chunks[b"fmt "])
    return Header("WAV", rate, channels, len(chunks[b"data"]) // (channels * width // 8))


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = 12
    while place + 8 <= len(data):
        name, length = struct.unpack_from("<4sI", data, place)
        end = place + 8 + length
        if end > len(data):
            code = "audio/truncated" if name == b"data" else "audio/header"
            raise HeaderError(code, f"its chunk {name!r} claims {length:,} bytes, beyond the end of the file")
        yield name, data[place + 8 : end]
        place = end + length % 2
    if place < len(data):
        raise HeaderError("audio/header", f"{len(data) - place} bytes at its end belong to no chunk")


def _wav_format(content: bytes) -> tuple[int, int, int]:
    """Rate, channels and bits a sample."""
    if len(content) not in {16, 18, 40}:
        raise HeaderError("audio/header", f"its format has {len(content)} bytes")
    tag, channels, rate, per_second, block, width = struct.unpack_from("<HHIIHH", content)
    if tag == _EXTENSIBLE and len(content) == 40 and content[26:] == _GUID_TAIL:
        (tag,) = struct.unpack_from("<H", content, 24)
    if width not in _WIDTHS.get(tag, ()):
        raise HeaderError("audio/header", f"its samples are of format {tag:#x} with {width} bits, not PCM or float")
    if not channels or block != channels * width // 8 or per_second != rate * block:
        raise HeaderError("audio/header", "its format contradicts itself")
    return rate, channels, width


# -- FLAC -------------------------------------------------------------------------------------------------------------


def _flac(data: bytes) -> Header:
    blocks = list(_flac_blocks(data))
    kind, info = blocks[0]
    if kind != 0 or len(info) != 34 or any(other == 0 for other, _ in blocks[1:]):
        raise HeaderError("audio/header", "its stream info is not where it should be")
    packed = int.from_bytes(info[10:18], "big")  # 20 bits rate, 3 channels - 1, 5 bits - 1, 36 samples
    rate, channels, frames = packed >> 44, (packed >> 41 & 0x7) + 1, packed & 0xFFFFFFFFF
    if frames == 0:
        raise HeaderError("audio/no-length", "it does not say how long it is")
    return Header("FLAC", rate, channels, frames)


def _flac_blocks(data: bytes) -> Iterator[tuple[int, bytes]]:
    place = 4
    for _ in range(_MOST_BLOCKS):
        if place + 4 > len(data):
            raise HeaderError("audio/truncated", "it ends within its header")
        last, kind = data[place] >> 7, data[place] & 0x7F
        end = place + 4 + int.from_bytes(data[place + 1 : place + 4], "big")
        if kind not in _FLAC_BLOCKS:
            raise HeaderError(
                "audio/header", f"it has a block of kind {kind}; {', '.join(_FLAC_BLOCKS.values())} will do"
            )
        if end > len(data):
            raise HeaderError("audio/truncated", "it ends within its header")
        yield kind, data[place + 4 : end]
        place = end
        if last:
            return
    raise HeaderError("audio/header", f"it has more than {_MOST_BLOCKS} blocks before its samples")
