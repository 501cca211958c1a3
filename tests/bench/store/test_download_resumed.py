from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from download_samples import DATA, MIB, OTHER, TWICE, interrupt, names, part_of, refused, sha256
from web_server import Page, WebServer

from bench.store.download import Patience, download


class TestResuming:
    @pytest.mark.parametrize("framing", ["length", "chunks"])
    def test_the_next_call_asks_for_the_rest_only(self, server: WebServer, target: Path, framing: str) -> None:
        page = Page(DATA, framing=framing)
        url = server.put("/w", page)
        have = interrupt(url, page, target)
        assert have == MIB
        download(url, target)
        assert target.read_bytes() == DATA
        assert names(target) == ["weights.bin"]
        assert [(seen.range, seen.status) for seen in server.seen] == [(None, 200), (f"bytes={have}-", 206)]
        assert server.seen[1].headers["If-Range"] == '"one"'
        assert sum(seen.sent for seen in server.seen) == len(DATA)

    def test_cuts_are_mended_within_a_call_as_long_as_it_gets_further(self, server: WebServer, target: Path) -> None:
        page = Page(DATA, cut=MIB)
        download(server.put("/w", page), target, sha256=sha256(DATA), patience=TWICE)
        assert [seen.range for seen in server.seen] == [None, f"bytes={MIB}-", f"bytes={2 * MIB}-"]

    def test_attempts_end_if_it_does_not_get_further(self, server: WebServer, target: Path) -> None:
        url = server.put("/w", Page(DATA, ranges=False, cut=MIB))
        error = refused("download/interrupted", url, target, patience=Patience((0, 0)))
        assert "1,048,576 bytes" in error.cause
        assert len(server.seen) == 1 + 2  # the same MiB again does not count

    @pytest.mark.parametrize("conditions", [True, False])
    def test_a_file_that_changed_is_begun_anew(self, server: WebServer, target: Path, conditions: bool) -> None:
        page = Page(DATA)
        url = server.put("/w", page)
        interrupt(url, page, target)
        server.put("/w", Page(OTHER, etag='"two"', conditions=conditions))
        download(url, target, patience=TWICE)
        assert target.read_bytes() == OTHER

    def test_a_file_that_shrank_is_begun_anew(self, server: WebServer, target: Path) -> None:
        page = Page(DATA, etag=None, modified="Mon, 22 Jun 2026 10:00:00 GMT")
        url = server.put("/w", page)
        interrupt(url, page, target)
        page.data, page.conditions = OTHER[: MIB + 7], False
        download(url, target, patience=TWICE)
        assert target.read_bytes() == page.data
        assert [seen.status for seen in server.seen] == [200, 206, 200]

    def test_a_server_that_answers_with_another_range(self, server: WebServer, target: Path) -> None:
        page = Page(DATA, early=10)
        url = server.put("/w", page)
        interrupt(url, page, target)
        download(url, target, patience=TWICE)
        assert target.read_bytes() == DATA
        assert [seen.status for seen in server.seen] == [200, 206, 200]

    def test_a_server_without_ranges_sends_it_all_again(self, server: WebServer, target: Path) -> None:
        page = Page(DATA, ranges=False)
        url = server.put("/w", page)
        interrupt(url, page, target)
        download(url, target)
        assert target.read_bytes() == DATA

    def test_the_date_serves_where_there_is_no_strong_etag(self, server: WebServer, target: Path) -> None:
        page = Page(DATA, etag='W/"one"', modified="Mon, 22 Jun 2026 10:00:00 GMT")
        url = server.put("/w", page)
        interrupt(url, page, target)
        download(url, target)
        assert target.read_bytes() == DATA
        assert server.seen[1].headers["If-Range"] == page.modified
        assert server.seen[1].status == 206

    @pytest.mark.parametrize("etag", [None, 'W/"one"'])
    def test_without_a_validator_only_a_hash_allows_to_go_on(
        self, server: WebServer, target: Path, etag: str | None
    ) -> None:
        page = Page(DATA, etag=etag)
        url = server.put("/w", page)
        interrupt(url, page, target)
        interrupt(url, page, target)
        download(url, target, sha256=sha256(DATA))
        assert [seen.range for seen in server.seen] == [None, None, f"bytes={MIB}-"]
        assert target.read_bytes() == DATA

    def test_two_files_in_one_are_found_by_the_hash(self, server: WebServer, target: Path) -> None:
        page = Page(DATA, etag=None)
        url = server.put("/w", page)
        interrupt(url, page, target)
        page.data = OTHER
        refused("download/wrong-hash", url, target, sha256=sha256(OTHER))
        download(url, target, sha256=sha256(OTHER))
        assert target.read_bytes() == OTHER

    @pytest.mark.parametrize("size", [None, len(DATA)])
    def test_a_part_that_lacks_nothing_but_the_name(self, server: WebServer, target: Path, size: int | None) -> None:
        url = server.put("/w", Page(DATA))
        target.parent.mkdir()
        part_of(target).write_bytes(DATA)
        note = {"url": url, "etag": '"one"', "last_modified": None, "size": size}
        target.with_name("weights.bin.part.json").write_text(json.dumps(note))
        download(url, target)
        assert target.read_bytes() == DATA
        assert [seen.status for seen in server.seen] == ([416] if size is None else [])

    @pytest.mark.parametrize(
        "note",
        [
            None,
            "",
            "{}",
            '{"url": 3}',
            '{"url": "URL", "etag": "\\"one\\"", "size": "7"}',
            '{"url": "http://elsewhere/", "etag": "\\"one\\""}',
        ],
    )
    def test_a_part_of_who_knows_what_is_not_used(self, server: WebServer, target: Path, note: str | None) -> None:
        url = server.put("/w", Page(DATA))
        target.parent.mkdir()
        part_of(target).write_bytes(OTHER[:MIB])
        if note is not None:
            target.with_name("weights.bin.part.json").write_text(note.replace("URL", url))
        download(url, target)
        assert target.read_bytes() == DATA
        assert server.seen[0].range is None

    def test_a_part_that_is_longer_than_the_file(self, server: WebServer, target: Path) -> None:
        page = Page(DATA)
        url = server.put("/w", page)
        interrupt(url, page, target)
        part_of(target).write_bytes(DATA + b"more")
        download(url, target, patience=TWICE)
        assert target.read_bytes() == DATA


