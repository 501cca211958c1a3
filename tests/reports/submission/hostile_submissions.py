"""Submissions that mean harm, one for each way we know, made from an honest one.

Each function takes the parts of an honest submission and gives the bytes of a file. `CORPUS` names them with the code
that each must be refused with.
"""

from __future__ import annotations

import gzip
import io
import json
import stat
import struct
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from submission_samples import Parts, flac, wav, zipped

from bench.audio import Clip
from bench.store.zip_members import ZipLimits
from reports.submission.model import SUBMISSION

Make = Callable[[Parts], bytes]


@dataclass(frozen=True)
class Hostile:
    """One of them. `limits`: of the check, where reaching the real ones would cost time or disk."""

    name: str
    code: str
    make: Make
    limits: ZipLimits = field(default_factory=ZipLimits)


# -- the file ---------------------------------------------------------------------------------------------------------


def _tar(parts: Parts) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, data in parts.members():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def _at(data: bytes, place: int, form: str, *values: int) -> bytes:
    """Bytes with others in their place."""
    changed = bytearray(data)
    struct.pack_into(form, changed, place, *values)
    return bytes(changed)


def _central(data: bytes, number: int = 0) -> int:
    """Where the record of a member is in the list of members."""
    place = -1
    for _ in range(number + 1):
        place = data.index(b"PK\x01\x02", place + 1)
    return place


def _in_list(parts: Parts, offset: int, form: str, *values: int) -> bytes:
    """The first member's record in the list of members, with something else in it."""
    data = parts.zipped()
    return _at(data, _central(data) + offset, form, *values)


