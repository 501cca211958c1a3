"""From an entry of a submission to a clip: read, hashed, bounded by its header, decoded apart."""

from __future__ import annotations

from bench.audio import MAX_CHANNELS, MAX_RATE, MIN_RATE, Clip
from bench.identity import sha256_bytes
from bench.metric import LENGTH_TOLERANCE_S
from bench.store.zip_members import FlawError, ZipMembers
from bench.suite import Suite
from reports.submission.decoder import DecodeError, Decoder
from reports.submission.header import Header, HeaderError, parse
from reports.submission.model import Entry

LONGEST_S = 120.0
"""Of an edit where no suite says how long it has to be."""

_WIDEST = 8  # bytes of a sample, uncompressed
_ROOM = 64 << 10  # bytes of a header


class EditError(Exception):
    """An entry whose audio is refused. `code`: of the rule; the message says why."""

    def __init__(self, code: str, what: str):
        super().__init__(what)
        self.code = code


def most_bytes(duration_s: float) -> int:
    """Of a file that lasts so long at most: uncompressed, at the highest rate."""
    return int((duration_s + LENGTH_TOLERANCE_S) * MAX_RATE * MAX_CHANNELS * _WIDEST) + _ROOM


def durations(suite: Suite) -> dict[str, float]:
    """Seconds that the edit of each task has to last: as its source."""
    return {task.id: suite.sources[task.source].excerpt.duration_s for task in suite.tasks if task.source is not None}


def read_edit(members: ZipMembers, decoder: Decoder, entry: Entry, duration_s: float | None) -> Clip:
    """The audio of an entry that has a member without flaw.

    Args:
        members: of the archive.
        decoder: to decode with.
        entry: whose audio.
        duration_s: that it has to last; None if nobody knows.

    Raises:
        EditError: with the code of the first rule that it breaks.
    """
    try:
        data = members.read(str(entry.member), most_bytes(duration_s or LONGEST_S))
        if sha256_bytes(data) != entry.sha256:
            raise EditError("entry/hash", "its sha256 is not the one that its entry claims")
        header = parse(data)
        _bound(header, duration_s)
        clip = decoder.decode(data, f".{header.container.lower()}")
    except FlawError as error:
        raise EditError(f"archive/{error.flaw.code}", error.flaw.what) from error
    except (HeaderError, DecodeError) as error:
        raise EditError(error.code, str(error)) from error
    if (clip.rate, clip.channels, clip.length) != (header.rate, header.channels, header.frames):
        held = f"it holds {clip.length} samples in {clip.channels} channels at {clip.rate} Hz"
        claimed = f"its header claims {header.frames} in {header.channels} at {header.rate} Hz"
        raise EditError("audio/header-differs", f"{held}, {claimed}")
    return clip


def _bound(header: Header, duration_s: float | None) -> None:
    """Bound what is to be decoded by what the header claims.

    Raises:
        EditError: if it claims more than an edit may have.
    """
    if header.channels > MAX_CHANNELS:
        raise EditError("audio/channels", f"it has {header.channels} channels")
    if not MIN_RATE <= header.rate <= MAX_RATE:
        raise EditError("audio/rate", f"its rate is {header.rate} Hz")
    if duration_s is None and header.duration_s > LONGEST_S:
        raise EditError("audio/too-long", f"it claims {header.duration_s:.1f} s, over {LONGEST_S:g} s")
    if duration_s is not None and abs(header.duration_s - duration_s) > LENGTH_TOLERANCE_S + 1e-9:
        lasts = f"it lasts {header.duration_s:.3f} s, and its source {duration_s:.3f} s"
        raise EditError("audio/wrong-length", lasts)
