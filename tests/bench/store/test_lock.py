from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock
import pytest

from bench.errors import LockedError, UsageError
from bench.store.lock import HOLDER, LOCK, DirectoryLock

HOLD = """
import sys, time
from pathlib import Path
from bench.store.lock import DirectoryLock
with DirectoryLock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@contextmanager
def holder(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(folder)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def test_the_second_process_is_told_who_holds_it(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with holder(folder) as process:
        with pytest.raises(LockedError) as caught, DirectoryLock(folder):
            pass
        noted = json.loads((folder / HOLDER).read_text())
        assert noted["pid"] == process.pid
        assert noted["host"] == socket.gethostname()
        for part in (str(process.pid), noted["host"], noted["since"], noted["command"]):
            assert part in caught.value.cause
        assert str(folder) in noted["command"]
        assert caught.value.exit_code == 2
        # Being refused must not disturb the holder's note.
        assert json.loads((folder / HOLDER).read_text()) == noted


def test_sigkill_releases_the_lock(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert (tmp_path / HOLDER).exists(), "a killed holder leaves its note"
        with DirectoryLock(tmp_path) as lock:
            assert lock.held
            assert json.loads((tmp_path / HOLDER).read_text())["pid"] == os.getpid()


def test_the_lock_is_the_kernels() -> None:
    assert filelock.FileLock is filelock.UnixFileLock


def test_two_locks_in_one_process_exclude_each_other(tmp_path: Path) -> None:
    with (
        DirectoryLock(tmp_path),
        pytest.raises(LockedError, match=f"process {os.getpid()} on"),
        DirectoryLock(tmp_path),
    ):
        pass


def test_release_removes_the_note_and_frees_the_folder(tmp_path: Path) -> None:
    for _ in range(2):
        with DirectoryLock(tmp_path) as lock:
            assert sorted(path.name for path in tmp_path.iterdir()) == [HOLDER, LOCK]
        assert not lock.held
        assert sorted(path.name for path in tmp_path.iterdir()) == [LOCK]


def test_an_error_inside_releases_it(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), DirectoryLock(tmp_path):
        raise RuntimeError
    with DirectoryLock(tmp_path):
        pass


def test_another_thread_may_release_it(tmp_path: Path) -> None:
    lock = DirectoryLock(tmp_path)
    lock.acquire()
    thread = threading.Thread(target=lock.release)
    thread.start()
    thread.join()
    with DirectoryLock(tmp_path):
        pass


@pytest.mark.parametrize("note", ["", "{}", "[", '{"pid": 1}'])
def test_a_note_that_says_nothing(tmp_path: Path, note: str) -> None:
    with DirectoryLock(tmp_path):
        (tmp_path / HOLDER).write_text(note)
        with pytest.raises(LockedError, match="has not said who it is"), DirectoryLock(tmp_path):
            pass


def test_a_lock_whose_note_cannot_be_written_is_not_kept(tmp_path: Path) -> None:
    (tmp_path / HOLDER).mkdir()
    lock = DirectoryLock(tmp_path)
    with pytest.raises(UsageError):
        lock.acquire()
    assert not lock.held
    (tmp_path / HOLDER).rmdir()
    with DirectoryLock(tmp_path):
        pass


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError), DirectoryLock(tmp_path / "file"):
        pass
