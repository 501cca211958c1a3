"""Kill a run at every system call that changes the disk, resume it, and compare with one that was left alone.

SIGKILL takes nothing from the system's page cache, so `fsync` is a place to die here but is not carried out.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from store_samples import create, failed, generated, make_clip

from bench.store.lock import LOCK
from bench.store.rundir import RunDirectory

CALLS = ("open", "write", "fsync", "replace", "rename", "mkdir", "ftruncate", "unlink")

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a forked child")


def work(path: Path) -> None:
    """One run: quarantine, then all that is pending. The second item fails the first time it is tried."""
    with RunDirectory.lock(path):
        run = create(path, tasks=3)
        run.quarantine_corrupt()
        with run.journal("w0") as journal:
            for index, item in enumerate(run.plan):
                outcome = run.outcomes()[item.key]
                if outcome.status == "generated":
                    continue
                if index == 1 and not outcome.attempts:
                    journal.append(failed(item))
                sha = run.put_audio(make_clip(index))
                journal.append(generated(item, sha))


def damaged(path: Path) -> None:
    """A finished run, one audio file of which was damaged afterwards."""
    work(path)
    run = RunDirectory.open(path)
    run.audio_path(str(run.outcomes()[run.plan[0].key].audio)).write_bytes(b"not what it was")


def nothing(path: Path) -> None:
    """No run yet."""


def tree(path: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(path)): file.read_bytes()
        for file in sorted(path.rglob("*"))
        if file.is_file() and file.name != LOCK
    }


def kill_at(number: int, torn: bool) -> None:
    """Patch `os` so that call `number` is the last thing this process does: not at all, or half of a write."""
    seen = 0

    def wrap(name: str) -> Callable[..., Any]:
        real = getattr(os, name)
        write = os.write

        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal seen
            seen += 1
            if seen == number:
                if torn and name == "write":
                    write(args[0], bytes(args[1])[: len(args[1]) // 2])
                os.kill(os.getpid(), signal.SIGKILL)
            return None if name == "fsync" else real(*args, **kwargs)

        return call

    for name in CALLS:
        setattr(os, name, wrap(name))


def killed(path: Path, number: int, torn: bool) -> bool:
    """Whether a run in a child process was killed at that call; False if it ended before."""
    child = os.fork()
    if not child:
        code = 1
        try:
            kill_at(number, torn)
            work(path)
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "the child failed by itself"
    return os.WIFSIGNALED(status)


@pytest.mark.parametrize("torn", [False, True])
@pytest.mark.parametrize("before", [nothing, damaged])
def test_killed_anywhere_and_resumed_it_ends_as_if_it_had_been_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: Callable[[Path], None], torn: bool
) -> None:
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    undisturbed = tmp_path / "undisturbed"
    before(undisturbed)
    work(undisturbed)
    expected = tree(undisturbed)
    assert [name for name in expected if name.startswith("quarantine")] or before is nothing

    number = 0
    while True:
        number += 1
        path = tmp_path / f"run-{number}"
        before(path)
        if not killed(path, number, torn):
            break
        work(path)
        found = tree(path)
        if before is damaged:
            # Killed after the file was moved, its loss has another reason than its damage.
            for files in (found, expected):
                files.pop("journal/store.jsonl", None)
        assert found == expected, f"killed at call {number}"
    assert number > 30, "the kill sites were not reached"
