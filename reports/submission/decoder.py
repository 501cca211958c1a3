"""Decoding strangers' audio: in a child process that may use so much memory, CPU and time, and may be lost.

The child is started anew after it was lost, a few times; then, and once all files together have taken too long, nothing
more is decoded. It is a guard against files that hang, crash or exhaust the decoder, not against one that takes the
process over: who judges submissions does it in a container without network and secrets (`docs/submissions.md`).
"""

from __future__ import annotations

import json
import threading
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from types import TracebackType
from typing import Any

import numpy as np

from bench.audio import Clip
from reports.submission import child

_LINE = 4096  # bytes of the child's longest line
_START_S = 60.0


_OURS = frozenset({"memory", "files", "cpu"})
_REFUSALS = frozenset(
    f"audio/{name}"
    for name in (
        *("unreadable", "truncated", "damaged", "channels", "rate", "empty", "no-length", "too-long", "non-finite"),
        *("memory",),
    )
)


class DecodeError(Exception):
    """Audio that cannot be decoded. `code`: of the rule; the message says why."""

    def __init__(self, code: str, what: str):
        super().__init__(what)
        self.code = code


@dataclass(frozen=True)
class DecodeLimits:
    """What decoding may take.

    Attributes:
        wall_s, cpu_s: seconds for one file. memory: bytes of address space of the child.
        losses: how often the child may be lost. all_s: seconds for all files together.
        samples: bytes of one decoded clip.
    """

    wall_s: float = 20.0
    cpu_s: int = 10
    memory: int = 2 << 30
    losses: int = 5
    all_s: float = 6 * 3600.0
    samples: int = 512 << 20


class Decoder:
    """Decodes files one at a time. To be used as a context manager; the child starts with the first file."""

    def __init__(self, limits: DecodeLimits | None = None):
        self._limits = limits or DecodeLimits()
        self._process: Any = None
        self._pipe: Connection | None = None
        self._folder: TemporaryDirectory[str] | None = None
        self._losses = 0
        self._exit_code: int | None = None
        self._spent_s = 0.0
        self.unlimited: frozenset[str] = frozenset()
        """Limits that this system does not know; empty until the child has started."""

    def decode(self, data: bytes, suffix: str) -> Clip:
        """The samples of a file.

        Args:
            data: its content.
            suffix: `.flac` or `.wav`.

        Raises:
            DecodeError: with a code of `docs/audio.md`; `audio/timeout`, `audio/memory`, `audio/crash` if it takes
                more than it may; `audio/gave-up` if too much was lost before.
        """
        if self._losses >= self._limits.losses or self._spent_s > self._limits.all_s:
            lost = f"the decoder was lost {self._losses} times before" if self._losses else "the others took too long"
            raise DecodeError("audio/gave-up", f"it was not decoded: {lost}")
        pipe, scratch = self._started()
        (scratch / f"clip{suffix}").write_bytes(data)
        began = monotonic()
        timer = threading.Timer(self._limits.wall_s, self._process.kill)
        timer.start()
        try:
            pipe.send_bytes(f"clip{suffix}".encode())
            clip = self._received(pipe)
        except (EOFError, OSError, ValueError) as error:
            raise self._lost(monotonic() - began) from error
        finally:
            timer.cancel()
            self._spent_s += monotonic() - began
        return clip

    def _received(self, pipe: Connection) -> Clip:
        """What the child answers, of which nothing is believed that can be checked.

        Raises:
            DecodeError: if it refuses the file. EOFError, OSError, ValueError: if it is lost, or talks nonsense.
        """
        said = json.loads(pipe.recv_bytes(_LINE))
        if "code" in said:
            code = said["code"] if said["code"] in _REFUSALS else "audio/damaged"
            raise DecodeError(code, str(said["cause"])[:300])
        rate, channels, frames = (int(said[name]) for name in ("rate", "channels", "frames"))
        samples = np.frombuffer(pipe.recv_bytes(self._limits.samples), np.float32)
        if samples.size != frames * channels or not np.isfinite(samples).all():
            raise ValueError("the samples are not what was announced")
        return Clip.of(samples.reshape(frames, channels), rate)

    def _lost(self, seconds: float) -> DecodeError:
        """What to say of a file with which the child was lost."""
        self._losses += 1
        self._stop()
        if seconds >= self._limits.wall_s:
            return DecodeError("audio/timeout", f"decoding it takes over {self._limits.wall_s:g} s")
        if self._exit_code in _cpu_signals():
            return DecodeError("audio/timeout", f"decoding it takes over {self._limits.cpu_s:g} s of CPU")
        return DecodeError("audio/crash", f"it ends the decoder ({self._exit_code})")

    # -- the child --------------------------------------------------------------------------------------------------

    def _started(self) -> tuple[Connection, Path]:
        if self._folder is None:
            self._folder = TemporaryDirectory(prefix="timbrebench-decode-")
            Clip.silence(0.01, 16_000).write_wav(Path(self._folder.name) / child.PROBE)
        if self._pipe is None:
            spawn = get_context("spawn")
            ours, theirs = spawn.Pipe()
            arguments = (theirs, self._folder.name, self._limits.memory, self._limits.cpu_s)
            self._process = spawn.Process(target=child.serve, args=arguments, daemon=True)
            self._process.start()
            theirs.close()
            self._pipe = ours
            self._greeted(ours)
        return self._pipe, Path(self._folder.name)

    def _greeted(self, pipe: Connection) -> None:
        try:
            if not pipe.poll(_START_S):
                raise EOFError
            self.unlimited = _OURS - set(json.loads(pipe.recv_bytes(_LINE))["limited"])
        except (EOFError, OSError, ValueError, KeyError, TypeError) as error:
            self._losses += 1
            self._stop()
            raise DecodeError("audio/crash", f"the decoder does not start ({self._exit_code})") from error

    def _stop(self) -> None:
        if self._pipe is None:
            return
        self._pipe.close()
        self._process.join(1.0)  # it ends by itself when the pipe is closed, unless it hangs
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._exit_code = self._process.exitcode
        self._pipe = None

    def __enter__(self) -> Decoder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()
        if self._folder is not None:
            with suppress(OSError):
                self._folder.cleanup()


def using(decoder: Decoder | None) -> AbstractContextManager[Decoder]:
    """A decoder to work with: the one that is given, which stays open, or one that is closed afterwards."""
    return Decoder() if decoder is None else nullcontext(decoder)


def _cpu_signals() -> frozenset[int]:
    """Exit codes of a process that the system ended for the CPU it used."""
    import signal

    return frozenset({-signal.SIGXCPU}) if hasattr(signal, "SIGXCPU") else frozenset()
