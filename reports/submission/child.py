"""The process in which strangers' audio is decoded. It does that and nothing else, under limits that it sets itself.

Spoken with `reports.submission.decoder` over a pipe, in bytes and never in pickles: a name of a file in the scratch
folder comes in; out go a line of JSON (what the clip is, or the error that it is refused with) and the samples.
"""

from __future__ import annotations

import json
import math
import signal
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from bench.audio import Clip
from bench.errors import AudioError

PROBE = "probe.wav"
"""A file of our own in the scratch folder: read once before limits are set, so that all libraries are loaded."""


def serve(connection: Connection, scratch: str, memory: int, cpu_s: int) -> None:
    """Answer until the pipe is closed.

    Args:
        connection: to the parent.
        scratch: folder of the files.
        memory: bytes of address space that the process may have.
        cpu_s: seconds of CPU for one file.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle; the pipe tells when it is gone
    Clip.read(Path(scratch) / PROBE)
    limited = _limit(memory)
    connection.send_bytes(json.dumps({"limited": limited}).encode())
    while True:
        try:
            name = connection.recv_bytes(256).decode()
        except EOFError:
            return
        _allow(cpu_s)
        try:
            clip = Clip.read(Path(scratch) / name)
        except AudioError as error:
            connection.send_bytes(_line(code=error.code, cause=error.cause))
        except MemoryError:
            connection.send_bytes(_line(code="audio/memory", cause="decoding it needs more memory than it may have"))
        else:
            connection.send_bytes(_line(rate=clip.rate, channels=clip.channels, frames=clip.length))
            connection.send_bytes(clip.samples.tobytes())


def _line(**values: Any) -> bytes:
    return json.dumps(values).encode()


def _limit(memory: int) -> list[str]:
    """Limit what the process may use from here on; which limits the system knows."""
    try:
        import resource
    except ImportError:  # not on Windows
        return []
    limited = []
    for name, kind, most in (
        ("memory", resource.RLIMIT_AS, memory),
        ("files", resource.RLIMIT_FSIZE, 0),  # it writes none
        ("core", resource.RLIMIT_CORE, 0),
        ("cpu", resource.RLIMIT_CPU, resource.RLIM_INFINITY),  # set for each file
    ):
        try:
            resource.setrlimit(kind, (most, most))
        except (ValueError, OSError):  # macOS knows RLIMIT_AS, and refuses to set it
            continue
        limited.append(name)
    return limited


def _allow(cpu_s: int) -> None:
    """So much CPU from now on. Beyond it the system ends the process."""
    try:
        import resource
    except ImportError:
        return
    used = math.ceil(time.process_time())
    resource.setrlimit(resource.RLIMIT_CPU, (used + cpu_s, resource.RLIM_INFINITY))
