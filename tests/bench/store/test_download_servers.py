from __future__ import annotations

import socket
import threading
import time
from pathlib import Path

import httpx2
import pytest
from download_samples import DATA, MIB, ONCE, TWICE, interrupt, names, refused, sha256
from web_server import Page, WebServer

from bench.errors import DataError
from bench.store import part, transfer
from bench.store.download import Patience, download


class TestServers:
    def test_one_that_is_busy_is_asked_again(
        self, server: WebServer, target: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        waited: list[float] = []
        monkeypatch.setattr(time, "sleep", waited.append)
        page = Page(DATA, statuses=[503, 429, 500], headers={"Retry-After": "3"})
        download(server.put("/w", page), target, patience=Patience((1.0, 2.0, 4.0)))
        assert target.read_bytes() == DATA
        assert waited == [3.0, 3.0, 4.0]

    def test_one_that_stays_broken(self, server: WebServer, target: Path) -> None:
        error = refused("download/interrupted", server.put("/w", Page(statuses=[500, 502])), target)
        assert "the server answers 502 Bad Gateway" in error.cause
        assert len(server.seen) == 2

    @pytest.mark.parametrize(
        ("status", "code"),
        [
            (404, "not-found"),
            (410, "not-found"),
            (401, "refused"),
            (403, "refused"),
            (206, "refused"),
            (204, "refused"),
        ],
    )
    def test_answers_that_asking_again_will_not_change(
        self, server: WebServer, target: Path, status: int, code: str
    ) -> None:
        error = refused(f"download/{code}", server.put("/w", Page(statuses=[status])), target)
        assert str(status) in error.cause
        assert len(server.seen) == 1

    def test_redirects(self, server: WebServer, target: Path) -> None:
        server.put("/there", Page(DATA))
        server.put("/here", Page(redirect=server.url("/there")))
        download(server.put("/w", Page(redirect="/here")), target)
        assert target.read_bytes() == DATA

    def test_a_part_is_continued_across_redirects(self, server: WebServer, target: Path) -> None:
        page = Page(DATA)
        server.put("/there", page)
        url = server.put("/w", Page(redirect="/there"))
        interrupt(url, page, target)
        download(url, target)
        assert target.read_bytes() == DATA
        assert server.seen[-1].status == 206

    @pytest.mark.parametrize("to", ["file:///etc/passwd", "ftp://127.0.0.1/w", "/w"])
    def test_redirects_that_are_not_followed(self, server: WebServer, target: Path, to: str) -> None:
        refused("download/redirect", server.put("/w", Page(redirect=to)), target)
        assert names(target) == []

    def test_from_https_to_http_only_with_a_hash(self) -> None:
        http = httpx2.URL("http://example.org/w")
        transfer._check_redirect(http, part.Wanted("https://example.org/w", sha256(DATA), None, 1))
        transfer._check_redirect(http, part.Wanted("http://example.org/v", None, None, 1))
        with pytest.raises(DataError, match="only https will do"):
            transfer._check_redirect(http, part.Wanted("https://example.org/w", None, None, 1))

    @pytest.mark.parametrize("after", ["9" * 5000, "-1", "soon", "Mon, 22 Jun 2026 10:00:00 GMT"])
    def test_waits_that_are_no_numbers(self, server: WebServer, target: Path, after: str) -> None:
        download(server.put("/w", Page(DATA, statuses=[503], headers={"Retry-After": after})), target, patience=TWICE)
        assert target.read_bytes() == DATA

    def test_nobody_there(self, server: WebServer, target: Path) -> None:
        server.server_close()
        error = refused("download/unreachable", server.url("/w"), target)
        assert "cannot reach 127.0.0.1" in error.cause
        assert "--from FILE" in error.remedy

    def test_nobody_there_any_more(self, server: WebServer, target: Path) -> None:
        page = Page(DATA)
        url = server.put("/w", page)
        have = interrupt(url, page, target)
        server.server_close()
        error = refused("download/interrupted", url, target)
        assert f"stopped after {have:,} bytes" in error.cause

    def test_silence(self, server: WebServer, target: Path) -> None:
        url = server.put("/w", Page(DATA, hold=MIB))
        patience = Patience(waits=(), connect_s=5, silence_s=0.2)
        error = refused("download/interrupted", url, target, patience=patience)
        assert "timed out" in error.cause

    def test_something_that_does_not_speak_http(self, target: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:

            def answer() -> None:
                connection, _ = listener.accept()
                with connection:
                    connection.recv(1000)
                    connection.sendall(b"220 mail.example.org ESMTP\r\n")

            thread = threading.Thread(target=answer)
            thread.start()
            url = f"http://127.0.0.1:{listener.getsockname()[1]}/w"
            refused("download/unreachable", url, target, patience=ONCE)
            thread.join()

    def test_passwords_are_neither_shown_nor_stored(self, server: WebServer, target: Path) -> None:
        page = Page(DATA)
        url = server.put("/w", page).replace("http://", "http://me:secret@")
        interrupt(url, page, target)
        assert "secret" not in target.with_name("weights.bin.part.json").read_text()
        download(url, target)
        assert server.seen[-1].range == f"bytes={MIB}-"
        assert server.seen[-1].headers["Authorization"].startswith("Basic ")
        error = refused("download/not-found", url.replace("/w", "/x"), target.with_name("x"))
        assert "secret" not in str(error)


class TestEnvironment:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("ALL_PROXY", "socks5://localhost:1"),
            ("HTTP_PROXY", "foo://x"),
            ("HTTPS_PROXY", "::"),
            ("SSL_CERT_FILE", "/no"),
        ],
    )
    def test_settings_that_cannot_be_used(
        self, target: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
    ) -> None:
        monkeypatch.setenv(name, value)
        assert name in refused("download/environment", "http://127.0.0.1:1/w", target).remedy