def _zip64_lie(parts: Parts) -> bytes:
    """A zip64 end record that puts the list of members beyond the file, and the locator that leads to it."""
    data = parts.zipped()
    end = data.rindex(b"PK\x05\x06")
    record = struct.pack("<4sQHHLLQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, 3, 3, 1 << 40, 1 << 60)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, end, 1)
    last = _at(data[end:], 10, "<HLL", 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF)
    return data[:end] + record + locator + last


def _zip64_size(parts: Parts) -> bytes:
    """A member that declares an exbibyte in a zip64 field."""
    info = zipfile.ZipInfo("audio/big.flac")
    info.extra = b""
    data = parts.zipped((info, b"x"))
    place = _central(data, len(parts.audio) + 1)
    size = len(info.filename)
    extra = struct.pack("<HHQ", 1, 8, 1 << 60)
    data = _at(data, place + 24, "<L", 0xFFFFFFFF)
    data = _at(data, place + 30, "<H", len(extra))
    after = place + 46 + size
    data = data[:after] + extra + data[after:]
    end = data.rindex(b"PK\x05\x06")
    (length,) = struct.unpack_from("<L", data, end + 12)
    return _at(data, end + 12, "<L", length + len(extra))


def _flipped(parts: Parts) -> bytes:
    data = parts.zipped()
    place = data.index(b"fLaC") + 200
    return _at(data, place, "<B", data[place] ^ 0xFF)


def _overlapping(parts: Parts) -> bytes:
    data = parts.zipped()
    return _at(data, _central(data, 1) + 42, "<L", 0)


def _renamed_inside(parts: Parts) -> bytes:
    data = bytearray(parts.zipped())
    data[30:35] = b"AUDIO"
    return bytes(data)


def _with_name(name: str) -> Make:
    return lambda parts: parts.zipped((name, b"x"))


def _nul(parts: Parts) -> bytes:
    return parts.zipped(("audio/evil.flac@.txt", b"x")).replace(b"evil.flac@", b"evil.flac\0")


def _special(kind: int) -> Make:
    def make(parts: Parts) -> bytes:
        info = zipfile.ZipInfo("audio/link.flac")
        info.create_system, info.external_attr = 3, (kind | 0o777) << 16
        return parts.zipped((info, b"/etc/passwd"))

    return make


def _first_is_link(parts: Parts) -> bytes:
    name = parts.names[0]
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    rest = [(each, data) for each, data in parts.members() if each != name]
    return zipped([(info, b"../../../etc/passwd"), *rest])


def _case_twin(parts: Parts) -> bytes:
    return parts.zipped((parts.names[0].upper(), parts.audio[parts.names[0]]))


def _bomb(parts: Parts) -> bytes:
    parts.replace(0, bytes(6 << 20), ".wav")
    return parts.zipped(method=zipfile.ZIP_DEFLATED)


def _json_bomb(parts: Parts) -> bytes:
    parts.text = json.dumps(parts.claims).encode() + b" " * (8 << 20)
    return parts.zipped(method=zipfile.ZIP_DEFLATED)


def _crowd(parts: Parts) -> bytes:
    return parts.zipped(*((f"audio/{number}.flac", b"") for number in range(60)))


# -- submission.json --------------------------------------------------------------------------------------------------


def _text(text: bytes) -> Make:
    def make(parts: Parts) -> bytes:
        parts.text = text
        return parts.zipped()

    return make


def _added(piece: str) -> Make:
    """`submission.json` with a piece of text as its first field."""

    def make(parts: Parts) -> bytes:
        parts.text = ("{" + piece + "," + json.dumps(parts.claims)[1:]).encode()
        return parts.zipped()

    return make


def _large_json(parts: Parts) -> bytes:
    parts.text = json.dumps(parts.claims).encode() + b" " * (33 << 20)
    return parts.zipped()


def _no_json(parts: Parts) -> bytes:
    return zipped(parts.audio.items())


def _claim(**changes: Any) -> Make:
    def make(parts: Parts) -> bytes:
        parts.claims.update(changes)
        return parts.zipped()

    return make


def _card(**changes: Any) -> Make:
    def make(parts: Parts) -> bytes:
        parts.claims["card"].update(changes)
        return parts.zipped()

    return make


def _entry(**changes: Any) -> Make:
    """The first entry, with something else in it."""

    def make(parts: Parts) -> bytes:
        parts.claims["entries"][0].update(changes)
        return parts.zipped()

    return make


def _without_first(parts: Parts) -> bytes:
    entry = parts.claims["entries"].pop(0)
    parts.audio.pop(entry["member"])
    return parts.zipped()


def _twice(parts: Parts) -> bytes:
    parts.claims["entries"].append(parts.claims["entries"][0])
    return parts.zipped()


def _of_another(parts: Parts) -> bytes:
    parts.claims["suite"]["digest"] = "f" * 64
    return parts.zipped()


def _nothing_made(parts: Parts) -> bytes:
    keys = ({"task": entry["task"], "seed": 0, "failed": "no time"} for entry in parts.claims["entries"])
    parts.claims["entries"], parts.audio = list(keys), {}
    return parts.zipped()


def _missing_member(parts: Parts) -> bytes:
    parts.audio.pop(parts.names[0])
    return parts.zipped()


# -- audio ------------------------------------------------------------------------------------------------------------


def _audio(data: Callable[[Parts], bytes] | bytes, suffix: str = ".flac") -> Make:
    """Other bytes in the place of the first edit, with their right hash."""

    def make(parts: Parts) -> bytes:
        parts.replace(0, data if isinstance(data, bytes) else data(parts), suffix)
        return parts.zipped()

    return make


def hanging_wav() -> bytes:
    """104 bytes over which libsndfile 1.2.2 hangs in `sf_open`: a chunk in a LIST that runs beyond everything."""
    form = b"fmt " + struct.pack("<LHHLLHH", 16, 1, 1, 16_000, 32_000, 2, 16)
    inside = b"XXXX" + struct.pack("<L", 0xFFFFFFF8) + b"\x86\xaf\x08\x6f" + b"adtl" + b"d\0\0\0" + b"\xc2\xd5\xd9\x4b"
    listed = b"LIST" + struct.pack("<L", 0x10000000) + inside + b"INFO" * 2
    return (
        b"RIFF" + struct.pack("<L", 0xFFFFFFFF) + b"WAVE" + form + listed + b"data" + struct.pack("<L", 20) + bytes(12)
    )


def hanging_inside() -> bytes:
    """The same chunk in a LIST whose own size, and the file's, are right."""
    form = b"fmt " + struct.pack("<LHHLLHH", 16, 1, 1, 16_000, 32_000, 2, 16)
    inside = b"XXXX" + struct.pack("<L", 0xFFFFFFF8) + b"\x86\xaf\x08\x6f" + b"adtl" + b"d\0\0\0" + b"\xc2\xd5\xd9\x4b"
    body = b"WAVE" + form + b"LIST" + struct.pack("<L", len(inside)) + inside + b"data" + struct.pack("<L", 32_000)
    body += bytes(32_000)
    return b"RIFF" + struct.pack("<L", len(body)) + body


def _first(parts: Parts) -> bytes:
    return parts.audio[parts.names[0]]


def _with_first(value: float) -> Callable[[Parts], bytes]:
    def make(parts: Parts) -> bytes:
        samples = np.full(16_000, 0.1, np.float32)
        samples[7] = value
        return wav(samples)

    return make


def _flac_info(parts: Parts, frames: int | None = None, channels: int | None = None, rate: int | None = None) -> bytes:
    """A FLAC file whose stream info claims something else."""
    data = bytearray(_first(parts))
    packed = int.from_bytes(data[18:26], "big")
    if frames is not None:
        packed = packed >> 36 << 36 | frames
    if channels is not None:
        packed = packed & ~(0x7 << 41) | (channels - 1) << 41
    if rate is not None:
        packed = packed & ((1 << 44) - 1) | rate << 44
    data[18:26] = packed.to_bytes(8, "big")
    return bytes(data)


def _beyond(parts: Parts) -> bytes:
    """A WAV whose samples claim to go on after the end of the file."""
    data = wav(np.full(16_000, 0.1))
    return _at(data, data.index(b"data") + 4, "<L", 0x7FFFFFFF)


def _adpcm(parts: Parts) -> bytes:
    data = wav(np.full(16_000, 0.1), subtype="PCM_16")
    return _at(data, data.index(b"fmt ") + 8, "<H", 2)


def _tone(seconds: float, gain: float = 0.3, rate: int = 16_000) -> Clip:
    return Clip.of(gain * np.sin(np.arange(round(seconds * rate)) / 5.0), rate)


def _mp3(parts: Parts) -> bytes:
    import soundfile

    buffer = io.BytesIO()
    soundfile.write(buffer, _tone(1.0).samples, 16_000, format="MP3")
    return buffer.getvalue()


def _picture(parts: Parts) -> bytes:
    """A FLAC with a picture in it."""
    data = _first(parts)
    return data[:42] + b"\x06" + (100).to_bytes(3, "big") + bytes(100) + data[42:]


def _sources(gain: float) -> Make:
    """Every edit is its source, turned up or down."""

    def make(parts: Parts) -> bytes:
        for number, task in enumerate(parts.suite.tasks):
            parts.replace(number, flac(parts.suite.open(str(task.source)).mixture.scaled(gain)))
        return parts.zipped()

    return make


CORPUS = (
    Hostile("text", "archive/format", lambda parts: b"<script>alert(1)</script>"),
    Hostile("nothing", "archive/format", lambda parts: b""),
    Hostile("tar", "archive/format", _tar),
    Hostile("a program before it", "archive/format", lambda parts: b"#!/bin/sh\nexit\n" + parts.zipped()),
    Hostile("gzip", "archive/format", lambda parts: gzip.compress(parts.zipped())),
    Hostile("cut off", "archive/damaged", lambda parts: parts.zipped()[:-100]),
    Hostile("half of it", "archive/damaged", lambda parts: parts.zipped()[: len(parts.zipped()) // 2]),
    Hostile("zip64 record that lies", "archive/damaged", _zip64_lie),
    Hostile("zip64 size that lies", "archive/too-large", _zip64_size),
    Hostile("size that lies", "archive/damaged", lambda parts: _in_list(parts, 24, "<L", 5)),
    Hostile("size of 4 GB", "archive/too-large", lambda parts: _in_list(parts, 24, "<L", 0xFFFFFFF0)),
    Hostile("offset beyond the file", "archive/overlap", lambda parts: _in_list(parts, 42, "<L", 0x7FFFFFFF)),
    Hostile("another name inside", "archive/damaged", _renamed_inside),
    Hostile("flipped byte", "archive/crc", _flipped),
    Hostile("bomb", "archive/ratio", _bomb),
    Hostile("bomb of json", "archive/ratio", _json_bomb),
    Hostile("overlapping members", "archive/overlap", _overlapping),
    Hostile("absolute name", "archive/unsafe-name", _with_name("/etc/cron.d/evil")),
    Hostile("zip slip", "archive/unsafe-name", _with_name("../../../../tmp/timbrebench-evil.flac")),
    Hostile("zip slip within audio", "archive/unsafe-name", _with_name("audio/../../evil.flac")),
    Hostile("backslashes", "archive/unsafe-name", _with_name("..\\..\\evil.flac")),
    Hostile("drive", "archive/unsafe-name", _with_name("C:evil.flac")),
    Hostile("escape sequence in a name", "archive/unsafe-name", _with_name("audio/\x1b[2J.flac")),
    Hostile("right-to-left name", "archive/unsafe-name", _with_name("audio/\u202ecalf.exe")),
    Hostile("name with a zero byte", "archive/unsafe-name", _nul),
    Hostile("link", "archive/link", _special(stat.S_IFLNK)),
    Hostile("device", "archive/link", _special(stat.S_IFCHR)),
    Hostile("link for an edit", "archive/link", _first_is_link),
    Hostile("password", "archive/encrypted", lambda parts: _in_list(parts, 8, "<H", 1)),
    Hostile("strange packing", "archive/compression", lambda parts: parts.zipped(method=zipfile.ZIP_LZMA)),
    Hostile("one name twice", "archive/duplicate", lambda parts: parts.zipped((SUBMISSION, b"{}"))),
    Hostile("an edit twice", "archive/duplicate", lambda parts: parts.zipped((parts.names[0], b"x"))),
    Hostile("one name in two cases", "archive/colliding", _case_twin),
    Hostile(
        "one name in two forms of Unicode",
        "archive/colliding",
        lambda parts: parts.zipped(("audio/\u00e9.flac", b""), ("audio/e\u0301.flac", b"")),
    ),
    Hostile("archive in it", "archive/nested", lambda parts: parts.zipped(("audio/more.zip", zipped([("a", b"b")])))),
    Hostile("code in it", "archive/unexpected", _with_name("setup.py")),
    Hostile("weights in it", "archive/unexpected", _with_name("model/pytorch_model.bin")),
    Hostile("crowd", "archive/too-many", _crowd, ZipLimits(members=50)),
    Hostile("long list of members", "archive/too-many", _crowd, ZipLimits(directory=1000)),
    Hostile("large file", "archive/too-large", lambda parts: parts.zipped(), ZipLimits(archive=1000)),
    Hostile("much in all", "archive/too-large", lambda parts: parts.zipped(), ZipLimits(total=1000)),
    Hostile("edit that is not there", "archive/missing", _missing_member),
    # -- submission.json
    Hostile("no json", "json/missing", _no_json),
    Hostile("NaN", "json/malformed", _added('"seed": NaN')),
    Hostile("infinity by its exponent", "json/malformed", _added('"seed": 1e999')),
    Hostile("one key twice", "json/malformed", _added('"schema": "timbrebench-submission@1"')),
    Hostile("not UTF-8", "json/malformed", _text(b'{"card": "\xff\xfe"}')),
    Hostile("lone surrogate", "json/malformed", _added('"x": "\\ud800"')),
    Hostile("number of 5,000 digits", "json/malformed", _added('"x": ' + "9" * 5000)),
    Hostile("list", "json/malformed", _text(b"[1, 2]")),
    Hostile("100,000 brackets", "json/nested", _text(b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}")),
    Hostile("40 brackets", "json/nested", _added('"x": ' + "[" * 40 + "]" * 40)),
    Hostile("large json", "json/too-large", _large_json),
    Hostile("another schema", "json/schema", _claim(schema="timbrebench-submission@99")),
    Hostile("scores", "json/field", _claim(scores={"clap": 1.0})),
    Hostile("true for a seed", "json/field", _entry(seed=True)),
    Hostile("huge seed", "json/field", _entry(seed=1 << 80)),
    Hostile("both audio and failure", "json/field", _entry(failed="both")),
    Hostile("no entries", "json/field", _claim(entries=[])),
    # -- the card
    Hostile("script in a name", "card/field", _card(system="<script>alert(1)</script>")),
    Hostile("image in a description", "card/field", _card(description="Fine. <img src=x onerror=alert(1)>")),
    Hostile("script in a link", "card/field", _card(paper="javascript:alert(document.cookie)")),
    Hostile("script in an https link", "card/field", _card(code='https://x.org/"onmouseover="alert(1)')),
    Hostile("plain http", "card/field", _card(code="http://example.org")),
    Hostile("escape sequence in an author", "card/field", _card(authors=["\x1b]0;evil\x07"])),
    Hostile("right-to-left author", "card/field", _card(authors=["\u202elive"])),
    Hostile("line break in a system", "card/field", _card(system="Loom\n::error::mine")),
    Hostile("another division", "card/field", _card(division="winners")),
    Hostile("one seed twice", "card/field", _card(seeds=[0, 0])),
    # -- the plan
    Hostile("another suite", "plan/suite", _of_another),
    Hostile("hard song left out", "plan/missing", _without_first),
    Hostile("task of its own", "plan/unknown", _entry(task="loom/9/mine")),
    Hostile("entry twice", "plan/twice", _twice),
    Hostile("another plan", "plan/digest", _claim(plan_sha256="e" * 64)),
    Hostile("nothing made", "plan/nothing", _nothing_made),
    Hostile("seed that nobody declared", "seeds/undeclared", _card(seeds=[5])),
    Hostile("member elsewhere", "entry/member-name", _entry(member="../../etc/passwd")),
    Hostile("another hash", "entry/hash", _entry(sha256="d" * 64)),
    # -- audio
    Hostile("text for audio", "audio/unreadable", _audio(b"not audio at all" * 10)),
    Hostile("MP3 for audio", "audio/unreadable", _audio(_mp3)),
    Hostile("zip for audio", "audio/unreadable", _audio(zipped([("a", b"b")]))),
    Hostile("0 bytes", "audio/empty", _audio(b"")),
    Hostile("WAV over which libsndfile hangs", "audio/truncated", _audio(hanging_wav(), ".wav")),
    Hostile("the same with right sizes", "audio/header", _audio(hanging_inside(), ".wav")),
    Hostile("ADPCM", "audio/header", _audio(_adpcm, ".wav")),
    Hostile(
        "WAV with more after it", "audio/header", _audio(lambda parts: wav(np.full(16_000, 0.1)) + b"MZ" * 9, ".wav")
    ),
    Hostile("FLAC with a picture", "audio/header", _audio(_picture)),
    Hostile("WAV beyond its end", "audio/truncated", _audio(_beyond, ".wav")),
    Hostile("WAV cut off", "audio/truncated", _audio(lambda parts: wav(np.full(16_000, 0.1))[:-9], ".wav")),
    Hostile("FLAC cut off", "audio/damaged", _audio(lambda parts: _first(parts)[:-4000])),
    Hostile("FLAC without a length", "audio/no-length", _audio(lambda parts: _flac_info(parts, frames=0))),
    Hostile("FLAC of hours", "audio/wrong-length", _audio(lambda parts: _flac_info(parts, frames=(1 << 36) - 1))),
    Hostile("FLAC of two channels in one", "audio/damaged", _audio(lambda parts: _flac_info(parts, channels=2))),
    Hostile("8 channels", "audio/channels", _audio(lambda parts: wav(np.full((16_000, 8), 0.1)), ".wav")),
    Hostile("4 kHz", "audio/rate", _audio(lambda parts: wav(np.full(4_000, 0.1), 4_000), ".wav")),
    Hostile("half as long", "audio/wrong-length", _audio(lambda parts: flac(_tone(0.5)))),
    Hostile("NaN in audio", "audio/non-finite", _audio(_with_first(float("nan")), ".wav")),
    Hostile("infinity in audio", "audio/non-finite", _audio(_with_first(float("inf")), ".wav")),
    Hostile("silence", "audio/silent", _audio(lambda parts: flac(Clip.silence(1.0, 16_000)))),
    Hostile("all at full scale", "audio/clipped-through", _audio(lambda parts: flac(_tone(1.0, 50.0)))),
    Hostile("the sources", "copy/source", _sources(1.0)),
    Hostile("the sources, softer", "copy/source", _sources(0.4)),
)