class TestKilled:
    def test_sigkill_in_the_middle(self, server: WebServer, target: Path) -> None:
        page = Page(DATA, hold=MIB + 99)
        url = server.put("/w", page)
        code = "import sys; from pathlib import Path; from bench.store.download import download; "
        child = subprocess.Popen([sys.executable, "-c", f"{code}download(sys.argv[1], Path(sys.argv[2]))", url, target])
        deadline = time.monotonic() + 60
        while not (part_of(target).exists() and part_of(target).stat().st_size == MIB + 99):
            assert child.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
        child.kill()
        child.wait()
        assert not target.exists()
        page.hold = None
        download(url, target)
        assert target.read_bytes() == DATA
        assert server.seen[-1].range == f"bytes={MIB + 99}-"

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a forked child")
    @pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
    @pytest.mark.parametrize("framing", ["length", "chunks"])
    def test_sigkill_at_every_change_of_the_disk(self, server: WebServer, target: Path, framing: str) -> None:
        url = server.put("/w", Page(DATA[:100_000], framing=framing))
        download(url, target)
        for number in range(1, 100):
            target.unlink(missing_ok=True)
            if not killed_at(number, url, target):
                break
            assert not target.exists() or target.read_bytes() == DATA[:100_000], number
            download(url, target)
            assert target.read_bytes() == DATA[:100_000], number
            assert not part_of(target).exists(), number
        assert 8 < number < 99


def killed_at(number: int, url: str, target: Path) -> bool:
    """Whether a download in a child was killed right before its call of that number; False if it ended before."""
    child = os.fork()
    if not child:
        seen = 0

        def wrap(real: Any) -> Any:
            def call(*args: Any, **kwargs: Any) -> Any:
                nonlocal seen
                seen += 1
                if seen == number:
                    os.kill(os.getpid(), signal.SIGKILL)
                return real(*args, **kwargs)

            return call

        try:
            for name in ("open", "write", "fsync", "replace", "unlink"):
                setattr(os, name, wrap(getattr(os, name)))
            download(url, target)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)
