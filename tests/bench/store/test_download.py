from __future__ import annotations

import errno
import gzip
import os
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from download_samples import DATA, MIB, ONCE, OTHER, interrupt, names, part_of, refused, sha256
from web_server import Page, WebServer

from bench.errors import UsageError
from bench.store import part
from bench.store.download import download


class TestWhole:
    @pytest.mark.parametrize("framing", ["length", "chunks"])
    def test_a_file_comes_whole_and_is_not_asked_for_again(self, server: WebServer, target: Path, framing: str) -> None:
        url = server.put("/w", Page(DATA, framing=framing))
        assert download(url, target) == target
        assert target.read_bytes() == DATA
        assert names(target) == ["weights.bin"]
        download(url, target, sha256=sha256(DATA).upper(), size=len(DATA))
        assert len(server.seen) == 1

    def test_a_file_that_is_not_right_is_replaced(self, server: WebServer, target: Path) -> None:
        url = server.put("/w", Page(DATA))
        target.parent.mkdir()
        target.write_bytes(OTHER)
        download(url, target, sha256=sha256(DATA))
        assert target.read_bytes() == DATA
        target.write_bytes(DATA[:-1])
        download(url, target, size=len(DATA))
        assert target.read_bytes() == DATA

    def test_an_empty_file(self, server: WebServer, target: Path) -> None:
        download(server.put("/w", Page(b"")), target)
        assert target.read_bytes() == b""

    def test_bytes_are_stored_as_sent_even_if_the_server_calls_them_encoded(
        self, server: WebServer, target: Path
    ) -> None:
        packed = gzip.compress(DATA)
        download(server.put("/w.gz", Page(packed, headers={"Content-Encoding": "gzip"})), target)
        assert target.read_bytes() == packed
        assert server.seen[0].headers["Accept-Encoding"] == "identity"

    def test_progress_is_told_by_the_mebibyte(self, server: WebServer, target: Path) -> None:
        told: list[tuple[str, int, int]] = []

        def track(items: Iterable[Any], what: str, total: int) -> Iterable[Any]:
            told.append((what, total, len(list(items))))
            return []

        page = Page(DATA)
        url = server.put("/w", page)
        have = interrupt(url, page, target, track=track)
        download(url, target, track=track)
        assert target.read_bytes() == DATA
        assert told == [("MiB", 2 - have // MIB, 2 - have // MIB)]


class TestNeverTakenForWhole:
    def test_a_chunked_body_that_does_not_end_properly(self, server: WebServer, target: Path) -> None:
        url = server.put("/w", Page(DATA, framing="chunks", ranges=False, cut=MIB))
        refused("download/interrupted", url, target, patience=ONCE)

    def test_a_body_whose_end_nothing_tells(self, server: WebServer, target: Path) -> None:
        page = Page(DATA, framing="none")
        url = server.put("/w", page)
        refused("download/no-length", url, target)
        download(url, target, sha256=sha256(DATA))
        assert target.read_bytes() == DATA

    def test_such_a_body_of_a_size_that_the_caller_knows(self, server: WebServer, target: Path) -> None:
        page = Page(DATA, framing="none")
        url = server.put("/w", page)
        assert interrupt(url, page, target, size=len(DATA)) == MIB
        download(url, target, size=len(DATA))
        assert target.read_bytes() == DATA
        assert server.seen[-1].range == f"bytes={MIB}-"

    def test_another_file_by_its_hash(self, server: WebServer, target: Path) -> None:
        url = server.put("/w", Page(OTHER))
        error = refused("download/wrong-hash", url, target, sha256=sha256(DATA))
        assert sha256(DATA) in error.cause
        assert sha256(OTHER) in error.cause
        assert names(target) == []
        server.put("/w", Page(DATA))
        download(url, target, sha256=sha256(DATA))
        assert target.read_bytes() == DATA
        assert server.seen[-1].range is None

    def test_another_file_by_its_size_before_any_of_it_comes(self, server: WebServer, target: Path) -> None:
        url = server.put("/w", Page(DATA, hold=1))
        error = refused("download/wrong-size", url, target, size=len(DATA) + 1)
        assert "2,109,497 bytes, not 2,109,498" in error.cause
        assert names(target) == []

    @pytest.mark.parametrize("length", [-1, 1])
    def test_another_file_by_its_size_when_it_ends(self, server: WebServer, target: Path, length: int) -> None:
        url = server.put("/w", Page(DATA, framing="chunks"))
        code = "download/wrong-size" if length > 0 else "download/too-large"
        refused(code, url, target, size=len(DATA) + length)
        assert names(target) == []

    def test_more_than_the_limit_declared(self, server: WebServer, target: Path) -> None:
        url = server.put("/w", Page(DATA, hold=1))
        refused("download/too-large", url, target, limit=MIB)
        assert names(target) == []

    def test_more_than_the_limit_undeclared(self, server: WebServer, target: Path) -> None:
        url = server.put("/w", Page(DATA, framing="chunks", hold=MIB))
        error = refused("download/too-large", url, target, limit=MIB - 1)
        assert "1,048,575 bytes" in error.cause
        assert names(target) == []


class TestDisk:
    def test_no_room_is_told_before_the_body_comes(
        self, server: WebServer, target: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(part, "free_bytes", lambda path: MIB)
        error = refused("store/disk-full", server.put("/w", Page(DATA, hold=1)), target)
        assert "2,109,497 bytes" in error.cause

    def test_a_disk_that_fills_up_keeps_the_part(
        self, server: WebServer, target: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        url = server.put("/w", Page(DATA))
        real = os.write
        left = MIB

        def write(descriptor: int, data: Any) -> int:
            nonlocal left
            left -= len(data)
            if left < 0:
                raise OSError(errno.ENOSPC, "No space left on device")
            return real(descriptor, data)

        with monkeypatch.context() as patch:
            patch.setattr(os, "write", write)
            refused("store/disk-full", url, target)
        have = part_of(target).stat().st_size
        assert MIB - 200_000 < have < MIB
        download(url, target)
        assert target.read_bytes() == DATA
        assert server.seen[-1].range == f"bytes={have}-"

    def test_a_folder_that_cannot_be_made(self, server: WebServer, tmp_path: Path) -> None:
        (tmp_path / "models").write_text("a file")
        with pytest.raises(UsageError) as caught:
            download(server.put("/w", Page(DATA)), tmp_path / "models" / "w")
        assert caught.value.code == "store/not-writable"


class TestFiles:
    def test_a_file_is_copied_and_checked(self, tmp_path: Path, target: Path) -> None:
        source = tmp_path / "a file.bin"
        source.write_bytes(DATA)
        download(source.as_uri(), target, sha256=sha256(DATA), size=len(DATA))
        assert target.read_bytes() == DATA
        assert names(target) == ["weights.bin"]
        target.unlink()
        download(f"file://localhost{source.as_uri().removeprefix('file://')}", target)
        refused("download/wrong-hash", source.as_uri(), target.with_name("x"), sha256=sha256(OTHER))
        refused("download/too-large", source.as_uri(), target.with_name("x"), limit=MIB)

    def test_what_is_not_a_file(self, tmp_path: Path, target: Path) -> None:
        refused("download/not-found", tmp_path.as_uri(), target)
        refused("download/not-found", (tmp_path / "nothing").as_uri(), target)
        refused("download/url", "file://elsewhere/w", target)
        if Path("/dev/zero").exists():
            refused("download/not-found", "file:///dev/zero", target)

    @pytest.mark.parametrize(
        "url", ["ftp://example.org/w", "w.zip", "", "http://", "https:///w", "http://[", "s3://b/k"]
    )
    def test_what_is_not_a_url_to_download_from(self, target: Path, url: str) -> None:
        refused("download/url", url, target)

    @pytest.mark.parametrize("url", ["http://127.0.0.1:99999/w", "http://127.0.0.1:x/w"])
    def test_addresses_that_cannot_be_used(self, target: Path, url: str) -> None:
        refused("download/url", url, target)


class TestTogether:
    def test_two_that_want_one_file_fetch_it_once(self, server: WebServer, target: Path) -> None:
        url = server.put("/w", Page(DATA, hold=MIB))
        threads = [threading.Thread(target=download, args=(url, target)) for _ in range(3)]
        for thread in threads:
            thread.start()
        while not server.seen:
            time.sleep(0.01)
        server.released.set()
        for thread in threads:
            thread.join()
        assert target.read_bytes() == DATA
        assert len(server.seen) == 1
