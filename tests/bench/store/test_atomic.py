from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest

from bench.errors import BenchError, IncompleteError, UsageError
from bench.store import atomic


def fail_with(number: int):
    def failing(*args: object, **kwargs: object) -> None:
        raise OSError(number, os.strerror(number))

    return failing


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_replaces_the_content(tmp_path: Path) -> None:
    path = tmp_path / "file"
    atomic.write_bytes(path, b"old and long")
    atomic.write_bytes(path, b"new")
    assert path.read_bytes() == b"new"
    assert names(tmp_path) == ["file"]


def test_json_is_readable_sorted_and_ends_its_line(tmp_path: Path) -> None:
    atomic.write_json(tmp_path / "a.json", {"b": 1, "a": "Øre"})
    assert (tmp_path / "a.json").read_text(encoding="utf-8") == '{\n  "a": "Øre",\n  "b": 1\n}\n'


def test_json_keeps_file_names_that_are_not_utf8(tmp_path: Path) -> None:
    value = {"path": os.fsdecode(b"caf\xe9.wav")}
    atomic.write_json(tmp_path / "a.json", value)
    assert json.loads((tmp_path / "a.json").read_bytes()) == value


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), Path("x")])
def test_json_that_is_not_json_writes_nothing(tmp_path: Path, value: object) -> None:
    atomic.write_json(tmp_path / "a.json", {"a": 1})
    with pytest.raises((TypeError, ValueError)):
        atomic.write_json(tmp_path / "a.json", {"a": value})
    assert json.loads((tmp_path / "a.json").read_text()) == {"a": 1}
    assert names(tmp_path) == ["a.json"]


@pytest.mark.parametrize("call", ["open", "write", "fsync", "replace"])
def test_a_full_disk_keeps_the_previous_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    path = tmp_path / "file"
    atomic.write_bytes(path, b"old")
    monkeypatch.setattr(os, call, fail_with(errno.ENOSPC))
    with pytest.raises(IncompleteError) as caught:
        atomic.write_bytes(path, b"new")
    monkeypatch.undo()
    assert caught.value.code == "store/disk-full"
    assert caught.value.where == str(path)
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["file"]


def test_a_disk_that_fills_up_in_the_middle_of_a_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    atomic.write_bytes(path, b"old")
    write = os.write
    room = [4]

    def nearly_full(descriptor: int, data: memoryview) -> int:
        if not room[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        taken = write(descriptor, bytes(data)[: room[0]])
        room[0] -= taken
        return taken

    monkeypatch.setattr(os, "write", nearly_full)
    with pytest.raises(IncompleteError):
        atomic.write_bytes(path, b"new and longer")
    monkeypatch.undo()
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["file"]


def test_short_writes_are_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, bytes(data)[:3]))
    atomic.write_bytes(tmp_path / "file", b"more than three bytes")
    assert (tmp_path / "file").read_bytes() == b"more than three bytes"


def test_an_interrupt_leaves_no_temporary_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        atomic.write_bytes(tmp_path / "file", b"new")
    assert names(tmp_path) == []


def test_a_folder_that_is_a_file_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError) as caught:
        atomic.make_folder(tmp_path / "file" / "run")
    assert caught.value.code == "store/not-writable"
    with pytest.raises(UsageError):
        atomic.make_folder(tmp_path / "file")


@pytest.mark.parametrize(
    ("number", "kind", "code"),
    [
        (errno.ENOSPC, IncompleteError, "store/disk-full"),
        (errno.EDQUOT, IncompleteError, "store/disk-full"),
        (errno.EROFS, UsageError, "store/not-writable"),
        (errno.EACCES, UsageError, "store/not-writable"),
        (errno.EIO, IncompleteError, "store/write-failed"),
    ],
)
def test_system_errors_say_what_to_do(tmp_path: Path, number: int, kind: type[BenchError], code: str) -> None:
    with pytest.raises(kind) as caught, atomic.writing(tmp_path / "x"):
        fail_with(number)()
    assert caught.value.code == code
    assert caught.value.remedy
    assert isinstance(caught.value.__cause__, OSError)


def test_sweep_removes_leftovers_everywhere_and_nothing_else(tmp_path: Path) -> None:
    deep = tmp_path / "audio" / "aa"
    deep.mkdir(parents=True)
    leftovers = [tmp_path / f"{atomic.TEMP_PREFIX}1", deep / f"{atomic.TEMP_PREFIX}2"]
    for path in (*leftovers, deep / "kept.flac", tmp_path / ".tmp-of-somebody-else"):
        path.write_text("x")
    assert sorted(atomic.sweep(tmp_path)) == sorted(leftovers)
    assert [path.name for path in sorted(tmp_path.rglob("*")) if path.is_file()] == [
        ".tmp-of-somebody-else",
        "kept.flac",
    ]


def test_file_systems_without_fsync_of_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", fail_with(errno.EINVAL))
    atomic.fsync_folder(tmp_path)
    monkeypatch.setattr(os, "fsync", fail_with(errno.EIO))
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        atomic.fsync_folder(tmp_path)
